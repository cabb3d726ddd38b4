"""Reads the trade register's extract (API Entreprise, Infogreffe): struck off, in difficulty, or neither.

The extract has no field for insolvency proceedings: they are told in free text among the clerk's
observations. Any mention counts, ended or not: it only brings the request before a person.
"""

import re
import unicodedata
from datetime import date

from pydantic import BaseModel

from permits.domain.establishment import Standing
from permits.sirene.values import iso_day

_INSOLVENCY = re.compile(
    r"sauvegarde|redressement|liquidat|cessation des paiements|procedure collective|sortie de crise|faillite"
)


class _Observation(BaseModel):
    libelle: str | None = None
    date: object = None


class _Extract(BaseModel):
    # Required although nullable: an answer without the key does not say that the company is still there.
    siren: str
    date_radiation: str | None
    # A list by contract, empty or not: without one, nobody told whether there are proceedings.
    observations: list[_Observation] | None = None


class ExtractAnswer(BaseModel):
    """The part of the extract that is used."""

    data: _Extract

    @property
    def siren(self) -> str:
        return self.data.siren

    @property
    def standing(self) -> tuple[Standing, date | None]:
        """What the register says of the company, and since when."""
        if self.data.date_radiation:
            return Standing.STRUCK_OFF, iso_day(self.data.date_radiation)
        if self.data.observations is None:
            return Standing.UNKNOWN, None
        troubles = [seen for seen in self.data.observations if _tells_of_insolvency(seen.libelle or "")]
        if troubles:
            return Standing.INSOLVENCY, max(filter(None, (iso_day(seen.date) for seen in troubles)), default=None)
        return Standing.REGISTERED, None


def _tells_of_insolvency(text: str) -> bool:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return _INSOLVENCY.search(" ".join(plain.split())) is not None
