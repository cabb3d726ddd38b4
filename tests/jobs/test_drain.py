"""What waits for the registry is decided in the order of reception, whatever fails: nobody is lost, nobody is twice."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from permits.desk import Desk, RulebookUnreadable
from permits.domain.establishment import Audience, RegistryAnswer, Source
from permits.issue import decide_waiting, issue_permit
from permits.jobs.drain import MOST_FAILURES, Drain
from permits.register import waiting
from permits.register.book import Register
from permits.register.fsck import check
from permits.register.queue import ProcrastinateQueue
from permits.sirene.budget import Budget
from permits.sirene.clock import Clock
from permits.sirene.directory import Directory
from permits.sirene.errors import SourceUnavailable
from permits.sirene.pace import Pace, Quota
from tests.acting import rows, second_engine
from tests.fakes import FakeOffice, FakeRegistry, open_establishment
from tests.jobs.line import copy_in_line, decided, line_of, places, siret, wait_in_line


def drain_of(office: FakeOffice) -> Drain:
    return Drain(office.desk, line_of(office))


def run(office: FakeOffice) -> int:
    """One pass of a drain that remembers nothing."""
    return drain_of(office).run()


def is_sound(office: FakeOffice) -> bool:
    return check(office.register.engine, office.register.authority, office.clock()).findings == ()


def test_after_an_outage_all_are_decided_in_the_order_they_were_received(office: FakeOffice) -> None:
    asked = wait_in_line(office, 8)

    assert run(office) == 8
    assert office.registry.asked == decided(office) == asked
    assert places(office) == []
    assert is_sound(office)


def test_while_nobody_can_be_asked_the_queue_stays_as_it_is(office: FakeOffice) -> None:
    asked = wait_in_line(office, 8)
    office.registry.is_down = True
    for _ in range(10):
        assert run(office) == 0
        office.clock.move(seconds=5)

    assert len(office.registry.asked) == 10, "one look a pass, and not one for each who waits"
    assert places(office) == [(each, 0.0, 0) for each in asked]


def test_while_whoever_is_asked_fails_the_queue_stays_as_it_is(office: FakeOffice) -> None:
    asked = wait_in_line(office, 8)
    office.registry.failing = set(asked)
    for _ in range(10):
        assert run(office) == 0

    assert len(office.registry.asked) == 10 * (MOST_FAILURES + 1)
    assert places(office) == [(each, 0.0, 0) for each in asked]
    office.registry.failing.clear()
    assert run(office) == 8
    assert decided(office) == asked


def test_whoever_files_after_the_outage_does_not_pass_before_those_who_wait(office: FakeOffice) -> None:
    asked = wait_in_line(office, 3)
    office.registry.is_down = True
    assert run(office) == 0
    office.clock.move(minutes=1)
    late, _ = issue_permit(office.desk, office.filing(siret=siret(3)))
    office.registry.is_down = False

    assert late.outcome == "awaiting_registry"
    run(office)
    assert decided(office) == [*asked, siret(3)]


def test_one_that_always_fails_is_put_aside_and_the_others_are_decided_in_order(office: FakeOffice) -> None:
    first, poison, *others = wait_in_line(office, 6)
    office.registry.failing = {poison}

    assert run(office) == 5
    assert decided(office) == [first, *others]
    assert places(office) == [(poison, 10.0, 1)]
    office.registry.asked.clear()
    assert run(office) == 0 and office.registry.asked == [], "it is left alone until it is due"
    office.clock.move(seconds=10)
    office.registry.failing.clear()
    assert run(office) == 1
    assert places(office) == []
    assert is_sound(office)


def test_one_that_fails_alone_is_not_put_off(office: FakeOffice) -> None:
    """Nothing tells whether it or the registry is at fault: it is asked about again at the next pass."""
    (poison,) = wait_in_line(office, 1)
    office.registry.failing = {poison}
    assert run(office) == run(office) == 0

    assert places(office) == [(poison, 0.0, 0)]
    office.registry.failing.clear()
    assert run(office) == 1


@pytest.mark.parametrize(("tries", "wait"), [(0, 10), (1, 20), (4, 160), (5, 300), (99, 300)])
def test_one_that_goes_on_failing_is_put_off_twice_as_long_each_time_up_to_five_minutes(
    office: FakeOffice, tries: int, wait: int
) -> None:
    wait_in_line(office, 1)
    place = line_of(office).first(office.clock())
    assert place is not None
    line_of(office).postpone(place._replace(tries=tries), office.clock(), "HTTP 500")

    assert places(office) == [(siret(0), float(wait), 1)]


def in_turns(office: FakeOffice, passes: int) -> list[str]:
    """Drain so many times; return what is decided by then."""
    for _ in range(passes):
        run(office)
    return decided(office)


@pytest.mark.parametrize("probing", [True, False], ids=["as it is", "negative control"])
def test_however_many_fail_at_the_head_the_others_are_reached(
    office: FakeOffice, probing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not probing:
        monkeypatch.setattr(waiting, "_ANY_DUE", text(f"{waiting._DUE} AND false"))
    asked = wait_in_line(office, 10)
    poisons, others = asked[:5], asked[5:]
    office.registry.failing = set(poisons)
    reached = in_turns(office, 60)

    assert sorted(reached) == (others if probing else [])
    if probing:
        assert {each for each, _, tries in places(office) if tries} >= set(poisons[:3])


def bug(office: FakeOffice) -> None:
    def lookup(siret_: str, **asked: Any) -> RegistryAnswer:
        if siret_ == siret(1):
            raise ZeroDivisionError("un défaut du logiciel")
        return FakeRegistry.lookup(office.registry, siret_, **asked)

    office.registry.lookup = lookup  # type: ignore[method-assign, assignment]


def test_a_bug_in_one_is_told_with_its_id_and_costs_the_others_nothing(
    office: FakeOffice, caplog: pytest.LogCaptureFixture
) -> None:
    first, broken, *others = wait_in_line(office, 5)
    bug(office)
    with caplog.at_level(logging.ERROR):
        assert run(office) == 4

    assert decided(office) == [first, *others]
    assert places(office) == [(broken, 10.0, 1)]
    ((id_, reason),) = rows(office, "SELECT application_id, reason FROM registry_wait")
    (told,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert (told.__dict__["application"], reason) == (id_, "ZeroDivisionError")


def no_law(office: FakeOffice) -> Callable[[], None]:
    class NoLaw:
        def on(self, day: object) -> Any:
            raise RulebookUnreadable("le règlement ne se lit plus")

    laws = office.desk.laws
    office.desk = replace(office.desk, laws=NoLaw())  # type: ignore[arg-type]

    def mend() -> None:
        office.desk = replace(office.desk, laws=laws)

    return mend


def test_a_busy_press_keeps_the_order(office: FakeOffice) -> None:
    asked = wait_in_line(office, 4)
    office.press.is_busy = True
    for _ in range(3):
        assert run(office) == 0
    assert places(office) == [(each, 0.0, 0) for each in asked]
    office.press.is_busy = False

    assert run(office) == 4
    assert decided(office) == asked


def test_without_a_seal_nobody_loses_their_turn(office: FakeOffice) -> None:
    asked = wait_in_line(office, 3)
    office.press.stopped = "Le certificat du cachet a expiré."
    for _ in range(3):
        assert run(office) == 0
    assert places(office) == [(each, 0.0, 0) for each in asked]
    office.press.stopped = None

    assert run(office) == 3
    assert decided(office) == asked


def test_a_law_that_cannot_be_read_loses_nobody(office: FakeOffice) -> None:
    asked = wait_in_line(office, 4)
    mend = no_law(office)
    assert run(office) == 0
    assert [(each, tries) for each, _, tries in places(office)] == [(each, 1) for each in asked]

    mend()
    office.clock.move(seconds=10)
    run(office)
    assert sorted(decided(office)) == asked
    assert is_sound(office)


def test_a_drain_that_is_told_to_stop_does_so_between_two_and_the_next_goes_on(office: FakeOffice) -> None:
    asked = wait_in_line(office, 5)
    assert drain_of(office).run(lambda: len(decided(office)) == 2) == 2

    assert [each for each, _, _ in places(office)] == asked[2:]
    assert run(office) == 3
    assert decided(office) == asked


def test_a_place_that_nobody_has_keeps_nobody_waiting(office: FakeOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as one that was written by hand: the drain doesn't turn round it for ever."""
    wait_in_line(office, 3)
    place = line_of(office).first(office.clock())
    assert place is not None

    def others(desk: Desk, application_id: UUID) -> bool:
        return application_id != place.application_id and decide_waiting(desk, application_id)

    monkeypatch.setattr("permits.jobs.drain.decide_waiting", others)

    assert run(office) == 2
    assert places(office) == [(siret(0), 10.0, 1)]


