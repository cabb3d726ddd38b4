"""Both clients, over a real loopback socket, for every SIRET that the sandbox publishes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import httpx
import pytest
from pydantic import SecretStr

from permits.domain.establishment import (
    Establishment,
    NotFound,
    Protected,
    RegistryAnswer,
    RegistryUnavailable,
    Source,
    Standing,
)
from permits.sandbox.companies import sandbox_sirets
from permits.sirene.api_entreprise import ApiEntreprise
from permits.sirene.directory import Directory
from permits.sirene.errors import SourceError, SourceUnavailable
from permits.sirene.recherche_entreprises import RechercheEntreprises
from tests.sandbox.server import running_sandbox
from tests.sirene.answers import RECIPIENT
from tests.sirene.clock import StoppedClock
from tests.sirene.conftest import CONTACT

MAIN, OUTAGE, RATE_LIMITED = "99999001300024", "99999013800011", "99999016100013"

# What each source says, one line a SIRET: as a sentence of facts, or the error it raises.
EXPECTED = {
    MAIN: ("open registered", "open registered"),
    "99999001300016": ("open registered", "open registered"),
    "99999002100019": ("open registered", "open registered"),
    "99999003900011": ("open registered", "open registered"),
    "99999004700022": ("closed 2024-06-30 unknown", "closed 2024-06-30 registered"),
    "99999004700014": ("open registered", "open registered"),
    "99999005400010": ("closed 2023-12-31 ceased unknown", "closed 2023-12-31 ceased struck_off"),
    "99999007000016": ("open not_registered partial", "open not_registered partial unnamed"),
    "99999008800018": ("open registered partial unnamed", "open registered partial unnamed"),
    "35600000009075": ("open registered", "open registered"),
    "99999010400013": ("open struck_off", "open struck_off"),
    "99999011200016": ("open insolvency", "open insolvency"),
    "99999012000019": ("protected", "not found"),
    "99999099100013": ("open unknown", "open registered"),
    OUTAGE: ("HTTP 502 01001", "HTTP 502"),
    "99999014600014": ("open registered", "open registered"),
    "99999015300010": ("HTTP 503 01020", "open registered"),
    RATE_LIMITED: ("HTTP 429 00429", "open registered"),
    "99999018700018": ("open registered", "open registered"),
    "13002526500013": ("open not_registered", "open not_registered"),
    "99999017900015": ("open merged registered", "not found"),
    "99999006200013": ("definitely not found", "not found"),
}


@dataclass(frozen=True)
class Sandbox:
    url: str
    clock: StoppedClock
    reference: ApiEntreprise
    open_source: RechercheEntreprises


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with running_sandbox() as url:
        yield url


@pytest.fixture
def sandbox(sandbox_url: str, stopped: StoppedClock) -> Iterator[Sandbox]:
    reference = ApiEntreprise(sandbox_url, SecretStr("token"), RECIPIENT, contact=CONTACT, clock=stopped.clock)
    open_source = RechercheEntreprises(sandbox_url, contact=CONTACT, clock=stopped.clock)
    yield Sandbox(sandbox_url, stopped, reference, open_source)
    reference.close()
    open_source.close()


def told(source: ApiEntreprise | RechercheEntreprises, siret: str) -> str:
    try:
        return sentence(source.lookup(siret))
    except SourceError as error:
        return error.reason


def sentence(answer: RegistryAnswer) -> str:
    if isinstance(answer, Protected):
        return "protected"
    if isinstance(answer, NotFound):
        return "definitely not found" if answer.definite else "not found"
    facts = [
        "open" if answer.is_open else f"closed {answer.closed_on}",
        "" if answer.unit_is_active else "ceased",
        "merged" if answer.was_merged else "",
        answer.standing.value,
        "partial" if answer.partially_diffusible else "",
        "" if answer.name else "unnamed",
    ]
    return " ".join(filter(None, facts))


def test_every_published_siret_is_expected_here() -> None:
    assert {line.siret for line in sandbox_sirets()} == set(EXPECTED)


@pytest.mark.parametrize("siret", EXPECTED)
def test_the_reference_source_says(sandbox: Sandbox, siret: str) -> None:
    assert told(sandbox.reference, siret) == EXPECTED[siret][0]


@pytest.mark.parametrize("siret", EXPECTED)
def test_the_open_source_says(sandbox: Sandbox, siret: str) -> None:
    assert told(sandbox.open_source, siret) == EXPECTED[siret][1]


@pytest.mark.parametrize("siret", [siret for siret, (_, spoken) in EXPECTED.items() if spoken.startswith("open")])
def test_both_sources_agree_on_who_and_where(sandbox: Sandbox, siret: str) -> None:
    try:
        first = sandbox.reference.lookup(siret)
    except SourceUnavailable:
        return  # maintenance and rate limit: the other source alone answers
    second = sandbox.open_source.lookup(siret)
    assert isinstance(first, Establishment)
    assert isinstance(second, Establishment)
    assert (first.activity_code, first.legal_form) == (second.activity_code, second.legal_form)
    assert first.commune_code == second.commune_code
    if not first.partially_diffusible:
        assert (first.name, first.address) == (second.name, second.address)


def test_the_main_company_is_asked_at_its_branch_not_at_its_head_office(sandbox: Sandbox) -> None:
    for source in (sandbox.reference, sandbox.open_source):
        branch = source.lookup(MAIN)
        assert isinstance(branch, Establishment)
        assert branch.name == "ECHAFAUDAGES DU MODELE"
        assert branch.address == ("12 RUE DES EXEMPLES", "29999 EXEMPLE-VILLE")


def test_partial_diffusion_is_clear_for_the_administration_and_masked_for_all(sandbox: Sandbox) -> None:
    clear, masked = (source.lookup("99999007000016") for source in (sandbox.reference, sandbox.open_source))
    assert isinstance(clear, Establishment)
    assert isinstance(masked, Establishment)
    assert (clear.name, masked.name) == ("CAMILLE EXEMPLE", None)
    assert (clear.address, masked.address) == (("5 RUE DE LA MAIRIE", "29999 EXEMPLE-VILLE"), ())


def test_both_sources_date_the_striking_off_and_the_judgment(sandbox: Sandbox) -> None:
    for source in (sandbox.reference, sandbox.open_source):
        struck_off, insolvent = source.lookup("99999010400013"), source.lookup("99999011200016")
        assert isinstance(struck_off, Establishment)
        assert isinstance(insolvent, Establishment)
        assert struck_off.standing_since == date(2025, 11, 3)
        assert insolvent.standing_since == date(2026, 2, 17)


def test_a_failing_reference_hands_over_to_the_open_source(sandbox: Sandbox) -> None:
    directory = Directory([sandbox.reference, sandbox.open_source])
    answer = directory.lookup(RATE_LIMITED)
    assert isinstance(answer, Establishment)
    assert answer.evidence[0].source == Source.RECHERCHE_ENTREPRISES
    # The reference asked for two seconds of peace, whatever the SIRET.
    assert told(sandbox.reference, MAIN) == "left alone, as it asked"
    sandbox.clock.elapsed_s += 2
    assert told(sandbox.reference, MAIN) == "open registered"


def test_the_outage_lasts_until_the_recovery_and_comes_back(sandbox: Sandbox) -> None:
    directory = Directory([sandbox.reference, sandbox.open_source])
    with pytest.raises(RegistryUnavailable) as caught:
        directory.lookup(OUTAGE)
    assert len(caught.value.reasons) == 2
    httpx.post(f"{sandbox.url}/_sandbox/recovery").raise_for_status()
    answer = directory.lookup(OUTAGE)
    httpx.post(f"{sandbox.url}/_sandbox/outage").raise_for_status()
    assert isinstance(answer, Establishment)
    assert answer.standing == Standing.REGISTERED
    with pytest.raises(RegistryUnavailable):
        directory.lookup(OUTAGE)


def test_the_maintenance_tells_how_long(sandbox: Sandbox) -> None:
    with pytest.raises(SourceUnavailable) as caught:
        sandbox.reference.lookup("99999015300010")
    assert caught.value.retry_after == timedelta(minutes=10)


def test_a_connection_refused_is_an_outage(sandbox: Sandbox) -> None:
    with running_sandbox() as gone:
        pass
    source = RechercheEntreprises(gone, contact=CONTACT, clock=sandbox.clock.clock)
    assert told(source, MAIN) == "ConnectError"
    source.close()
