"""Establishments: what the State's registry says of a SIRET."""

from datetime import datetime

from fastapi import APIRouter, Request

from permits.domain.establishment import Audience, NotFound, RegistryAnswer, RegistryUnavailable
from permits.domain.siret import Siret
from permits.register.traces import Errand, Purpose, on_errand
from permits.web.api.views import ConsultationView, EstablishmentView
from permits.web.context import CurrentClient, CurrentContext
from permits.web.policy import Policy, policy
from permits.web.problems import Refusal

router = APIRouter(prefix="/v1/establishments", tags=["establishments"])


@router.get("/{siret}", operation_id="get_establishment", summary="Voir ce que le registre dit d’un SIRET")
@policy(Policy.CLIENT)
def get_establishment(
    request: Request, siret: Siret, context: CurrentContext, client: CurrentClient
) -> ConsultationView:
    """L’établissement demandé, jamais son siège ; chaque source, ce qu’elle a dit et quand.

    Les données protégées ne sont pas demandées. Si aucun registre ne répond : la dernière réponse connue, et son âge.
    """
    registry, is_fresh = context.desk.registry, True
    with on_errand(Errand(Purpose.CONSULTATION, client_id=client.id, request_id=request.state.request_id)):
        try:
            answer = registry.lookup(siret, audience=Audience.PUBLIC)
        except RegistryUnavailable:
            known = registry.last_known(siret, audience=Audience.PUBLIC)
            if known is None:
                raise
            answer, is_fresh = known, False
    return _view(answer, context.desk.clock(), is_fresh=is_fresh)


def _view(answer: RegistryAnswer, now: datetime, *, is_fresh: bool) -> ConsultationView:
    view = EstablishmentView.of(answer)
    if view is None:
        asked = ", ".join(f"{each.source.label} le {each.fetched_at.isoformat()}" for each in answer.evidence)
        what = "ne connaît pas ce SIRET" if isinstance(answer, NotFound) else "ne montre pas cet établissement"
        raise Refusal("not_found", f"Le registre {what}" + (f" ({asked})." if asked else "."))
    asked_at = min((each.fetched_at for each in answer.evidence), default=now)
    return ConsultationView(
        **view.model_dump(), asked_at=asked_at, age_seconds=int((now - asked_at).total_seconds()), is_fresh=is_fresh
    )
