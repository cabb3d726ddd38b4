"""Permits: list one's own, read one, fetch its document."""

import re
from datetime import date, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from permits.acts import extension_of
from permits.domain.act import Act, ActState
from permits.domain.admissibility import Inadmissible
from permits.domain.calendar import paris_day
from permits.domain.french import day_text
from permits.domain.permit import Paper
from permits.domain.siret import Siret
from permits.domain.trace import DecisionTrace
from permits.register.catalogue import PermitSearch
from permits.register.clients import Client
from permits.register.readings import Subject
from permits.web.access_log import note
from permits.web.api.acts import Number, document_response
from permits.web.api.applications import IdempotencyKey, file, filing_by, foresee, required_key
from permits.web.api.traces import trace_of_permit
from permits.web.api.views import ApplicationView, ExtensionRequest, PermitPage, PermitView, PreviewView
from permits.web.context import Context, CurrentClient, CurrentContext
from permits.web.policy import Policy, policy
from permits.web.problems import Refusal

router = APIRouter(prefix="/v1/permits", tags=["permits"])

_CURSOR = re.compile(r"^(\d{4})-(\d{1,9})$")


@router.get("", operation_id="list_permits", summary="Lister ses permis, du plus récent au plus ancien")
@policy(Policy.CLIENT)
def list_permits(
    request: Request,
    context: CurrentContext,
    client: CurrentClient,
    state: ActState | None = None,
    siret: Siret | None = None,
    on: Annotated[date | None, Query(description="Permis dont la période contient ce jour")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    cursor: Annotated[str | None, Query(max_length=20, pattern=_CURSOR.pattern)] = None,
) -> PermitPage:
    """Une page ; l’adresse de la suivante est dans `next`."""
    before = None
    if cursor and (match := _CURSOR.match(cursor)):
        before = (int(match[1]), int(match[2]))
    search = PermitSearch(limit=limit + 1, state=state, siret=siret, on=on, before=before)
    acts = context.catalogue.permits(client.id, search)
    note(request, Subject.PERMITS, None)
    next_url = None
    if len(acts) > limit:
        acts = acts[:limit]
        _, year, value = acts[-1].number.rsplit("-", 2)
        given = {"state": state, "siret": siret, "on": on, "limit": limit, "cursor": f"{year}-{int(value)}"}
        query = urlencode({name: str(value) for name, value in given.items() if value is not None})
        next_url = f"{context.desk.public_url}/v1/permits?{query}"
    return PermitPage(permits=[PermitView.of(act, context.desk.public_url) for act in acts], next=next_url)


@router.get("/{number}", operation_id="get_permit", summary="Lire un de ses permis")
@policy(Policy.CLIENT)
def get_permit(request: Request, number: Number, context: CurrentContext, client: CurrentClient) -> PermitView:
    """Le permis dans son état présent."""
    act = _own_permit(context, client, number)
    note(request, Subject.ACT, act.number)
    return PermitView.of(act, context.desk.public_url)


@router.get(
    "/{number}/document",
    operation_id="get_permit_document",
    summary="Télécharger l’arrêté scellé",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}, "description": "L’arrêté, toujours les mêmes octets"}},
)
@policy(Policy.CLIENT)
def get_permit_document(request: Request, number: Number, context: CurrentContext, client: CurrentClient) -> Response:
    """Le document scellé : les mêmes octets pour toujours. Le premier téléchargement vaut notification."""
    return document_response(request, context, _own_permit(context, client, number))


@router.get(
    "/{number}/sign",
    operation_id="get_permit_sign",
    summary="Télécharger l’affiche à poser sur le chantier",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}, "description": "Une page, A4 ou A3"}},
)
@policy(Policy.CLIENT)
def get_permit_sign(
    request: Request, number: Number, context: CurrentContext, client: CurrentClient, paper: Paper = Paper.A4
) -> Response:
    """Une page à imprimer, avec le code QR en grand. Ce n’est pas l’arrêté, qui seul fait foi."""
    act, today = _own_permit(context, client, number), paris_day(context.desk.clock())
    if act.state is ActState.RESERVED:
        raise Refusal("document_not_ready", retry_after=timedelta(seconds=5))
    if not act.is_to_come(today):
        raise Refusal("act_not_possible", "Ce permis n’autorise plus rien : il n’a pas d’affiche.")
    with context.desk.press.slot():
        content = context.desk.press.print_sign(act.permit, paper, context.desk.codes.sign(act.permit))
    note(request, Subject.ACT, act.number)
    named = {"Content-Disposition": f'inline; filename="{act.number}-affiche-{paper}.pdf"'}
    return Response(content, media_type="application/pdf", headers=named | {"Cache-Control": "private, no-store"})


@router.get("/{number}/trace", operation_id="get_permit_trace", summary="Lire la trace de la décision")
@policy(Policy.CLIENT)
def get_permit_trace(request: Request, number: Number, context: CurrentContext, client: CurrentClient) -> DecisionTrace:
    """Part de la machine, données et sources, paramètres appliqués, opérations (CRPA R311-3-1-2)."""
    act = _own_permit(context, client, number)
    trace = trace_of_permit(context, act)
    if trace is None:
        raise Refusal("not_found")
    note(request, Subject.ACT, act.number)
    return trace


@router.post(
    "/{number}/extension",
    operation_id="extend_permit",
    summary="Demander la prolongation d’un permis",
    status_code=201,
    response_model=ApplicationView,
    responses={202: {"model": ApplicationView, "description": "Reçue ; en attente du registre des entreprises"}},
)
@policy(Policy.CLIENT)
def extend_permit(
    request: Request,
    response: Response,
    number: Number,
    body: ExtensionRequest,
    context: CurrentContext,
    client: CurrentClient,
    idempotency_key: IdempotencyKey = None,
) -> ApplicationView:
    """Une demande comme une autre, du lendemain de la fin à `ends_on` : décidée, numérotée et scellée, ou transmise."""
    key = required_key(idempotency_key)
    act = _own_permit(context, client, number)
    filing = extension_of(
        context.desk, act, body.ends_on, lambda application: filing_by(context, client, application, key)
    )
    try:
        return file(context, filing, request, response)
    except Inadmissible as error:
        raise _of_the_permit(error, act) from error


@router.post(
    "/{number}/extension/preview",
    operation_id="preview_extension",
    summary="Connaître la décision et le prix d’une prolongation sans rien déposer",
)
@policy(Policy.CLIENT)
def preview_extension(
    request: Request, number: Number, body: ExtensionRequest, context: CurrentContext, client: CurrentClient
) -> PreviewView:
    """La même décision et la même redevance qu’une demande de prolongation ; rien n’est enregistré."""
    act = _own_permit(context, client, number)
    filing = extension_of(
        context.desk, act, body.ends_on, lambda application: filing_by(context, client, application, "preview")
    )
    try:
        return foresee(context, client, filing, request)
    except Inadmissible as error:
        raise _of_the_permit(error, act) from error


def _of_the_permit(error: Inadmissible, extended: Act) -> Inadmissible:
    """Return the error without a pointer to a field that only an application has: it is the permit's."""
    if error.code == "starts_too_soon":
        last = day_text(extended.permit.ends_on)
        return Inadmissible(error.code, f"Une prolongation se demande avant la fin du permis, le {last}.", "")
    return Inadmissible(error.code, error.message, error.pointer if error.pointer == "/ends_on" else "")


def _own_permit(context: Context, client: Client, number: str) -> Act:
    act = context.catalogue.act_by_number(number, client.id)
    if act is None or not act.kind.allows:
        raise Refusal("not_found")
    return act
