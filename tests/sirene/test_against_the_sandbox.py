"""The three clients, over a real loopback socket, for every SIRET that the sandbox publishes.

What each source says of each is the README's second table of SIRET: it is asked here, row by row.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import httpx
import pytest
from pydantic import SecretStr

from permits.domain.establishment import (
    Audience,
    RegistryAnswer,
    RegistryUnavailable,
    Source,
    Standing,
    Verdict,
    verdict_of,
)
from permits.sandbox.companies import sandbox_sirets
from permits.sirene.api_entreprise import ApiEntreprise
from permits.sirene.budget import Budget
from permits.sirene.directory import Directory, RegistrySource
from permits.sirene.errors import SourceUnavailable
from permits.sirene.insee import Insee
from permits.sirene.recherche_entreprises import RechercheEntreprises
from tests.fakes import ROOT
from tests.sandbox.server import running_sandbox
from tests.sirene.clock import StoppedClock
from tests.sirene.words import found, told

CONTACT, RECIPIENT = "mailto:test@exemple.example", "21299999900015"
MAIN, OUTAGE, RATE_LIMITED, MERGED = "99999001300024", "99999013800011", "99999016100013", "99999017900015"
SOURCES = (Source.API_ENTREPRISE, Source.INSEE, Source.RECHERCHE_ENTREPRISES)


def readme_rows() -> dict[str, tuple[str, ...]]:
    """What the README says that each source answers, by SIRET."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text.partition("<!-- answers -->\n")[2].partition("<!-- /answers -->")[0]
    rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table.splitlines()[2:]]
    return {row[0].strip("`"): tuple(row[1:]) for row in rows}


ROWS = readme_rows()


@dataclass(frozen=True)
class Sandbox:
    url: str
    stopped: StoppedClock
    sources: dict[Source, RegistrySource]

    def says(self, source: Source, siret: str, audience: Audience = Audience.AUTHORITY) -> RegistryAnswer:
        return self.sources[source].lookup(siret, audience, Budget(self.stopped.clock))

    def told(self, source: Source, siret: str) -> str:
        """One answer in the words of the README."""
        said = told(lambda: self.says(source, siret))
        return re.sub(r"^erreur : HTTP ([0-9]+).*", r"erreur \1", said)

    def directory(self, *names: Source) -> Directory:
        return Directory([self.sources[name] for name in names], clock=self.stopped.clock)


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with running_sandbox() as url:
        yield url


@pytest.fixture
def sandbox(sandbox_url: str, stopped: StoppedClock) -> Iterator[Sandbox]:
    clock = stopped.clock
    sources: dict[Source, RegistrySource] = {
        Source.API_ENTREPRISE: ApiEntreprise(sandbox_url, SecretStr("token"), RECIPIENT, contact=CONTACT, clock=clock),
        Source.INSEE: Insee(f"{sandbox_url}/api-sirene/3.11", SecretStr("key"), contact=CONTACT, clock=clock),
        Source.RECHERCHE_ENTREPRISES: RechercheEntreprises(sandbox_url, contact=CONTACT, clock=clock),
    }
    yield Sandbox(sandbox_url, stopped, sources)
    for source in sources.values():
        source.close()


def test_every_published_siret_is_in_the_table_in_the_same_order() -> None:
    assert [line.siret for line in sandbox_sirets()] == list(ROWS)


@pytest.mark.parametrize("siret", [line.siret for line in sandbox_sirets()])
def test_each_source_says_what_the_readme_tells(sandbox: Sandbox, siret: str) -> None:
    said = tuple(sandbox.told(source, siret) for source in SOURCES)

    assert ROWS.get(siret) == said, f"write this into README.md:\n| `{siret}` | {' | '.join(said)} |"


@pytest.mark.parametrize("siret", [siret for siret, row in ROWS.items() if row[2].startswith("ouvert")])
def test_the_sources_agree_on_who_and_where(sandbox: Sandbox, siret: str) -> None:
    second = found(sandbox.says(Source.RECHERCHE_ENTREPRISES, siret))
    for source in (Source.API_ENTREPRISE, Source.INSEE):
        try:
            first = found(sandbox.says(source, siret))
        except SourceUnavailable:
            continue  # maintenance and rate limit: the others answer
        assert (first.activity_code, first.legal_form) == (second.activity_code, second.legal_form)
        assert first.commune_code == second.commune_code
        if not first.partially_diffusible:
            assert (first.name, first.address) == (second.name, second.address)


def test_the_main_company_is_asked_at_its_branch_not_at_its_head_office(sandbox: Sandbox) -> None:
    for source in SOURCES:
        branch = found(sandbox.says(source, MAIN))
        assert branch.name == "ECHAFAUDAGES DU MODELE"
        assert branch.address == ("12 RUE DES EXEMPLES", "29999 EXEMPLE-VILLE")


