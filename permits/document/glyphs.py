"""Which characters the typeface of the arrêtés can draw, and how the others are written.

A granted permit must never wait because of one character: what the bundled font lacks is drawn from
its parts, or named by its code, the same on every machine. The attached payload keeps it as it was.
"""

import unicodedata
from functools import cache

from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

from permits.document import TEMPLATES


def drawable(text: str) -> str:
    """Return `text` with each character that the font lacks written as parts it has, or as « [U+1F6A7] »."""
    covered = _covered()
    if all(ord(character) in covered for character in text):
        return text
    return "".join(_drawn(character, covered) for character in text)


def _drawn(character: str, covered: frozenset[int]) -> str:
    for form in (character, unicodedata.normalize("NFD", character)):
        if all(ord(part) in covered for part in form):
            return form
    return f"[U+{ord(character):04X}]"


@cache
def _covered() -> frozenset[int]:
    """Return the code points of the typeface, the same in each of its weights."""
    with TTFont(TEMPLATES / "fonts" / "SourceSans3-Regular.ttf", lazy=True) as font:
        return frozenset(font.getBestCmap()) | {ord("\n")}
