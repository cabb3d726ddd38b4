"""No double booking, by the database: against a shapely oracle, with boundaries first."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from pyproj import Transformer
from shapely import Polygon
from sqlalchemy import text

from permits.domain.act import ActState
from permits.domain.filing import Filed, FootprintTaken
from permits.domain.french import day_text
from permits.issue import issue_permit, measure
from permits.register.clients import add_client, new_key
from tests.acting import wait, wait_until_somebody_waits
from tests.fakes import MONDAY, OTHER_SIRET, SIRET, FakeOffice, FakePress, request_body
from tests.register.by_hand import by_hand
from tests.register.filings import Filings
from tests.register.pairs import KINDS, Pair, random_pair, rectangle

TO_DEGREES = Transformer.from_crs("EPSG:3948", "EPSG:4326", always_xy=True)


def request_for(shape: Polygon, siret: str, first_day: int = 0, days: int = 5) -> dict[str, Any]:
    ring = [list(TO_DEGREES.transform(x, y)) for x, y in shape.exterior.coords]
    body = request_body()
    occupancy = body["occupancies"][0] | {"kind": "skip", "length_m": None, "width_m": None}
    occupancy["place"] = {
        "address": "12 rue des Exemples",
        "footprint": {"type": "Polygon", "coordinates": [ring]},
    }
    start = MONDAY + timedelta(days=first_day)
    return body | {
        "siret": siret,
        "occupancies": [occupancy],
        "starts_on": start.isoformat(),
        "ends_on": (start + timedelta(days=days - 1)).isoformat(),
    }


def outcome(office: FakeOffice, body: dict[str, Any]) -> str:
    filed, _ = issue_permit(office.desk, office.filing(body))
    return filed.outcome


@pytest.mark.parametrize("angle", [0, 17, 45, 90, 133.7])
@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ((5.0, 0.0, 5.0, 3.0), "granted"),  # shared edge
        ((5.0, 3.0, 5.0, 3.0), "granted"),  # shared corner
        ((0.0, 3.0, 5.0, 3.0), "granted"),  # shared long edge
        ((4.8, 0.0, 5.0, 3.0), "referred"),  # 20 cm over
        ((1.0, 1.0, 1.0, 1.0), "referred"),  # inside
        ((0.0, 0.0, 5.0, 3.0), "referred"),  # the very same
        ((5.2, 0.0, 5.0, 3.0), "granted"),
    ],
)
def test_touching_is_free_and_overlapping_is_not(
    office: FakeOffice, second: tuple[float, float, float, float], expected: str, angle: float
) -> None:
    assert outcome(office, request_for(rectangle(0, 0, 5, 3, angle), SIRET)) == "granted"
    assert outcome(office, request_for(rectangle(*second, angle), OTHER_SIRET)) == expected


@pytest.mark.parametrize(
    ("first_day", "expected"), [(-5, "granted"), (-4, "referred"), (4, "referred"), (5, "granted")]
)
def test_back_to_back_days_are_free_and_a_shared_day_is_not(office: FakeOffice, first_day: int, expected: str) -> None:
    shape = rectangle(0, 0, 5, 3)
    assert outcome(office, request_for(shape, SIRET)) == "granted"
    assert outcome(office, request_for(shape, OTHER_SIRET, first_day)) == expected


def test_the_same_worksite_may_overlap_itself(office: FakeOffice) -> None:
    shape = rectangle(0, 0, 5, 3)
    assert outcome(office, request_for(shape, SIRET)) == "granted"
    assert outcome(office, request_for(shape, SIRET)) == "granted"


def test_the_loser_is_told_which_permit_stands_there_and_when(office: FakeOffice) -> None:
    shape = rectangle(0, 0, 5, 3)
    outcome(office, request_for(shape, SIRET))
    filed, _ = issue_permit(office.desk, office.filing(request_for(shape, OTHER_SIRET)))

    assert filed.decision is not None
    (ground,) = [finding for finding in filed.decision.findings if finding.rule == "OVERLAP"]
    assert "EX-2026-000001" in ground.message
    assert "11 janvier 2027" in ground.message and "15 janvier 2027" in ground.message


@pytest.mark.parametrize("pairs", [200, pytest.param(2000, marks=[pytest.mark.proof, pytest.mark.timeout(3600)])])
def test_the_database_and_shapely_agree_on_random_pairs(office: FakeOffice, pairs: int) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    seen = compare(office, random.Random(seed), pairs)

    assert {name: disagreed for name, (_, _, disagreed) in seen.items()} == {kind: [] for kind in KINDS}
    assert sum(taken for taken, _, _ in seen.values()) > pairs / 10
    assert sum(free for _, free, _ in seen.values()) > pairs / 10


def test_a_constraint_that_only_looks_at_bounding_boxes_is_seen_to_disagree(office: FakeOffice) -> None:
    """Negative control: the same pairs, the same oracle, boxes instead of polygons."""
    with office.register.engine.begin() as connection:
        connection.execute(text("ALTER TABLE act_footprint DROP CONSTRAINT no_double_booking"))
        connection.execute(
            text(
                "ALTER TABLE act_footprint ADD CONSTRAINT no_double_booking EXCLUDE USING gist (box(footprint_core)"
                " WITH &&, period WITH &&, authority WITH =, space WITH =, worksite_key WITH <>) WHERE (live)"
            )
        )
    seen = compare(office, random.Random(1), 60)

    assert any(disagreed for _, _, disagreed in seen.values())


def compare(office: FakeOffice, chance: random.Random, pairs: int) -> dict[str, tuple[int, int, list[Pair]]]:
    """Return by kind of pair how many were taken and free for the oracle, and those the database saw otherwise."""
    filings = Filings(office)
    seen: dict[str, tuple[int, int, list[Pair]]] = {name: (0, 0, []) for name in KINDS}
    for n in range(pairs):
        pair = random_pair(chance, n)
        first = office.filing(request_for(pair.first, SIRET))
        (footprint,) = measure(office.desk.law, first.application, first.received_at)
        filings.record(filings.granted(first, footprint))
        second = office.filing(request_for(pair.second, pair.siret, pair.days_later))
        (footprint,) = measure(office.desk.law, second.application, second.received_at)
        told = bool(office.register.standing_permits(footprint, second))
        try:
            filings.record(filings.granted(second, footprint))
            refused = False
        except FootprintTaken:
            refused = True
        taken, free, disagreed = seen[pair.kind]
        if not told == refused == pair.is_taken:
            disagreed.append(pair)
        seen[pair.kind] = (taken + pair.is_taken, free + (not pair.is_taken), disagreed)
    return seen


@pytest.mark.parametrize("rounds", [8])
def test_of_two_clients_racing_for_one_spot_one_has_it_and_the_other_is_told_who(
    office: FakeOffice, rounds: int
) -> None:
    for n in range(rounds):
        answers = race(office, rectangle(0, 0, 5, 3, 17.0 * n), first_day=7 * n)

        (winner,) = [filed.act for filed in answers if filed.act is not None]
        (loser,) = [filed for filed in answers if filed.act is None]
        assert loser.outcome == "referred" and loser.decision is not None
        (ground,) = [finding for finding in loser.decision.findings if finding.rule == "OVERLAP"]
        assert winner.number in ground.message
        assert day_text(winner.permit.starts_on) in ground.message
        assert day_text(winner.permit.ends_on) in ground.message
        assert winner.state is ActState.ISSUED


def test_without_the_constraint_both_racers_are_seen_to_have_the_spot(office: FakeOffice) -> None:
    """Negative control: the same race, the same look."""
    with office.register.engine.begin() as connection:
        connection.execute(text("ALTER TABLE act_footprint DROP CONSTRAINT no_double_booking"))
    answers = race(office, rectangle(0, 0, 5, 3), first_day=0)

    assert [filed.outcome for filed in answers] == ["granted", "granted"]


def race(office: FakeOffice, shape: Polygon, first_day: int) -> list[Filed]:
    """Have two clients ask for the same spot; neither records before the other has been found grantable too."""
    rival_id = uuid4()
    add_client(office.register.engine, office.register.authority, "rival", [], new_key(), rival_id, office.clock())
    desk = replace(office.desk, press=StartingLine(racers=2))
    filings = [
        office.filing(request_for(shape, SIRET, first_day)),
        replace(office, client_id=rival_id).filing(request_for(shape, OTHER_SIRET, first_day)),
    ]
    with ThreadPoolExecutor(2) as pool:
        return [filed for filed, _ in pool.map(lambda filing: issue_permit(desk, filing), filings)]


class StartingLine(FakePress):
    """A press that gives the racers their places together: by then each has been granted, and nothing recorded.

    Who is sent back by a deadlock may be granted again before the winner commits: that place is given at once.
    """

    def __init__(self, racers: int) -> None:
        super().__init__()
        self._racers, self._together, self._arrivals = racers, Barrier(racers), count(1)

    @contextmanager
    def slot(self) -> Iterator[None]:
        if next(self._arrivals) <= self._racers:
            self._together.wait(30)
        yield


def test_of_two_who_wait_for_each_other_one_is_sent_back_looks_again_and_is_told_who_was_first(
    office: FakeOffice, caplog: pytest.LogCaptureFixture
) -> None:
    """A rival, in a transaction of its own, takes the same two places in the other order."""
    body = request_for(rectangle(0, 0, 5, 3), SIRET)
    body["occupancies"] += request_for(rectangle(20, 0, 5, 3), SIRET)["occupancies"]
    rival, _ = issue_permit(office.desk, office.filing(body | {"siret": OTHER_SIRET}))
    assert rival.act is not None
    take = text("INSERT INTO act_footprint SELECT * FROM taken WHERE occupancy = :place")
    with by_hand(office, triggers=False) as connection, ThreadPoolExecutor(1) as pool:
        connection.execute(text("CREATE TEMP TABLE taken AS SELECT * FROM act_footprint"))
        connection.execute(text("DELETE FROM act_footprint"))
        connection.commit()
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("SET LOCAL deadlock_timeout = '1h'"))  # the other one sees it, and is sent back
        connection.execute(take, {"place": 1})
        caplog.set_level("INFO", "permits.issue")
        racing = pool.submit(issue_permit, office.desk, office.filing(body))
        wait_until_somebody_waits(office)
        connection.execute(take, {"place": 0})
        assert wait(lambda: len(caplog.records) == 1), "nobody was sent back"
        wait_until_somebody_waits(office)
        connection.commit()
        filed, _ = racing.result(30)

    assert [vars(record)["change"] for record in caplog.records] == ["FootprintTaken", "FootprintTaken"]
    assert filed.outcome == "referred" and filed.decision is not None
    grounds = [finding.message for finding in filed.decision.findings if finding.rule == "OVERLAP"]
    assert grounds and all(rival.act.number in ground for ground in grounds)
