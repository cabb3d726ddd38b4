"""Every recorded answer, through the real clients: those of the operations we call, and those of others."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import respx
import yaml
from pydantic import SecretStr

from permits.domain.establishment import Audience
from permits.sirene.api_entreprise import ApiEntreprise
from permits.sirene.budget import Budget
from permits.sirene.insee import Insee
from permits.sirene.recherche_entreprises import RechercheEntreprises
from tests.sirene.answers import RECIPIENT, SAMPLES, SIREN, SIRET, TOKEN, error, establishment
from tests.sirene.clock import StoppedClock
from tests.sirene.words import told

CONTACT = "mailto:test@exemple.example"
KEY = "a-key-nobody-may-see"
FOLDERS = ("api-entreprise", "insee-sirene-3.11", "recherche-entreprises")
FILES = {
    str(path.relative_to(SAMPLES)) for folder in FOLDERS for path in (SAMPLES / folder).rglob("*") if path.is_file()
}
NOT_AN_ANSWER = {"insee-sirene-3.11/index.json"}

OTHER_SHAPE = "erreur : unusable answer: establishment of another shape"
OTHER_RESULTS = "erreur : unusable answer: results of another shape"
NO_TARGET = "erreur : unusable answer: redirection to no other SIRET"

ESTABLISHMENTS = {
    "200.yaml": "ouvert, non immatriculé",
    "404.yaml": "inconnu",
    "association.yaml": "ouvert, non immatriculé",
    "personne_morale.yaml": "ouvert, non immatriculé",
    "personne_morale_etat_cesse.yaml": "fermé le 15/11/1995, entreprise cessée",
    "personne_physique_diffusible.yaml": "ouvert, non immatriculé",
    "personne_physique_non-diffusible.yaml": "ouvert, non immatriculé, diffusion partielle",
}
DIFFUSABLES = {name: said for name, said in ESTABLISHMENTS.items() if name.startswith(("association", "personne"))}
# The staging of the public route does not hold persons in partial diffusion; production masks them.
DIFFUSABLES["personne_physique_non-diffusible.yaml"] = "non trouvé"
EXTRACTS = {"200.yaml": "ouvert, immatriculé", "404.yaml": "ouvert, non immatriculé"}
INSEE = {
    "siret-30613890002979-active.http-200.json": "ouvert",
    "siret-49081738400020-closed.http-200.json": "fermé le 05/09/2011, entreprise cessée",
    "siret-53222169400013-redirect.http-301.json": "ouvert, fusionné",
    "siret-77887067500015-redirect-target.http-200.json": "ouvert",
    "siret-00000000000000-not-found.http-404.json": "inconnu",
    "siret-15700033200013-forbidden.http-403.json": "protégé",
    "siret-78951073200017-statut-diffusion-N-fictitious-person.http-200.json": (
        "fermé le 31/12/2005, diffusion partielle"
    ),
    "partially_diffusible_etablissement_personne_morale.json": "ouvert, diffusion partielle",
    # Of other operations: a unit, a succession. An error has the same shape everywhere.
    "siren-306138900-active.http-200.json": OTHER_SHAPE,
    "siren-490817384-ceased.http-200.json": OTHER_SHAPE,
    "siren-778870675-redirect-target.http-200.json": OTHER_SHAPE,
    "siren-532221694-redirect.http-301.json": NO_TARGET,
    "succession_valid.json": OTHER_SHAPE,
    "succession_not_found.json": "inconnu",
}
SEARCHES = {
    "search-48744469700428.http-200.json": "ouvert",
    "search-88087814500015.http-200.json": "fermé le 22/10/2022, entreprise cessée, radié",
    "search-12345678900003.http-200.json": "non trouvé",
    # Searches of a unit: no row of theirs is about an establishment.
    "search-130025265.http-200.json": "non trouvé",
    "search-300025764.http-200.json": "non trouvé",
    "search-351556394.http-200.json": "non trouvé",
    "search-356000000.http-200.json": "non trouvé",
    "sources-last_modified.json": OTHER_RESULTS,
}
# What other operations of API Entreprise say, answered to a question about an establishment, by status.
FOREIGN_FOLDERS = {
    "adresses_etablissements",
    "extraits_rne",
    "successions",
    "unites_legales",
    "unites_legales_diffusables",
}
FOREIGN = {
    200: OTHER_SHAPE,
    403: "refus : HTTP 403 0100",
    404: "inconnu",
    502: "erreur : HTTP 502 01999",
    504: "erreur : HTTP 504 01001",
}


def sample(path: str) -> tuple[int, Any]:
    """The status and the body of a recorded answer."""
    text = (SAMPLES / path).read_text(encoding="utf-8")
    if path.endswith(".json"):
        status = re.search(r"http-([0-9]{3})", path)
        document = json.loads(text)
        said = document.get("header", {}).get("statut") if isinstance(document, dict) else None
        return int(status[1]) if status else said or 200, document
    written = yaml.safe_load(text)
    return written["status"], json.loads(written["payload"])


def of_folder(folder: str, expected: dict[str, str]) -> list[tuple[str, str]]:
    return [(f"{folder}/{name}", told) for name, told in expected.items()]


def test_every_recorded_answer_is_expected_here() -> None:
    expected = {
        path
        for folder, names in (
            ("api-entreprise/etablissements", ESTABLISHMENTS),
            ("api-entreprise/etablissements_diffusables", DIFFUSABLES),
            ("api-entreprise/extraits_rcs", EXTRACTS),
            ("insee-sirene-3.11", INSEE),
            ("recherche-entreprises", SEARCHES),
        )
        for path, _ in of_folder(folder, names)
    }
    foreign = {path for path in FILES if Path(path).parent.name in FOREIGN_FOLDERS}

    assert expected | foreign | NOT_AN_ANSWER == FILES
    assert {sample(path)[0] for path in foreign} == set(FOREIGN)


@pytest.fixture
def budget(stopped: StoppedClock) -> Budget:
    return Budget(stopped.clock)


@pytest.fixture
def reference(stopped: StoppedClock) -> Iterator[ApiEntreprise]:
    source = ApiEntreprise("https://entreprise.test", SecretStr(TOKEN), RECIPIENT, contact=CONTACT, clock=stopped.clock)
    yield source
    source.close()


@pytest.fixture
def insee(stopped: StoppedClock) -> Iterator[Insee]:
    source = Insee("https://insee.test/api-sirene/3.11", SecretStr(KEY), contact=CONTACT, clock=stopped.clock)
    yield source
    source.close()


@pytest.fixture
def open_source(stopped: StoppedClock) -> Iterator[RechercheEntreprises]:
    source = RechercheEntreprises("https://recherche.test", contact=CONTACT, clock=stopped.clock)
    yield source
    source.close()


def siret_in(path: str) -> str:
    """The SIRET an answer of API Entreprise was recorded for; that of a unit's head office, for a unit."""
    written = yaml.safe_load((SAMPLES / path).read_text(encoding="utf-8"))["params"]
    return str(written.get("siret") or written["siren"] + "00015")


