"""Figures and yes or no as a rulebook writes them: in one way, so that nobody reads another figure."""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator

_DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,10})?")
_WHOLE = re.compile(r"-?[0-9]{1,15}")


def _decimal(given: object) -> object:
    """Refuse « 1,40 », « 1_000 », « 1e3 » and « 1.20 € », which Python may read and a clerk may read otherwise."""
    if isinstance(given, str) and not _DECIMAL.fullmatch(given):
        raise ValueError(f'un nombre s’écrit "1234.50", avec un point, sans espace ni unité ; lu : {given[:40]}')
    return given


def _whole(given: object) -> object:
    if isinstance(given, str) and not _WHOLE.fullmatch(given):
        raise ValueError(f"un nombre entier s’écrit 1234, sans espace ni unité ; lu : {given[:40]}")
    return given


def _yes_or_no(given: object) -> object:
    if isinstance(given, str) and given not in ("true", "false"):
        raise ValueError(f"true (oui) ou false (non) est attendu ; lu : {given[:40]}")
    return given


# After the bounds of a figure, so that its JSON Schema tells them: Annotated[Decimal, Field(ge=0), EXACT].
EXACT = BeforeValidator(_decimal)
WHOLE = BeforeValidator(_whole)
ExactDecimal = Annotated[Decimal, EXACT]
YesOrNo = Annotated[bool, BeforeValidator(_yes_or_no)]


def exact_decimal(text: str) -> Decimal | None:
    """Return the figure that a text writes, None when it is not written in that way."""
    return Decimal(text) if _DECIMAL.fullmatch(text) else None
