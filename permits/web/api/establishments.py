"""Establishments: what the State's registry says of a SIRET."""

from fastapi import APIRouter, Request

from permits.domain.siret import Siret
from permits.register.traces import Errand, Purpose, on_errand
from permits.web.api.views import EstablishmentView
from permits.web.context import CurrentClient, CurrentContext
from permits.web.policy import Policy, policy
from permits.web.problems import Refusal

router = APIRouter(prefix="/v1/establishments", tags=["establishments"])


@router.get("/{siret}", operation_id="get_establishment", summary="Voir ce que le registre dit d’un SIRET")
@policy(Policy.CLIENT)
def get_establishment(
    request: Request, siret: Siret, context: CurrentContext, client: CurrentClient
) -> EstablishmentView:
    """L’établissement demandé, jamais son siège ; les données protégées ne sont pas montrées."""
    with on_errand(Errand(Purpose.CONSULTATION, client_id=client.id, request_id=request.state.request_id)):
        view = EstablishmentView.of(context.desk.registry.lookup(siret))
    if view is None:
        raise Refusal("not_found", "Le registre ne montre aucun établissement sous ce SIRET.")
    return view
