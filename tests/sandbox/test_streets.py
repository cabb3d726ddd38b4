"""The geometry of the fictional town."""

import pytest
from pyproj import Geod
from shapely import Polygon

from permits.sandbox.streets import Street, find, frontage, point_of, town

WGS84 = Geod(ellps="WGS84")
STREETS = {street.name: street for street in town().streets}


def metres(start: tuple[float, float], end: tuple[float, float]) -> float:
    return float(WGS84.inv(*start, *end)[2])


def test_the_main_street_runs_due_east_for_600_metres() -> None:
    street = STREETS["rue des Exemples"]
    assert street.start == (-3.88, 48.375)
    end = street.position(600)
    assert end[1] == 48.375
    assert metres(street.start, end) == pytest.approx(600, abs=0.05)


@pytest.mark.parametrize("street", STREETS.values(), ids=lambda street: street.name)
def test_a_street_has_its_length_and_direction_and_stays_in_the_territory(street: Street) -> None:
    end = street.position(street.length_m)
    azimuth, _, length = WGS84.inv(*street.start, *end)
    assert length == pytest.approx(street.length_m, abs=0.05)
    assert azimuth == pytest.approx(street.bearing, abs=0.01)
    for longitude, latitude in (street.start, end):
        assert -3.90 < longitude < -3.86
        assert 48.36 < latitude < 48.39


def test_numbers_stand_every_five_metres_even_on_the_right() -> None:
    twelve, thirteen = point_of("12 rue des Exemples"), point_of("13 rue des Exemples")
    assert twelve
    assert thirteen
    assert twelve[1] < 48.375 < thirteen[1]
    assert metres(twelve, thirteen) == pytest.approx((5**2 + 12**2) ** 0.5, abs=0.01)


@pytest.mark.parametrize(
    "written",
    [
        "12 rue des Exemples",
        "12, RUE DES EXEMPLES 29999 EXEMPLE-VILLE",
        "12 bis rue des exemples, 29999 Exemple-Ville",
        "  12  rue des Exemples  Exemple Ville ",
    ],
)
def test_an_address_is_found_however_it_is_written(written: str) -> None:
    assert point_of(written) == point_of("12 rue des Exemples")


def test_accents_do_not_matter() -> None:
    assert point_of("4 place du Marche") == point_of("4 place du Marché")


def test_a_street_without_number_is_a_street_at_its_middle() -> None:
    spot = find("avenue du Modèle")
    assert spot
    assert (spot.kind, spot.number) == ("street", None)
    assert spot.position == STREETS["avenue du Modèle"].position(325)


@pytest.mark.parametrize("number", ["0", "121", "999"])
def test_a_house_beyond_the_street_is_only_the_street(number: str) -> None:
    spot = find(f"{number} rue des Exemples")
    assert spot
    assert spot.kind == "street"
    assert find("120 rue des Exemples").kind == "housenumber"  # type: ignore[union-attr]


def test_the_town_alone_is_no_address() -> None:
    spot = find("29999 Exemple-Ville")
    assert spot
    assert spot.kind == "municipality"


@pytest.mark.parametrize(
    "elsewhere", ["12 rue des Exemples 75001 Paris", "12 rue des Inconnus", "rue", "12", "", "???", "12 Exemple-Ville"]
)
def test_any_other_place_is_unknown(elsewhere: str) -> None:
    assert find(elsewhere) is None


@pytest.mark.parametrize(
    "address", ["12 rue des Exemples", "13 rue des Exemples", "8 avenue du Modèle", "7 rue de la Mairie"]
)
def test_a_frontage_lies_on_the_ground_before_its_house(address: str) -> None:
    ring = frontage(address, length_m=10, depth_m=1.5)
    assert ring[0] == ring[-1]
    assert Polygon(ring).exterior.is_ccw
    area, perimeter = WGS84.polygon_area_perimeter(*zip(*ring, strict=True))
    assert area == pytest.approx(15, abs=0.01)
    assert perimeter == pytest.approx(23, abs=0.01)
    point = point_of(address)
    assert point
    assert min(metres(point, corner) for corner in ring) == pytest.approx(5, abs=0.01)


def test_a_frontage_needs_a_house() -> None:
    with pytest.raises(ValueError, match="no house"):
        frontage("rue des Exemples", 10, 1.5)
