"""The pages that verify: behind a QR code, of a file, and on patrol with no network."""

import hashlib
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi import Path as PathParameter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, Response

from permits.domain.act import Act
from permits.domain.calendar import paris_day
from permits.domain.permit import PressBusy
from permits.domain.standing import told
from permits.web.context import Context, CurrentContext
from permits.web.pages import TEMPLATES, page, unkept
from permits.web.policy import Policy, policy
from permits.web.upload import RETRY_AFTER_S, Upload, UploadRefused, received
from permits.web.verdict import of_another_act, of_file, of_stranger

router = APIRouter(tags=["public"])

UPLOAD_PATH = "/verifier"
# A patrol looks at one page after another; a new version of the service is not held up.
KEPT_SHORTLY = {"Cache-Control": "public, max-age=300"}
CODE_PATTERN = r"^[A-Za-z0-9_-]+$"
Code = Annotated[str, PathParameter(max_length=64, pattern=CODE_PATTERN)]
AskedCode = Annotated[str | None, Query(alias="code", max_length=64, pattern=CODE_PATTERN)]

# These pages have scripts, all from here; the worker that keeps them for a patrol is held to the same.
_SCRIPTED = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; worker-src 'self'; style-src 'self'; "
    "img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HTML: dict[str, dict[str, str]] = {"text/html": {}}
_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}},
                }
            }
        },
    }
}


@router.get(
    "/v/{code}",
    operation_id="verify_permit",
    summary="Vérifier un permis",
    response_class=HTMLResponse,
    responses={404: {"content": _HTML, "description": "Aucun acte n’a ce code"}},
)
@policy(Policy.PUBLIC)
def verify_permit(code: Code, context: CurrentContext) -> HTMLResponse:
    """L’état du permis à l’instant où l’on regarde ; sans donnée protégée."""
    act = context.catalogue.act_by_code(code)
    if act is None:
        return no_act(context)
    today = paris_day(context.desk.clock())
    name = "permit.html" if act.kind.allows else "ruling.html"
    return _scripted(page(context, name, **_shown(context, act, today)))


def no_act(context: Context) -> HTMLResponse:
    """Return the page of a code that no act has."""
    return _scripted(page(context, "unknown.html", 404))


def _shown(context: Context, act: Act, today: date) -> dict[str, Any]:
    find = context.catalogue
    state = told(act, today, find.extensions(act.id))
    following = act.ended_by or state.extended_by
    return {
        "act": act,
        "payload": act.payload,
        "told": state,
        "followed": find.act(act.cites) if act.cites and act.kind.allows else None,
        "following": find.act_by_number(following) if following else None,
        "today": today,
    }


@router.get(UPLOAD_PATH, operation_id="ask_for_a_file", summary="Vérifier un fichier", response_class=HTMLResponse)
@policy(Policy.PUBLIC)
def ask_for_a_file(context: CurrentContext) -> HTMLResponse:
    """Un formulaire : le fichier n’est pas envoyé quand le navigateur sait en calculer l’empreinte."""
    return _scripted(page(context, "verify.html", verdict=None, refused=None, code=None))


@router.post(
    UPLOAD_PATH,
    operation_id="verify_file",
    summary="Dire si un fichier est le document délivré",
    response_class=HTMLResponse,
    responses={
        400: {"content": _HTML, "description": "Aucun fichier, ou un envoi incomplet"},
        408: {"content": _HTML, "description": "Le fichier arrive trop lentement"},
        413: {"content": _HTML, "description": "Plus de 10 Mio"},
        503: {"content": _HTML, "description": "Trop de fichiers à la fois"},
    },
    openapi_extra=_FORM,
)
@policy(Policy.PUBLIC)
async def verify_file(request: Request, context: CurrentContext, code: AskedCode = None) -> HTMLResponse:
    """Par son empreinte d’abord ; un fichier inconnu est lu à part, et n’est jamais dit authentique."""
    try:
        async with received(request) as upload:
            return await run_in_threadpool(_judged, context, upload, code)
    except UploadRefused as refused:
        return await run_in_threadpool(_refused, context, refused, code)


def _judged(context: Context, upload: Upload, code: str | None) -> HTMLResponse:
    found = context.catalogue.find_file(upload.sha256)
    if found is not None:
        verdict = of_file(found, paris_day(context.desk.clock()))
        if verdict.role == "delivered" and code not in (None, found.act.code):
            verdict = of_another_act(verdict)
    else:
        try:
            claim = context.read_stranger(upload.content)
        except PressBusy:
            busy = UploadRefused(503, "Trop de fichiers sont lus en même temps : réessayez dans quelques secondes.")
            return _refused(context, busy, code)
        verdict = of_stranger(claim, context.catalogue, code)
    return _scripted(page(context, "verify.html", verdict=verdict, sha256=upload.sha256, refused=None, code=code))


def _refused(context: Context, refused: UploadRefused, code: str | None) -> HTMLResponse:
    shown = _scripted(page(context, "verify.html", refused.status, verdict=None, refused=str(refused), code=code))
    if refused.status == 503:
        shown.headers["Retry-After"] = str(RETRY_AFTER_S)
    return shown


@router.get(
    "/patrouille", operation_id="go_on_patrol", summary="Vérifier un QR sans réseau", response_class=HTMLResponse
)
@policy(Policy.PUBLIC)
def go_on_patrol(context: CurrentContext) -> HTMLResponse:
    """Ouverte une fois avec du réseau, cette page lit ensuite les QR signés sans lui."""
    shown = _scripted(page(context, "patrol.html"))
    shown.headers["Cache-Control"] = "no-cache"
    return shown


@router.get("/static/verify.js", include_in_schema=False)
@policy(Policy.PUBLIC)
def get_script() -> Response:
    """Le script des pages de vérification."""
    return Response((TEMPLATES / "verify.js").read_bytes(), media_type="text/javascript", headers=KEPT_SHORTLY)


@router.get("/static/patrol.js", include_in_schema=False)
@policy(Policy.PUBLIC)
def get_worker(context: CurrentContext) -> Response:
    """Le script qui garde la page de patrouille ; une autre version dès que l’un de ses fichiers change."""
    kept = [(TEMPLATES / name).read_bytes() for name in ("patrol.js", "verify.js", "style.css")]
    kept.append(bytes(page(context, "patrol.html").body))
    version = hashlib.sha256(b"".join(kept)).hexdigest()[:16]
    script = f'const VERSION = "{version}";\n'.encode() + kept[0]
    headers = {
        "Cache-Control": "no-cache",
        "Service-Worker-Allowed": "/",
        "Content-Security-Policy": _SCRIPTED,
    }
    return Response(script, media_type="text/javascript", headers=headers)


def _scripted(shown: HTMLResponse) -> HTMLResponse:
    shown.headers["Content-Security-Policy"] = _SCRIPTED
    return unkept(shown)
