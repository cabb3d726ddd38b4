"""The whole life of a book, in any order: a state machine on real PostgreSQL, every promise after every step.

Hypothesis chooses what people do: file, file again, race, extend, correct, abrogate, withdraw, refuse,
notify, halt, wait for the registry, crash at any failpoint, restore a copy. After each step `fsck` looks at
the whole book, and a model that knows neither SQL nor our code says what must be granted.
"""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from shapely import Polygon

from permits import acts, failpoint
from permits.document.errors import PrintError
from permits.domain.act import Act, ActKind, ActState, Channel, Notification
from permits.domain.application import Application
from permits.domain.calendar import paris_day
from permits.domain.decision import Citation, Referred
from permits.domain.filing import ActNotPossible, Filed, Filing
from permits.domain.ruling import Motive
from permits.issue import KeyReused, RequestInProgress, decide_waiting, finish_act, issue_permit
from permits.register.book import Register
from permits.register.floor import BookRolledBack, read_checkpoint, snapshot
from permits.register.fsck.check import check
from permits.register.queue import ProcrastinateQueue
from tests.acting import turn
from tests.fakes import OTHER_SIRET, SIRET, FakeOffice, open_office
from tests.register.copies import new_database
from tests.register.test_exclusion import rectangle, request_for

# Of one street: free of each other (shared edge, shared corner), or not (20 cm over, turned, inside).
SPOTS = (
    rectangle(0, 0, 5, 3),
    rectangle(5, 0, 5, 3),
    rectangle(5, 3, 5, 3),
    rectangle(4.8, 0, 5, 3),
    rectangle(0, 0, 5, 3, angle=30),
    rectangle(1, 1, 1, 1),
)
COMPANIES = (SIRET, OTHER_SIRET)
TOLERANCE_M = 0.05
BY = "agent-7"
HEARD = "Le titulaire a été entendu et n’a pas présenté d’observation."
GROUNDS = acts.Grounds("illegal", ("Le plan joint ne montrait pas la bouche d’incendie.",), HEARD)

spots = st.integers(0, len(SPOTS) - 1)
companies = st.sampled_from(COMPANIES)
first_days = st.integers(0, 9)
lengths = st.integers(1, 5)


@dataclass
class Stay:
    """What the model knows of one permit: who may stand where, on which days."""

    number: str
    siret: str
    shape: Polygon
    first: date
    last: date
    live: bool = True

    def crosses(self, shape: Polygon, siret: str, first: date, last: date) -> bool:
        """Tell whether another company's stay there and then would stand on this one."""
        if not self.live or self.siret == siret or last < self.first or self.last < first:
            return False
        return bool(
            self.shape.buffer(-TOLERANCE_M, join_style="mitre").intersects(
                shape.buffer(-TOLERANCE_M, join_style="mitre")
            )
        )


def core(shape: Polygon) -> Polygon:
    """Return what of a footprint nobody else may touch."""
    return shape.buffer(-TOLERANCE_M, join_style="mitre")


@dataclass
class Key:
    """An idempotency key, what was filed under it, and where."""

    key: str
    body: dict[str, Any]
    shape: Polygon


@dataclass
class Model:
    """What people were told, and what must follow."""

    stays: dict[str, Stay] = field(default_factory=dict)
    keys: list[Key] = field(default_factory=list)
    bytes_told: dict[str, str] = field(default_factory=dict)
    halted: bool = False

    def is_free(self, shape: Polygon, siret: str, first: date, last: date) -> bool:
        return not any(stay.crosses(shape, siret, first, last) for stay in self.stays.values())


