"""One failure, one test: a real registry that goes wrong, at each stage of each source, under a whole filing.

Whatever it does, no permit rests on unverified data, nothing is an unhandled error, the applicant is answered
within the budget, no more than three calls fail for it, and all is well a minute after the registry is.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import pytest
import trustme

from permits.domain.decision import Referred
from permits.domain.establishment import Establishment, RegistryUnavailable
from permits.domain.filing import Filed
from permits.issue import decide_waiting, issue_permit
from permits.register.database import connect
from permits.sirene import http as polite
from permits.sirene.budget import MAX_FAILURES
from permits.sirene.clock import Clock
from permits.sirene.directory import Directory
from permits.sirene.recherche_entreprises import RechercheEntreprises
from permits.sirene.retries import Retries
from tests.conftest import fresh_database
from tests.fakes import SIRET, START, FakeOffice, open_office
from tests.sirene.answers import error
from tests.sirene.conftest import CONTACT
from tests.sirene.misbehaving import (
    Answer,
    Fault,
    Registry,
    Spoil,
    connect_timeout,
    gzip_bomb,
    hang,
    one_byte_at_a_time,
    read_timeout,
    refused,
    reset_after_the_request,
    reset_before_the_request,
    saying,
    serving,
    truncated,
)
from tests.sirene.registries import API_ENTREPRISE, INSEE, INSEE_MERGED, OTHER, RECHERCHE, Kind, found, of, registered
from tests.sirene.sirene_311 import refusal, sirene

# A tenth of the real ones: `make proof` takes those.
BUDGET_S, CONNECT_S, READ_S = 1.0, 0.25, 0.35
# For the rest of the walk, on a busy machine.
MARGIN_S = 1.0

STAGES = [(kind, stage) for kind in (API_ENTREPRISE, INSEE, RECHERCHE) for stage in kind.stages]
STAGES.append((INSEE_MERGED, list(INSEE_MERGED.stages)[1]))
STAGE_IDS = [f"{kind.name}{stage}" for kind, stage in STAGES]

FAULTS: dict[str, Fault] = {
    "reset before the request": reset_before_the_request,
    "reset after the request": reset_after_the_request,
    "read timeout": read_timeout,
    "headers one byte at a time": one_byte_at_a_time(0.05, headers_too=True),
    "body one byte at a time": one_byte_at_a_time(0.05, headers_too=False),
    "hang": hang,
    "truncated": truncated,
    "empty": saying(200),
    "HTML": saying(200, b"<html><body>Maintenance</body></html>", Content_Type="text/html"),
    "schema drift": saying(200, {"data": {"siret": SIRET, "etat": "ouvert"}, "results": [{"siren": SIRET[:9]}]}),
    "301 off-host": saying(301, b"", Location="http://127.0.0.1:9/elsewhere"),
    "401": saying(401, error("00101")),
    "403": saying(403, error("00100")),
    "404 of a gateway": saying(404, b"<h1>Not Found</h1>"),
    "409": saying(409, error("00015")),
    "422": saying(422, error("00201")),
    "429 with Retry-After": saying(429, error("00429"), Retry_After="20"),
    "429 without Retry-After": saying(429, b"slow down"),
    "500": saying(500),
    "502": saying(502, error("01001")),
    "502 with retry_in": saying(502, error("00501", retry_in=10)),
    "503 with retry_in": saying(503, error("01020", retry_in=40)),
    "504": saying(504, error("01002")),
    "gzip bomb": gzip_bomb,
}


@dataclass
class Turned:
    """The real pace of time, from the day of the office on; a test may turn it forward."""

    ahead_s: float = 0.0

    @property
    def clock(self) -> Clock:
        return Clock(now=self.now, monotonic=lambda: time.monotonic() + self.ahead_s, sleep=self.turn)

    def now(self) -> datetime:
        return START + timedelta(seconds=self.ahead_s)

    def turn(self, seconds: float) -> None:
        self.ahead_s += seconds


@pytest.fixture(scope="module")
def shared_office(postgres: str) -> Iterator[FakeOffice]:
    """One book for all of them: every filing is of the same worksite, so that none is in another's way."""
    with fresh_database(postgres) as url:
        engine = connect(url)
        yield open_office(engine)
        engine.dispose()