def test_a_time_that_a_wrong_clock_has_put_too_far_away_is_not_waited_for(office: FakeOffice) -> None:
    wait_in_line(office, 2)
    place = line_of(office).first(office.clock())
    assert place is not None
    line_of(office).postpone(place, office.clock() + timedelta(days=400), "HTTP 500")

    assert run(office) == 2


def test_two_drains_at_once_decide_each_once(office: FakeOffice) -> None:
    """Never so with our own lock, and harmless when a worker that was thought dead comes back."""
    asked = wait_in_line(office, 24)
    with second_engine(office) as engine, ThreadPoolExecutor(2) as pool:
        elsewhere = replace(office, register=Register(engine, office.register.authority, ProcrastinateQueue()))
        elsewhere.desk = replace(office.desk, register=elsewhere.register)
        counts = [each.result() for each in [pool.submit(run, each) for each in (office, elsewhere)]]

    assert sum(counts) == 24
    assert sorted(decided(office)) == asked
    assert places(office) == []
    assert is_sound(office)


def drains_in_order(office: FakeOffice, more: int) -> bool:
    """Drain so many; each must be asked about and decided once. Tell whether it was in the order of reception."""
    wait_in_line(office, 1)
    asked = copy_in_line(office, more)
    assert run(office) == len(asked) == more + 1
    assert sorted(office.registry.asked) == asked
    assert places(office) == []
    return office.registry.asked == decided(office) == asked


