"""Acts of any kind: read one addressed to oneself, and fetch its document."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from permits.acts import note_delivery
from permits.domain.act import Act
from permits.domain.trace import DecisionTrace
from permits.register.readings import Subject
from permits.web.access_log import note
from permits.web.api.traces import trace_of_permit
from permits.web.api.views import ActView
from permits.web.context import Context, CurrentClient, CurrentContext
from permits.web.policy import Policy, policy
from permits.web.problems import Refusal

router = APIRouter(prefix="/v1/acts", tags=["acts"])

Number = Annotated[str, Path(max_length=40, pattern=r"^[A-Z]{2,8}-\d{4}-\d{6,9}$", examples=["EX-2027-000001"])]


@router.get("/{number}", operation_id="get_act", summary="Lire un acte que l’on a reçu")
@policy(Policy.CLIENT)
def get_act(request: Request, number: Number, context: CurrentContext, client: CurrentClient) -> ActView:
    """Un permis, un refus, une abrogation ou un retrait, dans son état présent."""
    act = context.catalogue.act_by_number(number, client.id)
    if act is None:
        raise Refusal("not_found")
    note(request, Subject.ACT, act.number)
    return ActView.of(act, context.desk.public_url)


@router.get(
    "/{number}/document",
    operation_id="get_act_document",
    summary="Télécharger l’acte scellé",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}, "description": "L’acte, toujours les mêmes octets"}},
)
@policy(Policy.CLIENT)
def get_act_document(request: Request, number: Number, context: CurrentContext, client: CurrentClient) -> Response:
    """Le document scellé : les mêmes octets pour toujours. Le premier téléchargement vaut notification."""
    act = context.catalogue.act_by_number(number, client.id)
    if act is None:
        raise Refusal("not_found")
    return document_response(request, context, act)


@router.get("/{number}/trace", operation_id="get_act_trace", summary="Lire la trace de la décision")
@policy(Policy.CLIENT)
def get_act_trace(request: Request, number: Number, context: CurrentContext, client: CurrentClient) -> DecisionTrace:
    """D’un permis ou d’un refus : part de la machine, données, sources, paramètres, opérations (CRPA R311-3-1-2)."""
    act = context.catalogue.act_by_number(number, client.id)
    trace = trace_of_permit(context, act) if act is not None and act.kind.answers else None
    if trace is None:
        raise Refusal("not_found")
    note(request, Subject.ACT, number)
    return trace


def document_response(request: Request, context: Context, act: Act) -> Response:
    """Return the released bytes of an act, and note the first time as its notification (CRPA art. L221-8)."""
    if act.document_sha256 is None:
        raise Refusal("document_not_ready", retry_after=timedelta(seconds=5))
    note(request, Subject.DOCUMENT, act.number)
    content = context.catalogue.document(act.document_sha256)
    note_delivery(context.desk, act, f"téléchargement, requête {request.state.request_id}")
    return Response(
        content,
        media_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="{act.number}.pdf"',
            "ETag": f'"{act.document_sha256}"',
            "Cache-Control": "private, max-age=31536000, immutable",
        },
    )
