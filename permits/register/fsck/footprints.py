"""What each act takes of the street, against what was measured and how long the act lasts; and no overlap."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import shapely
from shapely import Polygon

from permits.domain.act import ActState
from permits.register.fsck.finding import Code
from permits.register.fsck.look import Look

_LIVE = (ActState.RESERVED, ActState.ISSUED)
# The stored core was shrunk from a ring not yet rounded to the millimetre.
_ROUNDING_M = 0.005
# Beyond, at sharp corners only: a tenth of what the tolerance takes off.
_SHARE = 0.1

# Walks the index of the exclusion constraint when it is there; an exact comparison of polygons either way.
_OVERLAPS = """
SELECT one.label AS one, other.label AS other
FROM act_footprint a
JOIN act_footprint b ON a.footprint_core && b.footprint_core AND a.period && b.period AND a.authority = b.authority
    AND a.space = b.space AND a.worksite_key <> b.worksite_key AND a.act_id < b.act_id
JOIN act one ON one.id = a.act_id
JOIN act other ON other.id = b.act_id
WHERE a.authority = :authority AND a.live AND b.live
ORDER BY 1, 2
"""


def check_footprints(look: Look, row: Any, allows: bool) -> None:
    """An act that allows takes exactly the places that were measured, for its days; a ruling takes none.

    `row` is one of `acts.check_acts`; its payload is the sealed one.
    """
    taken, places = row.footprints or [], row.places if allows else []
    if [each["occupancy"] for each in taken] != list(range(len(places))):
        message = f"{row.label} occupe {len(taken)} emprises au registre, {len(places)} ont été mesurées"
        look.found(Code.FOOTPRINT, row.label, message)
        return
    for each, place in zip(taken, places, strict=True):
        printed = row.payload["occupancies"][each["occupancy"]]["ring_m"]
        measured = place["footprint"]
        what = f"l’emprise {each['occupancy'] + 1} de {row.label}"
        if _points(each["core"]) != [tuple(map(float, point)) for point in measured["core"][:-1]]:
            look.found(Code.FOOTPRINT, row.label, f"{what} n’est plus celle qui a été mesurée")
        elif printed != measured["ring"] or not _is_core_of(measured):
            look.found(Code.FOOTPRINT, row.label, f"{what} n’est pas celle qui est imprimée")
        if _held(each) != _due(row):
            look.found(Code.FOOTPRINT, row.label, f"{what} n’est pas prise comme le veut l’état de l’acte")


def check_overlaps(look: Look) -> None:
    """No two live footprints of different worksites share a piece of street on a day."""
    for pair in look.each(_OVERLAPS):
        message = f"{pair.one} et {pair.other} occupent la même emprise les mêmes jours"
        look.found(Code.OVERLAP, f"{pair.one} {pair.other}", message)


def _held(footprint: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(footprint[name] for name in ("first", "end", "live", "worksite", "space", "authority"))


def _due(row: Any) -> tuple[Any, ...]:
    """Return the first day, the day after the last, and the rest of what each footprint of this act must be."""
    first, end = row.starts_on, date.fromordinal(row.ends_on.toordinal() + 1)
    live = row.state in _LIVE
    if row.state == ActState.ABROGATED and row.ended_on is not None and row.ended_on > first:
        live, end = True, min(end, row.ended_on)
    space = "sandbox" if row.sandbox else "street"
    return first.isoformat(), end.isoformat(), live, row.worksite_key, space, row.authority


def _points(polygon: str) -> list[tuple[float, float]]:
    """Return the points of a polygon as PostgreSQL writes it."""
    points = json.loads(polygon.translate(_BRACKETS))
    return [(float(x), float(y)) for x, y in points]


_BRACKETS = str.maketrans("()", "[]")


def _is_core_of(measured: dict[str, Any]) -> bool:
    """Tell whether the core is the ring less the tolerance all round, as permits.survey shrinks it."""
    ring, core = Polygon(measured["ring"]), Polygon(measured["core"])
    tolerance = float(Decimal(measured["tolerance_m"]))
    again = ring.buffer(-tolerance, join_style="mitre")
    if shapely.hausdorff_distance(again, core) <= _ROUNDING_M:
        return True
    return bool(again.symmetric_difference(core).area <= _SHARE * tolerance * ring.length)
