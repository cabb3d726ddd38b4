"""Numbers have no hole and no repeat, whoever writes, across series and years; naive ways of numbering do."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text

from permits.issue import issue_permit
from permits.register.catalogue import PermitSearch
from tests.fakes import FakeOffice
from tests.register.writers import PROCESSES, THREADS, make_naive_book, refuse_some_commits, write

SHORT = 40
LONG = pytest.param(2000, marks=[pytest.mark.proof, pytest.mark.timeout(3600)])


@dataclass(frozen=True)
class Faults:
    """How many numbers of one series and year were given again, and how many never."""

    repeats: int
    holes: int


def faults(numbers: Iterable[int]) -> Faults:
    given = Counter(numbers)
    return Faults(repeats=sum(given.values()) - len(given), holes=max(given) - len(given))


def book(engine: Engine, table: str) -> dict[tuple[str, int], list[int]]:
    """Return the numbers of each series and year."""
    found: dict[tuple[str, int], list[int]] = defaultdict(list)
    column = "value" if table == "counter" else "number"
    with engine.connect() as connection:
        for series, year, number in connection.execute(text(f"SELECT series, year, {column} FROM {table}")):
            found[series, year].append(number)
    return found


@pytest.mark.parametrize("each", [SHORT, LONG])
def test_sixteen_writers_whose_commits_fail_at_times_leave_no_hole_and_no_repeat(
    engine: Engine, database_url: str, each: int
) -> None:
    refuse_some_commits(engine, "act")
    told = write(database_url, "register", each)

    given = book(engine, "act")
    assert set(given) == {("EX", 2026), ("EX", 2027), ("EXS", 2026), ("EXS", 2027)}
    assert {key: faults(numbers) for key, numbers in given.items()} == dict.fromkeys(given, Faults(0, 0))
    assert {key: [len(numbers)] for key, numbers in given.items()} == book(engine, "counter"), "none given at the end"
    labels = [f"{series}-{year}-{number:06d}" for (series, year), numbers in given.items() for number in numbers]
    assert sorted(labels) == sorted(told), "the book holds what was acknowledged, and nothing else"
    refused = PROCESSES * THREADS * each - len(told)
    print(f"{len(told)} numbers, {refused} commits refused")
    assert 0 < refused < PROCESSES * THREADS * each * 0.05
    assert days_by_year(engine) == {2026: "2026-12-31", 2027: "2027-01-01"}, "a year begins at midnight in Paris"
    assert_chain_tells(engine, labels)


def days_by_year(engine: Engine) -> dict[int, str]:
    """Return the only day in Paris on which the numbers of each year were given."""
    paris = "(reserved_at AT TIME ZONE 'Europe/Paris')::date::text"
    with engine.connect() as connection:
        rows = connection.execute(text(f"SELECT DISTINCT year, {paris} FROM act")).all()
    assert len(rows) == len({year for year, _ in rows})
    return dict(tuple(row) for row in rows)


def assert_chain_tells(engine: Engine, labels: list[str]) -> None:
    """Each act has its one entry, and the positions have no hole either."""
    with engine.connect() as connection:
        entries = connection.execute(text("SELECT position, entry ->> 'act' FROM audit_entry ORDER BY position")).all()
    assert [position for position, _ in entries] == list(range(1, len(labels) + 1))
    assert sorted(act for _, act in entries) == sorted(labels)


def test_the_highest_number_plus_one_is_seen_to_repeat(engine: Engine, database_url: str) -> None:
    """Negative control: the same writers, the same look."""
    make_naive_book(engine)
    refuse_some_commits(engine, "naive")
    write(database_url, "max_plus_one", SHORT)

    found = [faults(numbers) for numbers in book(engine, "naive").values()]
    print(found)
    assert sum(each.repeats for each in found) > 0


def test_a_sequence_is_seen_to_leave_holes(engine: Engine, database_url: str) -> None:
    """Negative control: the same writers, the same look."""
    make_naive_book(engine)
    refuse_some_commits(engine, "naive")
    write(database_url, "sequence", SHORT)

    found = [faults(numbers) for numbers in book(engine, "naive").values()]
    print(found)
    assert sum(each.holes for each in found) > 0
    assert sum(each.repeats for each in found) == 0


def test_the_millionth_number_is_written_whole_and_keeps_its_place(office: FakeOffice) -> None:
    with office.register.engine.begin() as connection:
        # Only with the guards off can a counter begin anywhere else than at 1.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("INSERT INTO counter VALUES ('exemple', 'EX', 2027, 999998)"))
    office.clock.now = datetime(2027, 1, 5, 9, 0, tzinfo=UTC)
    days = {"starts_on": "2027-02-08", "ends_on": "2027-02-12"}
    acts = [issue_permit(office.desk, office.filing(**days))[0].act for _ in range(3)]

    labels = ["EX-2027-999999", "EX-2027-1000000", "EX-2027-1000001"]
    assert [act.number for act in acts if act] == labels
    found = office.register.act_by_number("EX-2027-1000000", office.client_id)
    assert found is not None and found.permit.number == "EX-2027-1000000"
    newest = office.register.permits(office.client_id, PermitSearch(limit=2))
    assert [act.number for act in newest] == labels[:0:-1]
    rest = office.register.permits(office.client_id, PermitSearch(limit=2, before=(2027, 1_000_000)))
    assert [act.number for act in rest] == labels[:1]
