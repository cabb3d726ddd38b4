"""Reads an establishment as INSEE's Sirene API 3.11 gives it: `header`, `etablissement` and its periods."""

from datetime import date, datetime
from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from permits.domain.establishment import Establishment, Standing
from permits.sirene.values import PARIS, bare_code, iso_day, iso_moment, person_name, postal_lines, shown

_NAF_REV_2 = "NAFRev2"


class _Period(BaseModel):
    end: str | None = Field(default=None, alias="dateFin")
    start: object = Field(default=None, alias="dateDebut")
    state: Literal["A", "F"] | None = Field(default=None, alias="etatAdministratifEtablissement")
    state_changed: object = Field(default=None, alias="changementEtatAdministratifEtablissement")
    activity: object = Field(default=None, alias="activitePrincipaleEtablissement")
    nomenclature: object = Field(default=None, alias="nomenclatureActivitePrincipaleEtablissement")


class _Unit(BaseModel):
    state: Literal["A", "C"] = Field(alias="etatAdministratifUniteLegale")
    diffusion: object = Field(default=None, alias="statutDiffusionUniteLegale")
    legal_form: object = Field(default=None, alias="categorieJuridiqueUniteLegale")
    denomination: object = Field(default=None, alias="denominationUniteLegale")
    first_name_used: object = Field(default=None, alias="prenomUsuelUniteLegale")
    first_name: object = Field(default=None, alias="prenom1UniteLegale")
    last_name_used: object = Field(default=None, alias="nomUsageUniteLegale")
    last_name: object = Field(default=None, alias="nomUniteLegale")
    updated_at: object = Field(default=None, alias="dateDernierTraitementUniteLegale")

    @property
    def name(self) -> str | None:
        if self.denomination:
            return shown(self.denomination)
        return person_name(self.first_name_used or self.first_name, self.last_name_used or self.last_name)


class _Address(BaseModel):
    complement: object = Field(default=None, alias="complementAdresseEtablissement")
    number: object = Field(default=None, alias="numeroVoieEtablissement")
    repetition: object = Field(default=None, alias="indiceRepetitionEtablissement")
    kind: object = Field(default=None, alias="typeVoieEtablissement")
    street: object = Field(default=None, alias="libelleVoieEtablissement")
    special: object = Field(default=None, alias="distributionSpecialeEtablissement")
    postcode: object = Field(default=None, alias="codePostalEtablissement")
    town: object = Field(default=None, alias="libelleCommuneEtablissement")
    citycode: object = Field(default=None, alias="codeCommuneEtablissement")
    cedex_code: object = Field(default=None, alias="codeCedexEtablissement")
    cedex: object = Field(default=None, alias="libelleCedexEtablissement")
    town_abroad: object = Field(default=None, alias="libelleCommuneEtrangerEtablissement")
    country: object = Field(default=None, alias="libellePaysEtrangerEtablissement")

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of the envelope, in the order of La Poste."""
        street = _joined(self.number, self.repetition, self.kind, self.street)
        town = (self.cedex_code, self.cedex) if self.cedex_code and self.cedex else (self.postcode, self.town)
        return postal_lines((self.complement, street, self.special, _joined(*town, self.town_abroad), self.country))


class SireneEstablishment(BaseModel):
    """The part of an establishment that is used; unknown keys come and go upstream and are ignored.

    What does not decide may be left out or null (`masquerValeursNulles`); the states may not.
    """

    siret: str = Field(pattern=r"^[0-9]{14}$")
    diffusion: object = Field(default=None, alias="statutDiffusionEtablissement")
    treated_at: object = Field(default=None, alias="dateDernierTraitementEtablissement")
    unit: _Unit = Field(alias="uniteLegale")
    address: _Address | None = Field(default=None, alias="adresseEtablissement")
    periods: list[_Period] = Field(alias="periodesEtablissement")

    @model_validator(mode="after")
    def _is_open_or_closed(self) -> Self:
        states = {period.state for period in self._current}
        if states not in ({"A"}, {"F"}):
            raise ValueError("its current periods do not say whether it is open, or do not agree")
        return self

    @property
    def updated_at(self) -> datetime | None:
        """When INSEE last touched it or its unit; its clock is that of Paris, and says so nowhere."""
        moments = (iso_moment(text, PARIS) for text in (self.treated_at, self.unit.updated_at))
        return max(filter(None, moments), default=None)

    def establishment(self, asked_siret: str) -> Establishment:
        """Return it without evidence yet, nor its trade register entry, of which INSEE knows nothing."""
        address = self.address or _Address()
        is_open = self._current[0].state == "A"
        return Establishment(
            siret=self.siret,
            asked_siret=asked_siret,
            name=self.unit.name,
            address=address.lines,
            commune_code=shown(address.citycode),
            activity_code=self._activity,
            legal_form=shown(self.unit.legal_form),
            is_open=is_open,
            closed_on=None if is_open else self._closed_on,
            unit_is_active=self.unit.state == "A",
            standing=Standing.UNKNOWN,
            # N left the public API in March 2023, and protects no less than P.
            partially_diffusible=not (self.diffusion == self.unit.diffusion == "O"),
            evidence=(),
        )

    @property
    def _current(self) -> list[_Period]:
        """The periods without an end, wherever they are in the list: one, unless INSEE made a mistake."""
        return [period for period in self.periods if not period.end]

    @property
    def _activity(self) -> str | None:
        """Its code in the nomenclature that every source gives."""
        period = self._current[0]
        return bare_code(period.activity) if period.nomenclature == _NAF_REV_2 else None

    @property
    def _closed_on(self) -> date | None:
        """The day its state last changed: the current period may begin later, with another activity."""
        newest_first = sorted(self.periods, key=lambda period: period.end or "9999", reverse=True)
        for period in newest_first:
            if period.state == "A":
                return None
            if period.state_changed is True:
                return iso_day(period.start)
        return None


def _joined(*parts: object) -> object:
    """One line of the parts that are filled; what is no text stays what it is, and is never shown."""
    filled = [part for part in parts if part]
    texts = [part for part in filled if isinstance(part, str)]
    return " ".join(texts) if len(texts) == len(filled) else filled
