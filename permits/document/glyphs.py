"""Which characters the typeface of the arrêtés can draw, and how the others are written.

A granted permit must never wait because of one character: what the bundled font lacks is named by
its code, the same on every machine. The attached payload keeps it as it was.
"""

import unicodedata
from functools import cache

from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

from permits.document import TEMPLATES

_UNDRAWN = {"Mn", "Mc", "Me", "Cc", "Cf", "Zl", "Zp"}


def drawable(text: str) -> str:
    """Return `text` with each character that the font cannot draw written as « [U+1F6A7] »."""
    covered = _covered()
    if covered.issuperset(map(ord, text)):
        return text
    return "".join(
        character if ord(character) in covered else f"[U+{ord(character):04X}]"
        for character in unicodedata.normalize("NFC", text)
    )


@cache
def _covered() -> frozenset[int]:
    """Return the code points of the typeface, the same in each of its weights.

    Left out are combining marks, which over a base they were not drawn for would read back wrong, and what shows
    nothing (soft hyphens, zero-width and turning characters): nobody could tell what was printed.
    """
    with TTFont(TEMPLATES / "fonts" / "ArreteSans-Regular.ttf", lazy=True) as font:
        drawn = frozenset(font.getBestCmap())
    return frozenset(code for code in drawn if unicodedata.category(chr(code)) not in _UNDRAWN) | {ord("\n")}
