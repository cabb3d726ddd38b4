"""What a rulebook that reads well may still have wrong: where it lies on the ground, and whom it says to write to.

Looked at before it is put in force, never when a rulebook that has decided is read again.
"""

import re
from collections.abc import Iterator

from pyproj import CRS, Proj, Transformer
from pyproj.exceptions import CRSError
from shapely import Polygon, box

from permits.domain.rulebook import Rulebook, Zone
from permits.law.strict import Location

Fault = tuple[Location, str]

_LAMBERT_93 = "EPSG:2154"
# Over the territory, a metre of the projection is a metre of ground to a thousandth, in every direction alike.
_MOST_STRETCHED = 1e-3
_LEAST_CONFORMAL = 1e-4
_SMALLEST_ZONE_M2 = 1.0
_EMAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>.]+")


def first_fault(rulebook: Rulebook) -> Fault | None:
    """Return where in the rulebook something is wrong and what, in French; None when nothing is."""
    looks = (_address_faults, _currency_faults, _degree_faults, _projection_faults, _zone_faults)
    # Lazily: each look rests on what those before it found right.
    return next((fault for look in looks for fault in look(rulebook)), None)


def _address_faults(rulebook: Rulebook) -> Iterator[Fault]:
    if not _EMAIL.fullmatch(rulebook.authority.identity.email):
        yield ("authority", "identity", "email"), "une adresse électronique est attendue"


def _currency_faults(rulebook: Rulebook) -> Iterator[Fault]:
    unit = rulebook.tariff.unit
    for day, entry in rulebook.tariff.values.items():
        if entry.value is not None and entry.value.currency != unit:
            problem = f"le barème est en {entry.value.currency} (currency), et unit dit {unit}"
            yield ("tariff", "values", day.isoformat(), "value"), problem


def _degree_faults(rulebook: Rulebook) -> Iterator[Fault]:
    for position, zone in enumerate(rulebook.zones):
        if any(abs(longitude) > 180 or abs(latitude) > 90 for longitude, latitude in zone.ring):
            problem = "ce ne sont pas des degrés (du Lambert ?) : [longitude, latitude] en WGS84 est attendu"
            yield ("zones", position, "ring"), problem


def _projection_faults(rulebook: Rulebook) -> Iterator[Fault]:
    code, where = rulebook.authority.crs, ("authority", "crs")
    try:
        crs = CRS.from_user_input(code)
    except CRSError:
        yield where, f"aucune projection ne s’appelle {code}"
        return
    territory = Polygon(rulebook.zone(Rulebook.TERRITORY).ring)
    zone_of_france = f"EPSG:{3900 + min(max(round(territory.centroid.y), 42), 50)}"
    if code == _LAMBERT_93:
        yield where, f"Lambert-93 déforme les longueurs et sert aux échanges : prenez {zone_of_france}"
    elif not crs.is_projected or any(axis.unit_conversion_factor != 1 for axis in crs.axis_info):
        yield where, f"une projection en mètres est attendue ; en métropole : {zone_of_france}"
    elif crs.area_of_use is not None and not territory.intersects(box(*crs.area_of_use.bounds)):
        swapped = Polygon([(latitude, longitude) for longitude, latitude in territory.exterior.coords])
        if swapped.intersects(box(*crs.area_of_use.bounds)):
            position = [zone.id for zone in rulebook.zones].index(Rulebook.TERRITORY)
            problem = "longitude et latitude sont inversées : GeoJSON attend [longitude, latitude]"
            yield ("zones", position, "ring"), problem
        else:
            yield where, f"{code} ne couvre pas ce ressort : vérifiez l’un et l’autre"
    elif _is_stretched(crs, territory):
        yield where, f"{code} déforme les longueurs dans ce ressort ; en métropole : {zone_of_france}"


def _is_stretched(crs: CRS, territory: Polygon) -> bool:
    """Tell whether a length of the projection differs from that on the ground, somewhere in the territory."""
    west, south, east, north = territory.bounds
    corners = [(west, south), (west, north), (east, south), (east, north), (territory.centroid.x, territory.centroid.y)]
    scales = [Proj(crs).get_factors(longitude, latitude) for longitude, latitude in corners]
    return any(
        abs(each.meridional_scale - 1) > _MOST_STRETCHED
        or abs(each.meridional_scale - each.parallel_scale) > _LEAST_CONFORMAL
        for each in scales
    )


def _zone_faults(rulebook: Rulebook) -> Iterator[Fault]:
    to_metres = Transformer.from_crs("EPSG:4326", rulebook.authority.crs, always_xy=True)
    shapes = [
        Polygon([to_metres.transform(longitude, latitude) for longitude, latitude in zone.ring])
        for zone in rulebook.zones
    ]
    by_id = {zone.id: shape for zone, shape in zip(rulebook.zones, shapes, strict=True)}
    territory = by_id[Rulebook.TERRITORY]
    for position, (zone, shape) in enumerate(zip(rulebook.zones, shapes, strict=True)):
        if (problem := _shape_fault(zone, shape, territory)) is not None:
            yield ("zones", position, "ring"), problem


def _shape_fault(zone: Zone, shape: Polygon, territory: Polygon) -> str | None:
    if not shape.is_valid:
        return f"la zone {zone.id} se croise elle-même, ou est plate"
    if shape.area < _SMALLEST_ZONE_M2:
        return f"la zone {zone.id} est plate : moins d’un mètre carré"
    if territory.is_valid and not shape.intersects(territory):
        return f"la zone {zone.id} est hors du ressort (territory) ; longitude et latitude sont-elles inversées ?"
    return None