class Life(RuleBasedStateMachine):
    """One book, from its first page."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.model = Model()

    @initialize()
    def open(self) -> None:
        engine = self.stack.enter_context(new_database(self.url, template="permits"))
        self.office: FakeOffice = open_office(engine)
        self.desk, self.register = self.office.desk, self.office.register
        self.sabotage()

    def sabotage(self) -> None:
        """Nothing here: for the negative controls."""

    def teardown(self) -> None:
        failpoint.disarm()
        self.stack.close()

    # What applicants do.

    @rule(spot=spots, siret=companies, first=first_days, days=lengths)
    def file(self, spot: int, siret: str, first: int, days: int) -> None:
        asked = self.ask(spot, siret, first, days)
        self.hear(asked, self.send(asked))

    @rule(spot=spots, first=first_days, days=lengths)
    def race_for_one_spot(self, spot: int, first: int, days: int) -> None:
        asked = [self.ask(spot, siret, first, days) for siret in COMPANIES]
        was_free = {key.key: self.is_free(key) for key in asked}
        with ThreadPoolExecutor(len(asked)) as threads:
            filed = list(threads.map(self.send, asked))

        granted = [each for each in filed if each.outcome == "granted"]
        assert len(granted) <= 1
        if not self.model.halted and all(was_free.values()):
            assert len(granted) == 1, "the street was free: one of them gets it"
        for key, each in zip(asked, filed, strict=True):
            if each.outcome == "granted":
                self.note(key, each)
                assert each.act is not None
                # Whoever won goes: a life that is lived again must not depend on it.
                self.told(acts.withdraw(self.desk, each.act.number, GROUNDS, BY))
                self.model.stays[each.act.number].live = False

    @precondition(lambda self: self.model.keys)
    @rule(data=st.data(), callers=st.integers(1, 4))
    def file_again(self, data: st.DataObject, callers: int) -> None:
        asked = data.draw(st.sampled_from(self.model.keys))
        with ThreadPoolExecutor(callers) as threads:
            answers = list(threads.map(self.send, [asked] * callers))

        assert len({each.filing.application_id for each in answers}) == 1
        for each in answers:
            if each.act is not None and each.act.document_sha256 is not None:
                assert self.bytes_of(each.act) == self.model.bytes_told[each.act.number]

    @precondition(lambda self: self.model.keys)
    @rule(data=st.data())
    def another_body_under_a_known_key(self, data: st.DataObject) -> None:
        asked = data.draw(st.sampled_from(self.model.keys))
        other = asked.body | {"worksite": "un tout autre chantier"}
        with pytest.raises(KeyReused):
            issue_permit(self.desk, self.office.filing(other, asked.key))

    @rule(spot=spots, siret=companies, first=first_days, days=lengths)
    def file_during_an_outage(self, spot: int, siret: str, first: int, days: int) -> None:
        asked = self.ask(spot, siret, first, days)
        self.office.registry.is_down = True
        waiting = self.send(asked)
        self.office.registry.is_down = False
        assert waiting.outcome == "awaiting_registry"

        decide_waiting(self.desk, waiting.filing.application_id)
        self.hear(asked, self.send(asked))

    @precondition(lambda self: self.live_permits())
    @rule(data=st.data(), days=lengths)
    def extend(self, data: st.DataObject, days: int) -> None:
        act = self.choose(data)
        asked = str(uuid4())
        last = act.permit.ends_on + timedelta(days=days)

        def file(application: Application) -> Filing:
            return self.filing_of(application.model_dump(mode="json"), asked)

        if act.state is not ActState.ISSUED:
            with pytest.raises(ActNotPossible):
                acts.extension_of(self.desk, act, last, file)
            return
        filing = acts.extension_of(self.desk, act, last, file)
        extended = self.register.is_extended(act.id)
        filed, _ = issue_permit(self.desk, filing)
        if filed.outcome != "granted":
            return
        assert not extended
        first = act.permit.ends_on + timedelta(days=1)
        before = self.model.stays[act.number]
        assert self.model.is_free(before.shape, before.siret, first, last)
        assert filed.act is not None and filed.act.kind is ActKind.EXTENSION
        self.told(filed.act)
        self.model.stays[filed.act.number] = Stay(filed.act.number, before.siret, before.shape, first, last)

    # What the machine suffers.

    @rule(spot=spots, siret=companies, first=first_days, days=lengths, point=st.sampled_from(failpoint.POINTS))
    def crash(self, spot: int, siret: str, first: int, days: int, point: str) -> None:
        asked = self.ask(spot, siret, first, days)
        failpoint.arm(f"{point}=raise")
        try:
            issue_permit(self.desk, self.office.filing(asked.body, asked.key))
        except failpoint.FailpointError:
            pass
        finally:
            failpoint.disarm()
        self.hear(asked, self.send(asked))

    @rule(spot=spots, siret=companies, first=first_days, days=lengths, mended=st.booleans())
    def the_press_breaks(self, spot: int, siret: str, first: int, days: int, mended: bool) -> None:
        asked = self.ask(spot, siret, first, days)
        self.office.press.broken = PrintError("plus d’encre")
        filed = self.send_once(asked)
        self.office.press.broken = None
        if filed.act is None:
            return
        assert filed.act.state is ActState.RESERVED
        if mended:
            finish_act(self.desk, filed.act.id)
            self.hear(asked, self.send(asked))
        else:
            acts.annul(self.desk, filed.act.number, "La presse est en panne pour la semaine.", BY)

    @rule(hours=st.integers(1, 60))
    def time_passes(self, hours: int) -> None:
        if self.office.clock().date() < date(2026, 12, 28):
            self.office.clock.move(hours=hours)

    @precondition(lambda self: self.model.stays)
    @rule(then_something_happens=st.booleans())
    def restore_a_copy(self, then_something_happens: bool) -> None:
        authority, engine = self.register.authority, self.register.engine
        engine.dispose()
        with new_database(self.url, template=str(engine.url.database)) as copy:
            if then_something_happens:
                self.turn(halted=self.model.halted)
            with snapshot(engine) as connection:
                shown = read_checkpoint(connection, authority, self.office.clock())
            restored = Register(copy, authority, ProcrastinateQueue())
            restored.floor.show(shown)
            if then_something_happens:
                with pytest.raises(BookRolledBack):
                    restored.record_waiting(self.office.filing(), self.office.clock())
            else:
                restored.record_waiting(self.office.filing(), self.office.clock())
            assert check(copy, authority, self.office.clock()).findings == ()

    # What agents do.

    @precondition(lambda self: self.live_permits())
    @rule(data=st.data(), after=st.integers(0, 6))
    def abrogate(self, data: st.DataObject, after: int) -> None:
        act = self.choose(data)
        effective = min(act.permit.starts_on + timedelta(days=after), act.permit.ends_on)
        if self.end(act, lambda: acts.abrogate(self.desk, act.number, GROUNDS, effective, BY)):
            stay = self.model.stays[act.number]
            stay.last = effective - timedelta(days=1)
            stay.live = stay.first <= stay.last

    @precondition(lambda self: self.live_permits())
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        act = self.choose(data)
        if self.end(act, lambda: acts.withdraw(self.desk, act.number, GROUNDS, BY)):
            self.model.stays[act.number].live = False

    @precondition(lambda self: self.live_permits())
    @rule(data=st.data())
    def correct(self, data: st.DataObject) -> None:
        act = self.choose(data)
        changes = {"worksite": f"chantier {uuid4().hex[:8]}"}
        why = ("Le nom du chantier était mal écrit.",)
        if act.state is not ActState.ISSUED:
            with pytest.raises(ActNotPossible):
                acts.correct(self.desk, act.number, changes, why, BY)
            return
        corrected = acts.correct(self.desk, act.number, changes, why, BY)
        before = self.model.stays[act.number]
        before.live = False
        self.told(corrected)
        self.model.stays[corrected.number] = Stay(
            corrected.number, before.siret, before.shape, before.first, before.last
        )

    @precondition(lambda self: self.live_permits())
    @rule(data=st.data())
    def notify(self, data: st.DataObject) -> None:
        act = self.choose(data)
        today = paris_day(self.office.clock())
        notification = Notification(notified_on=today, channel=Channel.HAND_DELIVERY, proof="récépissé 12")
        try:
            acts.notify(self.desk, act.number, notification, BY)
        except ActNotPossible:
            assert act.notification is not None

    @rule(spot=spots, siret=companies, first=first_days)
    def refuse(self, spot: int, siret: str, first: int) -> None:
        asked = self.ask(spot, siret, first, 40)
        filed = self.send(asked)
        assert isinstance(filed.decision, Referred), "forty days are more than the machine grants"
        motive = Motive(fact="La rue reste ouverte à cette saison.", citation=Citation(text="règlement de voirie"))
        self.told(acts.refuse(self.desk, filed, (motive,), HEARD, BY))

    @rule(halted=st.booleans())
    def turn_the_switch(self, halted: bool) -> None:
        self.turn(halted=halted)
        self.model.halted = halted

    # What must hold after every step.

    @invariant()
    def fsck_finds_nothing(self) -> None:
        report = check(self.register.engine, self.register.authority, self.office.clock())
        assert report.findings == ()

    @invariant()
    def what_was_told_still_holds(self) -> None:
        for number, sha256 in self.model.bytes_told.items():
            act = self.register.act_by_number(number)
            assert act is not None and self.bytes_of(act) == sha256

    @invariant()
    def the_model_and_the_book_agree_on_who_stands_where(self) -> None:
        today = paris_day(self.office.clock())
        for number, stay in self.model.stays.items():
            act = self.register.act_by_number(number)
            assert act is not None
            for day in (stay.first, stay.last, stay.last + timedelta(days=1), today):
                assert act.is_in_force(day) == (stay.live and stay.first <= day <= stay.last), (number, day)

    # How.

    def ask(self, spot: int, siret: str, first: int, days: int) -> Key:
        asked = Key(str(uuid4()), request_for(SPOTS[spot], siret, first, days), SPOTS[spot])
        self.model.keys.append(asked)
        return asked

    def filing_of(self, body: dict[str, Any], key: str) -> Filing:
        return self.office.filing(body, key)

    def send_once(self, asked: Key) -> Filed:
        return issue_permit(self.desk, self.office.filing(asked.body, asked.key))[0]

    def send(self, asked: Key) -> Filed:
        """File until it is no longer in progress, as a client does: what a crash left is taken up again."""
        for _ in range(20):
            try:
                return self.send_once(asked)
            except RequestInProgress:
                self.office.clock.move(seconds=31)
        raise AssertionError("always in progress")

    def is_free(self, asked: Key) -> bool:
        first, last = (date.fromisoformat(asked.body[name]) for name in ("starts_on", "ends_on"))
        return self.model.is_free(asked.shape, asked.body["siret"], first, last)

    def hear(self, asked: Key, filed: Filed) -> None:
        """Hold an answer against the model: granted if and only if the street is free and nobody said halt."""
        may = self.is_free(asked) and not self.model.halted
        assert filed.outcome == ("granted" if may else "referred"), filed.decision
        if filed.outcome == "granted":
            self.note(asked, filed)
        else:
            self.names_who_stands_there(asked, filed)

    def names_who_stands_there(self, asked: Key, filed: Filed) -> None:
        assert isinstance(filed.decision, Referred)
        told = " ".join(ground.message for ground in filed.decision.grounds)
        first, last = (date.fromisoformat(asked.body[name]) for name in ("starts_on", "ends_on"))
        standing = [s for s in self.model.stays.values() if s.crosses(asked.shape, asked.body["siret"], first, last)]
        assert any(stay.number in told for stay in standing) or not standing

    def note(self, asked: Key, filed: Filed) -> None:
        assert filed.act is not None
        self.told(filed.act)
        permit = filed.act.permit
        stay = Stay(filed.act.number, permit.beneficiary.siret, asked.shape, permit.starts_on, permit.ends_on)
        self.model.stays[stay.number] = stay

    def told(self, act: Act) -> None:
        assert act.state is ActState.ISSUED
        assert act.number not in self.model.bytes_told, "a number is given once"
        self.model.bytes_told[act.number] = self.bytes_of(act)

    def bytes_of(self, act: Act) -> str:
        assert act.document_sha256 is not None
        return hashlib.sha256(self.register.document(act.document_sha256)).hexdigest()

    def live_permits(self) -> list[str]:
        return sorted(number for number, stay in self.model.stays.items() if stay.live)

    def choose(self, data: st.DataObject) -> Act:
        standing = [number for number in self.live_permits() if self.state_of(number) is ActState.ISSUED]
        number = data.draw(st.sampled_from(standing or self.live_permits()))
        act = self.register.act_by_number(number)
        assert act is not None
        return act

    def state_of(self, number: str) -> ActState:
        act = self.register.act_by_number(number)
        assert act is not None
        return act.state

    def end(self, act: Act, ending: Callable[[], Act]) -> bool:
        """Take an ending act; when it is not possible, the act must be extended or ended already."""
        try:
            ruling = ending()
        except ActNotPossible:
            assert self.register.is_extended(act.id) or act.state is not ActState.ISSUED
            return False
        self.told(ruling)
        return True

    def turn(self, *, halted: bool) -> None:
        turn(self.register, self.office.clock(), halted=halted)


def live(postgres: str, machine: type[Life], examples: int, steps: int, *, shrink: bool = True) -> None:
    """Live this many lives of this many steps."""
    machine.url = postgres
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            print_blob=True,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
        ),
    )


@pytest.mark.timeout(300)
def test_a_book_keeps_its_promises_whatever_happens_in_whatever_order(postgres: str) -> None:
    live(postgres, Life, examples=4, steps=25)


@pytest.mark.proof
@pytest.mark.timeout(3600)
def test_many_long_lives(postgres: str) -> None:
    live(postgres, Life, examples=100, steps=50)


class Blind(Life):
    """A book that never sees who stands there."""

    def sabotage(self) -> None:
        self.register.standing_permits = lambda footprint, filing: ()  # type: ignore[method-assign]


class Deaf(Life):
    """A book that doesn't hear the switch."""

    def turn(self, *, halted: bool) -> None:
        pass


class Forgetful(Life):
    """A book that answers a known key as if it had never seen it, and takes it for another."""

    def sabotage(self) -> None:
        record = self.register.record_decision
        self.register.find_filed = lambda client_id, key: None  # type: ignore[method-assign]
        self.register.record_decision = lambda filing, *told, **how: record(  # type: ignore[method-assign]
            replace(filing, idempotency_key=str(uuid4())), *told, **how
        )


class Silent(Life):
    """A book that files documents and tells the chain nothing."""

    def sabotage(self) -> None:
        self.register._audit = lambda *told: None  # type: ignore[method-assign]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "machine", [Blind, Silent, *(pytest.param(each, marks=pytest.mark.proof) for each in (Deaf, Forgetful))]
)
def test_a_broken_book_would_be_seen(postgres: str, machine: type[Life]) -> None:
    """Negative control. What should have been refused and was not, or is not in the model, also ends the life."""
    with pytest.raises((AssertionError, KeyError, RequestInProgress, pytest.fail.Exception)):
        live(postgres, machine, examples=15, steps=10, shrink=False)
