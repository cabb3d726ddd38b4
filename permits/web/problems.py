"""Errors as RFC 9457 problems: in French for people, with a stable English code for programs.

The one place where an exception becomes an HTTP status. Nothing internal leaks.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from permits.desk import RulebookUnreadable
from permits.domain.admissibility import Inadmissible
from permits.domain.dated import NotInForce
from permits.domain.establishment import RegistryUnavailable
from permits.domain.filing import ActNotPossible
from permits.domain.permit import PressBusy, SealingStopped
from permits.issue import KeyReused, RequestInProgress
from permits.register.floor import BookRolledBack
from permits.web.french_errors import field_errors

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kind:
    """One kind of problem: its HTTP status, its French title, and what the caller can do."""

    status: int
    title: str
    advice: str


KINDS: dict[str, Kind] = {
    "idempotency_key_missing": Kind(
        400, "Clé d’idempotence absente", "Ajoutez l’en-tête Idempotency-Key : une valeur unique par demande."
    ),
    "idempotency_key_invalid": Kind(
        400, "Clé d’idempotence invalide", "Donnez 1 à 255 caractères ASCII visibles, par exemple un UUID."
    ),
    "malformed_request": Kind(400, "Requête illisible", "Envoyez un objet JSON en UTF-8."),
    "unauthenticated": Kind(
        401, "Clé d’accès absente ou inconnue", "Envoyez l’en-tête Authorization: Bearer suivi de votre clé."
    ),
    "forbidden": Kind(403, "Accès refusé", "Cette clé n’ouvre pas cette ressource."),
    "not_found": Kind(404, "Introuvable", "Vérifiez l’adresse ; seul son titulaire voit une demande ou un permis."),
    "method_not_allowed": Kind(405, "Méthode non prévue", "Consultez /openapi.json."),
    "request_in_progress": Kind(
        409, "Demande en cours de traitement", "Répétez la même requête après le délai indiqué."
    ),
    "document_not_ready": Kind(409, "Document en cours d’établissement", "Répétez la requête après le délai indiqué."),
    "act_not_possible": Kind(409, "Acte impossible", "L’acte visé a changé ou ne s’y prête pas : relisez son état."),
    "body_too_large": Kind(413, "Requête trop volumineuse", "Une demande tient dans 1 Mio."),
    "invalid_request": Kind(422, "Demande incomplète ou incorrecte", "Corrigez les champs indiqués et renvoyez-la."),
    "idempotency_key_reused": Kind(
        422, "Clé d’idempotence déjà utilisée", "Cette clé a servi à une autre demande : prenez-en une nouvelle."
    ),
    "siret_unknown": Kind(422, "SIRET inconnu", "Vérifiez les 14 chiffres sur un document de l’entreprise."),
    "establishment_closed": Kind(422, "Établissement fermé", "Donnez le SIRET d’un établissement ouvert."),
    "company_ceased": Kind(422, "Entreprise cessée", "Donnez le SIRET d’une entreprise active."),
    "ends_before_start": Kind(422, "Dates inversées", "Corrigez les dates."),
    "period_too_long": Kind(422, "Période trop longue", "Corrigez les dates."),
    "answer_unknown": Kind(422, "Réponse illisible", "Répondez aux questions du règlement, et à elles seules."),
    "starts_too_soon": Kind(422, "Début trop proche", "Choisissez un début ultérieur ; pour une urgence, appelez."),
    "footprint_with_hole": Kind(422, "Emprise trouée", "Dessinez un seul contour."),
    "footprint_not_closed": Kind(422, "Contour non fermé", "Répétez le premier point à la fin."),
    "footprint_self_crossing": Kind(422, "Contour qui se croise", "Dessinez un polygone simple."),
    "footprint_too_narrow": Kind(422, "Emprise trop étroite", "Dessinez une emprise d’au moins 0,20 m de large."),
    "footprint_too_large": Kind(422, "Emprise trop grande", "Vérifiez les coordonnées."),
    "coordinates_projected": Kind(422, "Coordonnées projetées", "Donnez longitude et latitude en degrés WGS84."),
    "coordinates_swapped": Kind(422, "Coordonnées inversées", "GeoJSON attend [longitude, latitude]."),
    "place_too_far": Kind(422, "Emplacement hors de portée", "Adressez-vous à la commune concernée."),
    "internal_error": Kind(500, "Erreur interne", "Rien n’est perdu : répétez la même requête, ou prévenez-nous."),
    "overloaded": Kind(503, "Service saturé", "Répétez la même requête après le délai indiqué."),
    "sealing_stopped": Kind(
        503, "Cachet indisponible", "Aucun numéro n’est donné : répétez la même requête après le délai indiqué."
    ),
    "database_unavailable": Kind(503, "Registre indisponible", "Répétez la même requête après le délai indiqué."),
    "registry_unavailable": Kind(
        503,
        "Registre des entreprises indisponible",
        "Répétez plus tard ; une demande déposée est, elle, gardée.",
    ),
    "rulebook_incomplete": Kind(
        503, "Règlement incomplet", "Aucune règle n’est en vigueur à cette date : contactez le service."
    ),
    "rulebook_unreadable": Kind(
        503,
        "Règlement illisible",
        "Le règlement gardé pour cette date ou cette décision ne se lit plus : prévenez-nous.",
    ),
}

_HTTP_CODES = {
    400: "malformed_request",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
}


class FieldProblem(BaseModel):
    """One field that is wrong: its JSON pointer, a stable code, and what is wrong in French."""

    pointer: str
    code: str
    detail: str


class Problem(BaseModel):
    """An RFC 9457 problem."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    instance: str
    errors: list[FieldProblem] = []


