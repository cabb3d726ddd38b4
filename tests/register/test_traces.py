"""Every exchange with a registry of the State leaves its trace, and none is made or used without one."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from permits.domain.establishment import Audience, NotFound, Protected, RegistryAnswer, RegistryUnavailable, Source
from permits.examples import with_coming_dates
from permits.issue import issue_permit
from permits.jobs.worker import Worker, resume
from permits.register.traces import Errand, Purpose, TracedSource, note_reuse, on_errand, traces_about
from permits.sirene.budget import Budget
from permits.sirene.clock import Clock
from permits.sirene.directory import Directory
from permits.sirene.errors import SourceUnavailable
from tests.fakes import OTHER_SIRET, SIRET, FakeClock, FakeOffice, open_establishment, request_body


@dataclass
class FakeSource:
    """A registry that finds everything open, unless told otherwise."""

    clock: FakeClock
    name: Source = Source.API_ENTREPRISE
    answer: Callable[[str], RegistryAnswer] | None = None
    asked: list[str] = field(default_factory=list)
    is_closed: bool = False

    def lookup(self, siret: str, _audience: Audience, _budget: Budget) -> RegistryAnswer:
        self.asked.append(siret)
        return self.answer(siret) if self.answer else open_establishment(siret, self.clock())

    def close(self) -> None:
        self.is_closed = True


def fails(_siret: str) -> RegistryAnswer:
    raise SourceUnavailable(Source.API_ENTREPRISE, "HTTP 502")


def with_registry(office: FakeOffice, *sources: FakeSource, most_remembered: int = 10) -> FakeOffice:
    """Return the office with these registries, traced, in their order."""
    engine, authority = office.register.engine, office.register.authority
    directory = Directory(
        [TracedSource(source, engine, authority, office.clock) for source in sources],
        clock=Clock(now=office.clock),
        compare_one_in=0,
        most_remembered=most_remembered,
        on_reuse=partial(note_reuse, engine, authority, office.clock),
    )
    return replace(office, desk=replace(office.desk, registry=directory))


def traces(office: FakeOffice) -> list[Any]:
    with office.register.engine.connect() as connection:
        return list(connection.execute(text("SELECT * FROM registry_access ORDER BY id")).all())


def run(office: FakeOffice, statement: str) -> None:
    with office.register.engine.begin() as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (lambda siret: open_establishment(siret), "found"),
        (lambda siret: open_establishment(siret, is_open=False), "found"),
        (lambda siret: NotFound(siret=siret, definite=True, evidence=()), "not_found"),
        (lambda siret: Protected(siret=siret, evidence=()), "protected"),
        (fails, "no_answer"),
    ],
)
def test_a_trace_tells_what_was_asked_why_and_what_came_back(
    office: FakeOffice, answer: Callable[[str], RegistryAnswer], outcome: str
) -> None:
    source = FakeSource(office.clock, answer=answer)
    errand = Errand(Purpose.PREVIEW, about=uuid4(), client_id=office.client_id, request_id=uuid4())
    desk = with_registry(office, source).desk
    with on_errand(errand):
        if outcome == "no_answer":
            with pytest.raises(RegistryUnavailable):
                desk.registry.lookup(SIRET)
        else:
            assert desk.registry.lookup(SIRET) == answer(SIRET)
    (trace,) = traces(office)

    assert (trace.authority, trace.at, trace.source, trace.siret) == ("exemple", office.clock(), source.name, SIRET)
    assert (trace.purpose, trace.about) == ("preview", errand.about)
    assert (trace.client_id, trace.request_id, trace.outcome) == (errand.client_id, errand.request_id, outcome)


def test_each_source_that_was_asked_has_its_own_trace(office: FakeOffice) -> None:
    first = FakeSource(office.clock, answer=fails)
    second = FakeSource(office.clock, name=Source.RECHERCHE_ENTREPRISES)
    third = FakeSource(office.clock, name=Source.INSEE)
    with_registry(office, first, second, third).desk.registry.lookup(SIRET)

    assert [(trace.source, trace.outcome) for trace in traces(office)] == [
        ("api-entreprise", "no_answer"),
        ("recherche-entreprises", "found"),
    ]
    assert third.asked == []


def test_what_nobody_has_declared_is_an_operators(office: FakeOffice) -> None:
    registry = with_registry(office, FakeSource(office.clock)).desk.registry
    with on_errand(Errand(Purpose.CONSULTATION)):
        registry.lookup(SIRET)
    registry.lookup(SIRET)

    assert [trace.purpose for trace in traces(office)] == ["consultation", "operation"]


def test_an_answer_given_again_is_traced_though_nobody_is_asked(office: FakeOffice) -> None:
    source = FakeSource(office.clock)
    registry = with_registry(office, source).desk.registry
    for purpose in (Purpose.FILING, Purpose.CONSULTATION):
        with on_errand(Errand(purpose)):
            registry.lookup(SIRET)

    assert source.asked == [SIRET]
    assert [(trace.purpose, trace.outcome) for trace in traces(office)] == [
        ("filing", "found"),
        ("consultation", "reused"),
    ]


def test_nobody_is_asked_when_the_trace_cannot_be_written(office: FakeOffice) -> None:
    source = FakeSource(office.clock)
    run(office, "ALTER TABLE registry_access RENAME TO elsewhere")

    with pytest.raises(ProgrammingError):
        issue_permit(with_registry(office, source).desk, office.filing())
    assert source.asked == []
    assert nothing_was_recorded(office)


def test_an_answer_whose_trace_cannot_be_completed_decides_nothing(office: FakeOffice) -> None:
    source = FakeSource(office.clock)
    run(
        office,
        "CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'undefined_table'; END $$;"
        " CREATE TRIGGER breaks BEFORE UPDATE ON registry_access FOR EACH ROW EXECUTE FUNCTION break()",
    )

    with pytest.raises(ProgrammingError):
        issue_permit(with_registry(office, source).desk, office.filing())
    assert source.asked == [SIRET]
    assert [trace.outcome for trace in traces(office)] == [None]
    assert nothing_was_recorded(office)


def nothing_was_recorded(office: FakeOffice) -> bool:
    with office.register.engine.connect() as connection:
        found = text("SELECT (SELECT count(*) FROM application), (SELECT count(*) FROM audit_entry)")
        return tuple(connection.execute(found).one()) == (0, 0)


def test_the_same_filing_is_granted_when_its_trace_can_be_written(office: FakeOffice) -> None:
    """Negative control of the two above."""
    filed, _ = issue_permit(with_registry(office, FakeSource(office.clock)).desk, office.filing())

    assert filed.outcome == "granted"
    assert [trace.outcome for trace in traces(office)] == ["found"]


def test_the_second_look_before_a_late_seal_is_traced(office: FakeOffice) -> None:
    traced = with_registry(office, FakeSource(office.clock))
    office.press.broken = OSError("plus d’encre")
    filed, _ = issue_permit(traced.desk, office.filing())
    assert filed.act is not None
    office.press.broken = None
    office.clock.move(days=3)

    assert resume(traced.desk, [filed.act.id]) == 1
    assert [(trace.purpose, trace.about) for trace in traces(office)] == [
        ("operation", None),
        ("sealing", filed.act.id),
    ]


def test_the_job_that_decides_what_waited_is_traced(office: FakeOffice) -> None:
    # Two minutes in the past, so that what is enqueued is due at once.
    office.clock.now = datetime.now(UTC) - timedelta(minutes=2)
    source = FakeSource(office.clock, answer=fails)
    desk = with_registry(office, source).desk
    filed, _ = issue_permit(desk, office.filing(with_coming_dates(request_body(), office.clock().date())))
    assert filed.outcome == "awaiting_registry"
    source.answer = None
    worker = Worker(desk, office.register.engine, office.register.authority, first_wait_s=1)
    worker.start()
    try:
        deadline = time.monotonic() + 15
        while len(traces(office)) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        worker.stop()

    assert [(trace.purpose, trace.about, trace.outcome) for trace in traces(office)] == [
        ("operation", None, "no_answer"),
        ("waiting", filed.filing.application_id, "found"),
    ]


def test_a_person_is_shown_the_exchanges_about_them_latest_first(office: FakeOffice) -> None:
    registry = with_registry(office, FakeSource(office.clock)).desk.registry
    instants = []
    for siret in (SIRET, OTHER_SIRET, SIRET, SIRET):
        office.clock.move(minutes=1)
        registry.lookup(siret)
        instants.append(office.clock())
    engine = office.register.engine

    assert [trace.at for trace in traces_about(engine, "exemple", SIRET, 10)] == [instants[i] for i in (3, 2, 0)]
    assert [trace.at for trace in traces_about(engine, "exemple", SIRET, 2)] == [instants[i] for i in (3, 2)]
    assert traces_about(engine, "ailleurs", SIRET, 10) == []


def test_closing_a_traced_source_closes_the_source(office: FakeOffice) -> None:
    source = FakeSource(office.clock)
    TracedSource(source, office.register.engine, "exemple", office.clock).close()

    assert source.is_closed
