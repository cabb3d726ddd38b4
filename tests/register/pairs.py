"""Random pairs of footprints at any angle, and what shapely says of each: may the second stand beside the first?"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from pyproj import Transformer
from shapely import Polygon
from shapely.affinity import rotate, translate

from tests.fakes import OTHER_SIRET, SIRET

CENTRE = Transformer.from_crs("EPSG:4326", "EPSG:3948", always_xy=True).transform(-3.88, 48.375)
# The rulebook's tolerance on each side: less than this is a drawing's error, not an overlap.
TOLERANCE_M = 0.05
# Rounding to the millimetre may decide what is closer than this to the limit: such a pair is drawn again.
UNSURE_M = 0.002
# Pairs lie on a grid, far enough from each other never to meet.
GRID_M, A_ROW = 40.0, 40
LENGTH_M, WIDTH_M = 6.0, 2.5
DAYS = 5
# How many days after the first the second begins: together, back to back, or sharing one day.
DAYS_LATER = (0, 0, 0, 0, DAYS, -DAYS, DAYS - 1, 1 - DAYS)


def rectangle(x: float, y: float, length: float, width: float, angle: float = 0.0) -> Polygon:
    """Return a rectangle whose lower left corner is x, y metres from the town's centre, turned about that centre."""
    return translate(rotate(_box(x, y, length, width), angle, origin=(0, 0)), *CENTRE)


@dataclass(frozen=True)
class Pair:
    """Two footprints in metres; the second asks for as many days, that much later, for this company's worksite."""

    kind: str
    first: Polygon
    second: Polygon
    days_later: int
    siret: str

    @property
    def is_taken(self) -> bool:
        """Tell whether the second must be refused."""
        return self.siret != SIRET and abs(self.days_later) < DAYS and _overlap(self.first, self.second, TOLERANCE_M)

    @property
    def is_sure(self) -> bool:
        """Tell whether no millimetre more or less would change that."""
        narrow, wide = TOLERANCE_M + UNSURE_M, TOLERANCE_M - UNSURE_M
        return _overlap(self.first, self.second, narrow) == _overlap(self.first, self.second, wide)


def random_pair(chance: random.Random, n: int) -> Pair:
    """Return the n-th pair: the two together at any angle, on a spot of the town that is theirs."""
    x, y = (n % A_ROW - A_ROW / 2) * GRID_M, (n // A_ROW - A_ROW / 2) * GRID_M
    while True:
        kind = chance.choice(tuple(KINDS))
        angle = chance.uniform(0, 360)
        first, second = (
            translate(rotate(shape, angle, origin=(0, 0)), CENTRE[0] + x, CENTRE[1] + y)
            for shape in KINDS[kind](chance)
        )
        siret = SIRET if chance.random() < 0.1 else OTHER_SIRET
        pair = Pair(kind, first, second, chance.choice(DAYS_LATER), siret)
        if pair.is_sure:
            return pair


def _overlap(first: Polygon, second: Polygon, tolerance_m: float) -> bool:
    cores = [shape.buffer(-tolerance_m, join_style="mitre") for shape in (first, second)]
    return bool(cores[0].intersects(cores[1]))


def _box(x: float, y: float, length: float, width: float) -> Polygon:
    return Polygon([(x, y), (x + length, y), (x + length, y + width), (x, y + width)])


def _corner(x: float, y: float) -> Polygon:
    """Return an L that leaves a hollow: only a true test of polygons sees that somebody fits in it."""
    return Polygon([(x, y), (x + 6, y), (x + 6, y + 2), (x + 2, y + 2), (x + 2, y + 6), (x, y + 6)])


def _first() -> Polygon:
    return _box(0, 0, LENGTH_M, WIDTH_M)


def _anywhere(chance: random.Random) -> tuple[Polygon, Polygon]:
    direction, far = chance.uniform(0, math.tau), chance.uniform(0, 7)
    turned = rotate(_first(), chance.uniform(0, 360), origin="centroid")
    return _first(), translate(turned, far * math.cos(direction), far * math.sin(direction))


def _in_the_hollow(chance: random.Random) -> tuple[Polygon, Polygon]:
    other = rotate(_box(0, 0, 2.5, 2.5), chance.uniform(0, 90), origin="centroid")
    return _corner(0, 0), translate(other, chance.uniform(1.5, 4), chance.uniform(1.5, 4))


def _along(chance: random.Random, gap: float) -> tuple[Polygon, Polygon]:
    """The second goes on where the first ends, along a short side or a long one."""
    if chance.random() < 0.5:
        return _first(), _box(LENGTH_M + gap, chance.uniform(-1, 1), LENGTH_M, WIDTH_M)
    return _first(), _box(chance.uniform(-3, 3), WIDTH_M + gap, LENGTH_M, WIDTH_M)


KINDS: dict[str, Callable[[random.Random], tuple[Polygon, Polygon]]] = {
    "anywhere": _anywhere,
    "in the hollow of an L": _in_the_hollow,
    "shared edge": lambda chance: _along(chance, 0.0),
    "shared corner": lambda chance: (_first(), _box(LENGTH_M, WIDTH_M, LENGTH_M, WIDTH_M)),
    "20 cm over": lambda chance: _along(chance, -0.2),
    "20 cm apart": lambda chance: _along(chance, 0.2),
    "corners 20 cm over": lambda chance: (_first(), _box(LENGTH_M - 0.2, WIDTH_M - 0.2, LENGTH_M, WIDTH_M)),
    "inside": lambda chance: (_first(), _box(chance.uniform(0.2, 4), 0.5, 1, 1)),
    "the very same": lambda chance: (_first(), _first()),
}
