"""Pages anybody may see: home, the rules, how a permit was decided, and what a problem means."""

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse, JSONResponse, Response

from permits.web.api.rulebook import OnDay, in_force
from permits.web.api.traces import trace_of_permit
from permits.web.context import CurrentContext
from permits.web.pages import TEMPLATES, page, unkept
from permits.web.policy import Policy, policy
from permits.web.problems import KINDS, Refusal
from permits.web.verification import KEPT_SHORTLY, Code, no_act

router = APIRouter(tags=["public"])


@router.get("/", operation_id="get_home", summary="Accueil", response_class=HTMLResponse)
@policy(Policy.PUBLIC)
def get_home(context: CurrentContext) -> HTMLResponse:
    """Ce qu’est ce service, et comment l’appeler."""
    rulebook = context.desk.today().law.rulebook
    return page(context, "home.html", base_url=context.desk.public_url, rulebook=rulebook)


@router.get(
    "/v/{code}/trace",
    operation_id="explain_decision",
    summary="Comprendre la décision qui a donné un permis, ou l’a refusé",
    response_class=HTMLResponse,
    responses={404: {"content": {"text/html": {}}, "description": "Aucun permis, aucun refus n’a ce code"}},
)
@policy(Policy.PUBLIC)
def explain_decision(code: Code, context: CurrentContext) -> HTMLResponse:
    """La trace due à qui tient l’arrêté : part de la machine, données, paramètres, opérations (CRPA R311-3-1-2)."""
    act = context.catalogue.act_by_code(code)
    trace = trace_of_permit(context, act) if act is not None and act.kind.answers else None
    if trace is None:
        return no_act(context)
    return unkept(page(context, "trace.html", trace=trace))


@router.get("/reglement", operation_id="read_rulebook", summary="Lire le règlement", response_class=HTMLResponse)
@policy(Policy.PUBLIC)
def read_rulebook(context: CurrentContext, on: OnDay = None) -> HTMLResponse:
    """Les règles, les chiffres et les tarifs en vigueur, avec leurs textes, et comment la machine décide."""
    return page(context, "reglement.html", rulebook=in_force(context, on))


@router.get(
    "/problemes/{code}", operation_id="explain_problem", summary="Comprendre un problème", response_class=HTMLResponse
)
@policy(Policy.PUBLIC)
def explain_problem(code: str, context: CurrentContext) -> HTMLResponse:
    """Ce que veut dire un code d’erreur, et que faire."""
    kind = KINDS.get(code)
    if kind is None:
        raise Refusal("not_found")
    return page(context, "problem.html", code=code, kind=kind)


@router.get("/static/style.css", include_in_schema=False)
@policy(Policy.PUBLIC)
def get_style() -> Response:
    """La feuille de style des pages."""
    return Response((TEMPLATES / "style.css").read_bytes(), media_type="text/css", headers=KEPT_SHORTLY)


def contract(app: FastAPI) -> APIRouter:
    """Return the route that serves the OpenAPI document of this very application."""
    contract_router = APIRouter()

    @contract_router.get("/openapi.json", include_in_schema=False)
    @policy(Policy.PUBLIC)
    def get_contract() -> JSONResponse:
        return JSONResponse(app.openapi())

    return contract_router