def test_partial_diffusion_is_clear_for_the_administration_and_masked_for_all(sandbox: Sandbox) -> None:
    clear = found(sandbox.says(Source.API_ENTREPRISE, "99999007000016"))
    public = found(sandbox.says(Source.API_ENTREPRISE, "99999007000016", Audience.PUBLIC))
    others = [found(sandbox.says(source, "99999007000016")) for source in SOURCES[1:]]
    assert (clear.name, clear.address) == ("CAMILLE EXEMPLE", ("5 RUE DE LA MAIRIE", "29999 EXEMPLE-VILLE"))
    for masked in (public, *others):
        assert (masked.name, masked.address, masked.commune_code) == (None, (), "29999")


def test_the_sources_that_know_the_trade_register_date_the_striking_off_and_the_judgment(sandbox: Sandbox) -> None:
    for source in (Source.API_ENTREPRISE, Source.RECHERCHE_ENTREPRISES):
        assert found(sandbox.says(source, "99999010400013")).standing_since == date(2025, 11, 3)
        assert found(sandbox.says(source, "99999011200016")).standing_since == date(2026, 2, 17)


def test_a_failing_reference_hands_over_to_the_open_source(sandbox: Sandbox) -> None:
    directory = sandbox.directory(Source.API_ENTREPRISE, Source.RECHERCHE_ENTREPRISES)
    assert found(directory.lookup(RATE_LIMITED)).evidence[0].source == Source.RECHERCHE_ENTREPRISES
    # The reference asked for two seconds of peace, whatever the SIRET.
    assert sandbox.told(Source.API_ENTREPRISE, MAIN) == "erreur : left alone, as it asked"
    sandbox.stopped.elapsed_s += 2
    assert sandbox.told(Source.API_ENTREPRISE, MAIN) == "ouvert, immatriculé"


def test_what_insee_does_not_know_of_the_trade_register_is_completed_by_the_open_source(sandbox: Sandbox) -> None:
    directory = sandbox.directory(Source.INSEE, Source.RECHERCHE_ENTREPRISES)
    for siret, standing in (
        (MAIN, Standing.REGISTERED),
        ("99999010400013", Standing.STRUCK_OFF),
        ("99999011200016", Standing.INSOLVENCY),
        ("13002526500013", Standing.NOT_REGISTERED),
    ):
        answer = found(directory.lookup(siret))
        assert (answer.standing, answer.disagreement) == (standing, None)
        assert [one.source for one in answer.evidence] == [Source.INSEE, Source.RECHERCHE_ENTREPRISES]


@pytest.mark.parametrize("first", [Source.API_ENTREPRISE, Source.INSEE])
def test_two_sources_that_contradict_each_other_are_told_apart(sandbox: Sandbox, first: Source) -> None:
    answer = found(sandbox.directory(first, Source.RECHERCHE_ENTREPRISES).lookup("99999019500011"))
    assert verdict_of(answer) == Verdict.DISPUTED
    assert answer.disagreement is not None
    assert "fermé" in answer.disagreement and "ouvert" in answer.disagreement


def test_a_merged_siret_is_followed_by_hand_and_keeps_both_proofs(sandbox: Sandbox) -> None:
    answer = found(sandbox.says(Source.INSEE, MERGED))
    assert (answer.siret, answer.asked_siret) == ("99999018700018", MERGED)
    assert [evidence.source for evidence in answer.evidence] == [Source.INSEE, Source.INSEE]


def test_the_outage_lasts_until_the_recovery_and_comes_back(sandbox: Sandbox) -> None:
    directory = sandbox.directory(*SOURCES)
    with pytest.raises(RegistryUnavailable) as caught:
        directory.lookup(OUTAGE)
    assert len(caught.value.reasons) == 3
    httpx.post(f"{sandbox.url}/_sandbox/recovery").raise_for_status()
    sandbox.stopped.elapsed_s += 60
    answer = directory.lookup(OUTAGE, max_age=timedelta(0))
    httpx.post(f"{sandbox.url}/_sandbox/outage").raise_for_status()
    assert found(answer).standing == Standing.REGISTERED
    with pytest.raises(RegistryUnavailable):
        directory.lookup(OUTAGE, max_age=timedelta(0))


def test_the_maintenance_tells_how_long(sandbox: Sandbox) -> None:
    with pytest.raises(SourceUnavailable) as caught:
        sandbox.says(Source.API_ENTREPRISE, "99999015300010")
    assert caught.value.retry_after == timedelta(seconds=5)


def test_a_connection_refused_is_an_outage(sandbox: Sandbox) -> None:
    with running_sandbox() as gone:
        pass
    sandbox.sources[Source.INSEE] = Insee(gone, SecretStr("key"), contact=CONTACT, clock=sandbox.stopped.clock)
    assert sandbox.told(Source.INSEE, MAIN) == "erreur : ConnectError"
