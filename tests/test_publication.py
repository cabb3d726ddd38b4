"""A voted text comes into force: proposed by one person, published by another, on a day to come, without a restart."""

import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from permits.acts import abrogate
from permits.desk import Law, RulebookUnreadable
from permits.domain.calendar import paris_day
from permits.domain.filing import ActNotPossible
from permits.domain.ruling import Ruling
from permits.issue import issue_permit, preview
from permits.law.load import digest_of, read_directory
from permits.laws import Directory, KeptLaws, law_of
from permits.register.publications import Publications, step_digest
from tests.acting import BREACH, BY, permit_of, publications_of, rows
from tests.domain.builders import RULEBOOK_DIRECTORY
from tests.fakes import FakeOffice, load_law, request_body
from tests.register.forcing import superuser

OTHER = "agent-8"
TARIFF = "tariffs/droits_de_voirie.yaml"


def dearer() -> dict[str, str]:
    """The demonstration rulebook with scaffolds at 1.30 €."""
    files = read_directory(RULEBOOK_DIRECTORY)
    return files | {TARIFF: files[TARIFF].replace('rate: "1.20"', 'rate: "1.30"')}


@pytest.fixture
def publications(office: FakeOffice) -> Publications:
    """A book that has adopted its rulebook, with a dearer one kept beside it; the desk follows what is in force."""
    found, law, at = publications_of(office), load_law(), office.clock()
    found.adopt(law.rulebook.digest, paris_day(at), at)
    proposed = law_of(dearer())
    office.register.keep_rulebook(proposed.rulebook.digest, proposed.files, at)
    office.desk = replace(office.desk, laws=KeptLaws(found))
    return found


def publish(office: FakeOffice, publications: Publications, effective_on: date) -> str:
    digest, at = law_of(dearer()).rulebook.digest, office.clock()
    publications.propose(digest, effective_on, BY, at)
    publications.publish(digest, effective_on, OTHER, at)
    return digest


def fee(office: FakeOffice) -> str:
    filed, _ = issue_permit(office.desk, office.filing(request_body()))
    assert filed.act is not None
    return str(filed.act.permit.fee.total)


def test_a_published_rulebook_is_live_on_its_day_without_a_restart(
    office: FakeOffice, publications: Publications
) -> None:
    tomorrow = paris_day(office.clock()) + timedelta(days=1)
    assert fee(office) == "92.40"
    digest = publish(office, publications, tomorrow)
    assert fee(office) == "92.40"
    office.clock.move(hours=24)

    assert fee(office) == "99.60"
    decision = preview(office.desk, office.filing(request_body())).decision
    assert decision.fee is not None and str(decision.fee.total) == "99.60"
    used = rows(office, "SELECT rulebook_digest FROM application ORDER BY decided_at DESC LIMIT 1")
    assert used == [(digest,)]


def test_midnight_in_paris_is_when_it_changes(office: FakeOffice, publications: Publications) -> None:
    today = paris_day(office.clock())
    publish(office, publications, today + timedelta(days=1))
    first, dear = load_law().rulebook.digest, law_of(dearer()).rulebook.digest
    assert publications.until(today) == [first]
    assert publications.until(today + timedelta(days=1)) == [dear, first]


def test_before_the_first_rulebook_of_a_book_that_one_is_told(office: FakeOffice, publications: Publications) -> None:
    today, first = paris_day(office.clock()), load_law().rulebook.digest
    publish(office, publications, today + timedelta(days=1))
    laws = KeptLaws(publications)
    laws.on(today + timedelta(days=1))
    for earlier in (1, 400):
        law, fault = laws.read(today - timedelta(days=earlier))
        assert (law.rulebook.digest, fault) == (first, None)


def test_nobody_publishes_alone(office: FakeOffice, publications: Publications) -> None:
    digest, tomorrow = law_of(dearer()).rulebook.digest, paris_day(office.clock()) + timedelta(days=1)
    for propose_first in (False, True):
        if propose_first:
            publications.propose(digest, tomorrow, BY, office.clock())
        with pytest.raises(ActNotPossible, match="une autre personne doit avoir proposé"):
            publications.publish(digest, tomorrow, BY, office.clock())
    assert [step.step for step in publications.steps()] == ["proposed", "adopted"]


