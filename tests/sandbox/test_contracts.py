"""The sandbox speaks as the real services do: shapes of the recorded answers, gates in their order, masks."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient

from permits.sandbox.app import create_app

MAIN = "99999001300024"
PARTIAL = "99999007000016"
PARAMETERS = {"context": "essai", "object": "AOT-1", "recipient": "13002526500013"}
TOKEN = {"Authorization": "Bearer jeton"}
SAMPLES = Path(__file__).parents[1] / "samples"


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def client(slept: list[float]) -> Iterator[TestClient]:
    with TestClient(create_app(now=lambda: 1_789_000_010.5, sleep=slept.append)) as client:
        yield client


def ask(client: TestClient, path: str, **parameters: str) -> Any:
    return client.get(path, params=PARAMETERS | parameters, headers=TOKEN)


def shape(value: object) -> object:
    """The keys of a body, without its values."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return None


def recorded(path: str) -> Any:
    text = (SAMPLES / path).read_text(encoding="utf-8")
    return json.loads(text if path.endswith(".json") else yaml.safe_load(text)["payload"])


@pytest.mark.parametrize("siret", [MAIN, PARTIAL, "13002526500013", "99999004700022"])
def test_an_establishment_has_the_shape_of_the_recorded_one(client: TestClient, siret: str) -> None:
    body = ask(client, f"/v4/insee/sirene/etablissements/{siret}").json()
    assert shape(body) == shape(recorded("api-entreprise/etablissements/personne_morale.yaml"))


def test_an_extract_has_the_shape_of_the_recorded_one(client: TestClient) -> None:
    body = ask(client, "/v3/infogreffe/rcs/unites_legales/999990013/extrait_kbis").json()
    assert shape(body) == shape(recorded("api-entreprise/extraits_rcs/200.yaml"))


def test_a_result_of_the_open_source_has_the_keys_of_the_recorded_one(client: TestClient) -> None:
    asked = {"q": MAIN, "include_admin": "bodacc,immatriculation"}
    unit = client.get("/search", params=asked).json()["results"][0]
    real = recorded("recherche-entreprises/search-48744469700428.http-200.json")["results"][0]
    assert set(unit) == set(real) - {"admin"} | {"bodacc"}
    assert set(unit["siege"]) == set(real["siege"])
    assert set(unit["matching_etablissements"][0]) == set(real["matching_etablissements"][0])
    assert set(unit["immatriculation"]) == set(real["immatriculation"])


def test_the_dinum_is_as_the_open_source_really_answered(client: TestClient) -> None:
    asked = {"q": "130025265", "include_admin": "bodacc,immatriculation"}
    unit = client.get("/search", params=asked).json()["results"][0]
    real = recorded("recherche-entreprises/search-130025265.http-200.json")["results"][0]
    for key in (
        "siren",
        "nom_complet",
        "nom_raison_sociale",
        "etat_administratif",
        "nature_juridique",
        "immatriculation",
    ):
        assert unit[key] == real[key]
    for key in ("siret", "adresse", "code_postal", "commune", "etat_administratif", "date_creation"):
        assert unit["siege"][key] == real["siege"][key]
    assert unit["matching_etablissements"] == []


def test_the_hidden_registers_are_there_only_when_asked(client: TestClient) -> None:
    unit = client.get("/search", params={"q": MAIN}).json()["results"][0]
    assert not {"bodacc", "immatriculation"} & set(unit)
    assert client.get("/search", params={"q": MAIN, "include_admin": "tout"}).status_code == 400


def test_the_row_is_the_siret_asked_and_the_siege_is_elsewhere(client: TestClient) -> None:
    unit = client.get("/search", params={"q": MAIN}).json()["results"][0]
    assert [row["siret"] for row in unit["matching_etablissements"]] == [MAIN]
    assert unit["siege"]["siret"] == "99999001300016"


def test_without_a_number_nothing_is_found(client: TestClient) -> None:
    assert client.get("/search", params={"q": "modele"}).json()["results"] == []
    assert client.get("/search").json() == {"erreur": "Veuillez indiquer au moins un paramètre de recherche."}


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer "}, {"Authorization": "Basic x"}])
def test_the_token_is_the_first_gate(client: TestClient, header: dict[str, str]) -> None:
    answer = client.get(f"/v4/insee/sirene/etablissements/{MAIN}", headers=header)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["errors"][0] == {
        "code": "00101",
        "title": "Interdit",
        "detail": "Votre token n'est pas valide ou n'est pas renseigné",
        "source": {"parameter": "token"},
        "meta": {},
    }


