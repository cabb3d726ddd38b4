"""API Recherche d'entreprises (DINUM): the open source, without a key.

It only searches what may be shown to everybody: an empty answer proves nothing. Its `siege` is the
head office, never read here; the establishment asked is its row in `matching_etablissements`.
"""

from dataclasses import replace
from datetime import date
from typing import Literal, TypeVar

from pydantic import BaseModel, ValidationError

from permits.domain.establishment import (
    Audience,
    Establishment,
    NotFound,
    RegistryAnswer,
    Source,
    Standing,
    Verdict,
    verdict_of,
)
from permits.sirene import reasons
from permits.sirene.answer import Answer
from permits.sirene.budget import Budget
from permits.sirene.clock import Clock
from permits.sirene.errors import SourceMisconfigured, SourceUnavailable
from permits.sirene.http import CONNECT_S, READ_S, PoliteClient
from permits.sirene.pace import Quota
from permits.sirene.values import bare_code, iso_day, iso_moment, postal_lines, shown

PARSER = "recherche-entreprises/1"
# For each address that asks; the thirty a second of a whole network are others' too (its OpenAPI file, July 2026).
QUOTA = Quota(calls=7, window_s=1)
_ADMIN = "bodacc,immatriculation"

_Shape = TypeVar("_Shape", bound=BaseModel)


class _Registration(BaseModel):
    date_radiation: str | None


class _StrikingOff(BaseModel):
    est_radie: bool | None = None
    date: str | None = None


class _Proceedings(BaseModel):
    statut: str | None = None
    date: str | None = None


class _Announcements(BaseModel):
    radiation: _StrikingOff | None
    procedure_collective: _Proceedings | None


class _Row(BaseModel):
    siret: str
    etat_administratif: Literal["A", "F"]
    date_fermeture: object = None
    statut_diffusion_etablissement: object = None
    activite_principale: object = None
    adresse: object = None
    code_postal: object = None
    commune: object = None


class _Unit(BaseModel):
    siren: str
    nom_complet: object = None
    nom_raison_sociale: object = None
    etat_administratif: Literal["A", "C"]
    date_fermeture: object = None
    date_mise_a_jour: object = None
    nature_juridique: object = None
    statut_diffusion: object = None
    matching_etablissements: list[_Row] | None = None
    # Undocumented and experimental upstream: another shape there costs the third fact, not the answer.
    immatriculation: object = None
    bodacc: object = None


class _Found(BaseModel):
    results: list[_Unit]

    def row(self, siret: str) -> tuple[_Unit, _Row] | None:
        """The unit and the row of exactly this SIRET."""
        for unit in self.results:
            for row in unit.matching_etablissements or ():
                if row.siret == siret and unit.siren == siret[:9]:
                    return unit, row
        return None


class RechercheEntreprises:
    """Looks a SIRET up among what may be shown to everybody."""

    name = Source.RECHERCHE_ENTREPRISES

    def __init__(
        self,
        base_url: str,
        *,
        contact: str,
        calls: int = QUOTA.calls,
        clock: Clock | None = None,
        connect_s: float = CONNECT_S,
        read_s: float = READ_S,
    ) -> None:
        self._client = PoliteClient(
            self.name,
            base_url,
            replace(QUOTA, calls=calls),
            contact=contact,
            clock=clock,
            connect_s=connect_s,
            read_s=read_s,
        )

    def close(self) -> None:
        self._client.close()

    def lookup(self, siret: str, audience: Audience, budget: Budget) -> RegistryAnswer:
        """Return what is public of this SIRET, whoever reads it; a NotFound of this source is never definite."""
        answer = self._search(siret, budget)
        try:
            found = _Found.model_validate(answer.document).row(siret)
        except ValidationError as error:
            raise SourceUnavailable(self.name, f"{reasons.UNUSABLE}: results of another shape") from error
        if found is None:
            evidence = answer.evidence(self.name, PARSER, Verdict.NOT_FOUND)
            return NotFound(siret=siret, definite=False, evidence=(evidence,))
        unit, row = found
        establishment = _establishment(unit, row)
        said, updated_at = verdict_of(establishment), iso_moment(unit.date_mise_a_jour)
        return establishment.model_copy(update={"evidence": (answer.evidence(self.name, PARSER, said, updated_at),)})

    def _search(self, siret: str, budget: Budget) -> Answer:
        answer = self._client.get("/search", {"q": siret, "include_admin": _ADMIN}, budget, accept=frozenset({400}))
        if answer.status == 400:
            # `include_admin` is not documented: the day it is refused, the rest is still worth having.
            answer = self._client.get("/search", {"q": siret}, budget, accept=frozenset({400}))
        if answer.status == 400:
            raise SourceMisconfigured(self.name, "HTTP 400")
        return answer


def _establishment(unit: _Unit, row: _Row) -> Establishment:
    is_open, unit_is_active = row.etat_administratif == "A", unit.etat_administratif == "A"
    standing, since = _standing(unit)
    return Establishment(
        siret=row.siret,
        asked_siret=row.siret,
        name=shown(unit.nom_raison_sociale) or shown(unit.nom_complet),
        address=_lines(row),
        commune_code=shown(row.commune),
        activity_code=bare_code(row.activite_principale),
        legal_form=shown(unit.nature_juridique),
        is_open=is_open,
        closed_on=None if is_open else iso_day(row.date_fermeture),
        unit_is_active=unit_is_active,
        unit_ceased_on=None if unit_is_active else iso_day(unit.date_fermeture),
        standing=standing,
        standing_since=since,
        partially_diffusible=not (unit.statut_diffusion == row.statut_diffusion_etablissement == "O"),
        evidence=(),
    )


def _lines(row: _Row) -> tuple[str, ...]:
    """The one-line address cut before its postcode, as it would be on an envelope."""
    address, postcode = shown(row.adresse), shown(row.code_postal)
    if address and postcode:
        street, cut, town = address.rpartition(f" {postcode} ")
        if cut:
            return postal_lines((street, f"{postcode} {town}"))
    return (address,) if address else ()


def _standing(unit: _Unit) -> tuple[Standing, date | None]:
    """Struck off or insolvent if either register says so; well only if both were heard."""
    registration = _read(_Registration, unit.immatriculation)
    announcements = _read(_Announcements, unit.bodacc)
    if registration and registration.date_radiation:
        return Standing.STRUCK_OFF, iso_day(registration.date_radiation)
    if announcements:
        struck_off, proceedings = announcements.radiation, announcements.procedure_collective
        if struck_off and struck_off.est_radie:
            return Standing.STRUCK_OFF, iso_day(struck_off.date)
        if proceedings and proceedings.statut:
            return Standing.INSOLVENCY, iso_day(proceedings.date)
    heard = (unit.immatriculation is None or registration) and (unit.bodacc is None or announcements)
    if not heard or not {"immatriculation", "bodacc"} <= unit.model_fields_set:
        return Standing.UNKNOWN, None
    return (Standing.REGISTERED if registration else Standing.NOT_REGISTERED), None


def _read(shape: type[_Shape], value: object) -> _Shape | None:
    try:
        return shape.model_validate(value)
    except ValidationError:
        return None