def test_what_was_proposed_for_another_day_is_not_published(office: FakeOffice, publications: Publications) -> None:
    digest, tomorrow = law_of(dearer()).rulebook.digest, paris_day(office.clock()) + timedelta(days=1)
    publications.propose(digest, tomorrow, BY, office.clock())
    with pytest.raises(ActNotPossible, match="pour ce même jour"):
        publications.publish(digest, tomorrow + timedelta(days=1), OTHER, office.clock())


@pytest.mark.parametrize("days", [0, -1])
def test_a_rulebook_takes_effect_in_the_future_only(office: FakeOffice, publications: Publications, days: int) -> None:
    digest, day = law_of(dearer()).rulebook.digest, paris_day(office.clock()) + timedelta(days=days)
    with pytest.raises(ActNotPossible, match="un jour à venir"):
        publications.propose(digest, day, BY, office.clock())
    publications.propose(digest, day + timedelta(days=2), BY, office.clock())
    office.clock.move(hours=48)
    with pytest.raises(ActNotPossible, match="un jour à venir"):
        publications.publish(digest, day + timedelta(days=2), OTHER, office.clock())


def test_the_last_published_for_a_day_counts(office: FakeOffice, publications: Publications) -> None:
    """So is a mistake undone before its day: two people publish for that day what was in force."""
    tomorrow, first, at = paris_day(office.clock()) + timedelta(days=1), load_law().rulebook.digest, office.clock()
    dear = publish(office, publications, tomorrow)
    publications.propose(first, tomorrow, BY, at)
    assert publications.until(tomorrow) == [dear, first], "a proposal undoes nothing"
    publications.publish(first, tomorrow, OTHER, at)

    assert publications.until(tomorrow) == [first, first], "what was replaced is not fallen back on"
    office.clock.move(hours=24)
    assert fee(office) == "92.40"


def test_what_was_proposed_before_another_was_published_is_proposed_anew(
    office: FakeOffice, publications: Publications
) -> None:
    """Or one person alone would undo what two had published."""
    tomorrow, first, at = paris_day(office.clock()) + timedelta(days=1), load_law().rulebook.digest, office.clock()
    publications.propose(first, tomorrow, BY, at)
    dear = publish(office, publications, tomorrow)
    for digest in (first, dear):
        with pytest.raises(ActNotPossible, match="une autre personne doit avoir proposé"):
            publications.publish(digest, tomorrow, OTHER, at)
    assert publications.waiting(paris_day(at)) == []

    publications.propose(first, tomorrow, BY, at)
    assert [step.digest for step in publications.waiting(paris_day(at))] == [first]
    publications.publish(first, tomorrow, OTHER, at)
    assert publications.until(tomorrow)[0] == first


def test_what_was_published_is_not_replaced_on_its_day(office: FakeOffice, publications: Publications) -> None:
    tomorrow, first = paris_day(office.clock()) + timedelta(days=1), load_law().rulebook.digest
    publish(office, publications, tomorrow)
    publications.propose(first, tomorrow, BY, office.clock())
    office.clock.move(hours=24)
    with pytest.raises(ActNotPossible, match="un jour à venir"):
        publications.publish(first, tomorrow, OTHER, office.clock())
    assert publications.waiting(tomorrow) == []


def test_steps_taken_at_once_are_numbered_in_the_order_of_the_chain(
    office: FakeOffice, publications: Publications
) -> None:
    digest, at = law_of(dearer()).rulebook.digest, office.clock()
    days = [paris_day(at) + timedelta(days=day) for day in range(1, 13)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda day: publications.propose(digest, day, BY, at), days))
    steps = rows(office, "SELECT digest, effective_on, taken_by FROM rulebook_step WHERE step = 'proposed' ORDER BY id")
    told = rows(
        office, "SELECT entry ->> 'step_sha256' FROM audit_entry WHERE event = 'rulebook_proposed' ORDER BY position"
    )
    sealed = [step_digest(step="proposed", rulebook=d, effective_on=day, by=by) for d, day, by in steps]
    assert [(each,) for each in sealed] == told and len(told) == len(days)


