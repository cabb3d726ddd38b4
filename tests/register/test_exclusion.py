"""No double booking, by the database: against a shapely oracle, with boundaries first."""

import math
import random
from datetime import timedelta
from typing import Any

import pytest
from pyproj import Transformer
from shapely import Polygon
from shapely.affinity import rotate, translate

from permits.issue import issue_permit
from tests.fakes import MONDAY, OTHER_SIRET, SIRET, FakeOffice, request_body

TO_DEGREES = Transformer.from_crs("EPSG:3948", "EPSG:4326", always_xy=True)
TO_METRES = Transformer.from_crs("EPSG:4326", "EPSG:3948", always_xy=True)
CENTRE = TO_METRES.transform(-3.88, 48.375)


def rectangle(x: float, y: float, length: float, width: float, angle: float = 0.0) -> Polygon:
    """Return a rectangle whose lower left corner is x, y metres from the town's centre, turned about that centre."""
    shape = Polygon([(x, y), (x + length, y), (x + length, y + width), (x, y + width)])
    return translate(rotate(shape, angle, origin=(0, 0)), *CENTRE)


def request_for(shape: Polygon, siret: str, first_day: int = 0, days: int = 5) -> dict[str, Any]:
    ring = [list(TO_DEGREES.transform(x, y)) for x, y in shape.exterior.coords]
    body = request_body()
    occupancy = body["occupancies"][0] | {"kind": "skip", "length_m": None, "width_m": None}
    occupancy["place"] = {
        "address": "12 rue des Exemples",
        "footprint": {"type": "Polygon", "coordinates": [ring]},
    }
    start = MONDAY + timedelta(days=first_day)
    return body | {
        "siret": siret,
        "occupancies": [occupancy],
        "starts_on": start.isoformat(),
        "ends_on": (start + timedelta(days=days - 1)).isoformat(),
    }


def outcome(office: FakeOffice, body: dict[str, Any]) -> str:
    filed, _ = issue_permit(office.desk, office.filing(body))
    return filed.outcome


@pytest.mark.parametrize("angle", [0, 17, 45, 90, 133.7])
@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ((5.0, 0.0, 5.0, 3.0), "granted"),  # shared edge
        ((5.0, 3.0, 5.0, 3.0), "granted"),  # shared corner
        ((0.0, 3.0, 5.0, 3.0), "granted"),  # shared long edge
        ((4.8, 0.0, 5.0, 3.0), "referred"),  # 20 cm over
        ((1.0, 1.0, 1.0, 1.0), "referred"),  # inside
        ((0.0, 0.0, 5.0, 3.0), "referred"),  # the very same
        ((5.2, 0.0, 5.0, 3.0), "granted"),
    ],
)
def test_touching_is_free_and_overlapping_is_not(
    office: FakeOffice, second: tuple[float, float, float, float], expected: str, angle: float
) -> None:
    assert outcome(office, request_for(rectangle(0, 0, 5, 3, angle), SIRET)) == "granted"
    assert outcome(office, request_for(rectangle(*second, angle), OTHER_SIRET)) == expected


@pytest.mark.parametrize(
    ("first_day", "expected"), [(-5, "granted"), (-4, "referred"), (4, "referred"), (5, "granted")]
)
def test_back_to_back_days_are_free_and_a_shared_day_is_not(office: FakeOffice, first_day: int, expected: str) -> None:
    shape = rectangle(0, 0, 5, 3)
    assert outcome(office, request_for(shape, SIRET)) == "granted"
    assert outcome(office, request_for(shape, OTHER_SIRET, first_day)) == expected


def test_the_same_worksite_may_overlap_itself(office: FakeOffice) -> None:
    shape = rectangle(0, 0, 5, 3)
    assert outcome(office, request_for(shape, SIRET)) == "granted"
    assert outcome(office, request_for(shape, SIRET)) == "granted"


def test_the_loser_is_told_which_permit_stands_there_and_when(office: FakeOffice) -> None:
    shape = rectangle(0, 0, 5, 3)
    outcome(office, request_for(shape, SIRET))
    filed, _ = issue_permit(office.desk, office.filing(request_for(shape, OTHER_SIRET)))

    assert filed.decision is not None
    (ground,) = [finding for finding in filed.decision.findings if finding.rule == "OVERLAP"]
    assert "EX-2026-000001" in ground.message
    assert "11 janvier 2027" in ground.message and "15 janvier 2027" in ground.message


def test_the_database_and_shapely_agree_on_random_rotated_rectangles(office: FakeOffice) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    agreed = {True: 0, False: 0}
    for n in range(60):
        base_x, base_y = (n % 10) * 40 - 200, (n // 10) * 40 - 120
        pair = []
        for _ in range(2):
            shape = Polygon([(0, 0), (6, 0), (6, 2.5), (0, 2.5)])
            turned = rotate(shape, chance.uniform(0, 360), origin="centroid")
            angle, far = chance.uniform(0, math.tau), chance.uniform(0, 6)
            pair.append(
                translate(
                    turned, CENTRE[0] + base_x + far * math.cos(angle), CENTRE[1] + base_y + far * math.sin(angle)
                )
            )
        expected = (
            pair[0].buffer(-0.05, join_style="mitre").intersection(pair[1].buffer(-0.05, join_style="mitre")).area
            > 1e-6
        )
        assert outcome(office, request_for(pair[0], SIRET)) == "granted"
        assert outcome(office, request_for(pair[1], OTHER_SIRET)) == ("referred" if expected else "granted")
        agreed[expected] += 1

    assert agreed[True] > 5 and agreed[False] > 5