@pytest.mark.parametrize(
    ("parameters", "codes"),
    [
        ({"context": ""}, ["00201"]),
        ({"object": ""}, ["00202"]),
        ({"recipient": ""}, ["00203"]),
        ({"context": "", "object": "", "recipient": ""}, ["00201", "00202", "00203"]),
        ({"recipient": "12345678900003"}, ["00210"]),
        ({"recipient": "1300252650001x"}, ["00210"]),
    ],
)
def test_the_mandatory_parameters_are_the_second_gate(
    client: TestClient, parameters: dict[str, str], codes: list[str]
) -> None:
    for path in (f"/v4/insee/sirene/etablissements/{MAIN}", "/v3/infogreffe/rcs/unites_legales/999990013/extrait_kbis"):
        answer = ask(client, path, **parameters)
        assert answer.status_code == 422
        assert [error["code"] for error in answer.json()["errors"]] == codes


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v4/insee/sirene/etablissements/12345678900003", 422, "00302"),
        ("/v4/insee/sirene/etablissements/123", 422, "00302"),
        ("/v3/infogreffe/rcs/unites_legales/999990991/extrait_kbis", 422, "00301"),
        ("/v4/insee/sirene/etablissements/99999006200013", 404, "01003"),
        ("/v3/infogreffe/rcs/unites_legales/130025265/extrait_kbis", 404, "02003"),
        ("/v4/insee/sirene/etablissements/99999012000019", 451, "01005"),
        ("/v4/insee/sirene/etablissements/99999013800011", 502, "01001"),
        ("/v4/insee/sirene/etablissements/99999015300010", 503, "01020"),
        ("/v4/insee/sirene/etablissements/99999016100013", 429, "00429"),
    ],
)
def test_each_error_has_its_status_and_its_code(client: TestClient, path: str, status: int, code: str) -> None:
    answer = ask(client, path)
    assert answer.status_code == status
    [error] = answer.json()["errors"]
    assert error["code"] == code
    assert set(error) == {"code", "title", "detail", "source", "meta"}
    assert ("Retry-After" in answer.headers) == (status == 429)
    assert ("retry_in" in error["meta"]) == (status == 503)


def test_a_success_carries_the_real_type_and_headers(client: TestClient) -> None:
    answer = ask(client, f"/v4/insee/sirene/etablissements/{MAIN}")
    assert answer.headers["content-type"] == "application/vnd.api+json"
    assert answer.headers["RateLimit-Limit"] == "250"
    assert answer.headers["RateLimit-Reset"] == "1789000020"  # an instant: the end of that minute
    assert int(answer.headers["RateLimit-Remaining"]) < 250
    assert answer.headers["X-Request-ID"]


def test_days_are_midnights_in_paris(client: TestClient) -> None:
    data = ask(client, "/v4/insee/sirene/etablissements/99999004700022").json()["data"]
    assert data["date_fermeture"] == 1719698400  # 2024-06-30 00:00 in Paris, the day before in UTC


def test_the_public_route_masks_a_person_in_partial_diffusion(client: TestClient) -> None:
    clear = ask(client, f"/v4/insee/sirene/etablissements/{PARTIAL}")
    masked = ask(client, f"/v4/insee/sirene/etablissements/diffusibles/{PARTIAL}")
    assert "CAMILLE" in clear.text
    assert "CAMILLE" not in masked.text
    assert "DE LA MAIRIE" not in masked.text
    assert "[ND]" in masked.text
    assert masked.json()["data"]["adresse"]["code_commune"] == "29999"
    assert shape(masked.json()) == shape(clear.json())


def test_the_public_route_leaves_other_companies_clear(client: TestClient) -> None:
    clear = ask(client, f"/v4/insee/sirene/etablissements/{MAIN}")
    assert ask(client, f"/v4/insee/sirene/etablissements/diffusibles/{MAIN}").json() == clear.json()


def test_a_merged_siret_is_answered_by_the_one_that_absorbed_it(client: TestClient) -> None:
    body = ask(client, "/v4/insee/sirene/etablissements/99999017900015").json()
    assert body["data"]["siret"] == "99999018700018"
    assert body["meta"]["redirect_from_siret"] == "99999017900015"


def test_the_slow_establishment_answers_after_a_second_and_a_half(client: TestClient, slept: list[float]) -> None:
    assert ask(client, "/v4/insee/sirene/etablissements/99999014600014").status_code == 200
    assert slept == [1.5]


def test_the_geocoder_answers_in_the_shape_of_the_recorded_one(client: TestClient) -> None:
    body = client.get("/geocodage/search", params={"q": "rue des Exemples", "limit": "1", "index": "address"}).json()
    real = recorded("geocoding/ban-search.json")
    assert set(body) == set(real)
    assert set(body["features"][0]) == set(real["features"][0])
    # Lambert-93 and the address base's own key are of no use here.
    assert set(body["features"][0]["properties"]) == set(real["features"][0]["properties"]) - {"x", "y", "banId"}


def test_the_geocoder_refuses_a_query_too_short_or_too_long(client: TestClient) -> None:
    for query in ("", "ru", "x" * 201, "-- rue"):
        answer = client.get("/geocodage/search", params={"q": query})
        assert answer.status_code == 400
        assert answer.json()["code"] == 400


def test_the_table_is_served(client: TestClient) -> None:
    first = client.get("/_sandbox/sirets").json()[0]
    assert first["siret"] == MAIN
    assert set(first) == {"siret", "name", "shows"}