def test_only_a_book_without_a_rulebook_adopts_one(office: FakeOffice, publications: Publications) -> None:
    with pytest.raises(ActNotPossible, match="a déjà un règlement"):
        publications.adopt(law_of(dearer()).rulebook.digest, paris_day(office.clock()), office.clock())


def test_of_many_services_that_start_at_once_on_an_empty_book_one_adopts(office: FakeOffice) -> None:
    book, digest, at = publications_of(office), load_law().rulebook.digest, office.clock()

    def adopts(_: int) -> bool:
        try:
            book.adopt(digest, paris_day(at), at)
        except ActNotPossible:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(adopts, range(8))) == [False] * 7 + [True]
    assert [step.step for step in book.steps()] == ["adopted"]


def test_each_step_is_in_the_chain(office: FakeOffice, publications: Publications) -> None:
    digest = publish(office, publications, paris_day(office.clock()) + timedelta(days=1))
    told = rows(office, "SELECT event, entry ->> 'rulebook', entry ->> 'by' FROM audit_entry ORDER BY position")
    assert told[1:] == [("rulebook_proposed", digest, BY), ("rulebook_published", digest, OTHER)]


def test_a_step_can_not_be_forged_by_hand(office: FakeOffice, publications: Publications) -> None:
    statement = text(
        "INSERT INTO rulebook_step (authority, step, digest, effective_on, taken_by, taken_at)"
        " VALUES ('exemple', 'published', :digest, '2030-01-01', 'agent-9', now())"
    )
    with office.register.engine.begin() as connection, pytest.raises(DBAPIError, match="somebody else"):
        connection.execute(statement, {"digest": law_of(dearer()).rulebook.digest})


