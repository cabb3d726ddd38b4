"""Measuring: rectangles built in metres on the ground, read back from their degrees."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pyproj import Geod, Transformer
from shapely import Polygon as Shape

from permits.domain.place import Footprint, Polygon, Unmeasurable
from permits.domain.rulebook import Rulebook, Zone
from permits.survey import Surveyor
from tests.domain.builders import FOOTPRINT, a_footprint, demo_rulebook

Metres = tuple[float, float]
Degrees = tuple[float, float]


@dataclass(frozen=True)
class Town:
    """A place on the ground, with its own plane: metres east and north of it (an azimuthal projection)."""

    longitude: float
    latitude: float
    crs: str

    def degrees(self, points: Iterable[Metres]) -> list[Degrees]:
        local = f"+proj=aeqd +lat_0={self.latitude} +lon_0={self.longitude} +ellps=GRS80 +units=m"
        to_degrees = Transformer.from_crs(local, "EPSG:4326", always_xy=True)
        return [to_degrees.transform(x, y) for x, y in points]

    def polygon(self, points: Sequence[Metres]) -> Polygon:
        """The polygon of these corners, closed."""
        ring = self.degrees(points)
        return Polygon(type="Polygon", coordinates=[[*ring, ring[0]]])


EXEMPLE_VILLE = Town(-3.88, 48.375, "EPSG:3948")
TOWNS = {
    "Exemple-Ville": EXEMPLE_VILLE,
    "Dunkerque": Town(2.377, 51.035, "EPSG:3950"),
    "Strasbourg": Town(7.752, 48.574, "EPSG:3949"),
    "Nantes": Town(-1.553, 47.218, "EPSG:3947"),
    "Bordeaux": Town(-0.579, 44.838, "EPSG:3945"),
    "Nice": Town(7.262, 43.71, "EPSG:3944"),
    "Ajaccio": Town(8.738, 41.919, "EPSG:3942"),
}


@cache
def surveyor_of(town: Town) -> Surveyor:
    """A surveyor whose territory is the square of 4 km around the town."""
    ring = town.degrees([(-2000, -2000), (2000, -2000), (2000, 2000), (-2000, 2000), (-2000, -2000)])
    territory = Zone(id=Rulebook.TERRITORY, label="Ressort", ring=tuple(ring))
    authority = demo_rulebook().authority.model_copy(update={"crs": town.crs})
    return Surveyor(demo_rulebook().model_copy(update={"authority": authority, "zones": (territory,)}))


DEMO = Surveyor(demo_rulebook())


def measure(polygon: Polygon, surveyor: Surveyor = DEMO, **changes: Any) -> Footprint:
    figures = {"tolerance_m": Decimal("0.05"), "min_width_m": Decimal("0.20"), "margin_km": Decimal("50")}
    return surveyor.measure(polygon, **(figures | changes))


def refusal(polygon: Polygon, **changes: Any) -> str:
    """The code under which a polygon is refused."""
    with pytest.raises(Unmeasurable) as error:
        measure(polygon, **changes)
    assert error.value.message == str(error.value)
    assert error.value.message.endswith(".")
    return error.value.code


def rectangle(length: float, width: float, angle: float = 0, at: Metres = (0.0, 0.0)) -> list[Metres]:
    """The corners of a rectangle turned by `angle` degrees around its first one."""
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    corners = [(0.0, 0.0), (length, 0.0), (length, width), (0.0, width)]
    return [(at[0] + x * cos - y * sin, at[1] + x * sin + y * cos) for x, y in corners]


# --- areas -------------------------------------------------------------------------------------


@pytest.mark.parametrize("town", TOWNS.values(), ids=TOWNS.keys())
@pytest.mark.parametrize("angle", [0, 17, 45, 90, 123.4, 180, 270, 359])
def test_a_rectangle_of_5_by_3_metres_is_15_square_metres(town: Town, angle: float) -> None:
    footprint = measure(town.polygon(rectangle(5, 3, angle)), surveyor_of(town))
    assert abs(footprint.area_m2 - Decimal("15.00")) <= Decimal("0.02")
    assert footprint.area_m2.as_tuple().exponent == -2
    assert footprint.crs == town.crs


@settings(deadline=None)
@given(
    town=st.sampled_from(list(TOWNS.values())),
    angle=st.floats(0, 360),
    length=st.floats(1, 100),
    width=st.floats(0.3, 30),
    east=st.floats(-1500, 1500),
    north=st.floats(-1500, 1500),
)
def test_a_rectangle_has_its_area_and_its_sides_wherever_and_however_it_lies(
    town: Town, angle: float, length: float, width: float, east: float, north: float
) -> None:
    corners = rectangle(length, width, angle, (east, north))
    footprint = measure(town.polygon(corners), surveyor_of(town))
    assert float(footprint.area_m2) == pytest.approx(length * width, rel=1e-3, abs=0.02)
    sides = [math.dist(a, b) for a, b in zip(footprint.ring, footprint.ring[1:], strict=False)]
    assert sides == pytest.approx([length, width, length, width], rel=1e-3, abs=0.01)
    backwards = measure(town.polygon(corners[::-1]), surveyor_of(town))
    assert backwards.area_m2 == footprint.area_m2


def test_the_scaffolding_of_the_main_case_is_14_40_square_metres() -> None:
    assert measure(EXEMPLE_VILLE.polygon(rectangle(12, 1.2))).area_m2 == Decimal("14.40")
    assert measure(FOOTPRINT) == a_footprint()


def test_a_centimetre_more_is_seen() -> None:
    assert measure(EXEMPLE_VILLE.polygon(rectangle(12, 1.21))).area_m2 == Decimal("14.52")


# --- the narrowest -----------------------------------------------------------------------------


@pytest.mark.parametrize("town", TOWNS.values(), ids=TOWNS.keys())
@pytest.mark.parametrize("angle", [0, 33, 45, 90])
def test_a_strip_of_20_centimetres_is_accepted_and_of_19_refused(town: Town, angle: float) -> None:
    surveyor = surveyor_of(town)
    assert measure(town.polygon(rectangle(12, 0.20, angle)), surveyor).area_m2 == Decimal("2.40")
    with pytest.raises(Unmeasurable, match="0,20 m de large") as error:
        measure(town.polygon(rectangle(12, 0.19, angle)), surveyor)
    assert error.value.code == "footprint_too_narrow"


@pytest.mark.parametrize(("width", "accepted"), [(0.1995, True), (0.1985, False)])
def test_a_millimetre_of_slack_is_left_to_the_drawing(width: float, accepted: bool) -> None:
    polygon = EXEMPLE_VILLE.polygon(rectangle(12, width))
    if accepted:
        assert measure(polygon).area_m2 == Decimal("2.39")
    else:
        assert refusal(polygon) == "footprint_too_narrow"


def test_the_narrowest_width_is_the_one_of_the_rulebook() -> None:
    strip = EXEMPLE_VILLE.polygon(rectangle(12, 0.5))
    assert measure(strip, min_width_m=Decimal("0.50")).area_m2 == Decimal("6.00")
    assert refusal(strip, min_width_m=Decimal("0.51")) == "footprint_too_narrow"


def hourglass(neck: float) -> list[Metres]:
    """Two squares of 2 m joined by a passage one metre long and `neck` wide."""
    low, high = 1 - neck / 2, 1 + neck / 2
    return [
        *[(0.0, 0.0), (2.0, 0.0), (2.0, low), (3.0, low), (3.0, 0.0), (5.0, 0.0)],
        *[(5.0, 2.0), (3.0, 2.0), (3.0, high), (2.0, high), (2.0, 2.0), (0.0, 2.0)],
    ]


@pytest.mark.parametrize(("neck", "accepted"), [(0.05, False), (0.19, False), (0.20, True), (0.50, True)])
def test_a_neck_is_as_wide_as_a_strip(neck: float, accepted: bool) -> None:
    polygon = EXEMPLE_VILLE.polygon(hourglass(neck))
    if accepted:
        assert float(measure(polygon).area_m2) == pytest.approx(8 + neck, abs=0.02)
    else:
        assert refusal(polygon) == "footprint_too_narrow"


def test_a_footprint_that_vanishes_when_shrunk_is_too_narrow() -> None:
    strip = EXEMPLE_VILLE.polygon(rectangle(12, 0.30))
    assert measure(strip, tolerance_m=Decimal("0.14")).tolerance_m == Decimal("0.14")
    assert refusal(strip, tolerance_m=Decimal("0.16")) == "footprint_too_narrow"


# --- shapes that are not one simple polygon ----------------------------------------------------


def test_a_hole_is_refused() -> None:
    outer, inner = (EXEMPLE_VILLE.polygon(rectangle(*size)).coordinates[0] for size in ((9, 9), (2, 2)))
    assert refusal(Polygon(type="Polygon", coordinates=[outer, inner])) == "footprint_with_hole"
    assert measure(Polygon(type="Polygon", coordinates=[outer])).area_m2 == Decimal("81.00")


@pytest.mark.parametrize(
    "corners",
    [
        [(0, 0), (5, 3), (5, 0), (0, 3)],  # a bow tie
        [(0, 0), (4, 0), (4, 4), (2, -1), (0, 4)],
        [(0, 0), (4, 0), (4, 4), (2, 0), (0, 4)],  # it touches itself
        [(0, 0), (4, 0), (4, 4), (0, 4), (0, 0), (4, 0), (4, 4), (0, 4)],  # twice around
        [(0, 0), (2, 0), (4, 0)],  # three points in line
        [(0, 0), (2, 0), (0, 0)],  # there and back
        [(0, 0), (0, 0), (0, 0)],  # one point
    ],
)
def test_a_ring_that_crosses_itself_or_holds_nothing_is_refused(corners: list[Metres]) -> None:
    assert refusal(EXEMPLE_VILLE.polygon(corners)) in {"footprint_self_crossing", "footprint_too_narrow"}


def test_a_bow_tie_is_told_as_crossing() -> None:
    assert refusal(EXEMPLE_VILLE.polygon([(0, 0), (5, 3), (5, 0), (0, 3)])) == "footprint_self_crossing"


def test_a_ring_that_is_not_closed_is_refused() -> None:
    ring = EXEMPLE_VILLE.degrees(rectangle(5, 3))
    assert refusal(Polygon(type="Polygon", coordinates=[ring])) == "footprint_not_closed"
    almost = [*ring, (ring[0][0] + 1e-9, ring[0][1])]
    assert refusal(Polygon(type="Polygon", coordinates=[almost])) == "footprint_not_closed"


def test_a_triangle_is_a_polygon() -> None:
    assert measure(EXEMPLE_VILLE.polygon([(0, 0), (6, 0), (0, 4)])).area_m2 == Decimal("12.00")


def test_a_corner_given_twice_does_no_harm() -> None:
    corners = rectangle(5, 3)
    assert measure(EXEMPLE_VILLE.polygon([corners[0], *corners])).area_m2 == Decimal("15.00")


@pytest.mark.parametrize(("side", "accepted"), [(706, True), (708, False)])
def test_fifty_hectares_is_the_most(side: float, accepted: bool) -> None:
    polygon = EXEMPLE_VILLE.polygon(rectangle(side, side))
    if accepted:
        assert float(measure(polygon).area_m2) == pytest.approx(side * side, rel=1e-3)
    else:
        assert refusal(polygon) == "footprint_too_large"


# --- coordinates that are not here -------------------------------------------------------------


def test_longitude_and_latitude_swapped_are_recognised() -> None:
    swapped = [(latitude, longitude) for longitude, latitude in FOOTPRINT.coordinates[0]]
    assert refusal(Polygon(type="Polygon", coordinates=[swapped])) == "coordinates_swapped"


@pytest.mark.parametrize("crs", ["EPSG:2154", "EPSG:3948", "EPSG:3857", "EPSG:32630"])
def test_metres_are_not_degrees(crs: str) -> None:
    to_metres = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    ring = [to_metres.transform(*position) for position in FOOTPRINT.coordinates[0]]
    assert refusal(Polygon(type="Polygon", coordinates=[ring])) == "coordinates_projected"


@pytest.mark.parametrize(
    ("shift", "code"),
    [
        ((180.0, 0.0), "place_too_far"),
        ((184.0, 0.0), "coordinates_projected"),
        ((0.0, 41.0), "place_too_far"),
        ((0.0, 42.0), "coordinates_projected"),
        ((0.0, -138.0), "place_too_far"),
        ((0.0, -139.0), "coordinates_projected"),
    ],
)
def test_degrees_end_at_180_and_90(shift: Degrees, code: str) -> None:
    ring = [(longitude + shift[0], latitude + shift[1]) for longitude, latitude in FOOTPRINT.coordinates[0]]
    assert refusal(Polygon(type="Polygon", coordinates=[ring])) == code


@pytest.mark.parametrize("place", [(2.35, 48.85), (0.0, 0.0), (-3.88, -48.375), (3.88, 48.375), (48.4, 3.88)])
def test_another_part_of_the_world_is_too_far(place: Degrees) -> None:
    ring = [(place[0] + x * 1e-4, place[1] + y * 1e-4) for x, y in [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]]
    assert refusal(Polygon(type="Polygon", coordinates=[ring])) == "place_too_far"


def north_of_territory(metres: float) -> Polygon:
    """A rectangle whose furthest side is so far north of the demo territory."""
    geod = Geod(ellps="GRS80")
    south_west, north_east = (geod.fwd(-3.88, 48.39, bearing, 1)[:2] for bearing in (270, 90))
    west, east = south_west[0], north_east[0]
    low, high = (geod.fwd(-3.88, 48.39, 0, distance)[1] for distance in (metres - 2, metres))
    return Polygon(type="Polygon", coordinates=[[(west, low), (east, low), (east, high), (west, high), (west, low)]])


def test_what_lies_within_50_km_is_somebody_else_s_and_beyond_it_is_a_mistake() -> None:
    neighbour = measure(north_of_territory(49_900))
    assert not DEMO.in_territory(neighbour)
    assert refusal(north_of_territory(50_100)) == "place_too_far"
    with pytest.raises(Unmeasurable, match="à plus de 50 km du ressort"):
        measure(north_of_territory(50_100))
    # The parallel bends by 20 cm between the corners of the territory.
    assert refusal(north_of_territory(1_000.6), margin_km=Decimal("1")) == "place_too_far"
    assert measure(north_of_territory(999.4), margin_km=Decimal("1")).area_m2 > 3


def test_one_corner_far_away_is_enough() -> None:
    near, far = FOOTPRINT.coordinates[0], north_of_territory(60_000).coordinates[0][2]
    assert refusal(Polygon(type="Polygon", coordinates=[[*near[:2], far, *near[3:]]])) == "place_too_far"


# --- the core ----------------------------------------------------------------------------------


@settings(deadline=None)
@given(angle=st.floats(0, 360), length=st.floats(0.5, 60), width=st.floats(0.3, 20))
def test_the_core_of_a_rectangle_is_5_cm_inside_it_on_every_side(angle: float, length: float, width: float) -> None:
    footprint = measure(EXEMPLE_VILLE.polygon(rectangle(length, width, angle)))
    ring, core = Shape(footprint.ring), Shape(footprint.core)
    assert ring.contains(core)
    assert core.area == pytest.approx((length - 0.1) * (width - 0.1), abs=0.01 + 0.002 * core.length)
    assert all(abs(ring.exterior.distance(shapely.Point(corner)) - 0.05) < 0.002 for corner in footprint.core)
    # The oracle: every point of the ring's inside that is 5 cm away from its edge, and none that is closer.
    oracle = ring.difference(ring.exterior.buffer(0.05, quad_segs=32))
    assert core.symmetric_difference(oracle).area < 0.01 + 0.002 * core.length


def test_the_core_of_any_shape_is_the_ring_shrunk_by_the_tolerance() -> None:
    corners = [(0, 0), (6, 0), (6, 4), (4, 4), (4, 2), (0, 2)]  # an L
    for tolerance in ("0.05", "0.30"):
        footprint = measure(EXEMPLE_VILLE.polygon(corners), tolerance_m=Decimal(tolerance))
        ring, core = Shape(footprint.ring), Shape(footprint.core)
        oracle = ring.difference(ring.exterior.buffer(float(tolerance), quad_segs=32))
        # The oracle rounds the inner corner, the core cuts it square; the rest is the millimetre.
        assert core.symmetric_difference(oracle).area < 0.25 * float(tolerance) ** 2 + 0.01
        assert core.is_valid and core.area < ring.area
        assert footprint.tolerance_m == Decimal(tolerance)


def test_two_neighbours_that_share_a_side_have_cores_apart() -> None:
    left, right = (measure(EXEMPLE_VILLE.polygon(rectangle(5, 2, at=(x, 0)))) for x in (0, 5))
    assert Shape(left.core).distance(Shape(right.core)) == pytest.approx(0.10, abs=0.003)
    overlapping = measure(EXEMPLE_VILLE.polygon(rectangle(5, 2, at=(4.8, 0))))
    assert Shape(left.core).intersects(Shape(overlapping.core))


def test_a_ring_is_kept_to_the_millimetre_and_closed() -> None:
    footprint = measure(EXEMPLE_VILLE.polygon(rectangle(5, 3, 20)))
    for ring in (footprint.ring, footprint.core):
        assert ring[0] == ring[-1]
        assert all(round(value, 3) == value for position in ring for value in position)
    assert len(footprint.ring) == 5


# --- territory, zones, distance ----------------------------------------------------------------


def by_the_side_of(zone: str, metres: float) -> Polygon:
    """A rectangle of 3 m × 2 m whose eastern side is so far beyond the western side of a zone of the demo.

    Positive is inside. The side is followed in the projection, as the surveyor does.
    """
    ring = demo_rulebook().zone(zone).ring
    to_metres = Transformer.from_crs("EPSG:4326", DEMO.crs, always_xy=True)
    to_degrees = Transformer.from_crs(DEMO.crs, "EPSG:4326", always_xy=True)
    west = min(x for x, _ in ring)
    (x0, y0), (x1, y1) = (to_metres.transform(west, y) for y in sorted({y for _, y in ring}))
    length = math.dist((x0, y0), (x1, y1))
    along = ((x1 - x0) / length, (y1 - y0) / length)
    inwards = (along[1], -along[0])
    middle = ((x0 + x1) / 2, (y0 + y1) / 2)
    corners = [(metres, 0), (metres, 2), (metres - 3, 2), (metres - 3, 0), (metres, 0)]
    ring_m = [
        (middle[0] + inwards[0] * a + along[0] * b, middle[1] + inwards[1] * a + along[1] * b) for a, b in corners
    ]
    return Polygon(type="Polygon", coordinates=[[to_degrees.transform(x, y) for x, y in ring_m]])


@pytest.mark.parametrize(
    ("metres", "inside"),
    [(3.01, True), (2.99, False), (2.0, False), (1.5, False), (0.0, False), (-100.0, False), (100.0, True)],
)
def test_a_footprint_is_in_the_territory_when_all_of_it_is(metres: float, inside: bool) -> None:
    assert DEMO.in_territory(measure(by_the_side_of("territory", metres))) is inside


@pytest.mark.parametrize(
    ("metres", "touched"),
    [(-0.10, False), (0.0, False), (0.04, False), (0.06, True), (1.5, True), (3.5, True), (-5.0, False)],
)
def test_a_zone_is_touched_by_more_than_the_tolerance(metres: float, touched: bool) -> None:
    assert DEMO.zones_of(measure(by_the_side_of("marche", metres))) == (("marche",) if touched else ())


def test_a_footprint_around_two_zones_touches_both_in_the_order_of_the_rulebook() -> None:
    surveyor = surveyor_of(EXEMPLE_VILLE)
    squares = {
        name: EXEMPLE_VILLE.polygon(rectangle(10, 10, at=at)).coordinates[0]
        for name, at in {"zebra": (0, 0), "alpha": (10, 0), "away": (500, 0)}.items()
    }
    zones = tuple(Zone(id=name, label=name, ring=tuple(ring)) for name, ring in squares.items())
    territory = next(zone for zone in demo_rulebook().zones if zone.id == Rulebook.TERRITORY)
    both = Surveyor(demo_rulebook().model_copy(update={"zones": (*zones, territory)}))
    footprint = measure(EXEMPLE_VILLE.polygon(rectangle(4, 4, at=(8, 3))), both)
    assert both.zones_of(footprint) == ("zebra", "alpha")
    assert surveyor.zones_of(footprint) == ()


def test_the_territory_is_not_one_of_the_zones_touched() -> None:
    assert DEMO.zones_of(measure(FOOTPRINT)) == ()
    assert DEMO.in_territory(measure(FOOTPRINT))


@pytest.mark.parametrize(
    ("point", "distance"),
    [
        ((2.5, 1.5), "0.0"),  # inside
        ((5.0, 1.5), "0.0"),  # on the side
        ((55.0, 1.5), "50.0"),
        ((55.1, 1.5), "50.1"),
        ((8.0, 7.0), "5.0"),  # 3-4-5 from the corner
        ((2.5, -0.14), "0.1"),
        ((2.5, -0.16), "0.2"),
    ],
)
@pytest.mark.parametrize("town", [EXEMPLE_VILLE, TOWNS["Nice"]], ids=["Exemple-Ville", "Nice"])
def test_the_distance_to_an_address_is_told_to_the_decimetre(town: Town, point: Metres, distance: str) -> None:
    surveyor = surveyor_of(town)
    footprint = measure(town.polygon(rectangle(5, 3)), surveyor)
    ((longitude, latitude),) = town.degrees([point])
    assert str(surveyor.distance_m(footprint, longitude, latitude)) == distance


def test_the_centre_of_the_territory_is_told() -> None:
    assert DEMO.centre == pytest.approx((-3.88, 48.375))


# --- what the model does of numbers that are none ----------------------------------------------


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_coordinate_that_is_no_number_never_reaches_the_surveyor(number: str) -> None:
    text = '{"type": "Polygon", "coordinates": [[[-3.9, 48.3], [X, 48.4], [-3.8, 48.4], [-3.9, 48.3]]]}'
    assert Polygon.model_validate_json(text.replace("X", "-3.9")).type == "Polygon"
    for written in (number, f'"{number}"'):
        with pytest.raises(ValidationError) as error:
            Polygon.model_validate_json(text.replace("X", written))
        assert error.value.errors()[0]["loc"][:4] == ("coordinates", 0, 1, 0)
    with pytest.raises(ValidationError, match="finite"):
        Polygon.model_validate({"type": "Polygon", "coordinates": [[(float(number), 48.3)] * 4]})


@pytest.mark.parametrize(("width", "accepted"), [(0.08, False), (0.19, False), (0.21, True)])
def test_a_narrow_arm_is_refused_like_a_narrow_strip(width: float, accepted: bool) -> None:
    """It would vanish from the core, and could be booked twice."""
    corners: list[Metres] = [(0, 0), (1, 0), (1, 0.5), (10, 0.5), (10, 0.5 + width), (1, 0.5 + width), (1, 1), (0, 1)]
    shape = EXEMPLE_VILLE.polygon(corners)
    if accepted:
        assert measure(shape).area_m2 > 2
    else:
        with pytest.raises(Unmeasurable) as refused:
            measure(shape)
        assert refused.value.code == "footprint_too_narrow"