def grounds(filed: Filed) -> set[str]:
    """The rules that brought a decided filing before a person."""
    assert filed.decision is not None
    return {ground.rule for ground in filed.decision.grounds} if isinstance(filed.decision, Referred) else set()


class Counter:
    """A contractor at the counter of an office whose registry goes wrong."""

    def __init__(self, office: FakeOffice, kind: Kind, registry: Registry, **made: Any) -> None:
        self.turned = Turned()
        self.kind = kind
        self.registry = registry
        client = kind.client(made.pop("url", registry.url), self.turned.clock, connect_s=CONNECT_S, read_s=READ_S)
        self.directory = Directory([client], clock=self.turned.clock, budget_s=made.pop("budget_s", BUDGET_S))
        self.office = replace(office, desk=replace(office.desk, registry=self.directory, clock=self.turned.now))

    def file(self) -> Filed:
        """File once; it must not take longer than the budget."""
        started = time.monotonic()
        filed, _ = issue_permit(self.office.desk, self.office.filing(siret=SIRET))
        assert time.monotonic() - started <= BUDGET_S + MARGIN_S
        return filed

    def expect_no_decision(self) -> None:
        """The filing waits; sixty seconds after the registry is well it is granted, without anybody asking."""
        filed = self.file()
        assert filed.outcome == "awaiting_registry"
        assert filed.act is None
        before = list(self.registry.answers).index(self.registry.stage)
        assert len(self.registry.asked) <= before + MAX_FAILURES
        self.registry.heal()
        self.turned.turn(60)
        decide_waiting(self.office.desk, filed.filing.application_id)
        later = self.office.register.application(filed.filing.application_id)
        assert later is not None
        assert grounds(later) == self.kind.grounds

    def close(self) -> None:
        self.directory.close()


@pytest.fixture
def counter(shared_office: FakeOffice) -> Iterator[Callable[..., Counter]]:
    """Open a counter with this fault at this stage."""
    closing: list[Callable[[], None]] = []

    def open_counter(
        kind: Kind, stage: str, fault: Fault | None = None, spoil: Spoil | None = None, **made: Any
    ) -> Counter:
        registry = Registry(dict(kind.stages), fault, spoil, stage, tls=made.pop("tls", None))
        opened = Counter(shared_office, kind, registry, **made)
        closing.extend([registry.close, opened.close])
        return opened

    yield open_counter
    for close in closing:
        close()


