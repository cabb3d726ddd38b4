"""The routes of API Entreprise, with its gates in their order: token, mandatory parameters, control digits."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from permits.sandbox import api_entreprise_bodies as bodies
from permits.sandbox.companies import Behaviour, Companies

RATE_LIMIT = 250
RETRY_AFTER_S = 2
MAINTENANCE_S = 5


class ApiJson(JSONResponse):
    """A success travels under this type, whatever the OpenAPI file says."""

    media_type = "application/vnd.api+json"


@dataclass
class Troubles:
    """What the sandbox pretends to suffer: an outage that can be lifted, and a slowness."""

    down: bool
    slow_s: float
    sleep: Callable[[float], None] = time.sleep


class Refusal(Exception):
    """An answer in the shape of API Entreprise's errors."""

    def __init__(self, status: int, errors: list[dict[str, Any]], headers: dict[str, str] | None = None) -> None:
        self.status, self.errors, self.headers = status, errors, headers or {}


def router(known: Companies, troubles: Troubles) -> APIRouter:
    routes = APIRouter()

    @routes.get("/v4/insee/sirene/etablissements/diffusibles/{siret}")
    def public_establishment(siret: str, request: Request) -> ApiJson:
        body = _establishment(known, troubles, siret, request)
        partial = body["data"]["status_diffusion"] != "diffusible"
        return ApiJson(bodies.masked(body) if partial else body)

    @routes.get("/v4/insee/sirene/etablissements/{siret}")
    def establishment(siret: str, request: Request) -> ApiJson:
        return ApiJson(_establishment(known, troubles, siret, request))

    @routes.get("/v3/infogreffe/rcs/unites_legales/{siren}/extrait_kbis")
    def extract(siren: str, request: Request) -> ApiJson:
        _pass_the_gate(request)
        if not (len(siren) == 9 and _luhn(siren)):
            raise _malformed("00301", "siren")
        unit = known.find_unit(siren)
        if unit is None or unit.registered_on is None:
            raise _not_found("02003", "Infogreffe")
        return ApiJson(bodies.extract(unit))

    return routes


def _establishment(known: Companies, troubles: Troubles, siret: str, request: Request) -> dict[str, Any]:
    _pass_the_gate(request)
    if not (len(siret) == 14 and (_luhn(siret) or siret.startswith("356000000"))):
        raise _malformed("00302", "siret")
    kept = known.merged_into(siret)
    found = known.find(kept or siret)
    if found is None:
        raise _not_found("01003", "INSEE")
    unit, one = found
    _behave(one.behaviour, troubles)
    return bodies.establishment(unit, one, redirect_from=siret if kept else None)


def _pass_the_gate(request: Request) -> None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        detail = "Votre token n'est pas valide ou n'est pas renseigné"
        raise Refusal(401, [_error("00101", "Interdit", detail, parameter="token")])
    missing = [
        _error(code, "Entité non traitable", f"Le paramètre {name} est obligatoire", parameter=name)
        for code, name in (("00201", "context"), ("00202", "object"), ("00203", "recipient"))
        if not request.query_params.get(name)
    ]
    if missing:
        raise Refusal(422, missing)
    recipient = request.query_params["recipient"]
    if not (len(recipient) == 14 and _luhn(recipient)):
        detail = "Le paramètre recipient n'est pas un siret valide"
        raise Refusal(422, [_error("00210", "Entité non traitable", detail, parameter="recipient")])


def _behave(behaviour: Behaviour, troubles: Troubles) -> None:
    """Answer, late or not at all, as this establishment was made to."""
    if behaviour == "slow":
        troubles.sleep(troubles.slow_s)
    elif behaviour == "outage" and troubles.down:
        detail = "Service du fournisseur de données temporairement indisponible ou en maintenance."
        raise Refusal(502, [_error("01001", "Service non disponible", detail, meta={"provider": "INSEE"})])
    elif behaviour == "maintenance":
        meta = {"provider": "INSEE", "retry_in": MAINTENANCE_S}
        title = "Maintenance du fournisseur de données"
        raise Refusal(503, [_error("01020", title, "Le service est en maintenance programmée.", meta=meta)])
    elif behaviour == "rate_limited":
        error = _error("00429", "Trop de requêtes", "Vous avez effectué trop de requêtes")
        raise Refusal(429, [error], {"Retry-After": str(RETRY_AFTER_S)})
    elif behaviour == "protected":
        detail = "Cette entité n'est accessible par aucun organisme."
        title = "Indisponible pour des raisons légales"
        raise Refusal(451, [_error("01005", title, detail, meta={"provider": "INSEE"})])


def _malformed(code: str, name: str) -> Refusal:
    detail = f"Le numéro de {name} n'est pas correctement formatté"
    return Refusal(422, [_error(code, "Entité non traitable", detail, parameter=name)])


def _not_found(code: str, provider: str) -> Refusal:
    detail = (
        "Le ou les paramètre(s) d'entrée n'existent pas, ne sont pas connus, ou ne comportent aucune information pour "
        "cet appel. Veuillez vérifier que votre recherche est couverte par le périmètre de l'API."
    )
    return Refusal(404, [_error(code, "Entité non trouvée", detail, meta={"provider": provider})])


def _error(
    code: str, title: str, detail: str, *, parameter: str | None = None, meta: dict[str, Any] | None = None
) -> dict[str, Any]:
    source = {"parameter": parameter} if parameter else None
    return {"code": code, "title": title, "detail": detail, "source": source, "meta": meta or {}}


def _luhn(digits: str) -> bool:
    if not (digits.isascii() and digits.isdigit()):
        return False
    doubled = (int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
