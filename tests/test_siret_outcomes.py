"""The one table of SIRET outcomes, row by row, through the real clients and the sandbox over HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from permits.domain.admissibility import Inadmissible
from permits.domain.decision import Referred
from permits.domain.establishment import Source
from permits.issue import issue_permit
from permits.sirene.api_entreprise import ApiEntreprise
from permits.sirene.clock import Clock
from permits.sirene.directory import Directory, RegistrySource
from permits.sirene.insee import Insee
from permits.sirene.recherche_entreprises import RechercheEntreprises
from tests.fakes import START, FakeOffice, open_office
from tests.sandbox.server import running_sandbox

CONTACT = "mailto:test@exemple.example"
BAD_KEY_UNKNOWN = "99999006200014"  # one digit off the unknown one
NOBODY = "http://127.0.0.1:9"
# What is asked today is asked on the day of the office.
CLOCK = Clock(now=lambda: START)

# Each way a city may set its sources, and the columns of the table.
WAYS = ("api-entreprise", "recherche-entreprises", "insee", "insee,recherche-entreprises")

# What happens when this SIRET is filed: an outcome, the code of a problem, or the rule that refers. INSEE alone never
# grants: nobody told whether the company was struck off.
CLOSED = "establishment_closed|company_ceased"
TABLE = [
    # name, SIRET, what happens each way
    ("active", "99999001300024", "granted", "granted", "SIRET-STANDING", "granted"),
    ("active, of La Poste, with its own key", "35600000009075", "granted", "granted", "SIRET-STANDING", "granted"),
    ("unknown", "99999006200013", "siret_unknown", "SIRET-EXISTS", "siret_unknown", "siret_unknown"),
    ("bad key", BAD_KEY_UNKNOWN, "SIRET-EXISTS", "SIRET-EXISTS", "siret_unknown", "siret_unknown"),
    ("bad key and found", "99999099100013", "SIRET-CERTAIN", "SIRET-CERTAIN", "SIRET-CERTAIN", "SIRET-CERTAIN"),
    ("closed, its head office open", "99999004700022", *["establishment_closed"] * 4),
    (
        "open in one source only",
        "99999019500011",
        "establishment_closed",
        "granted",
        "establishment_closed",
        "SIRET-CERTAIN",
    ),
    ("ceased", "99999005400010", CLOSED, CLOSED, CLOSED, CLOSED),
    ("struck off", "99999010400013", "SIRET-STANDING", "SIRET-STANDING", "SIRET-STANDING", "SIRET-STANDING"),
    ("insolvent", "99999011200016", "SIRET-STANDING", "SIRET-STANDING", "SIRET-STANDING", "SIRET-STANDING"),
    ("partial diffusion", "99999007000016", "granted", "SIRET-CERTAIN", "SIRET-CERTAIN", "SIRET-CERTAIN"),
    ("masked name", "99999008800018", "SIRET-CERTAIN", "SIRET-CERTAIN", "SIRET-CERTAIN", "SIRET-CERTAIN"),
    ("merged into another", "99999017900015", "SIRET-CERTAIN", "SIRET-EXISTS", "SIRET-CERTAIN", "SIRET-CERTAIN"),
    ("protected", "99999012000019", "SIRET-EXISTS", "SIRET-EXISTS", "SIRET-EXISTS", "SIRET-EXISTS"),
    ("outage", "99999013800011", *["awaiting_registry"] * 4),
    ("slow", "99999014600014", "granted", "granted", "SIRET-STANDING", "granted"),
]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with running_sandbox() as url:
        yield url


def source(name: str, url: str) -> RegistrySource:
    """The real client of one source, which asks the sandbox at this address."""
    if name == Source.API_ENTREPRISE:
        return ApiEntreprise(url, SecretStr("jeton"), "21299999900015", contact=CONTACT, clock=CLOCK)
    if name == Source.INSEE:
        return Insee(f"{url}/api-sirene/3.11", SecretStr("clef"), contact=CONTACT, clock=CLOCK)
    return RechercheEntreprises(url, contact=CONTACT, clock=CLOCK)


@contextmanager
def asking(*sources: RegistrySource) -> Iterator[Directory]:
    directory = Directory(sources, clock=CLOCK)
    yield directory
    directory.close()


@pytest.fixture(params=WAYS)
def directory(request: pytest.FixtureRequest, sandbox: str) -> Iterator[Directory]:
    with asking(*(source(name, sandbox) for name in request.param.split(","))) as directory:
        yield directory


def office_with(engine: Engine, directory: Directory) -> FakeOffice:
    """An office whose registry is real clients, over real HTTP."""
    office = open_office(engine)
    return replace(office, desk=replace(office.desk, registry=directory))


@pytest.fixture
def real_registry(engine: Engine, directory: Directory) -> FakeOffice:
    return office_with(engine, directory)


def outcome(office: FakeOffice, siret: str) -> set[str]:
    try:
        filed, _ = issue_permit(office.desk, office.filing(siret=siret))
    except Inadmissible as problem:
        return {problem.code}
    if isinstance(filed.decision, Referred):
        return {ground.rule for ground in filed.decision.grounds}
    return {filed.outcome}


@pytest.mark.parametrize("row", TABLE, ids=[row[0] for row in TABLE])
def test_each_row_of_the_table(real_registry: FakeOffice, directory: Directory, row: tuple[str, ...]) -> None:
    _, siret, *outcomes = row
    expected = outcomes[WAYS.index(",".join(directory.names))]

    assert (said := outcome(real_registry, siret)) & set(expected.split("|")), said


@pytest.mark.parametrize("siret", ["123", "00000000000000", "9999900130002", "9999900130002A"])
def test_a_malformed_siret_asks_nobody(office: FakeOffice, siret: str) -> None:
    with pytest.raises(ValueError, match="14 chiffres"):
        office.filing(siret=siret)
    assert office.registry.asked == []


def test_a_closed_establishment_says_since_when(real_registry: FakeOffice) -> None:
    with pytest.raises(Inadmissible, match="30 juin 2024"):
        issue_permit(real_registry.desk, real_registry.filing(siret="99999004700022"))


@pytest.mark.parametrize("first", ["api-entreprise", "insee"])
def test_a_second_source_answers_while_the_first_is_down(engine: Engine, sandbox: str, first: str) -> None:
    with asking(source(first, NOBODY), source("recherche-entreprises", sandbox)) as directory:
        office = office_with(engine, directory)

        assert outcome(office, "99999001300024") == {"granted"}
        # Unknown to the open source alone is no proof: a person looks.
        assert "SIRET-EXISTS" in outcome(office, "99999006200013")
        assert "SIRET-EXISTS" in outcome(office, BAD_KEY_UNKNOWN)


def test_without_the_open_source_what_insee_says_of_a_company_is_not_enough(engine: Engine, sandbox: str) -> None:
    with asking(source("insee", sandbox), source("recherche-entreprises", NOBODY)) as directory:
        office = office_with(engine, directory)

        assert outcome(office, "99999001300024") == {"SIRET-STANDING"}
        assert outcome(office, "99999004700022") == {"establishment_closed"}


@pytest.mark.parametrize("first", ["api-entreprise", "insee"])
def test_a_number_with_a_wrong_key_that_the_open_source_knows_is_referred(
    engine: Engine, sandbox: str, first: str
) -> None:
    with asking(source(first, sandbox), source("recherche-entreprises", sandbox)) as directory:
        office = office_with(engine, directory)

        assert "SIRET-CERTAIN" in outcome(office, "99999099100013")
        assert outcome(office, BAD_KEY_UNKNOWN) == {"siret_unknown"}


def test_an_outage_of_the_second_source_never_makes_a_wrong_key_unknown(engine: Engine, sandbox: str) -> None:
    with asking(source("api-entreprise", sandbox), source("recherche-entreprises", NOBODY)) as directory:
        assert "SIRET-EXISTS" in outcome(office_with(engine, directory), BAD_KEY_UNKNOWN)
