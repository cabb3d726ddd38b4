"""What INSEE's Sirene API 3.11 says of the fictional companies."""

from datetime import date, timedelta
from typing import Any

from permits.sandbox.companies import Address, Establishment, Unit

Body = dict[str, Any]

_MASK = "[ND]"
_NEVER_FILLED = ("denominationUsuelle1", "denominationUsuelle2", "denominationUsuelle3", "nomUsage", "pseudonyme")
_SECOND_ADDRESS = (
    "complementAdresse",
    "numeroVoie",
    "indiceRepetition",
    "typeVoie",
    "libelleVoie",
    "codePostal",
    "libelleCommune",
    "libelleCommuneEtranger",
    "distributionSpeciale",
    "codeCommune",
    "codeCedex",
    "libelleCedex",
    "codePaysEtranger",
    "libellePaysEtranger",
)


def header(status: int, message: str) -> Body:
    return {"header": {"statut": status, "message": message}}


def establishment(unit: Unit, one: Establishment) -> Body:
    """The whole answer; what is in partial diffusion comes masked, since the public plan has no other."""
    found = {
        "siren": unit.siren,
        "nic": one.siret[9:],
        "siret": one.siret,
        "statutDiffusionEtablissement": unit.diffusion,
        "dateCreationEtablissement": one.created_on.isoformat(),
        "trancheEffectifsEtablissement": "NN",
        "anneeEffectifsEtablissement": None,
        "activitePrincipaleRegistreMetiersEtablissement": None,
        "dateDernierTraitementEtablissement": unit.updated_at.isoformat(),
        "etablissementSiege": one.head_office,
        "nombrePeriodesEtablissement": 2 if one.closed_on else 1,
        "uniteLegale": _unit(unit),
        "adresseEtablissement": _address(one.address, hidden=unit.diffusion == "P"),
        "adresse2Etablissement": {f"{name}2Etablissement": None for name in _SECOND_ADDRESS},
        "periodesEtablissement": _periods(unit, one),
    }
    return header(200, "ok") | {"etablissement": found}


def _unit(unit: Unit) -> Body:
    body = {f"{name}UniteLegale": None for name in _NEVER_FILLED}
    return body | {
        "etatAdministratifUniteLegale": "C" if unit.ceased_on else "A",
        "statutDiffusionUniteLegale": unit.diffusion,
        "dateCreationUniteLegale": unit.created_on.isoformat(),
        "categorieJuridiqueUniteLegale": unit.legal_form.code,
        "denominationUniteLegale": unit.name,
        "sigleUniteLegale": _MASK if unit.acronym and unit.diffusion == "P" else unit.acronym,
        **_person(unit),
        "activitePrincipaleUniteLegale": unit.activity.code,
        "nomenclatureActivitePrincipaleUniteLegale": "NAFRev2",
        "identifiantAssociationUniteLegale": None,
        "economieSocialeSolidaireUniteLegale": None,
        "caractereEmployeurUniteLegale": None,
        "trancheEffectifsUniteLegale": "NN",
        "anneeEffectifsUniteLegale": None,
        "nicSiegeUniteLegale": unit.head_office_siret[9:],
        "dateDernierTraitementUniteLegale": unit.updated_at.isoformat(),
        "categorieEntreprise": "PME",
        "anneeCategorieEntreprise": "2023",
    }


def _person(unit: Unit) -> Body:
    person = unit.person
    first, last = (person.first_name, person.last_name) if person else (None, None)
    if person and unit.diffusion == "P":
        first = last = _MASK
    names = {f"prenom{rank}UniteLegale": None for rank in (2, 3, 4)}
    return names | {
        "sexeUniteLegale": _MASK if person else None,
        "nomUniteLegale": last,
        "prenom1UniteLegale": first,
        "prenomUsuelUniteLegale": first,
    }


def _address(address: Address, *, hidden: bool) -> Body:
    body = {f"{name}Etablissement": None for name in _SECOND_ADDRESS}
    shown = {
        "numeroVoieEtablissement": address.number,
        "typeVoieEtablissement": address.kind,
        "libelleVoieEtablissement": address.street,
        "codePostalEtablissement": address.postcode,
    }
    town = {"libelleCommuneEtablissement": address.town, "codeCommuneEtablissement": address.citycode}
    return body | (dict.fromkeys(shown, _MASK) if hidden else shown) | town


def _periods(unit: Unit, one: Establishment) -> list[Body]:
    """Newest first: the current one has no end, and a closing is the day a state changed."""
    if one.closed_on is None:
        return [_period(unit, "A", one.created_on, None)]
    last_day = one.closed_on - timedelta(days=1)
    return [_period(unit, "F", one.closed_on, None), _period(unit, "A", one.created_on, last_day)]


def _period(unit: Unit, state: str, start: date, end: date | None) -> Body:
    return {
        "dateFin": end.isoformat() if end else None,
        "dateDebut": start.isoformat(),
        "etatAdministratifEtablissement": state,
        "changementEtatAdministratifEtablissement": True,
        "enseigne1Etablissement": None,
        "enseigne2Etablissement": None,
        "enseigne3Etablissement": None,
        "changementEnseigneEtablissement": False,
        "denominationUsuelleEtablissement": None,
        "changementDenominationUsuelleEtablissement": False,
        "activitePrincipaleEtablissement": unit.activity.code,
        "nomenclatureActivitePrincipaleEtablissement": "NAFRev2",
        "changementActivitePrincipaleEtablissement": False,
        "caractereEmployeurEtablissement": None,
        "changementCaractereEmployeurEtablissement": False,
    }