def establishment_told(
    network: respx.MockRouter, reference: ApiEntreprise, budget: Budget, path: str, audience: Audience
) -> str:
    """What comes out when API Entreprise gives this sample on the route of this audience."""
    status, body = sample(path)
    siret, hidden = siret_in(path), "diffusibles/" if audience is Audience.PUBLIC else ""
    network.get(path=f"/v4/insee/sirene/etablissements/{hidden}{siret}").respond(status, json=body)
    network.get(path__regex=r".*/extrait_kbis").respond(404, json=error("02003"))
    return told(lambda: reference.lookup(siret, audience, budget))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        *of_folder("api-entreprise/etablissements", ESTABLISHMENTS),
        *((path, FOREIGN[sample(path)[0]]) for path in sorted(FILES) if Path(path).parent.name in FOREIGN_FOLDERS),
    ],
)
def test_api_entreprise_says_to_the_authority(
    network: respx.MockRouter, reference: ApiEntreprise, budget: Budget, path: str, expected: str
) -> None:
    assert establishment_told(network, reference, budget, path, Audience.AUTHORITY) == expected


@pytest.mark.parametrize(("path", "expected"), of_folder("api-entreprise/etablissements_diffusables", DIFFUSABLES))
def test_api_entreprise_says_to_the_public(
    network: respx.MockRouter, reference: ApiEntreprise, budget: Budget, path: str, expected: str
) -> None:
    assert establishment_told(network, reference, budget, path, Audience.PUBLIC) == expected


@pytest.mark.parametrize(("path", "expected"), of_folder("api-entreprise/extraits_rcs", EXTRACTS))
def test_the_trade_register_says(
    network: respx.MockRouter, reference: ApiEntreprise, budget: Budget, path: str, expected: str
) -> None:
    status, body = sample(path)
    network.get(path__regex=r".*/etablissements/.*").respond(200, json=establishment())
    network.get(path=f"/v3/infogreffe/rcs/unites_legales/{SIREN}/extrait_kbis").respond(status, json=body)

    assert told(lambda: reference.lookup(SIRET, Audience.AUTHORITY, budget)) == expected


@pytest.mark.parametrize(("path", "expected"), of_folder("insee-sirene-3.11", INSEE))
def test_insee_says(network: respx.MockRouter, insee: Insee, budget: Budget, path: str, expected: str) -> None:
    status, body = sample(path)
    number = re.search(r"/sire[nt]-([0-9]{9,14})", path)
    siret = number[1].ljust(14, "0") if number else "24340081900120"
    locations = {row["file"]: row["location"] for row in sample("insee-sirene-3.11/index.json")[1]}
    [location] = locations.get(Path(path).name) or [None]
    headers = {"Location": location.replace("<URL_INSEE_V3>", "https://api.insee.fr")} if location else {}
    network.get(path=f"/api-sirene/3.11/siret/{siret}").respond(status, json=body, headers=headers)
    target = sample("insee-sirene-3.11/siret-77887067500015-redirect-target.http-200.json")[1]
    network.get(path="/api-sirene/3.11/siret/77887067500015").respond(200, json=target)

    assert told(lambda: insee.lookup(siret, Audience.AUTHORITY, budget)) == expected


@pytest.mark.parametrize(("path", "expected"), of_folder("recherche-entreprises", SEARCHES))
def test_the_open_source_says(
    network: respx.MockRouter, open_source: RechercheEntreprises, budget: Budget, path: str, expected: str
) -> None:
    status, body = sample(path)
    number = re.search(r"search-([0-9]{9,14})", path)
    siret = number[1].ljust(14, "0") if number else SIRET
    network.get(path="/search").respond(status, json=body)

    assert told(lambda: open_source.lookup(siret, Audience.AUTHORITY, budget)) == expected
