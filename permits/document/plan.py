"""The footprint plan: what is occupied, laid out to a true scale from the rings of the payload.

Paper lengths are millimetres, one unit of the SVG; ground lengths are metres. North of the
projection is up. Occupancies too far apart for one sheet at 1:500 are drawn on several sheets.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from shapely import Point, Polygon, maximum_inscribed_circle

from permits.document.french import metres, square_metres
from permits.domain.permit import Permit, PermittedOccupancy
from permits.domain.place import Metres

WIDTH_MM = 170.0
MAX_HEIGHT_MM = 125.0
MIN_HEIGHT_MM = 36.0
MARGIN_MM = 11.0
USUAL_SCALES = (50, 100, 200, 500)
# A single footprint may be longer than a sheet at 1:500 shows; it is drawn all the same.
SCALES = (*USUAL_SCALES, 1000, 2000, 5000, 10000)
ROUND_LENGTHS_M = (1, 2, 5, 10, 20, 50, 100, 200, 500)
# Points closer to a side than this are on it: they are drawing noise, not corners.
ON_SIDE_M = 0.02
# Beyond this many corners the ring draws a curve, and side lengths would only be clutter.
MAX_CORNERS = 12

# A shorter side has no room for its length, which article 2 gives.
LABELLED_MM = 6.0
BADGE_MM = 2.4
SMALLEST_BADGE_MM = 1.5

XY = tuple[float, float]


@dataclass(frozen=True)
class Side:
    """A side's length, written outside of it at `at`, turned by `angle` degrees."""

    at: XY
    angle: float
    text: str


@dataclass(frozen=True)
class Badge:
    """The disc that holds a mark; when it stands beside its footprint, a line leads to it from a corner."""

    at: XY
    radius: float
    leader: XY | None = None


@dataclass(frozen=True)
class Footprint:
    """One occupancy on the sheet; its mark is the one of article 2."""

    mark: int
    points: tuple[XY, ...]
    sides: tuple[Side, ...]
    badge: Badge


@dataclass(frozen=True)
class Plan:
    """One sheet: everything it shows, in millimetres, and its words for those who do not see it."""

    scale: int
    height: float
    crs: str
    footprints: tuple[Footprint, ...]
    crosses: tuple[XY, ...]
    eastings: tuple[tuple[float, int], ...]
    bar_m: int
    words: str

    def on_paper(self, length_m: float) -> float:
        return length_m * 1000 / self.scale


@dataclass(frozen=True)
class _Ground:
    """The rectangle of ground that a group of occupancies covers."""

    left: float
    bottom: float
    right: float
    top: float

    @classmethod
    def of(cls, occupancies: Sequence[PermittedOccupancy]) -> "_Ground":
        xs, ys = zip(*(point for each in occupancies for point in each.ring_m), strict=True)
        return cls(min(xs), min(ys), max(xs), max(ys))

    def fits(self, scale: int) -> bool:
        room = (WIDTH_MM - 2 * MARGIN_MM, MAX_HEIGHT_MM - 2 * MARGIN_MM)
        size = (self.right - self.left, self.top - self.bottom)
        return all(s * 1000 / scale <= r for s, r in zip(size, room, strict=True))


@dataclass(frozen=True)
class _Paper:
    """Where the ground falls on the sheet."""

    ground: _Ground
    scale: int

    @property
    def height(self) -> float:
        drawn = (self.ground.top - self.ground.bottom) * 1000 / self.scale
        return max(MIN_HEIGHT_MM, drawn + 2 * MARGIN_MM)

    def put(self, point: Metres) -> XY:
        """Return the paper point of a ground point: the ground's middle on the sheet's, y down."""
        x = point[0] - (self.ground.left + self.ground.right) / 2
        y = point[1] - (self.ground.bottom + self.ground.top) / 2
        return WIDTH_MM / 2 + x * 1000 / self.scale, self.height / 2 - y * 1000 / self.scale

    def multiples(self, step: int) -> tuple[range, range]:
        """Return which multiples of `step` metres of easting and northing the sheet shows."""
        spans = (
            (self.ground.left + self.ground.right, WIDTH_MM),
            (self.ground.bottom + self.ground.top, self.height),
        )
        ranges = []
        for twice_middle, size_mm in spans:
            half = size_mm * self.scale / 2000
            first, last = twice_middle / 2 - half, twice_middle / 2 + half
            ranges.append(range(math.ceil(first / step), math.floor(last / step) + 1))
        return ranges[0], ranges[1]


def draw_plans(permit: Permit) -> tuple[Plan, ...]:
    """Return the sheets that show every occupancy of `permit`, at the largest scales that fit."""
    groups: list[dict[int, PermittedOccupancy]] = []
    for mark, occupancy in enumerate(permit.occupancies, start=1):
        for group in groups:
            if _Ground.of([*group.values(), occupancy]).fits(USUAL_SCALES[-1]):
                group[mark] = occupancy
                break
        else:
            groups.append({mark: occupancy})
    return tuple(_draw(group) for group in groups)


