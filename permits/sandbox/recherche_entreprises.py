"""The route of API Recherche d'entreprises: a number of 9 or 14 digits is looked up, anything else finds nothing.

As upstream, `siege` is the head office and only a SIRET fills `matching_etablissements`; what the two
hidden parameters add is there only when they are asked.
"""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from permits.sandbox.api_entreprise import Troubles
from permits.sandbox.companies import Companies, Establishment, Unit

Body = dict[str, Any]

_MASK = "[NON-DIFFUSIBLE]"
_ADMIN = {"bodacc", "immatriculation", "etablissements", "admin"}
# Fields of the head office that a row of `matching_etablissements` does not have.
_ONLY_HEAD_OFFICE = (
    "activite_principale_registre_metier",
    "cedex",
    "code_pays_etranger",
    "complement_adresse",
    "coordonnees",
    "date_mise_a_jour",
    "date_mise_a_jour_insee",
    "departement",
    "distribution_speciale",
    "geo_adresse",
    "indice_repetition",
    "libelle_cedex",
    "libelle_commune_etranger",
    "libelle_pays_etranger",
    "libelle_voie",
    "numero_voie",
    "dernier_numero_voie",
    "type_voie",
)
_NEVER_FILLED = (
    "activite_principale_naf25",
    "annee_tranche_effectif_salarie",
    "epci",
    "geo_id",
    "latitude",
    "liste_enseignes",
    "liste_finess",
    "liste_id_bio",
    "liste_id_organisme_formation",
    "liste_idcc",
    "liste_rge",
    "liste_uai",
    "longitude",
    "nom_commercial",
)


def router(known: Companies, troubles: Troubles) -> APIRouter:
    routes = APIRouter()

    @routes.get("/search")
    def search(request: Request) -> Response:
        query = request.query_params.get("q", "").strip()
        admin = {name for name in request.query_params.get("include_admin", "").split(",") if name}
        if not query:
            return JSONResponse({"erreur": "Veuillez indiquer au moins un paramètre de recherche."}, 400)
        if not admin <= _ADMIN:
            return JSONResponse({"erreur": "Veuillez indiquer des champs valides dans include_admin."}, 400)
        found = known.find(query)
        if found and found[1].behaviour == "outage" and troubles.down:
            return HTMLResponse("<html><body><h1>502 Bad Gateway</h1></body></html>", 502)
        unit = found[0] if found else known.find_unit(query)
        unit = unit and _as_known_here(unit)
        row = next((one for one in unit.establishments if one.siret == query), None) if unit else None
        hidden = unit is None or any(one.behaviour == "protected" for one in unit.establishments)
        results = [] if unit is None or hidden else [_result(unit, row, admin)]
        total = len(results)
        return JSONResponse(
            {"results": results, "total_results": total, "page": 1, "per_page": 10, "total_pages": total}
        )

    return routes


def _as_known_here(unit: Unit) -> Unit:
    """The unit, without the closings that have not reached this source."""
    known = [
        one.model_copy(update={"closed_on": None}) if one.late_in_open_source else one for one in unit.establishments
    ]
    return unit.model_copy(update={"establishments": tuple(known)})


def _result(unit: Unit, row: Establishment | None, admin: set[str]) -> Body:
    office = unit.head_office
    body = _identity(unit) | {
        "nombre_etablissements": len(unit.establishments),
        "nombre_etablissements_ouverts": sum(one.closed_on is None for one in unit.establishments),
        "siege": _establishment(unit, office) if office else {"siret": unit.elsewhere, "est_siege": True},
        "dirigeants": [],
        "matching_etablissements": [_row(unit, row)] if row else [],
        "finances": None,
        "complements": {"est_rge": False, "est_administration": unit.activity.code.startswith("84")},
    }
    if "immatriculation" in admin:
        body["immatriculation"] = _registration(unit)
    if "bodacc" in admin:
        body["bodacc"] = _announcements(unit)
    return body


