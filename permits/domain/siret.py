"""SIRET numbers: the identity a company gives to an administration (CRPA art. R112-9-1)."""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from stdnum.exceptions import ValidationError
from stdnum.fr import siret as stdnum_siret

_SPACES = re.compile(r"[\s.]+")


def _compact(text: object) -> object:
    return _SPACES.sub("", text) if isinstance(text, str) else text


def _well_formed(text: str) -> str:
    if not (len(text) == 14 and text.isascii() and text.isdigit()) or text == "0" * 14:
        raise ValueError("un SIRET compte 14 chiffres, par exemple 732 829 320 00074")
    return text


Siret = Annotated[
    str,
    BeforeValidator(_compact),
    AfterValidator(_well_formed),
    Field(description="SIRET de l'établissement : 14 chiffres", examples=["73282932000074"], max_length=40),
]


def siren_of(siret: str) -> str:
    """Return the SIREN (first nine digits) of a well-formed SIRET."""
    return siret[:9]


def key_is_valid(siret: str) -> bool:
    """Tell whether the control digits are right: Luhn on SIRET and SIREN, or La Poste's own rule.

    A wrong key is a doubt, not a proof: a few real establishments fail it.
    """
    try:
        stdnum_siret.validate(siret)
    except ValidationError:
        return False
    return True
