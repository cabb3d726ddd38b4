"""What a file says of itself, when nobody here knows it: never proof of anything."""

from typing import Annotated

from pydantic import Field, StringConstraints

from permits.domain.model import Value

MOST_CLAIMS = 8


class Claim(Value):
    """Whether a file begins as a PDF does, and the verification codes and act numbers found in it, first found first.

    `is_whole` is False when the reading was cut short: the file was too long, or too tangled, to be read.
    """

    is_pdf: bool
    is_whole: bool = True
    codes: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{22}$")], ...], Field(max_length=MOST_CLAIMS)
    ] = ()
    numbers: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,8}-\d{4}-\d{6,9}$")], ...],
        Field(max_length=MOST_CLAIMS),
    ] = ()
