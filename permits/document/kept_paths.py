"""The outlines of drawings kept from one page to the next: a watermark and a city's arms are the same on each.

WeasyPrint reads the numbers of a path one by one, and writes them again for the PDF.
"""

from collections import deque
from typing import Any

from weasyprint import svg as drawings  # type: ignore[import-untyped]

# The crosses of a plan are a path too, another one for each permit.
AT_MOST = 100
_path = drawings.TAGS["path"]
_kept: dict[tuple[Any, ...], tuple[bytes, tuple[Any, ...]]] = {}


def keep_paths() -> None:
    """Have WeasyPrint keep the paths that it draws from now on, in this process."""
    drawings.TAGS["path"] = _draw_path


def _draw_path(svg: Any, node: Any, font_size: float) -> None:
    # A path may be written in parts of a letter's size or of the drawing's.
    key = (node.get("d", ""), font_size, svg.inner_width, svg.inner_height)
    kept = _kept.get(key)
    asked = svg.stream.stream
    if kept is None:
        start = len(asked)
        _path(svg, node, font_size)
        if len(_kept) >= AT_MOST:
            _kept.clear()
        _kept[key] = b"\n".join(asked[start:]), tuple(node.vertices)
    else:
        outline, vertices = kept
        asked.append(outline)
        node.vertices = deque(vertices)
