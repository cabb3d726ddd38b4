"""The sandbox's INSEE speaks as the real one: shapes of recorded answers, the gateway's key, masks, the old path."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from permits.sandbox.app import create_app

MAIN, CLOSED, PARTIAL, MASKED = "99999001300024", "99999004700022", "99999007000016", "99999008800018"
KEY = {"X-INSEE-Api-Key-Integration": "clef"}
SAMPLES = Path(__file__).parents[1] / "samples" / "insee-sirene-3.11"


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(create_app(), follow_redirects=False) as client:
        yield client


def ask(client: TestClient, siret: str) -> Any:
    return client.get(f"/api-sirene/3.11/siret/{siret}", headers=KEY)


def keys(value: object) -> object:
    """The keys of a body, without its values; those of a list are its first item's."""
    if isinstance(value, dict):
        return {key: keys(inner) for key, inner in value.items()}
    return [keys(value[0])] if isinstance(value, list) else None


def recorded(name: str) -> Any:
    [path] = SAMPLES.glob(f"*{name}*")
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("siret", [MAIN, CLOSED, PARTIAL, MASKED, "13002526500013"])
def test_an_establishment_has_the_shape_of_the_recorded_one(client: TestClient, siret: str) -> None:
    assert keys(ask(client, siret).json()) == keys(recorded("49081738400020-closed"))


@pytest.mark.parametrize("headers", [{}, {"X-INSEE-Api-Key-Integration": " "}, {"Authorization": "Bearer x"}])
def test_the_key_is_asked_by_the_gateway_in_its_own_words(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.get(f"/api-sirene/3.11/siret/{MAIN}", headers=headers)
    assert answer.status_code == 401
    assert "header" not in answer.json()


@pytest.mark.parametrize(
    ("siret", "status", "like"),
    [
        ("99999006200013", 404, "not-found.http-404"),
        ("99999012000019", 403, "forbidden.http-403"),
        ("99999017900015", 301, "siret-53222169400013-redirect"),
        ("99999013800011", 503, "not-found.http-404"),
        ("9999901380001", 400, "not-found.http-404"),
    ],
)
def test_each_refusal_says_its_status_in_its_body(client: TestClient, siret: str, status: int, like: str) -> None:
    answer = ask(client, siret)
    assert (answer.status_code, answer.json()["header"]["statut"]) == (status, status)
    assert keys(answer.json()) == keys(recorded(like))


def test_a_merged_siret_leads_to_the_old_path_where_nobody_answers(client: TestClient) -> None:
    location = ask(client, "99999017900015").headers["Location"]
    assert location.endswith("/entreprises/sirene/ws/siret/99999018700018")
    assert client.get(location, headers=KEY).status_code == 404


def test_the_periods_of_a_closed_establishment_are_newest_first(client: TestClient) -> None:
    now, before = ask(client, CLOSED).json()["etablissement"]["periodesEtablissement"]
    assert (now["dateFin"], now["dateDebut"], now["etatAdministratifEtablissement"]) == (None, "2024-06-30", "F")
    assert (before["dateFin"], before["etatAdministratifEtablissement"]) == ("2024-06-29", "A")


def test_a_person_in_partial_diffusion_is_masked(client: TestClient) -> None:
    answer = ask(client, PARTIAL)
    one = answer.json()["etablissement"]
    assert not [word for word in ("CAMILLE", 'EXEMPLE"', "DE LA MAIRIE") if word in answer.text]
    assert one["uniteLegale"]["nomUniteLegale"] == one["uniteLegale"]["prenom1UniteLegale"] == "[ND]"
    assert one["adresseEtablissement"]["codePostalEtablissement"] == "[ND]"
    assert one["adresseEtablissement"]["codeCommuneEtablissement"] == "29999"
    assert one["statutDiffusionEtablissement"] == one["uniteLegale"]["statutDiffusionUniteLegale"] == "P"


def test_a_company_in_partial_diffusion_keeps_its_town_and_loses_its_street(client: TestClient) -> None:
    place = ask(client, MASKED).json()["etablissement"]["adresseEtablissement"]
    assert (place["libelleVoieEtablissement"], place["libelleCommuneEtablissement"]) == ("[ND]", "EXEMPLE-VILLE")


def test_the_outage_is_that_of_every_registry(client: TestClient) -> None:
    client.post("/_sandbox/recovery")
    assert ask(client, "99999013800011").status_code == 200
    client.post("/_sandbox/outage")
    assert ask(client, "99999013800011").status_code == 503
