"""The same failures under the real clock and the real patience: eight seconds, three attempts, sixty to recover."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace

import pytest

from permits.domain.establishment import RegistryUnavailable
from permits.issue import decide_waiting, issue_permit
from permits.register.database import connect
from permits.sirene.budget import BUDGET_S, MAX_FAILURES
from permits.sirene.clock import Clock
from permits.sirene.directory import Directory
from tests.conftest import fresh_database
from tests.fakes import SIRET, START, FakeOffice, open_office
from tests.sirene.misbehaving import Fault, Registry, Spoil, connect_timeout, one_byte_at_a_time, refused
from tests.sirene.registries import Kind
from tests.sirene.test_misbehaving_registries import FAULTS, STAGES, grounds

REAL_FAULTS: dict[str, Fault | Spoil] = FAULTS | {
    "headers one byte at a time": one_byte_at_a_time(1.0, headers_too=True),
    "body one byte at a time": one_byte_at_a_time(1.0, headers_too=False),
    "refused": refused,
    "connect timeout": connect_timeout,
}


@dataclass(frozen=True)
class Seen:
    """What one failing registry brought a contractor."""

    name: str
    granted_meanwhile: bool
    answered_in_s: float
    calls: int
    recovered_in_s: float
    decided_after: bool


@pytest.fixture(scope="module")
def office(postgres: str) -> Iterator[FakeOffice]:
    with fresh_database(postgres) as url:
        engine = connect(url, pool_size=20)
        yield open_office(engine)
        engine.dispose()


def see(office: FakeOffice, kind: Kind, stage: str, name: str) -> Seen:
    fault = REAL_FAULTS[name]
    spoils = fault in (refused, connect_timeout)
    registry = Registry(dict(kind.stages), stage=stage, **{"spoil" if spoils else "fault": fault})
    # The real pace of time, on the day of the office.
    clock = Clock(now=lambda: START)
    directory = Directory([kind.client(registry.url, clock)], clock=clock)
    desk = replace(office.desk, registry=directory)
    try:
        started = time.monotonic()
        filed, _ = issue_permit(desk, office.filing(siret=SIRET))
        answered_in_s, calls = time.monotonic() - started, registry.connections
        for _ in range(2):
            # So that the outage is a real one: the source is left to rest.
            with suppress(RegistryUnavailable):
                directory.lookup(SIRET)
        registry.heal()
        healed = time.monotonic()
        for _ in range(120):
            try:
                decide_waiting(desk, filed.filing.application_id)
                break
            except RegistryUnavailable:
                time.sleep(1)
        later = office.register.application(filed.filing.application_id)
        decided_after = later is not None and later.decision is not None and grounds(later) == kind.grounds
        recovered_in_s = time.monotonic() - healed
        return Seen(
            f"{kind.name} {stage} {name}", filed.act is not None, answered_in_s, calls, recovered_in_s, decided_after
        )
    finally:
        directory.close()
        registry.close()


@pytest.mark.proof
def test_every_failure_of_every_source_at_every_stage(office: FakeOffice) -> None:
    cases = [(kind, stage, name) for kind, stage in STAGES for name in REAL_FAULTS]
    with ThreadPoolExecutor(16) as pool:
        seen = list(pool.map(lambda case: see(office, *case), cases))
    slowest = max(seen, key=lambda each: each.answered_in_s)
    latest = max(seen, key=lambda each: each.recovered_in_s)
    print(f"{len(seen)} failing registries, {sum(each.granted_meanwhile for each in seen)} permits on unverified data")
    print(f"slowest answer: {slowest.answered_in_s:.1f} s ({slowest.name})")
    print(f"slowest return to normal: {latest.recovered_in_s:.1f} s ({latest.name})")
    print(f"calls: {sum(each.calls for each in seen)}")
    for each in seen:
        assert not each.granted_meanwhile, each
        assert each.answered_in_s <= BUDGET_S + 0.5, each
        assert each.calls <= MAX_FAILURES + 1, each
        assert each.recovered_in_s <= 60, each
        assert each.decided_after, each
