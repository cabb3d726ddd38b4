"""Before a rulebook comes into force: its projection measures its territory, and its zones lie on it."""

import json
from typing import Any

import pytest

from permits.domain.rulebook import Rulebook, Zone
from permits.law.lint import first_fault
from permits.law.load import RulebookError, check, load
from tests.domain.builders import demo_rulebook
from tests.law.test_load import TARIFF, ZONES, demo_files, with_change

# Where other territories lie: a city of France for each conic zone, and some abroad.
PLACES = {
    "Ajaccio": (8.74, 41.93, "EPSG:3942"),
    "Marseille": (5.37, 43.30, "EPSG:3943"),
    "Bordeaux": (-0.58, 44.84, "EPSG:3945"),
    "Lyon": (4.84, 45.76, "EPSG:3946"),
    "Rochefort": (-0.96, 45.94, "EPSG:3946"),
    "Brest": (-4.49, 48.39, "EPSG:3948"),
    "Paris": (2.35, 48.86, "EPSG:3949"),
    "Lille": (3.06, 50.63, "EPSG:3950"),
    "Genève": (6.14, 46.20, "EPSG:2056"),
    "Saint-Denis de La Réunion": (55.45, -20.88, "EPSG:2975"),
    "Bruxelles": (4.35, 50.85, "EPSG:32631"),
}


def said(files: dict[str, str]) -> str:
    """What is told of files that read well."""
    rulebook = load(files)
    with pytest.raises(RulebookError) as error:
        check(rulebook, files)
    return str(error.value)


def a_zone(zone_id: str, west: float, south: float, size: float = 0.05) -> dict[str, Any]:
    east, north = west + size, south + size
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": {"id": zone_id, "label": zone_id.title()}, "geometry": geometry}


def somewhere(longitude: float, latitude: float, crs: str) -> Rulebook:
    """The demonstration rulebook, on another ground."""
    demo, feature = demo_rulebook(), a_zone(Rulebook.TERRITORY, longitude, latitude)
    territory = Zone(**feature["properties"], ring=feature["geometry"]["coordinates"][0])
    authority = demo.authority.model_copy(update={"crs": crs})
    return demo.model_copy(update={"authority": authority, "zones": (territory,)})


def test_nothing_is_told_of_the_demonstration_rulebook() -> None:
    assert first_fault(demo_rulebook()) is None


@pytest.mark.parametrize(("longitude", "latitude", "crs"), PLACES.values(), ids=PLACES)
def test_a_conformal_projection_of_the_place_is_taken(longitude: float, latitude: float, crs: str) -> None:
    assert first_fault(somewhere(longitude, latitude, crs)) is None


@pytest.mark.parametrize(
    ("crs", "problem"),
    [
        ("EPSG:99999", "aucune projection ne s’appelle EPSG:99999"),
        ("EPSG:4326", "une projection en mètres est attendue ; en métropole : EPSG:3948"),
        ("EPSG:2154", "Lambert-93 déforme les longueurs et sert aux échanges : prenez EPSG:3948"),
        ("EPSG:3857", "EPSG:3857 déforme les longueurs dans ce ressort ; en métropole : EPSG:3948"),
        ("EPSG:3035", "EPSG:3035 déforme les longueurs dans ce ressort"),  # keeps areas, not shapes
        ("EPSG:3942", "EPSG:3942 ne couvre pas ce ressort"),
        ("EPSG:2229", "une projection en mètres est attendue"),  # California, in feet
    ],
)
def test_a_projection_that_does_not_measure_metres_here_is_told(crs: str, problem: str) -> None:
    told = said(with_change("authority.yaml", "EPSG:3948", crs))
    assert told.startswith("authority.yaml: ligne 14, crs: ")
    assert problem in told


def changed_zones(change: Any) -> dict[str, str]:
    content = json.loads(demo_files()[ZONES])
    for feature in content["features"]:
        ring = feature["geometry"]["coordinates"][0]
        feature["geometry"]["coordinates"][0] = [change(feature["properties"]["id"], point) for point in ring]
    return demo_files() | {ZONES: json.dumps(content, indent=1)}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda _, p: [p[1], p[0]], "longitude et latitude sont inversées"),
        (lambda _, p: [1_150_000 + p[0], 7_200_000 + p[1]], "ce ne sont pas des degrés (du Lambert ?)"),
        (lambda name, p: [p[1], p[0]] if name == "marche" else p, "la zone marche est hors du ressort (territory)"),
        (lambda name, p: [p[0] + 1, p[1]] if name == "quais" else p, "la zone quais est hors du ressort (territory)"),
        (lambda name, p: [p[0], 48.378] if name == "marche" else p, "la zone marche se croise elle-même, ou est plate"),
        (lambda name, p: [p[0], 48.378 + (p[1] - 48.378) / 1e7] if name == "marche" else p, "moins d’un mètre carré"),
    ],
)
def test_a_zone_that_is_not_where_it_should_be_is_told_with_its_line(change: Any, problem: str) -> None:
    told = said(changed_zones(change))
    assert told.startswith("zones.geojson: ligne ") and "geometry > coordinates > 0: " in told
    assert problem in told


def test_a_zone_that_crosses_itself_is_told() -> None:
    corner, crossed = "[-3.878, 48.377], [-3.878, 48.3785]", "[-3.878, 48.3785], [-3.878, 48.377]"
    assert "la zone marche se croise elle-même" in said(with_change(ZONES, corner, crossed))


@pytest.mark.parametrize("email", ["voirie", "voirie@", "voirie@exemple", "a b@exemple.fr", "voirie@exemple.fr."])
def test_an_address_that_nobody_can_write_to_is_told(email: str) -> None:
    given = demo_rulebook().authority.identity.email
    told = said(with_change("authority.yaml", f"email: {given}", f'email: "{email}"'))
    assert "identity > email: une adresse électronique est attendue" in told


@pytest.mark.parametrize("url", ["javascript:alert(1)", "légifrance", "https://", "ftp://exemple.fr/texte"])
def test_a_text_whose_address_is_not_on_the_web_is_told(url: str) -> None:
    files = with_change(TARIFF, "    cites:\n", f'    cites:\n      url: "{url}"\n')
    with pytest.raises(RulebookError, match=r"cites > url: une adresse web est attendue : https://…"):
        load(files)