def _identity(unit: Unit) -> Body:
    name, updated = _MASK if _hides_name(unit) else unit.full_name, unit.updated_at.isoformat()
    return {
        "siren": unit.siren,
        "nom_complet": f"{name} ({unit.acronym})" if unit.acronym else name,
        "nom_raison_sociale": None if unit.person and name != _MASK else name,
        "sigle": unit.acronym,
        "activite_principale": unit.activity.code,
        "activite_principale_naf25": None,
        "categorie_entreprise": "PME",
        "caractere_employeur": None,
        "annee_categorie_entreprise": "2023",
        "date_creation": unit.created_on.isoformat(),
        "date_fermeture": unit.ceased_on.isoformat() if unit.ceased_on else None,
        "date_mise_a_jour": updated,
        "date_mise_a_jour_insee": updated,
        "date_mise_a_jour_rne": updated if unit.registered_on else None,
        "etat_administratif": "C" if unit.ceased_on else "A",
        "nature_juridique": unit.legal_form.code,
        "section_activite_principale": "O" if unit.activity.code.startswith("84") else "F",
        "tranche_effectif_salarie": "NN",
        "annee_tranche_effectif_salarie": None,
        "statut_diffusion": unit.diffusion,
    }


def _establishment(unit: Unit, one: Establishment) -> Body:
    address = one.address
    body: Body = dict.fromkeys((*_ONLY_HEAD_OFFICE, *_NEVER_FILLED))
    body |= {
        "siret": one.siret,
        "est_siege": one.head_office,
        "etat_administratif": "F" if one.closed_on else "A",
        "statut_diffusion_etablissement": unit.diffusion,
        "activite_principale": unit.activity.code,
        "caractere_employeur": "N",
        "tranche_effectif_salarie": "NN",
        "date_creation": one.created_on.isoformat(),
        "date_debut_activite": (one.closed_on or one.created_on).isoformat(),
        "date_fermeture": one.closed_on.isoformat() if one.closed_on else None,
        "date_mise_a_jour_insee": unit.updated_at.isoformat(),
        "adresse": f"{address.street_line} {address.town_line}",
        "numero_voie": address.number,
        "type_voie": address.kind,
        "libelle_voie": address.street,
        "code_postal": address.postcode,
        "commune": address.citycode,
        "libelle_commune": address.town,
        "departement": address.citycode[:2],
        "region": "11" if address.citycode.startswith("75") else "53",
    }
    if unit.diffusion == "P":
        hidden = ("adresse", "code_postal", "libelle_voie", "numero_voie", "type_voie", "latitude", "longitude")
        body |= dict.fromkeys(hidden, _MASK)
    return body


def _row(unit: Unit, one: Establishment) -> Body:
    body = {key: value for key, value in _establishment(unit, one).items() if key not in _ONLY_HEAD_OFFICE}
    return body | {"ancien_siege": False}


def _hides_name(unit: Unit) -> bool:
    """A natural person's name is protected; a legal person's is not, unless it was asked to show that case."""
    return unit.diffusion == "P" and (unit.person is not None or unit.full_name.startswith("["))


def _registration(unit: Unit) -> Body | None:
    if unit.registered_on is None:
        return None
    return {
        "date_debut_activite": unit.created_on.isoformat(),
        "date_immatriculation": unit.registered_on.isoformat(),
        "date_radiation": unit.struck_off_on.isoformat() if unit.struck_off_on else None,
        "duree_personne_morale": 99,
        "date_fin_existence": None,
        "nature_entreprise": ["Commerciale"],
        "date_cloture_exercice": "3112",
        "capital_social": 10000,
        "capital_variable": False,
        "devise_capital": "EUR",
        "indicateur_associe_unique": False,
    }


def _announcements(unit: Unit) -> Body:
    struck_off, proceedings = unit.struck_off_on, unit.proceedings
    radiation = {"est_radie": True, "id_annonce": "A0000", "date": struck_off.isoformat()} if struck_off else None
    procedure = (
        {"statut": proceedings.status, "id_annonce": "A0001", "date": proceedings.judged_on.isoformat()}
        if proceedings
        else None
    )
    return {"radiation": radiation, "procedure_collective": procedure}
