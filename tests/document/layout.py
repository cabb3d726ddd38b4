"""Where the words of a page are: within its margins, and none over another."""

from collections.abc import Iterator

import pypdfium2  # type: ignore[import-untyped]

POINTS_IN_A_MM = 72 / 25.4
# Letters lean a little out of their line, and lines are set closer than their letters are high.
LEANS_PT, SHARES = 1.0, 0.25

Box = tuple[float, float, float, float]


def misplaced(pdf: bytes, margin_mm: float) -> list[str]:
    """Return the words that are drawn, even in part, beyond the side margins or the page, or over other words."""
    found = []
    for page in pypdfium2.PdfDocument(pdf):
        text = page.get_textpage()
        boxes: list[Box] = [text.get_rect(index) for index in range(text.count_rects())]
        width, height = page.get_size()
        margin = margin_mm * POINTS_IN_A_MM - LEANS_PT
        allowed = (margin, 0, width - margin, height)
        found += [text.get_text_bounded(*box) for box in boxes if not _is_within(box, allowed)]
        found += [text.get_text_bounded(*box) for box in _over_another(boxes)]
    return found


def _is_within(box: Box, allowed: Box) -> bool:
    return box[0] >= allowed[0] and box[1] >= allowed[1] and box[2] <= allowed[2] and box[3] <= allowed[3]


def _over_another(boxes: list[Box]) -> Iterator[Box]:
    """Yield each box that a lower one covers by more than lines share."""
    downwards = sorted(boxes, key=lambda box: -box[3])
    for position, (left, bottom, right, top) in enumerate(downwards):
        for other in downwards[position + 1 :]:
            if other[3] <= bottom:
                break
            across = min(right, other[2]) - max(left, other[0])
            high = min(top, other[3]) - max(bottom, other[1])
            if across > LEANS_PT and high > SHARES * min(top - bottom, other[3] - other[1]):
                yield left, bottom, right, top
                break
