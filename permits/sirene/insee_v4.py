"""Reads an establishment as API Entreprise v4 relays it from INSEE (`data`, `links`, `meta`)."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from permits.domain.establishment import Establishment, Standing
from permits.sirene.values import paris_day, paris_moment, postal_lines, shown


class _LegalPerson(BaseModel):
    raison_sociale: str | None = None


class _NaturalPerson(BaseModel):
    prenom_usuel: str | None = None
    prenom_1: str | None = None
    nom_usage: str | None = None
    nom_naissance: str | None = None


class _LegalForm(BaseModel):
    code: str | None = None


class _Unit(BaseModel):
    type: str
    etat_administratif: Literal["A", "C"]
    status_diffusion: str | None = None
    personne_morale_attributs: _LegalPerson
    personne_physique_attributs: _NaturalPerson
    forme_juridique: _LegalForm | None = None


class _PostalLines(BaseModel):
    # Lines 1 and 2 name the company or the person: they are no part of where it is.
    l3: str | None = None
    l4: str | None = None
    l5: str | None = None
    l6: str | None = None
    l7: str | None = None


class _Address(BaseModel):
    code_commune: str | None = None
    status_diffusion: str | None = None
    acheminement_postal: _PostalLines


class _Activity(BaseModel):
    code: str | None = None


class _Establishment(BaseModel):
    siret: str = Field(pattern=r"^[0-9]{14}$")
    etat_administratif: Literal["A", "F"]
    date_fermeture: object = None
    status_diffusion: str | None = None
    activite_principale_naf_rev2: _Activity | None = None
    unite_legale: _Unit
    adresse: _Address


class _Meta(BaseModel):
    date_derniere_mise_a_jour: object = None
    redirect_from_siret: str | None = None


class SireneAnswer(BaseModel):
    """The part of the answer that is used; unknown keys come and go upstream and are ignored."""

    data: _Establishment
    meta: _Meta

    def is_about(self, asked_siret: str) -> bool:
        """True for the SIRET asked, or for the one INSEE merged it into and says so."""
        return asked_siret in (self.data.siret, self.meta.redirect_from_siret)

    @property
    def updated_at(self) -> datetime | None:
        return paris_moment(self.meta.date_derniere_mise_a_jour)

    def establishment(self, asked_siret: str) -> Establishment:
        """Return it without evidence yet, nor its trade register entry, of which INSEE knows nothing."""
        data, unit = self.data, self.data.unite_legale
        activity = shown(data.activite_principale_naf_rev2.code) if data.activite_principale_naf_rev2 else None
        is_open = data.etat_administratif == "A"
        return Establishment(
            siret=data.siret,
            asked_siret=asked_siret,
            name=_name(unit),
            address=_lines(data.adresse.acheminement_postal),
            commune_code=shown(data.adresse.code_commune),
            activity_code=activity.replace(".", "") if activity else None,
            legal_form=shown(unit.forme_juridique.code) if unit.forme_juridique else None,
            is_open=is_open,
            closed_on=None if is_open else paris_day(data.date_fermeture),
            unit_is_active=unit.etat_administratif == "A",
            standing=Standing.UNKNOWN,
            partially_diffusible=any(
                status != "diffusible"
                for status in (data.status_diffusion, unit.status_diffusion, data.adresse.status_diffusion)
            ),
            evidence=(),
        )


def _name(unit: _Unit) -> str | None:
    """The company's name, or the person's first and last names; None as soon as a part of it is masked."""
    if unit.type != "personne_physique":
        return shown(unit.personne_morale_attributs.raison_sociale)
    person = unit.personne_physique_attributs
    first, last = person.prenom_usuel or person.prenom_1, person.nom_usage or person.nom_naissance
    parts = [shown(part) for part in (first, last) if part]
    return shown(" ".join(part for part in parts if part)) if all(parts) else None


def _lines(postal: _PostalLines) -> tuple[str, ...]:
    abroad = None if (postal.l7 or "").strip().upper() == "FRANCE" else postal.l7
    return postal_lines((postal.l3, postal.l4, postal.l5, postal.l6, abroad))
