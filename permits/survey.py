"""Measures what the applicant drew: from degrees to metres in the authority's projection, and where it lies.

A conformal projection of the territory (CC42 to CC50 in mainland France) keeps a rectangle a rectangle.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

from pyproj import Geod, Transformer
from shapely import Point, prepare
from shapely import Polygon as Shape

from permits.domain.place import Footprint, Metres, Polygon, Unmeasurable
from permits.domain.rulebook import Rulebook

_GEOD = Geod(ellps="GRS80")
# Beyond this the projection of the territory says nothing useful of a distance.
_FAR_AWAY_M = 1_000_000
_LARGEST_M2 = 500_000
# How far the tip of a sharp corner may reach beyond where the narrowest allowed width still fits.
_SHARPEST_TIP_M = 0.5


class Surveyor:
    """Measures footprints for one rulebook that permits.law.lint found right: its projection, territory and zones."""

    def __init__(self, rulebook: Rulebook) -> None:
        self.crs = rulebook.authority.crs
        self._to_metres = Transformer.from_crs("EPSG:4326", self.crs, always_xy=True)
        self._zones = {zone.id: self._project(zone.ring) for zone in rulebook.zones}
        self._territory = self._zones.pop(Rulebook.TERRITORY)
        centre = Shape(rulebook.zone(Rulebook.TERRITORY).ring).centroid
        self.centre = (centre.x, centre.y)
        for shape in (self._territory, *self._zones.values()):
            prepare(shape)

    def measure(self, polygon: Polygon, *, tolerance_m: Decimal, min_width_m: Decimal, margin_km: Decimal) -> Footprint:
        """Return the footprint in metres, or raise Unmeasurable."""
        ring = _outer_ring(polygon)
        self._check_near(ring, float(margin_km) * 1000)
        shape = self._project(ring)
        if not shape.is_valid or shape.area == 0:
            raise Unmeasurable("footprint_self_crossing", "Le contour se croise : dessinez un polygone simple.")
        if shape.area > _LARGEST_M2:
            raise Unmeasurable("footprint_too_large", "L’emprise dépasse 50 hectares : vérifiez les coordonnées.")
        core = shape.buffer(-float(tolerance_m), join_style="mitre")
        if not isinstance(core, Shape) or core.is_empty or not _is_wide_enough(shape, float(min_width_m)):
            raise Unmeasurable(
                "footprint_too_narrow",
                f"L’emprise a moins de {str(min_width_m).replace('.', ',')} m de large à un endroit.",
            )
        return Footprint(
            crs=self.crs,
            ring=_rounded(shape),
            core=_rounded(core),
            area_m2=_geodesic_area(ring),
            tolerance_m=tolerance_m,
        )

    def in_territory(self, footprint: Footprint) -> bool:
        """Tell whether the whole footprint lies in the authority's territory."""
        return bool(self._territory.covers(Shape(footprint.ring)))

    def zones_of(self, footprint: Footprint) -> tuple[str, ...]:
        """Return the ids of the zones that the footprint's core touches, in the rulebook's order."""
        core = Shape(footprint.core)
        return tuple(zone_id for zone_id, zone in self._zones.items() if zone.intersects(core))

    def distance_m(self, footprint: Footprint, longitude: float, latitude: float) -> Decimal:
        """Return the distance from a WGS84 point to the footprint, in metres to the decimetre."""
        x, y = self._to_metres.transform(longitude, latitude)
        return Decimal(str(Shape(footprint.ring).distance(Point(x, y)))).quantize(Decimal("0.1"), ROUND_HALF_UP)

    def _project(self, ring: Iterable[tuple[float, float]]) -> Shape:
        return Shape([self._to_metres.transform(longitude, latitude) for longitude, latitude in ring])

    def _check_near(self, ring: list[tuple[float, float]], margin_m: float) -> None:
        if any(abs(longitude) > 180 or abs(latitude) > 90 for longitude, latitude in ring):
            raise Unmeasurable(
                "coordinates_projected",
                "Ces coordonnées ne sont pas des degrés (Lambert ?) : donnez longitude et latitude en WGS84.",
            )
        if not self._is_near(ring, margin_m):
            swapped = [(latitude, longitude) for longitude, latitude in ring]
            if all(abs(latitude) <= 90 for _, latitude in swapped) and self._is_near(swapped, margin_m):
                raise Unmeasurable(
                    "coordinates_swapped",
                    "Longitude et latitude sont inversées : GeoJSON attend [longitude, latitude].",
                )
            raise Unmeasurable(
                "place_too_far", f"L’emprise est à plus de {margin_m / 1000:.0f} km du ressort de cette autorité."
            )

    def _is_near(self, ring: list[tuple[float, float]], margin_m: float) -> bool:
        for longitude, latitude in ring:
            _, _, metres = _GEOD.inv(longitude, latitude, *self.centre)
            if metres > _FAR_AWAY_M:
                return False
            if self._territory.distance(Point(self._to_metres.transform(longitude, latitude))) > margin_m:
                return False
        return True


def _is_wide_enough(shape: Shape, min_width_m: float) -> bool:
    """Tell whether a disc of that width can go everywhere in the shape, but for the tip of a sharp corner.

    A neck or an arm that is narrower would vanish from the core, and could be booked twice.
    """
    # Half a millimetre of slack: a strip exactly as wide as the limit is accepted.
    radius = min_width_m / 2 - 0.0005
    spine = shape.buffer(-radius, join_style="mitre")
    if not isinstance(spine, Shape) or spine.is_empty:
        return False
    return bool(spine.buffer(radius + _SHARPEST_TIP_M).covers(shape))


def _outer_ring(polygon: Polygon) -> list[tuple[float, float]]:
    if len(polygon.coordinates) > 1:
        raise Unmeasurable("footprint_with_hole", "L’emprise ne peut pas avoir de trou : dessinez un seul contour.")
    ring = polygon.coordinates[0]
    if ring[0] != ring[-1]:
        raise Unmeasurable("footprint_not_closed", "Le contour n’est pas fermé : répétez le premier point à la fin.")
    return ring


def _geodesic_area(ring: list[tuple[float, float]]) -> Decimal:
    area, _ = _GEOD.polygon_area_perimeter([p[0] for p in ring], [p[1] for p in ring])
    return Decimal(str(abs(area))).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _rounded(shape: Shape) -> tuple[Metres, ...]:
    return tuple((round(x, 3), round(y, 3)) for x, y in shape.exterior.coords)