@pytest.mark.parametrize("more", [100, pytest.param(1500, marks=pytest.mark.proof)])
def test_a_long_queue_drains_in_order_each_asked_once(office: FakeOffice, more: int) -> None:
    assert drains_in_order(office, more)


def test_a_drain_that_takes_them_in_another_order_is_seen(office: FakeOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control."""
    monkeypatch.setattr(waiting, "_FIRST_DUE", waiting._ANY_DUE)

    assert not drains_in_order(office, 20)


class Registry:
    """A source behind the real directory, with its rests: it fails for some SIRETs, or for all."""

    name = Source.API_ENTREPRISE

    def __init__(self, office: FakeOffice) -> None:
        self.clock = office.clock
        self.poisoned: set[str] = set()
        self.is_down = False
        self.wait: timedelta | None = None
        self.asked: list[str] = []
        self.instants: list[datetime] = []
        self.pace: Pace | None = None
        start = office.clock()
        self.timed = Clock(
            now=office.clock,
            monotonic=lambda: (office.clock() - start).total_seconds(),
            sleep=lambda seconds: office.clock.move(seconds=seconds),
        )
        directory = Directory([self], clock=self.timed)
        self.office = replace(office, desk=replace(office.desk, registry=directory))

    def lookup(self, siret: str, audience: Audience, budget: Budget) -> RegistryAnswer:
        if self.pace is not None:
            self.pace.enter(budget.left_s)
        self.asked.append(siret)
        self.instants.append(self.clock())
        if self.is_down or siret in self.poisoned:
            raise SourceUnavailable(self.name, "HTTP 502", self.wait)
        return open_establishment(siret, self.clock())

    def close(self) -> None:
        """Nothing to close."""


def test_as_many_poisoned_sirets_as_open_a_breaker_keep_nobody_waiting(office: FakeOffice) -> None:
    asked = wait_in_line(office, 8)
    registry = Registry(office)
    registry.poisoned = set(asked[:4])
    queue = drain_of(registry.office)
    for _ in range(200):
        queue.run()
        office.clock.move(seconds=5)
        if decided(office) == asked[4:]:
            break

    assert decided(office) == asked[4:]
    registry.poisoned.clear()
    office.clock.move(minutes=6)
    queue.run()
    assert set(decided(office)) == set(asked)


def test_what_is_remembered_is_no_proof_that_the_registry_answers(office: FakeOffice) -> None:
    asked = wait_in_line(office, 3)
    registry = Registry(office)
    registry.office.desk.registry.lookup(asked[2])
    registry.is_down, registry.wait = True, timedelta(hours=1)
    queue = drain_of(registry.office)
    for _ in range(3):
        assert queue.run() == 0
    assert len(registry.asked) <= 1 + len(asked), "each was asked about once, and asked for peace"
    registry.is_down = False
    office.clock.move(hours=2)
    queue.run()

    assert decided(office) == asked


def test_a_long_outage_keeps_the_order_and_is_over_within_a_minute_of_the_recovery(office: FakeOffice) -> None:
    asked = wait_in_line(office, 8)
    registry = Registry(office)
    registry.is_down = True
    queue = drain_of(registry.office)
    for _ in range(200):
        queue.run()
        office.clock.move(seconds=5)
    assert decided(office) == []
    assert len(registry.asked) < 50, "one look a rest"
    registry.is_down = False
    for _ in range(12):
        queue.run()
        office.clock.move(seconds=5)

    assert decided(office) == asked


def test_those_who_wait_drain_at_the_pace_of_the_source_and_no_faster(office: FakeOffice) -> None:
    asked = wait_in_line(office, 70)
    registry = Registry(office)
    registry.pace = Pace(registry.name, Quota(calls=30, window_s=60), registry.timed)
    queue = drain_of(registry.office)
    while len(decided(office)) < len(asked):
        queue.run()
        office.clock.move(seconds=5)

    at = registry.instants
    assert decided(office) == asked
    assert max(sum(start <= each < start + timedelta(seconds=60) for each in at) for start in at) == 30
    assert at[-1] - at[0] < timedelta(minutes=3), "and not much slower either"
