"""The one table of SIRET outcomes, row by row, through the real clients and the sandbox over HTTP."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from permits.domain.admissibility import Inadmissible
from permits.domain.decision import Referred
from permits.domain.establishment import Audience, RegistryAnswer
from permits.issue import issue_permit
from permits.sirene.api_entreprise import ApiEntreprise
from permits.sirene.directory import Directory
from permits.sirene.recherche_entreprises import RechercheEntreprises
from tests.fakes import FakeClock, FakeOffice, dated, open_office
from tests.sandbox.server import running_sandbox

CONTACT = "mailto:test@exemple.example"
BAD_KEY_UNKNOWN = "99999006200014"  # one digit off the unknown one

# What happens when this SIRET is filed: an outcome, the code of a problem, or the rule that refers.
TABLE = [
    # name, SIRET, with API Entreprise, with Recherche d'entreprises alone
    ("active", "99999001300024", "granted", "granted"),
    ("active, of La Poste, with its own key", "35600000009075", "granted", "granted"),
    ("unknown", "99999006200013", "siret_unknown", "SIRET-EXISTS"),
    ("bad key, asked of one source only", BAD_KEY_UNKNOWN, "SIRET-EXISTS", "SIRET-EXISTS"),
    ("bad key and found", "99999099100013", "SIRET-CERTAIN", "SIRET-CERTAIN"),
    ("closed, its head office open", "99999004700022", "establishment_closed", "establishment_closed"),
    ("ceased", "99999005400010", "establishment_closed|company_ceased", "establishment_closed|company_ceased"),
    ("struck off", "99999010400013", "SIRET-STANDING", "SIRET-STANDING"),
    ("insolvent", "99999011200016", "SIRET-STANDING", "SIRET-STANDING"),
    ("partial diffusion, name told to the administration", "99999007000016", "granted", "SIRET-CERTAIN"),
    ("masked name", "99999008800018", "SIRET-CERTAIN", "SIRET-CERTAIN"),
    ("merged into another", "99999017900015", "SIRET-CERTAIN", "SIRET-EXISTS"),
    ("protected", "99999012000019", "SIRET-EXISTS", "SIRET-EXISTS"),
    ("outage", "99999013800011", "awaiting_registry", "awaiting_registry"),
    ("slow", "99999014600014", "granted", "granted"),
]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with running_sandbox() as url:
        yield url


@pytest.fixture(params=["api-entreprise", "recherche-entreprises"])
def directory(request: pytest.FixtureRequest, sandbox: str) -> Iterator[Directory]:
    source: ApiEntreprise | RechercheEntreprises
    if request.param == "api-entreprise":
        source = ApiEntreprise(sandbox, SecretStr("jeton"), "21299999900015", contact=CONTACT)
    else:
        source = RechercheEntreprises(sandbox, contact=CONTACT)
    directory = Directory([source])
    yield directory
    directory.close()


@pytest.fixture
def real_registry(engine: Engine, directory: Directory) -> FakeOffice:
    """An office whose registry is the real client of one source, over real HTTP."""
    return office_with(engine, directory)


@dataclass(frozen=True)
class OfTheDay:
    """A real registry, which answers today, as an office asks it whose clock stands on a day of its own."""

    directory: Directory
    clock: FakeClock

    def lookup(self, siret: str, **asked: Any) -> RegistryAnswer:
        return dated(self.directory.lookup(siret, **asked), self.clock())

    def last_known(self, siret: str, *, audience: Audience) -> RegistryAnswer | None:
        return None


def office_with(engine: Engine, directory: Directory) -> FakeOffice:
    office = open_office(engine)
    return replace(office, desk=replace(office.desk, registry=OfTheDay(directory, office.clock)))


def outcome(office: FakeOffice, siret: str) -> set[str]:
    try:
        filed, _ = issue_permit(office.desk, office.filing(siret=siret))
    except Inadmissible as problem:
        return {problem.code}
    if isinstance(filed.decision, Referred):
        return {ground.rule for ground in filed.decision.grounds}
    return {filed.outcome}


@pytest.mark.parametrize(
    ("siret", "by_api_entreprise", "by_recherche"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_each_row_of_the_table(
    real_registry: FakeOffice, directory: Directory, siret: str, by_api_entreprise: str, by_recherche: str
) -> None:
    expected = by_api_entreprise if directory.names == ("api-entreprise",) else by_recherche

    assert outcome(real_registry, siret) & set(expected.split("|")), outcome(real_registry, siret)


@pytest.mark.parametrize("siret", ["123", "00000000000000", "9999900130002", "9999900130002A"])
def test_a_malformed_siret_asks_nobody(office: FakeOffice, siret: str) -> None:
    with pytest.raises(ValueError, match="14 chiffres"):
        office.filing(siret=siret)
    assert office.registry.asked == []


def test_a_closed_establishment_says_since_when(real_registry: FakeOffice) -> None:
    with pytest.raises(Inadmissible, match="30 juin 2024"):
        issue_permit(real_registry.desk, real_registry.filing(siret="99999004700022"))


def test_a_second_source_answers_while_the_first_is_down(engine: Engine, sandbox: str) -> None:
    sources = [
        ApiEntreprise("http://127.0.0.1:9", SecretStr("jeton"), "21299999900015", contact=CONTACT),
        RechercheEntreprises(sandbox, contact=CONTACT),
    ]
    office = office_with(engine, Directory(sources))

    assert outcome(office, "99999001300024") == {"granted"}
    # Unknown to the open source alone is no proof: a person looks.
    assert "SIRET-EXISTS" in outcome(office, "99999006200013")
    assert "SIRET-EXISTS" in outcome(office, BAD_KEY_UNKNOWN)


def test_a_number_with_a_wrong_key_that_the_open_source_knows_is_referred(engine: Engine, sandbox: str) -> None:
    sources = [
        ApiEntreprise(sandbox, SecretStr("jeton"), "21299999900015", contact=CONTACT),
        RechercheEntreprises(sandbox, contact=CONTACT),
    ]
    office = office_with(engine, Directory(sources))

    assert "SIRET-CERTAIN" in outcome(office, "99999099100013")
    assert outcome(office, BAD_KEY_UNKNOWN) == {"siret_unknown"}


def test_an_outage_of_the_second_source_never_makes_a_wrong_key_unknown(engine: Engine, sandbox: str) -> None:
    sources = [
        ApiEntreprise(sandbox, SecretStr("jeton"), "21299999900015", contact=CONTACT),
        RechercheEntreprises("http://127.0.0.1:9", contact=CONTACT),
    ]
    office = office_with(engine, Directory(sources))

    assert "SIRET-EXISTS" in outcome(office, BAD_KEY_UNKNOWN)
