"""The OpenAPI document: what FastAPI derives from the routes, with keys, problems and addresses added."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts

from permits import __version__
from permits.web.policy import Policy, policy_of
from permits.web.problems import Problem

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_COMMON = {"400": "Requête illisible", "422": "Demande incorrecte", "500": "Erreur interne", "503": "Indisponible"}
_FOR_CLIENTS = {"401": "Clé absente ou inconnue", "404": "Introuvable"}
_FOR_BODIES = {"413": "Plus de 1 Mio"}
_BY_OPERATION = {
    "file_application": {"409": "La même demande est en cours, ou le règlement ne lui donne pas de numéro"},
    "extend_permit": {"409": "La même demande est en cours, ou ce permis ne se prolonge pas"},
    "get_permit_document": {"409": "Document en cours d’établissement"},
    "get_permit_sign": {"409": "Document en cours d’établissement, ou permis qui n’autorise plus rien"},
    "get_act_document": {"409": "Document en cours d’établissement"},
    "explain_problem": {"404": "Aucun problème n’a ce code"},
}


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the contract of this application."""
    if app.openapi_schema:
        return app.openapi_schema
    schema = get_openapi(
        title="Permis de stationnement",
        version=__version__,
        summary="Du SIRET à l’arrêté scellé",
        description=(
            "Dépôt, décision et délivrance des permis d’occuper la voie publique.\n\n"
            "| Réponse au dépôt | `outcome` | Ce qui suit |\n|---|---|---|\n"
            "| 201 | `granted` | le permis est numéroté et scellé |\n"
            "| 201 | `referred` | un agent décide ; les motifs sont dans `decision.grounds` |\n"
            "| 202 | `awaiting_registry` | reçu ; décidé dès que le registre des entreprises répond |\n\n"
            "Répéter une requête avec la même `Idempotency-Key` rend la même demande dans son état présent."
        ),
        routes=app.routes,
        servers=[{"url": "/"}],
        license_info={"name": "EUPL-1.2", "url": "https://spdx.org/licenses/EUPL-1.2.html"},
    )
    components = schema.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = Problem.model_json_schema(
        ref_template="#/components/schemas/{model}"
    )
    components["schemas"] |= components["schemas"]["Problem"].pop("$defs", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "pv_…"}}
    for context in iter_route_contexts(app.routes):
        route = context.route
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                operation = schema["paths"][context.path][method.lower()]
                _complete(operation, policy_of(route.endpoint))
    app.openapi_schema = schema
    return schema


def _complete(operation: dict[str, Any], declared: Policy | None) -> None:
    """Add the key a route needs and the problems it may answer."""
    problems = dict(_COMMON)
    if declared is Policy.CLIENT:
        operation["security"] = [{"bearer": []}]
        problems |= _FOR_CLIENTS
    if "requestBody" in operation:
        problems |= _FOR_BODIES
    problems |= _BY_OPERATION.get(operation["operationId"], {})
    for status, description in sorted(problems.items()):
        existing = operation["responses"].get(status)
        if existing is None or status == "422":
            operation["responses"][status] = {"description": description, "content": _PROBLEM}
