"""What every value of the domain has in common: immutable, closed, and text that a page can carry."""

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

# Bidirectional overrides and isolates, zero-width characters and tags can make a printed
# line read differently from what was checked (CVE-2021-42574 class).
_FORBIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
# Letters, marks and symbols that show nothing: fillers, joiners, variation selectors, the blank Braille cell.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


class Value(BaseModel):
    """An immutable value: unknown keys are refused, fields never change."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


def plain_text(text: str) -> str:
    """Return `text` in Unicode NFC, trimmed, with single spaces; ValueError for control or invisible characters."""
    normalised = " ".join(unicodedata.normalize("NFC", text).split())
    for character in normalised:
        if unicodedata.category(character) in _FORBIDDEN_CATEGORIES or _BLANK.match(character):
            raise ValueError(
                f"caractère interdit U+{ord(character):04X} : n'utilisez que du texte visible, sur une ligne"
            )
    return normalised


PlainText = Annotated[str, AfterValidator(plain_text)]


class Misplaced(ValueError):
    """What is wrong with a value that holds others, and where in it: keys and positions, outermost first."""

    def __init__(self, message: str, *path: object) -> None:
        super().__init__(message)
        self.path = path
