"""The route of INSEE's Sirene API 3.11: the gateway's key, then the registry's own statuses in `header.statut`."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from permits.sandbox import insee_bodies as bodies
from permits.sandbox.api_entreprise import Troubles
from permits.sandbox.companies import Companies

_KEY = "X-INSEE-Api-Key-Integration"
# Of the API before this one: whoever follows it finds nothing there.
_OLD_PATH = "/entreprises/sirene/ws/siret/"


def router(known: Companies, troubles: Troubles) -> APIRouter:
    routes = APIRouter(prefix="/api-sirene/3.11")

    @routes.get("/siret/{siret}")
    def establishment(siret: str, request: Request) -> JSONResponse:
        if not request.headers.get(_KEY, "").strip():
            # The gateway before the registry answers in its own shape.
            return JSONResponse({"message": "Unauthorized", "http_status_code": 401}, 401)
        if not (len(siret) == 14 and siret.isascii() and siret.isdecimal()):
            return _refusal(400, "Le siret doit comporter 14 chiffres")
        kept = known.merged_into(siret)
        if kept:
            message = "Unité légale doublon, redirection vers l'établissement siège de l'unité légale : "
            location = f"{str(request.base_url).rstrip('/')}{_OLD_PATH}{kept}"
            return _refusal(301, message + kept[:9], {"Location": location})
        found = known.find(siret)
        if found is None:
            return _refusal(404, f"Aucun élément trouvé pour le siret {siret}")
        unit, one = found
        if one.behaviour == "protected":
            return _refusal(403, f"Établissement non diffusable ({siret})")
        if one.behaviour == "outage" and troubles.down:
            return _refusal(503, "Service temporairement indisponible")
        return JSONResponse(bodies.establishment(unit, one))

    return routes


def _refusal(status: int, message: str, headers: dict[str, Any] | None = None) -> JSONResponse:
    return JSONResponse(bodies.header(status, message), status, headers)
