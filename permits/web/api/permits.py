"""Permits: list one's own, read one, fetch its document."""

import re
from datetime import date, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Response

from permits.domain.act import ActState
from permits.domain.siret import Siret
from permits.register.catalogue import PermitSearch
from permits.web.api.views import PermitPage, PermitView
from permits.web.context import CurrentClient, CurrentContext
from permits.web.policy import Policy, policy
from permits.web.problems import Refusal

router = APIRouter(prefix="/v1/permits", tags=["permits"])

Number = Annotated[str, Path(max_length=40, pattern=r"^[A-Z]{2,8}-\d{4}-\d{6,9}$", examples=["EX-2027-000001"])]
_CURSOR = re.compile(r"^(\d{4})-(\d{1,9})$")


@router.get("", operation_id="list_permits", summary="Lister ses permis, du plus récent au plus ancien")
@policy(Policy.CLIENT)
def list_permits(
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
def get_permit(number: Number, context: CurrentContext, client: CurrentClient) -> PermitView:
    """Le permis dans son état présent."""
    act = context.catalogue.act_by_number(number, client.id)
    if act is None:
        raise Refusal("not_found")
    return PermitView.of(act, context.desk.public_url)


@router.get(
    "/{number}/document",
    operation_id="get_permit_document",
    summary="Télécharger l’arrêté scellé",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}, "description": "L’arrêté, toujours les mêmes octets"}},
)
@policy(Policy.CLIENT)
def get_permit_document(number: Number, context: CurrentContext, client: CurrentClient) -> Response:
    """Le document scellé : les mêmes octets pour toujours."""
    act = context.catalogue.act_by_number(number, client.id)
    if act is None:
        raise Refusal("not_found")
    if act.document_sha256 is None:
        raise Refusal("document_not_ready", retry_after=timedelta(seconds=5))
    return Response(
        context.catalogue.document(act.document_sha256),
        media_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="{act.number}.pdf"',
            "ETag": f'"{act.document_sha256}"',
            "Cache-Control": "private, max-age=31536000, immutable",
        },
    )