def _draw(group: dict[int, PermittedOccupancy]) -> Plan:
    ground = _Ground.of(list(group.values()))
    scale = next((scale for scale in SCALES if ground.fits(scale)), SCALES[-1])
    paper = _Paper(ground, scale)
    step = _round_length(18, scale)
    columns, rows = paper.multiples(step)
    crosses = [paper.put((i * step, j * step)) for i in columns for j in rows]
    eastings = [(paper.put((i * step, 0))[0], i * step) for i in columns]
    return Plan(
        scale=scale,
        height=paper.height,
        crs=next(iter(group.values())).crs,
        footprints=tuple(_footprint(paper, mark, each) for mark, each in group.items()),
        crosses=tuple((x, y) for x, y in crosses if 1 < x < WIDTH_MM - 1 and y < paper.height - 4),
        eastings=tuple((x, metre) for x, metre in eastings if 10 < x < WIDTH_MM - 10),
        bar_m=_round_length(15, scale),
        words=_words(group, scale),
    )


def _round_length(at_least_mm: float, scale: int) -> int:
    fitting = (m for m in ROUND_LENGTHS_M if m * 1000 / scale >= at_least_mm)
    return next(fitting, ROUND_LENGTHS_M[-1])


def _words(group: dict[int, PermittedOccupancy], scale: int) -> str:
    shown = []
    for mark, each in group.items():
        lengths = ", ".join(text for _, _, text in _sides(each)) or "contour courbe"
        area = square_metres(each.area_m2)
        shown.append(f"repère {mark}, {each.label}, {each.address}, {area}, côtés : {lengths}")
    return f"Plan des emprises au 1:{scale}, nord du quadrillage en haut. " + " ; ".join(shown) + "."


def _open(ring: Sequence[Metres]) -> list[Metres]:
    return list(ring[:-1] if ring[0] == ring[-1] else ring)


def _pairs(points: Sequence[XY]) -> list[tuple[XY, XY]]:
    return list(zip(points, [*points[1:], points[0]], strict=True))


def _sides(occupancy: PermittedOccupancy) -> list[tuple[Metres, Metres, str]]:
    """Return each side with its length in French; none for a curve drawn with many points."""
    ring = _open(occupancy.ring_m)
    around = zip([ring[-1], *ring[:-1]], ring, [*ring[1:], ring[0]], strict=True)
    corners = [here for before, here, after in around if _off(before, here, after) > ON_SIDE_M]
    if not 3 <= len(corners) <= MAX_CORNERS:
        return []
    return [(a, b, metres(Decimal(f"{math.dist(a, b):.2f}"))) for a, b in _pairs(corners)]


def _off(before: Metres, here: Metres, after: Metres) -> float:
    """Return how far `here` stands from the line between its neighbours."""
    length = math.dist(before, after)
    if not length:
        return math.dist(before, here)
    (ax, ay), (bx, by), (cx, cy) = before, here, after
    return abs((cx - ax) * (by - ay) - (cy - ay) * (bx - ax)) / length


def _footprint(paper: _Paper, mark: int, occupancy: PermittedOccupancy) -> Footprint:
    points = [paper.put(point) for point in _open(occupancy.ring_m)]
    turn = math.copysign(1, sum(a[0] * b[1] - b[0] * a[1] for a, b in _pairs(points)))
    placed = ((paper.put(a), paper.put(b), text) for a, b, text in _sides(occupancy))
    sides = [_side(a, b, text, turn) for a, b, text in placed if math.dist(a, b) >= LABELLED_MM]
    return Footprint(mark, tuple(points), tuple(sides), _badge(points))


def _badge(points: list[XY]) -> Badge:
    """Put the mark in the middle if it leaves the outline in sight, else where there is most room, else beside."""
    shape = Polygon(points)
    widest = maximum_inscribed_circle(shape, tolerance=0.1)
    for place in (shape.centroid, Point(widest.coords[0])):
        room = shape.exterior.distance(place) if shape.contains(place) else 0
        if room >= SMALLEST_BADGE_MM + 0.3:
            return Badge((place.x, place.y), min(BADGE_MM, room - 0.3))
    corner = max(points, key=lambda point: point[0] - point[1])
    return Badge((corner[0] + 2.6, corner[1] - 2.6), BADGE_MM * 0.8, leader=corner)


def _side(start: XY, end: XY, text: str, turn: float) -> Side:
    """Put a length outside its side, along it, never upside down."""
    length = math.dist(start, end)
    along = ((end[0] - start[0]) / length, (end[1] - start[1]) / length)
    outward = (along[1] * turn, -along[0] * turn)
    angle = math.degrees(math.atan2(along[1], along[0]))
    angle = angle - 180 if angle > 89.99 else angle + 180 if angle < -90.01 else angle
    # Text stands on its baseline: below a side it must go further out than above.
    rise = outward[0] * math.sin(math.radians(angle)) - outward[1] * math.cos(math.radians(angle))
    away = 1.2 if rise > 0 else 3.0
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    at = (middle[0] + outward[0] * away, middle[1] + outward[1] * away)
    return Side(at, angle, text)