@pytest.mark.parametrize(("kind", "stage"), STAGES, ids=STAGE_IDS)
class TestNothingIsDecided:
    @pytest.mark.parametrize("fault", FAULTS)
    def test_on(self, counter: Callable[..., Counter], kind: Kind, stage: str, fault: str) -> None:
        counter(kind, stage, FAULTS[fault]).expect_no_decision()

    @pytest.mark.parametrize("spoil", [refused, connect_timeout], ids=["refused", "connect timeout"])
    def test_on_a_connection(self, counter: Callable[..., Counter], kind: Kind, stage: str, spoil: Spoil) -> None:
        counter(kind, stage, spoil=spoil).expect_no_decision()

    @pytest.mark.parametrize("hangs", [False, True], ids=["DNS failure", "DNS timeout"])
    def test_on_a_name(
        self, counter: Callable[..., Counter], kind: Kind, stage: str, hangs: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lost, over, resolve = Event(), Event(), socket.getaddrinfo

        def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
            if host in (b"registre.test", "registre.test"):
                if lost.is_set() and hangs:
                    over.wait(20)
                if lost.is_set():
                    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
                host = "127.0.0.1"
            return resolve(host, *args, **kwargs)

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        registry = Registry(dict(kind.stages), spoil=lambda _registry: lost.set(), stage=stage)
        opened = counter(kind, stage, url=registry.url.replace("127.0.0.1", "registre.test"))
        opened.registry.close()
        opened.registry = registry
        heal = registry.heal

        def find_again() -> None:
            heal()
            lost.clear()

        monkeypatch.setattr(registry, "heal", find_again)
        with serving(registry):
            try:
                opened.expect_no_decision()
            finally:
                over.set()

    def test_on_a_certificate_nobody_vouches_for(
        self, counter: Callable[..., Counter], kind: Kind, stage: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ours, theirs = trustme.CA(), trustme.CA()
        trusting = ssl.create_default_context()
        ours.configure_trust(trusting)
        monkeypatch.setattr(polite, "_tls", lambda: trusting)

        def shown(authority: trustme.CA) -> ssl.SSLContext:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert("127.0.0.1").configure_cert(context)
            return context

        good, bad = shown(ours), shown(theirs)

        def spoil(registry: Registry) -> None:
            registry.tls = bad

        opened = counter(kind, stage, spoil=spoil, tls=good)
        heal = opened.registry.heal

        def renew() -> None:
            heal()
            opened.registry.tls = good

        monkeypatch.setattr(opened.registry, "heal", renew)
        opened.expect_no_decision()

    def test_and_without_a_fault_the_same_filing_is_decided_at_once(
        self, counter: Callable[..., Counter], kind: Kind, stage: str
    ) -> None:
        filed = counter(kind, stage).file()
        assert grounds(filed) == kind.grounds
        assert (filed.act is not None) == (not kind.grounds)
        assert filed.facts is not None
        assert filed.facts.registry.evidence[0].source == kind.name


@pytest.mark.parametrize(
    ("kind", "stage", "fault"),
    [
        (API_ENTREPRISE, "/v4/", saying(200, of(OTHER))),
        (API_ENTREPRISE, "/v3/", saying(200, registered(OTHER[:9]))),
        (RECHERCHE, "/search", saying(200, found(OTHER))),
        (INSEE, f"/siret/{SIRET}", saying(200, sirene(siret=OTHER))),
        (INSEE_MERGED, f"/siret/{OTHER}", saying(200, sirene(siret=SIRET))),
    ],
    ids=["api-entreprise", "api-entreprise-extract", "recherche-entreprises", "insee", "insee-merged"],
)
def test_another_sirets_data_decides_nothing_about_this_one(
    counter: Callable[..., Counter], kind: Kind, stage: str, fault: Fault
) -> None:
    exact = next(one for one in kind.stages if one.startswith(stage))
    filed = counter(kind, exact, fault).file()
    assert filed.act is None
    assert filed.outcome == "awaiting_registry" or isinstance(filed.decision, Referred)


def test_a_451_brings_the_filing_before_a_person(counter: Callable[..., Counter]) -> None:
    stage = next(iter(API_ENTREPRISE.stages))
    filed = counter(API_ENTREPRISE, stage, saying(451, error("01005"))).file()
    assert isinstance(filed.decision, Referred)


@pytest.mark.parametrize(("kind", "stage"), STAGES[1:], ids=STAGE_IDS[1:])
def test_a_451_of_whom_it_means_nothing_is_an_outage(counter: Callable[..., Counter], kind: Kind, stage: str) -> None:
    counter(kind, stage, saying(451, error("01005"))).expect_no_decision()


def test_insee_may_refuse_to_tell_of_one_establishment(counter: Callable[..., Counter]) -> None:
    filed = counter(INSEE, f"/siret/{SIRET}", saying(403, refusal(403))).file()
    assert grounds(filed) == {"SIRET-EXISTS"}


def test_a_merged_siret_is_asked_of_insee_again_and_of_nobody_else(counter: Callable[..., Counter]) -> None:
    with serving(Registry({"/": (200, sirene(siret=OTHER), {})})) as trap:
        there = {"Location": f"{trap.url}/siret/{OTHER}"}
        kind = replace(INSEE_MERGED, stages=INSEE_MERGED.stages | {f"/siret/{SIRET}": (301, refusal(301), there)})
        opened = counter(kind, f"/siret/{OTHER}")
        filed = opened.file()
    assert trap.connections == 0
    assert opened.registry.asked == [f"/siret/{SIRET}", f"/siret/{OTHER}"]
    assert filed.facts is not None
    assert isinstance(filed.facts.registry, Establishment)
    assert (filed.facts.registry.asked_siret, filed.facts.registry.siret) == (SIRET, OTHER)


def test_an_open_door_elsewhere_is_never_walked_through(counter: Callable[..., Counter]) -> None:
    elsewhere: dict[str, Answer] = {"/": (200, of(SIRET), {})}
    with serving(Registry(elsewhere)) as trap:
        stage = next(iter(API_ENTREPRISE.stages))
        counter(API_ENTREPRISE, stage, saying(301, b"", Location=f"{trap.url}/v4")).expect_no_decision()
    assert trap.connections == 0


@pytest.mark.parametrize("fault", ["502", "500", "504", "truncated", "reset after the request"])
def test_what_may_pass_is_tried_three_times_in_all(counter: Callable[..., Counter], fault: str) -> None:
    # The pauses between them are turned, not slept.
    opened = counter(RECHERCHE, "/search", FAULTS[fault], budget_s=8.0)
    opened.expect_no_decision()
    assert len(opened.registry.asked) == MAX_FAILURES + 1, "and once more when it was well again"


def test_three_sources_that_hang_answer_within_one_budget(shared_office: FakeOffice) -> None:
    kinds, turned = (API_ENTREPRISE, INSEE, RECHERCHE), Turned()
    registries = [Registry(dict(kind.stages), hang) for kind in kinds]
    clients = [
        kind.client(registry.url, turned.clock, connect_s=CONNECT_S, read_s=BUDGET_S)
        for kind, registry in zip(kinds, registries, strict=True)
    ]
    directory = Directory(clients, clock=turned.clock, budget_s=BUDGET_S)
    started = time.monotonic()
    with pytest.raises(RegistryUnavailable):
        directory.lookup(SIRET)
    assert time.monotonic() - started <= BUDGET_S + MARGIN_S
    assert [len(registry.asked) for registry in registries] == [1, 1, 1]
    directory.close()
    for registry in registries:
        registry.close()


def test_a_429_is_obeyed_although_its_body_never_comes(counter: Callable[..., Counter]) -> None:
    def refuse_and_hang(registry: Registry, stream: socket.socket, _path: str) -> None:
        stream.sendall(b"HTTP/1.1 429 Too Many\r\nRetry-After: 50\r\nContent-Length: 400\r\n\r\n{")
        registry.over.wait(20)

    opened = counter(RECHERCHE, "/search", refuse_and_hang)
    for _ in range(3):
        opened.file()
        opened.turned.turn(15)
    assert len(opened.registry.asked) == 1


class TestUnderAFlakyRegistry:
    """One call in three fails, time and again, for three hundred look-ups."""

    @pytest.fixture
    def flaky(self) -> Iterator[Registry]:
        def fail_one_in_three(registry: Registry, stream: socket.socket, path: str) -> None:
            if len(registry.asked) % 3 == 0:
                return saying(502, error("01001"))(registry, stream, path)
            return registry.answer(stream, path)

        with serving(Registry(dict(RECHERCHE.stages), fail_one_in_three)) as registry:
            yield registry

    def look_up(self, registry: Registry) -> tuple[int, int]:
        """Return how many look-ups were answered and how many calls were made for them."""
        turned, answered = Turned(), 0
        client = RechercheEntreprises(registry.url, contact=CONTACT, clock=turned.clock)
        directory = Directory([client], clock=turned.clock)
        for _ in range(300):
            try:
                directory.lookup(SIRET, max_age=timedelta(0))
                answered += 1
            except RegistryUnavailable:
                pass
        directory.close()
        return answered, len(registry.asked)

    def test_retries_add_a_tenth_of_the_calls_at_most(self, flaky: Registry) -> None:
        answered, calls = self.look_up(flaky)
        assert 300 < calls <= 330
        assert answered > 200

    def test_which_they_would_exceed_if_nothing_held_them(
        self, flaky: Registry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Retries, "take", lambda _self: True)
        _, calls = self.look_up(flaky)
        assert calls > 330
