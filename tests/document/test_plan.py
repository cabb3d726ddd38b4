import math
import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from permits.document.plan import MAX_HEIGHT_MM, WIDTH_MM, Plan, draw_plans
from permits.domain.place import Metres
from tests.document.sample import occupancy, rectangle, sample_permit

FILL = (0xDC, 0xE4, 0xEE)


def plan_of(*rings: tuple[Metres, ...]) -> Plan:
    (plan,) = draw_plans(sample_permit(occupancies=tuple(occupancy(ring_m=ring) for ring in rings)))
    return plan


def sides_mm(points: tuple[tuple[float, float], ...]) -> list[float]:
    return [math.dist(a, b) for a, b in zip(points, (*points[1:], points[0]), strict=True)]


@pytest.mark.parametrize(
    ("length", "width", "scale"), [(5, 2, 50), (8, 1.2, 100), (25, 4, 200), (60, 5, 500), (140, 5, 1000)]
)
def test_the_largest_scale_that_fits_is_chosen_and_kept(length: float, width: float, scale: int) -> None:
    plan = plan_of(rectangle(length, width))
    assert plan.scale == scale
    drawn = sides_mm(plan.footprints[0].points)
    assert drawn == pytest.approx([side * 1000 / scale for side in (length, width, length, width)], abs=0.001)


def test_everything_drawn_is_on_the_sheet() -> None:
    plan = plan_of(rectangle(25, 18), rectangle(2, 2, (1352400.0, 7243190.0)))
    for footprint in plan.footprints:
        assert all(0 < x < WIDTH_MM and 0 < y < plan.height <= MAX_HEIGHT_MM for x, y in footprint.points)


def test_north_is_up_and_east_is_right() -> None:
    plan = plan_of(rectangle(2, 2), rectangle(2, 2, (1352420.0, 7243190.0)))
    south_west, north_east = (footprint.points[0] for footprint in plan.footprints)
    assert north_east[0] > south_west[0]
    assert north_east[1] < south_west[1]


def test_each_side_is_labelled_outside_with_its_true_length() -> None:
    plan = plan_of(rectangle(8, 1.2))
    (footprint,) = plan.footprints
    assert [side.text for side in footprint.sides] == ["8,00\u00a0m", "1,20\u00a0m"] * 2
    top, bottom = min(y for _, y in footprint.points), max(y for _, y in footprint.points)
    assert footprint.sides[0].at[1] > bottom and footprint.sides[2].at[1] < top


def test_labels_are_never_upside_down() -> None:
    for turn in range(0, 360, 15):
        angle = math.radians(turn)
        ring = tuple((x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle))
                     for x, y in rectangle(8, 3, (0.0, 0.0)))  # fmt: skip
        assert all(-91 <= side.angle <= 91 for side in plan_of(ring).footprints[0].sides)


def test_points_along_a_side_do_not_cut_it() -> None:
    ring = ((0.0, 0.0), (4.0, 0.005), (8.0, 0.0), (8.0, 3.0), (0.0, 3.0), (0.0, 0.0))
    assert len(plan_of(ring).footprints[0].sides) == 4


def test_a_curve_has_no_side_lengths() -> None:
    ring = tuple((3 * math.cos(n / 20 * math.tau), 3 * math.sin(n / 20 * math.tau)) for n in range(20))
    plan = plan_of(ring)
    assert plan.footprints[0].sides == ()
    assert "contour courbe" in plan.words


def test_a_mark_never_hides_its_footprint() -> None:
    tiny = plan_of(rectangle(0.4, 0.4), rectangle(0.4, 0.4, (1352470.0, 7243180.0))).footprints[0]
    assert tiny.badge.leader in tiny.points
    assert plan_of(rectangle(8, 3)).footprints[0].badge.leader is None


def test_far_occupancies_get_their_own_sheet_and_keep_their_marks() -> None:
    rings = (rectangle(4, 2), rectangle(4, 2, (1353000.0, 7243180.0)), rectangle(4, 2, (1352420.0, 7243180.0)))
    plans = draw_plans(sample_permit(occupancies=tuple(occupancy(ring_m=ring) for ring in rings)))
    assert [[footprint.mark for footprint in plan.footprints] for plan in plans] == [[1, 3], [2]]


def test_the_plan_is_told_in_words() -> None:
    words = plan_of(rectangle(8, 1.2)).words
    assert words.startswith("Plan des emprises au 1:100, nord du quadrillage en haut.")
    assert "14 rue du Four" in words and "9,60\u00a0m²" in words and "8,00\u00a0m" in words


def test_the_scale_bar_is_a_round_length() -> None:
    plan = plan_of(rectangle(8, 1.2))
    assert plan.on_paper(plan.bar_m) == 20
    assert plan.bar_m == 2


def test_the_printed_plan_measures_true(pdf: bytes, program: Callable[[str], str], tmp_path: Path) -> None:
    """At 254 dots an inch, ten dots are a millimetre: 8 m by 1.20 m at 1:100 are 800 by 120 dots."""
    path = tmp_path / "permit.pdf"
    path.write_bytes(pdf)
    command = [program("pdftoppm"), "-r", "254", "-f", "2", "-l", "2", "-png", "-singlefile", str(path)]
    picture = Image.open(BytesIO(subprocess.run(command, check=True, capture_output=True).stdout)).convert("RGB")
    left, top, right, bottom = _box_of(picture, FILL)
    line = 3.5  # the outline, half of it inside, hides as much of the fill at each side
    assert right - left + line == pytest.approx(800, abs=3)
    assert bottom - top + line == pytest.approx(120, abs=3)


def _box_of(picture: Image.Image, colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    data = picture.tobytes()
    pixels = zip(data[::3], data[1::3], data[2::3], strict=True)
    box = Image.frombytes("L", picture.size, bytes(255 * (pixel == colour) for pixel in pixels)).getbbox()
    assert box is not None
    return box
