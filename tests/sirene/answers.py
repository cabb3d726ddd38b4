"""Answers of the registries, small and well-formed; each test bends one thing in them."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

SAMPLES = Path(__file__).parents[1] / "samples"

SIRET = "55204944776279"
SIREN = SIRET[:9]
TOKEN = "a-token-nobody-may-see"
RECIPIENT = "13002526500013"


def recorded(path: str) -> dict[str, Any]:
    """The JSON of a recorded answer; those of API Entreprise are kept as text inside YAML."""
    text = (SAMPLES / path).read_text(encoding="utf-8")
    return json.loads(text if path.endswith(".json") else yaml.safe_load(text)["payload"])  # type: ignore[no-any-return]


def establishment() -> dict[str, Any]:
    """An open establishment of an active company, as API Entreprise v4 gives it."""
    return recorded("api-entreprise/etablissements/personne_morale.yaml")


def extract() -> dict[str, Any]:
    """The extract of a company in good standing."""
    return recorded("api-entreprise/extraits_rcs/200.yaml")


def search() -> dict[str, Any]:
    """The open source's answer for an open establishment, heard by both of its registers."""
    answer = recorded("recherche-entreprises/search-48744469700428.http-200.json")
    answer["results"][0]["bodacc"] = {"radiation": None, "procedure_collective": None}
    return answer


def bent(answer: dict[str, Any], **changes: object) -> dict[str, Any]:
    """A copy with some leaves changed, each named by its path: `data__unite_legale__etat_administratif="C"`."""
    copy = deepcopy(answer)
    for path, value in changes.items():
        *parents, leaf = path.split("__")
        node: Any = copy
        for parent in parents:
            node = node[int(parent)] if parent.isdecimal() else node[parent]
        node[leaf] = value
    return copy


def error(code: str, **meta: object) -> dict[str, Any]:
    """An error body of API Entreprise."""
    return {"errors": [{"code": code, "title": "…", "detail": "…", "source": None, "meta": meta}]}
