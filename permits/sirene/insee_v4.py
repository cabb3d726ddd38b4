"""Reads an establishment as API Entreprise v4 relays it from INSEE (`data`, `links`, `meta`)."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from permits.domain.establishment import Establishment, Standing
from permits.sirene.values import bare_code, paris_day, paris_moment, person_name, postal_lines, shown


class _LegalPerson(BaseModel):
    raison_sociale: object = None


class _NaturalPerson(BaseModel):
    prenom_usuel: object = None
    prenom_1: object = None
    nom_usage: object = None
    nom_naissance: object = None


class _Coded(BaseModel):
    code: object = None


class _Unit(BaseModel):
    type: str
    etat_administratif: Literal["A", "C"]
    status_diffusion: object = None
    # One is null for the other kind of unit, as some answers have it.
    personne_morale_attributs: _LegalPerson | None = None
    personne_physique_attributs: _NaturalPerson | None = None
    forme_juridique: _Coded | None = None


class _PostalLines(BaseModel):
    # Lines 1 and 2 name the company or the person: they are no part of where it is.
    l3: object = None
    l4: object = None
    l5: object = None
    l6: object = None
    l7: object = None


class _Address(BaseModel):
    code_commune: object = None
    status_diffusion: object = None
    acheminement_postal: _PostalLines | None = None


class _Establishment(BaseModel):
    siret: str = Field(pattern=r"^[0-9]{14}$")
    etat_administratif: Literal["A", "F"]
    date_fermeture: object = None
    status_diffusion: object = None
    activite_principale_naf_rev2: _Coded | None = None
    unite_legale: _Unit
    adresse: _Address | None = None


class _Meta(BaseModel):
    date_derniere_mise_a_jour: object = None
    redirect_from_siret: str | None = None


class SireneAnswer(BaseModel):
    """The part of the answer that is used; unknown keys come and go upstream and are ignored."""

    data: _Establishment
    meta: _Meta | None = None

    def is_about(self, asked_siret: str) -> bool:
        """True for the SIRET asked, or for the one INSEE merged it into and says so."""
        return asked_siret in (self.data.siret, self.meta and self.meta.redirect_from_siret)

    @property
    def updated_at(self) -> datetime | None:
        return paris_moment(self.meta.date_derniere_mise_a_jour) if self.meta else None

    def establishment(self, asked_siret: str) -> Establishment:
        """Return it without evidence yet, nor its trade register entry, of which INSEE knows nothing."""
        data, unit, address = self.data, self.data.unite_legale, self.data.adresse or _Address()
        activity = data.activite_principale_naf_rev2
        is_open = data.etat_administratif == "A"
        return Establishment(
            siret=data.siret,
            asked_siret=asked_siret,
            name=_name(unit),
            address=_lines(address.acheminement_postal or _PostalLines()),
            commune_code=shown(address.code_commune),
            activity_code=bare_code(activity.code) if activity else None,
            legal_form=shown(unit.forme_juridique.code) if unit.forme_juridique else None,
            is_open=is_open,
            closed_on=None if is_open else paris_day(data.date_fermeture),
            unit_is_active=unit.etat_administratif == "A",
            standing=Standing.UNKNOWN,
            partially_diffusible=any(
                status != "diffusible"
                for status in (data.status_diffusion, unit.status_diffusion, address.status_diffusion)
            ),
            evidence=(),
        )


def _name(unit: _Unit) -> str | None:
    """The company's name, or the person's first and last names; None as soon as a part of it is masked."""
    if unit.type != "personne_physique":
        company = unit.personne_morale_attributs
        return shown(company.raison_sociale) if company else None
    person = unit.personne_physique_attributs or _NaturalPerson()
    return person_name(person.prenom_usuel or person.prenom_1, person.nom_usage or person.nom_naissance)


def _lines(postal: _PostalLines) -> tuple[str, ...]:
    is_home = isinstance(postal.l7, str) and postal.l7.strip().upper() == "FRANCE"
    return postal_lines((postal.l3, postal.l4, postal.l5, postal.l6, None if is_home else postal.l7))
