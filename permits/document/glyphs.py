"""Which characters the typeface of the arrêtés can draw, and how the others are written.

A granted permit must never wait because of one character: what the bundled font lacks is named by
its code, the same on every machine. The attached payload keeps it as it was.
"""

import unicodedata
from functools import cache

from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

from permits.document import TEMPLATES


def drawable(text: str) -> str:
    """Return `text` with each character that the font cannot draw written as « [U+1F6A7] »."""
    covered = _covered()
    if all(ord(character) in covered for character in text):
        return text
    return "".join(
        character if ord(character) in covered else f"[U+{ord(character):04X}]"
        for character in unicodedata.normalize("NFC", text)
    )


@cache
def _covered() -> frozenset[int]:
    """Return the code points of the typeface, the same in each of its weights.

    Combining marks are left out: over a base they were not drawn for, the PDF would read back wrong.
    """
    with TTFont(TEMPLATES / "fonts" / "SourceSans3-Regular.ttf", lazy=True) as font:
        drawn = frozenset(font.getBestCmap())
    return frozenset(code for code in drawn if not unicodedata.category(chr(code)).startswith("M")) | {ord("\n")}