def test_a_published_rulebook_that_can_not_be_read_leaves_the_one_before_and_says_so(
    office: FakeOffice, publications: Publications
) -> None:
    laws, at = KeptLaws(publications), office.clock()
    today, tomorrow, after = (paris_day(at) + timedelta(days=days) for days in range(3))
    broken = {"authority.yaml": "identity: {id: exemple}"}
    unreadable = digest_of(broken)
    office.register.keep_rulebook(unreadable, broken, at)
    publications.propose(unreadable, tomorrow, BY, at)
    publications.publish(unreadable, tomorrow, OTHER, at)
    dear = publish(office, publications, after)

    assert laws.on(after).rulebook.digest == dear
    law, fault = laws.read(tomorrow)
    assert law.rulebook.digest == load_law().rulebook.digest, "not the dearer one, though it was read last"
    assert fault is not None and f"{unreadable[:12]} ne se lit pas, le précédent reste : " in fault
    assert laws.read(today)[1] is None and laws.read(after)[1] is None


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The digests of the rulebooks that are read from here on, each time."""
    seen: list[str] = []

    def noting(files: Mapping[str, str]) -> Law:
        seen.append(digest_of(files))
        time.sleep(0.05)
        return law_of(files)

    monkeypatch.setattr("permits.laws.law_of", noting)
    return seen


def test_a_rulebook_is_read_once_whoever_asks_and_so_is_one_that_can_not_be_read(
    office: FakeOffice, publications: Publications, read: list[str]
) -> None:
    laws, at = KeptLaws(publications), office.clock()
    tomorrow, (first,) = paris_day(at) + timedelta(days=1), publications.until(paris_day(at))
    broken = {"authority.yaml": "identity: {id: exemple}"}
    office.register.keep_rulebook(digest_of(broken), broken, at)
    publications.propose(digest_of(broken), tomorrow, BY, at)
    publications.publish(digest_of(broken), tomorrow, OTHER, at)
    with ThreadPoolExecutor(8) as pool:
        found = [law.rulebook.digest for law in pool.map(laws.on, [tomorrow] * 24)]

    assert found == [first] * 24
    assert sorted(read) == sorted([digest_of(broken), first])
    with pytest.raises(RulebookUnreadable, match="ne se lit plus : tariffs/"):
        laws.rulebook(digest_of(broken))


def test_nobody_waits_for_a_rulebook_that_another_reads(
    office: FakeOffice, publications: Publications, monkeypatch: pytest.MonkeyPatch
) -> None:
    laws, today = KeptLaws(publications), paris_day(office.clock())
    first = laws.on(today)
    dear = publish(office, publications, today + timedelta(days=1))
    begun, go_on = Event(), Event()

    def held(files: Mapping[str, str]) -> Law:
        begun.set()
        assert go_on.wait(10)
        return law_of(files)

    monkeypatch.setattr("permits.laws.law_of", held)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(laws.on, today + timedelta(days=1))
        assert begun.wait(10)
        assert laws.on(today) is first and not slow.done()
        go_on.set()
        assert slow.result(10).rulebook.digest == dear


@pytest.mark.parametrize(
    ("by_hand", "told"),
    [
        ("UPDATE rulebook SET files = CAST(:cheap AS jsonb) WHERE digest = :digest", "n’est plus celui"),
        ("UPDATE rulebook SET files = '5' WHERE digest = :digest", "n’est plus celui"),
        ("DELETE FROM rulebook WHERE digest = :digest", "n’est pas gardé"),
    ],
    ids=["still readable", "no longer files", "gone"],
)
def test_a_published_rulebook_altered_by_hand_decides_nothing(
    office: FakeOffice, publications: Publications, by_hand: str, told: str
) -> None:
    tomorrow = paris_day(office.clock()) + timedelta(days=1)
    dear = publish(office, publications, tomorrow)
    cheap = json.dumps(dearer() | {TARIFF: dearer()[TARIFF].replace('rate: "1.30"', 'rate: "0.10"')})
    with office.register.engine.begin() as connection, superuser(connection):
        assert connection.execute(text(by_hand), {"cheap": cheap, "digest": dear}).rowcount == 1
    office.clock.move(hours=24)

    assert fee(office) == "92.40"
    laws = KeptLaws(publications)
    fault = laws.read(tomorrow)[1]
    assert fault is not None and told in fault

    mended = {"digest": dear, "files": json.dumps(dearer())}
    with office.register.engine.begin() as connection, superuser(connection):
        connection.execute(text("DELETE FROM rulebook WHERE digest = :digest"), mended)
        kept = (
            "INSERT INTO rulebook SELECT :digest, authority, CAST(:files AS jsonb), recorded_at FROM rulebook LIMIT 1"
        )
        assert connection.execute(text(kept), mended).rowcount == 1
    assert laws.read(tomorrow)[1] is None, "what is given back is in force again, without a restart"


@pytest.mark.parametrize(("readable", "due"), [(True, Decimal("23.28")), (False, None)])
def test_a_permit_priced_by_what_can_not_be_read_is_abrogated_and_a_person_fixes_what_is_due(
    office: FakeOffice, publications: Publications, readable: bool, due: Decimal | None
) -> None:
    permit = permit_of(office)
    publish(office, publications, paris_day(office.clock()) + timedelta(days=1))
    office.clock.move(hours=24)
    if not readable:
        with office.register.engine.begin() as connection, superuser(connection):
            altered = text("UPDATE rulebook SET files = files - 'retention.yaml' WHERE digest = :digest")
            assert connection.execute(altered, {"digest": load_law().rulebook.digest}).rowcount == 1
    office.desk = replace(office.desk, laws=KeptLaws(publications))
    ended = abrogate(office.desk, permit.number, BREACH, date(2027, 1, 12), BY)
    assert isinstance(ended.payload, Ruling) and ended.payload.fee_terms is not None
    assert ended.payload.fee_terms.due == due


def test_the_directory_tells_how_it_stands_to_what_is_in_force(tmp_path: Path) -> None:
    in_force = load_law().rulebook.digest
    for name, content in read_directory(RULEBOOK_DIRECTORY).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    directory = Directory(tmp_path)
    assert directory.state(in_force) == "le dossier est celui qui est en vigueur"
    (tmp_path / TARIFF).write_text(dearer()[TARIFF], encoding="utf-8")
    assert "tient un autre règlement" in directory.state(in_force)
    (tmp_path / TARIFF).write_text("label: [", encoding="utf-8")
    assert f"le règlement en vigueur le reste : {TARIFF}: ligne 1: " in directory.state(in_force)
    (tmp_path / TARIFF).write_bytes(b"\xff")
    assert "n’est pas en UTF-8" in directory.state(in_force)
