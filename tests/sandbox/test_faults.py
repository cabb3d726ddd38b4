"""Each fault that can be asked of the sandbox, over real HTTP: what is on the wire, and what our clients say."""

from collections.abc import Iterator
from typing import Any, get_args

import httpx
import pytest
from pydantic import SecretStr

from permits.domain.establishment import Audience, Source
from permits.sandbox.faults import FaultName
from permits.sirene.api_entreprise import ApiEntreprise
from permits.sirene.budget import Budget
from permits.sirene.clock import Clock
from permits.sirene.directory import RegistrySource
from permits.sirene.insee import Insee
from permits.sirene.recherche_entreprises import RechercheEntreprises
from tests.fakes import ROOT
from tests.sandbox.server import running_sandbox
from tests.sirene.words import told

MAIN, CONTACT = "99999001300024", "mailto:test@exemple.example"
SLOW_S = 0.2
SOURCES = ("api-entreprise", "insee", "recherche-entreprises")
HEALTHY = {
    "api-entreprise": "ouvert, immatriculé",
    "insee": "ouvert",
    "recherche-entreprises": "ouvert, immatriculé",
}
UNUSABLE = "erreur : unusable answer: "
NO_OBJECT = f"{UNUSABLE}not a JSON object"
TOO_SLOW = "erreur : no whole answer within the budget"

