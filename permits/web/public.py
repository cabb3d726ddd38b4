"""Pages anybody may see: home, the page behind a permit's QR code, and what a problem means."""

from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI
from fastapi import Path as PathParameter
from fastapi.responses import HTMLResponse, JSONResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from permits.domain.act import Act, ActState
from permits.domain.calendar import PARIS, paris_day
from permits.domain.french import day_text, money
from permits.domain.trace import figure_text
from permits.web.api.rulebook import OnDay, in_force
from permits.web.api.traces import trace_of_permit
from permits.web.context import Context, CurrentContext
from permits.web.policy import Policy, policy
from permits.web.problems import KINDS, Refusal

router = APIRouter(tags=["public"])

_TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "web"
_pages = Environment(
    loader=FileSystemLoader(_TEMPLATES),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_pages.filters["day"] = day_text
_pages.filters["moment"] = lambda at: at.astimezone(PARIS).strftime("%d/%m/%Y à %H:%M")
_pages.filters["money"] = money
_pages.filters["figure"] = figure_text


def _page(context: Context, name: str, status: int = 200, **values: Any) -> HTMLResponse:
    identity = context.desk.today().law.rulebook.authority.identity
    html = _pages.get_template(name).render(authority=identity, specimen=context.desk.press.is_specimen, **values)
    return HTMLResponse(html, status, headers={"Content-Language": "fr"})


@router.get("/", operation_id="get_home", summary="Accueil", response_class=HTMLResponse)
@policy(Policy.PUBLIC)
def get_home(context: CurrentContext) -> HTMLResponse:
    """Ce qu’est ce service, et comment l’appeler."""
    rulebook = context.desk.today().law.rulebook
    return _page(context, "home.html", base_url=context.desk.public_url, rulebook=rulebook)


@router.get(
    "/v/{code}",
    operation_id="verify_permit",
    summary="Vérifier un permis",
    response_class=HTMLResponse,
    responses={404: {"content": {"text/html": {}}, "description": "Aucun acte n’a ce code"}},
)
@policy(Policy.PUBLIC)
def verify_permit(
    code: Annotated[str, PathParameter(max_length=64, pattern=r"^[A-Za-z0-9_-]+$")], context: CurrentContext
) -> HTMLResponse:
    """L’état du permis à l’instant où l’on regarde ; sans donnée protégée."""
    act = context.catalogue.act_by_code(code)
    if act is None:
        return _page(context, "unknown.html", 404)
    today = paris_day(context.desk.clock())
    if act.kind.allows:
        page = _page(context, "permit.html", act=act, permit=act.permit, standing=standing(act, today), today=today)
    else:
        page = _page(context, "ruling.html", act=act, ruling=act.payload, standing=standing(act, today), today=today)
    page.headers["Cache-Control"] = "no-store"
    page.headers["X-Robots-Tag"] = "noindex"
    return page


def standing(act: Act, today: date) -> tuple[str, str]:
    """Return the state of an act on a day, as a style and a French sentence.

    Never "authentic": a code proves that an act exists, not that a paper is its document. A specimen is never
    good, whatever seal it carries: its state is told as that of a trial.
    """
    style, told = _standing(act, today)
    if not act.payload.specimen:
        return style, told
    nothing = "il n’autorise rien" if act.kind.allows else "il n’a aucun effet"
    return "warn" if style == "good" else style, f"Spécimen : {nothing}. Dans cet essai, {told[:1].lower()}{told[1:]}"


def _standing(act: Act, today: date) -> tuple[str, str]:
    if act.state is ActState.ANNULLED:
        return "bad", "Ce numéro a été annulé : il n’autorise rien."
    if act.state is ActState.RESERVED:
        return "warn", "Cet acte est en cours d’établissement : il n’est pas encore délivré."
    if not act.kind.allows:
        return "warn", "Acte délivré. Il n’autorise aucune occupation."
    if act.state is ActState.WITHDRAWN:
        return "bad", f"Permis retiré par l’acte {act.ended_by} : il est réputé n’avoir jamais existé."
    if act.state is ActState.SUPERSEDED:
        return "bad", f"Permis remplacé par le permis {act.ended_by}, qui seul fait foi."
    if act.ended_on is not None:
        return _abrogated(act, act.ended_on, today)
    if today > act.permit.ends_on:
        return "warn", f"Permis délivré ; il a pris fin le {day_text(act.permit.ends_on)}."
    if today < act.permit.starts_on:
        return "good", f"Permis délivré ; il prend effet le {day_text(act.permit.starts_on)}."
    return "good", f"Permis délivré, en vigueur jusqu’au {day_text(act.permit.ends_on)} inclus."


def _abrogated(act: Act, ended_on: date, today: date) -> tuple[str, str]:
    if ended_on <= act.permit.starts_on:
        return "bad", f"Permis abrogé avant son début par l’acte {act.ended_by} : il n’autorise rien."
    last = day_text(ended_on - timedelta(days=1))
    if today >= ended_on:
        return (
            "bad",
            f"Permis abrogé par l’acte {act.ended_by} : il n’autorise plus rien, son dernier jour était le {last}.",
        )
    return "warn", f"Permis abrogé par l’acte {act.ended_by} : son dernier jour est le {last}."


@router.get(
    "/v/{code}/trace",
    operation_id="explain_decision",
    summary="Comprendre la décision qui a donné un permis, ou l’a refusé",
    response_class=HTMLResponse,
    responses={404: {"content": {"text/html": {}}, "description": "Aucun permis, aucun refus n’a ce code"}},
)
@policy(Policy.PUBLIC)
def explain_decision(
    code: Annotated[str, PathParameter(max_length=64, pattern=r"^[A-Za-z0-9_-]+$")], context: CurrentContext
) -> HTMLResponse:
    """La trace due à qui tient l’arrêté : part de la machine, données, paramètres, opérations (CRPA R311-3-1-2)."""
    act = context.catalogue.act_by_code(code)
    trace = trace_of_permit(context, act) if act is not None and act.kind.answers else None
    if trace is None:
        return _page(context, "unknown.html", 404)
    page = _page(context, "trace.html", trace=trace)
    page.headers["Cache-Control"] = "no-store"
    page.headers["X-Robots-Tag"] = "noindex"
    return page


@router.get("/reglement", operation_id="read_rulebook", summary="Lire le règlement", response_class=HTMLResponse)
@policy(Policy.PUBLIC)
def read_rulebook(context: CurrentContext, on: OnDay = None) -> HTMLResponse:
    """Les règles, les chiffres et les tarifs en vigueur, avec leurs textes, et comment la machine décide."""
    return _page(context, "reglement.html", rulebook=in_force(context, on))


@router.get(
    "/problemes/{code}", operation_id="explain_problem", summary="Comprendre un problème", response_class=HTMLResponse
)
@policy(Policy.PUBLIC)
def explain_problem(code: str, context: CurrentContext) -> HTMLResponse:
    """Ce que veut dire un code d’erreur, et que faire."""
    kind = KINDS.get(code)
    if kind is None:
        raise Refusal("not_found")
    return _page(context, "problem.html", code=code, kind=kind)


@router.get("/static/style.css", include_in_schema=False)
@policy(Policy.PUBLIC)
def get_style() -> Response:
    """La feuille de style des pages."""
    return Response((_TEMPLATES / "style.css").read_bytes(), media_type="text/css")


def contract(app: FastAPI) -> APIRouter:
    """Return the route that serves the OpenAPI document of this very application."""
    contract_router = APIRouter()

    @contract_router.get("/openapi.json", include_in_schema=False)
    @policy(Policy.PUBLIC)
    def get_contract() -> JSONResponse:
        return JSONResponse(app.openapi())

    return contract_router