class Refusal(Exception):
    """Raised by the web room itself: a problem of a known kind."""

    def __init__(self, code: str, detail: str | None = None, *, retry_after: timedelta | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.retry_after = retry_after


def problem_response(
    request: Request,
    code: str,
    detail: str | None = None,
    *,
    errors: list[FieldProblem] | None = None,
    retry_after: timedelta | None = None,
) -> JSONResponse:
    """Return the problem document of that code."""
    kind = KINDS[code]
    problem = Problem(
        type=f"{request.app.state.base_url}/problemes/{code}",
        title=kind.title,
        status=kind.status,
        detail=detail or kind.advice,
        code=code,
        instance=f"urn:request:{request.state.request_id}",
        errors=errors or [],
    )
    headers = {"Content-Language": "fr"}
    if retry_after is not None:
        headers["Retry-After"] = str(max(1, round(retry_after.total_seconds())))
    if kind.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(problem.model_dump(), kind.status, headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Map every exception that may reach the door."""

    def on(exception: type[Exception], code: str, seconds: int | None = None) -> None:
        def handle(request: Request, _error: Exception) -> JSONResponse:
            return problem_response(request, code, retry_after=timedelta(seconds=seconds) if seconds else None)

        app.add_exception_handler(exception, handle)

    on(KeyReused, "idempotency_key_reused")
    on(RequestInProgress, "request_in_progress", 2)
    on(NotInForce, "rulebook_incomplete", 3600)
    on(OperationalError, "database_unavailable", 5)
    on(InterfaceError, "database_unavailable", 5)
    on(PoolTimeout, "overloaded", 5)
    on(RulebookUnreadable, "rulebook_unreadable", 3600)
    app.add_exception_handler(BookRolledBack, _rolled_back)
    app.add_exception_handler(PressBusy, _busy)
    app.add_exception_handler(SealingStopped, _stopped)
    app.add_exception_handler(RegistryUnavailable, _registry)
    app.add_exception_handler(Inadmissible, _inadmissible)
    app.add_exception_handler(ActNotPossible, _not_possible)
    app.add_exception_handler(Refusal, _refusal)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def _rolled_back(request: Request, error: Exception) -> JSONResponse:
    log.error("the book was rolled back: nothing is written", extra={"reason": str(error)})
    return problem_response(request, "database_unavailable", retry_after=timedelta(seconds=60))


def _busy(request: Request, error: Any) -> JSONResponse:
    return problem_response(request, "overloaded", retry_after=timedelta(seconds=error.retry_after))


def _stopped(request: Request, error: Any) -> JSONResponse:
    log.error("nothing is issued: the seal can't be made", extra={"reason": error.reason})
    detail = f"{error.reason} {KINDS['sealing_stopped'].advice}"
    return problem_response(request, "sealing_stopped", detail, retry_after=timedelta(seconds=error.retry_after))


def _registry(request: Request, error: Any) -> JSONResponse:
    return problem_response(request, "registry_unavailable", retry_after=error.retry_after or timedelta(seconds=10))


def _inadmissible(request: Request, error: Any) -> JSONResponse:
    field = FieldProblem(pointer=error.pointer, code=error.code, detail=error.message)
    return problem_response(request, error.code, error.message, errors=[field])


def _not_possible(request: Request, error: Any) -> JSONResponse:
    told = str(error)
    return problem_response(request, "act_not_possible", f"{told[:1].upper()}{told[1:]}.")


def _refusal(request: Request, error: Any) -> JSONResponse:
    return problem_response(request, error.code, error.detail, retry_after=error.retry_after)


def _invalid(request: Request, error: Any) -> JSONResponse:
    errors = [FieldProblem(pointer=p, code=c, detail=d) for p, c, d in field_errors(error.errors())]
    if any(field.code == "json_invalid" for field in errors):
        return problem_response(request, "malformed_request", errors=errors)
    return problem_response(request, "invalid_request", errors=errors)


def _http(request: Request, error: Any) -> JSONResponse:
    return problem_response(request, _HTTP_CODES.get(error.status_code, "internal_error"))


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    log.error("unexpected error", exc_info=error)
    return problem_response(request, "internal_error")
