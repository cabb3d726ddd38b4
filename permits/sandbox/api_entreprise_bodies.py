"""What API Entreprise says of the fictional companies: the bodies of its answers and of its errors."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from permits.sandbox.companies import Address, Establishment, Label, Unit

Body = dict[str, Any]

_PARIS = ZoneInfo("Europe/Paris")
_DIFFUSION = {"O": "diffusible", "P": "partiellement_diffusible"}
_ORIGIN = "https://entreprise.api.gouv.fr"
_MASK = "[ND]"
_NO_STAFF = {"de": None, "a": None, "code": "NN", "date_reference": None, "intitule": "Unités non employeuses"}

_NOWHERE = (
    "nom_postal",
    "numero",
    "type",
    "voie",
    "ligne_1",
    "ligne_2",
    "localite",
    "code_postal",
    "bureau_distributeur",
    "pays",
)
_NOBODY = {
    "adresse": dict.fromkeys(_NOWHERE),
    "nationalite": {"valeur": None, "code": None},
    "nom": None,
    "prenom": None,
    "naissance": {"pays": {"valeur": None, "code": None}, "date": None, "lieu": None},
}


def paris_midnight(day: date | None) -> int | None:
    """Return the Unix seconds of that day's midnight in Paris, which is how INSEE's days travel."""
    return int(datetime(day.year, day.month, day.day, tzinfo=_PARIS).timestamp()) if day else None


def establishment(unit: Unit, one: Establishment, redirect_from: str | None) -> Body:
    activity = _activity(unit.activity)
    data = {
        "siret": one.siret,
        "siege_social": one.head_office,
        "etat_administratif": "F" if one.closed_on else "A",
        "date_fermeture": paris_midnight(one.closed_on),
        "enseigne": None,
        "status_diffusion": _DIFFUSION[unit.diffusion],
        "activite_principale": activity,
        "activite_principale_naf_rev2": activity,
        "tranche_effectif_salarie": _NO_STAFF,
        "diffusable_commercialement": unit.diffusion == "O",
        "date_creation": paris_midnight(one.created_on),
        "unite_legale": _unit(unit),
        "adresse": _address(one.address, unit),
    }
    meta = {"date_derniere_mise_a_jour": paris_midnight(unit.updated_at.date()), "redirect_from_siret": redirect_from}
    link = f"{_ORIGIN}/v4/insee/sirene/unites_legales/{unit.siren}"
    return {"data": data, "links": {"unite_legale": link}, "meta": meta}


def masked(body: Body) -> Body:
    """Return the body as the `diffusibles` route gives it for a unit in partial diffusion."""
    data: Body = body["data"]
    unit, address = data["unite_legale"], data["adresse"]
    person = {key: value and _MASK for key, value in unit["personne_physique_attributs"].items()}
    hidden = {"numero_voie", "indice_repetition_voie", "type_voie", "libelle_voie", "complement_adresse", "code_postal"}
    address = {key: _MASK if key in hidden and value else value for key, value in address.items()}
    lines = {key: _MASK if value and key != "l7" else value for key, value in address["acheminement_postal"].items()}
    address |= {"acheminement_postal": lines}
    company = unit["personne_morale_attributs"]
    company = {**company, "sigle": company["sigle"] and _MASK}
    unit = {**unit, "personne_physique_attributs": person, "personne_morale_attributs": company}
    return {**body, "data": {**data, "unite_legale": unit, "adresse": address}}


def extract(unit: Unit) -> Body:
    """The trade register's extract of a registered unit."""
    proceedings = unit.proceedings
    observations = []
    if proceedings:
        told = {"numero": "1", "libelle": proceedings.observation, "date": proceedings.judged_on.isoformat()}
        observations.append(told)
    data = {
        "siren": unit.siren,
        "date_extrait": unit.updated_at.date().isoformat(),
        "date_immatriculation": unit.registered_on.isoformat() if unit.registered_on else None,
        "date_radiation": unit.struck_off_on.isoformat() if unit.struck_off_on else None,
        "mandataires_sociaux": [],
        "observations": observations,
        "nom_commercial": None,
        "etablissement_principal": {
            "activite": unit.activity.label,
            "origine_fonds": "CREATION",
            "mode_exploitation": "EXPLOITATION DIRECTE",
            "code_ape": unit.activity.code.replace(".", ""),
        },
        "capital": {"montant": 10000.0, "devise": "EUROS", "code_devise": "EUR"},
        "greffe": {"valeur": "EXEMPLE", "code": "2999"},
        "personne_physique": _NOBODY,
        "personne_morale": {
            "forme_juridique": {"valeur": unit.legal_form.label, "code": unit.legal_form.code},
            "denomination": unit.name,
            "date_cloture_exercice_comptable": "12-31",
            "date_fin_de_vie": None,
        },
    }
    return {"data": data, "links": {}, "meta": {}}


def _unit(unit: Unit) -> Body:
    person = unit.person
    return {
        "siren": unit.siren,
        "rna": None,
        "siret_siege_social": unit.head_office_siret,
        "type": "personne_physique" if person else "personne_morale",
        "status_diffusion": _DIFFUSION[unit.diffusion],
        "personne_morale_attributs": {"raison_sociale": unit.name, "sigle": unit.acronym},
        "personne_physique_attributs": {
            "pseudonyme": None,
            "prenom_usuel": person.first_name if person else None,
            "prenom_1": person.first_name if person else None,
            "prenom_2": None,
            "prenom_3": None,
            "prenom_4": None,
            "nom_usage": None,
            "nom_naissance": person.last_name if person else None,
            "sexe": None,
        },
        "categorie_entreprise": "PME",
        "diffusable_commercialement": unit.diffusion == "O",
        "forme_juridique": {"code": unit.legal_form.code, "libelle": unit.legal_form.label},
        "activite_principale": _activity(unit.activity),
        "activite_principale_naf_rev2": _activity(unit.activity),
        "tranche_effectif_salarie": _NO_STAFF,
        "economie_sociale_et_solidaire": None,
        "date_creation": paris_midnight(unit.created_on),
        "etat_administratif": "C" if unit.ceased_on else "A",
    }


def _address(address: Address, unit: Unit) -> Body:
    return {
        "complement_adresse": None,
        "numero_voie": address.number,
        "indice_repetition_voie": None,
        "type_voie": address.kind,
        "libelle_voie": address.street,
        "code_postal": address.postcode,
        "libelle_commune": address.town,
        "libelle_commune_etranger": None,
        "distribution_speciale": None,
        "code_commune": address.citycode,
        "code_cedex": None,
        "libelle_cedex": None,
        "code_pays_etranger": None,
        "libelle_pays_etranger": None,
        "status_diffusion": _DIFFUSION[unit.diffusion],
        "acheminement_postal": {
            "l1": unit.name or "",
            "l2": unit.full_name if unit.person else "",
            "l3": "",
            "l4": address.street_line,
            "l5": "",
            "l6": address.town_line,
            "l7": "FRANCE",
        },
    }


def _activity(activity: Label) -> Body:
    return {"code": activity.code, "nomenclature": "NAFRev2", "libelle": activity.label}
