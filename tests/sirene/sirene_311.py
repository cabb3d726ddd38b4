"""Answers of INSEE's Sirene 3.11, fictional and well-formed; each test bends one thing in them."""

from typing import Any

SIRET = "99999001300024"
SIREN = SIRET[:9]


def period(state: str | None, start: str | None, end: str | None = None, *, changed: bool = True) -> dict[str, Any]:
    return {
        "dateFin": end,
        "dateDebut": start,
        "etatAdministratifEtablissement": state,
        "changementEtatAdministratifEtablissement": changed,
        "activitePrincipaleEtablissement": "43.99D",
        "nomenclatureActivitePrincipaleEtablissement": "NAFRev2",
    }


def unit(**changes: object) -> dict[str, Any]:
    """A company; `changes` are named without their common ending."""
    body: dict[str, Any] = {
        "etatAdministratif": "A",
        "statutDiffusion": "O",
        "categorieJuridique": "5710",
        "denomination": "ECHAFAUDAGES DU MODELE",
        "nom": None,
        "nomUsage": None,
        "prenom1": None,
        "prenomUsuel": None,
        "dateDernierTraitement": "2026-05-17T09:12:35",
    }
    return {f"{name}UniteLegale": value for name, value in (body | changes).items()}


def person(**changes: object) -> dict[str, Any]:
    """A natural person."""
    named = {"prenom1": "CAMILLE", "prenomUsuel": "CAMILLE", "nom": "EXEMPLE"}
    return unit(**({"categorieJuridique": "1000", "denomination": None} | named | changes))


def address(**changes: object) -> dict[str, Any]:
    body: dict[str, Any] = {
        "complementAdresse": None,
        "numeroVoie": "12",
        "indiceRepetition": None,
        "typeVoie": "RUE",
        "libelleVoie": "DES EXEMPLES",
        "codePostal": "29999",
        "libelleCommune": "EXEMPLE-VILLE",
        "libelleCommuneEtranger": None,
        "distributionSpeciale": None,
        "codeCommune": "29999",
        "codeCedex": None,
        "libelleCedex": None,
        "codePaysEtranger": None,
        "libellePaysEtranger": None,
    }
    return {f"{name}Etablissement": value for name, value in (body | changes).items()}


def sirene(**changes: object) -> dict[str, Any]:
    """The answer about one open establishment of an active company."""
    found: dict[str, Any] = {
        "siren": SIREN,
        "nic": SIRET[9:],
        "siret": SIRET,
        "statutDiffusionEtablissement": "O",
        "dateCreationEtablissement": "1900-01-01",
        "dateDernierTraitementEtablissement": "2024-03-29",
        "uniteLegale": unit(),
        "adresseEtablissement": address(),
        "periodesEtablissement": [period("A", "2015-06-01")],
    }
    return {"header": {"statut": 200, "message": "ok"}, "etablissement": found | changes}


def refusal(status: int, message: str = "…") -> dict[str, Any]:
    return {"header": {"statut": status, "message": message}}


def without_nulls(value: object) -> Any:
    """The same as `masquerValeursNulles` makes it: what is null is left out."""
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [without_nulls(inner) for inner in value] if isinstance(value, list) else value