# What a client says of each fault: one sentence, or one for each source in the order above.
EXPECTED: dict[str, str | tuple[str, str, str]] = {
    "hang": "erreur : ReadTimeout",
    "slow": (HEALTHY["api-entreprise"], HEALTHY["insee"], HEALTHY["recherche-entreprises"]),
    "drip": TOO_SLOW,
    "truncated": "erreur : RemoteProtocolError",
    "empty": NO_OBJECT,
    "html": NO_OBJECT,
    "garbage": NO_OBJECT,
    "gzip_bomb": f"{UNUSABLE}compressed although identity was asked",
    "other_siret": (
        f"{UNUSABLE}establishment of another SIRET than the one asked",
        f"{UNUSABLE}establishment of another SIRET than the one asked",
        "non trouvé",
    ),
    "drift": (
        f"{UNUSABLE}establishment of another shape",
        f"{UNUSABLE}establishment of another shape",
        f"{UNUSABLE}results of another shape",
    ),
    "redirect": ("erreur : HTTP 301", f"{UNUSABLE}redirection to no other SIRET", "erreur : HTTP 301"),
    "401": ("refus : HTTP 401 00101", "refus : HTTP 401", "refus : HTTP 401"),
    "403": ("refus : HTTP 403 00100", "refus : HTTP 403", "refus : HTTP 403"),
    "404": (
        f"{UNUSABLE}HTTP 404 which does not come from the registry",
        f"{UNUSABLE}HTTP 404 which does not come from the registry",
        "refus : HTTP 404",
    ),
    "409": ("erreur : HTTP 409 00015", "erreur : HTTP 409", "erreur : HTTP 409"),
    "422": ("refus : HTTP 422 00201", "refus : HTTP 422", "refus : HTTP 422"),
    "429": ("erreur : HTTP 429 00429", "erreur : HTTP 429", "erreur : HTTP 429"),
    "429_without_wait": ("erreur : HTTP 429 00429", "erreur : HTTP 429", "erreur : HTTP 429"),
    "451": ("protégé", "erreur : HTTP 451", "erreur : HTTP 451"),
    "500": ("erreur : HTTP 500 00999", "erreur : HTTP 500", "erreur : HTTP 500"),
    "502": ("erreur : HTTP 502 01001", "erreur : HTTP 502", "erreur : HTTP 502"),
    "503": ("erreur : HTTP 503 01020", "erreur : HTTP 503", "erreur : HTTP 503"),
    "504": ("erreur : HTTP 504 01002", "erreur : HTTP 504", "erreur : HTTP 504"),
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_sandbox(SLOW_S) as url:
        yield url


@pytest.fixture(autouse=True)
def no_fault_is_left(url: str) -> Iterator[None]:
    yield
    httpx.delete(f"{url}/_sandbox/faults").raise_for_status()


def spoil(url: str, source: str, fault: str, **more: object) -> None:
    httpx.post(f"{url}/_sandbox/faults", json={"source": source, "fault": fault, **more}).raise_for_status()


def client_of(source: str, url: str, read_s: float = 2.5) -> RegistrySource:
    if source == Source.API_ENTREPRISE:
        return ApiEntreprise(url, SecretStr("jeton"), "21299999900015", contact=CONTACT, read_s=read_s)
    if source == Source.INSEE:
        return Insee(f"{url}/api-sirene/3.11", SecretStr("clef"), contact=CONTACT, read_s=read_s)
    return RechercheEntreprises(url, contact=CONTACT, read_s=read_s)


def said_by(client: RegistrySource, seconds: float = 8.0) -> str:
    # One failed call is the end of it: a retry would find the same fault.
    budget = Budget(Clock(), seconds, failures=1)
    return told(lambda: client.lookup(MAIN, Audience.AUTHORITY, budget))


def test_every_fault_is_expected_here() -> None:
    assert set(EXPECTED) == set(get_args(FaultName))


@pytest.mark.parametrize("fault", get_args(FaultName))
def test_every_fault_is_in_the_operations_guide(fault: str) -> None:
    guide = (ROOT / "docs" / "registry.md").read_text(encoding="utf-8").partition("## Essayer les pannes")[2]
    rows = [line.split("|")[1] for line in guide.partition("\n## ")[0].splitlines() if line.startswith("| `")]

    assert any(f"`{fault}`" in row for row in rows)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("fault", EXPECTED)
def test_a_fault_is_never_read_as_a_verdict(url: str, source: str, fault: str) -> None:
    expected = EXPECTED[fault]
    expected = expected if isinstance(expected, str) else expected[SOURCES.index(source)]
    client = client_of(source, url, read_s=0.3 if fault == "hang" else 2.5)
    spoil(url, source, fault, times=1)

    assert said_by(client, seconds=1.2 if fault == "drip" else 8.0) == expected
    client.close()


@pytest.mark.parametrize("source", SOURCES)
def test_a_registry_whose_faults_are_over_answers_again(url: str, source: str) -> None:
    client = client_of(source, url)
    spoil(url, source, "502", times=2)
    assert [said_by(client).startswith("erreur") for _ in range(3)] == [True, True, False]
    assert said_by(client) == HEALTHY[source]
    client.close()


def test_a_fault_without_a_count_lasts_until_it_is_cleared(url: str) -> None:
    client = client_of("insee", url)
    spoil(url, "insee", "empty")
    assert [said_by(client) for _ in range(3)] == [NO_OBJECT] * 3
    httpx.delete(f"{url}/_sandbox/faults").raise_for_status()
    assert said_by(client) == "ouvert"
    client.close()


def test_a_fault_spoils_one_source_and_one_stage_only(url: str) -> None:
    clients = [client_of(source, url) for source in SOURCES]
    spoil(url, "api-entreprise", "502", path_contains="extrait_kbis")
    assert [said_by(client) for client in clients] == ["erreur : HTTP 502 01001", "ouvert", "ouvert, immatriculé"]
    establishment = httpx.get(f"{url}/v4/insee/sirene/etablissements/{MAIN}")
    assert establishment.status_code == 401  # its own gate, not the fault
    for client in clients:
        client.close()


def test_the_extract_of_another_company_is_no_answer(url: str) -> None:
    client = client_of("api-entreprise", url)
    spoil(url, "api-entreprise", "other_siret", path_contains="extrait_kbis")
    assert said_by(client) == f"{UNUSABLE}extract of another SIREN than the one asked"
    client.close()


def test_the_faults_asked_for_are_told_with_what_is_left_of_them(url: str) -> None:
    spoil(url, "insee", "504", times=3)
    spoil(url, "recherche-entreprises", "html", path_contains="search")
    httpx.get(f"{url}/api-sirene/3.11/siret/{MAIN}")
    left: list[dict[str, Any]] = httpx.get(f"{url}/_sandbox/faults").json()
    assert left == [
        {"source": "insee", "path_contains": "", "fault": "504", "times": 2},
        {"source": "recherche-entreprises", "path_contains": "search", "fault": "html", "times": None},
    ]


@pytest.mark.parametrize(
    "asked",
    [
        {"source": "insee", "fault": "earthquake"},
        {"source": "bodacc", "fault": "502"},
        {"source": "insee", "fault": "502", "times": 0},
        {"source": "insee", "fault": "502", "time": 3},
        {},
    ],
)
def test_a_fault_that_does_not_exist_is_refused(url: str, asked: dict[str, object]) -> None:
    assert httpx.post(f"{url}/_sandbox/faults", json=asked).status_code == 422
    assert httpx.get(f"{url}/_sandbox/faults").json() == []


@pytest.mark.parametrize(("fault", "header"), [("429", "2"), ("429_without_wait", None), ("502", None)])
def test_only_the_fault_that_says_so_tells_how_long_to_wait(url: str, fault: str, header: str | None) -> None:
    spoil(url, "insee", fault)
    assert httpx.get(f"{url}/api-sirene/3.11/siret/{MAIN}").headers.get("Retry-After") == header


def test_the_maintenance_of_the_reference_says_when_it_ends(url: str) -> None:
    spoil(url, "api-entreprise", "503")
    [error] = httpx.get(f"{url}/v4/insee/sirene/etablissements/{MAIN}").json()["errors"]
    assert error["meta"] == {"retry_in": 5}


def test_a_drip_is_one_byte_a_second(url: str) -> None:
    spoil(url, "insee", "drip")
    with httpx.stream("GET", f"{url}/api-sirene/3.11/siret/{MAIN}") as answer:
        assert len(next(answer.iter_raw())) == 1
        assert answer.headers["Content-Length"] == "60"


def test_a_slow_registry_answers_in_the_end(url: str) -> None:
    spoil(url, "recherche-entreprises", "slow")
    answer = httpx.get(f"{url}/search", params={"q": MAIN})
    assert answer.elapsed.total_seconds() >= SLOW_S
    assert answer.json()["total_results"] == 1


def test_the_bomb_is_small_on_the_wire_and_enormous_unpacked(url: str) -> None:
    spoil(url, "insee", "gzip_bomb")
    answer = httpx.get(f"{url}/api-sirene/3.11/siret/{MAIN}")
    assert int(answer.headers["Content-Length"]) < 100_000
    assert len(answer.content) > 10_000_000
