"""Applications: file one, preview one, read one's own."""

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Header, Request, Response

from permits.domain.application import Application, FiledApplication
from permits.domain.filing import Filed, Filing, filing_of
from permits.domain.limits import Assurance
from permits.domain.siret import siren_of
from permits.issue import issue_permit, preview
from permits.register.clients import Client
from permits.register.readings import Subject
from permits.register.traces import Errand, Purpose, on_errand
from permits.web.access_log import note
from permits.web.api.views import ApplicationView, DecisionView, EstablishmentView, PreviewView
from permits.web.context import Context, CurrentClient, CurrentContext
from permits.web.policy import Policy, policy
from permits.web.problems import Refusal

router = APIRouter(prefix="/v1/applications", tags=["applications"])

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Obligatoire. Une valeur unique par demande, gardée aussi longtemps que le permis.",
        examples=["5f1c0c1e-6f0e-4a57-9a63-7f9d3d2b8f10"],
    ),
]


@router.post(
    "",
    operation_id="file_application",
    summary="Déposer une demande",
    status_code=201,
    response_model=ApplicationView,
    responses={202: {"model": ApplicationView, "description": "Reçue ; en attente du registre des entreprises"}},
)
@policy(Policy.CLIENT)
def file_application(
    request: Request,
    response: Response,
    body: FiledApplication,
    context: CurrentContext,
    client: CurrentClient,
    idempotency_key: IdempotencyKey = None,
) -> ApplicationView:
    """Décide, numérote et scelle en une fois ; ou transmet à un agent avec tous les motifs."""
    return file(context, filing_by(context, client, body, required_key(idempotency_key)), request, response)


def file(context: Context, filing: Filing, request: Request, response: Response) -> ApplicationView:
    """Take a filing through the walk and answer with what was recorded."""
    with on_errand(Errand(Purpose.FILING, filing.application_id, filing.client_id, request.state.request_id)):
        filed, replayed = issue_permit(context.desk, filing)
    if replayed:
        note(request, Subject.APPLICATION, str(filed.filing.application_id))
        response.headers["Idempotency-Replayed"] = "true"
    response.status_code = 202 if filed.outcome == "awaiting_registry" else 201
    response.headers["Location"] = f"{context.desk.public_url}/v1/applications/{filed.filing.application_id}"
    return _shown(context, filed)


@router.post(
    "/preview", operation_id="preview_application", summary="Connaître la décision et le prix sans rien déposer"
)
@policy(Policy.CLIENT)
def preview_application(
    request: Request, body: FiledApplication, context: CurrentContext, client: CurrentClient
) -> PreviewView:
    """La même décision et la même redevance qu’un dépôt ; rien n’est enregistré."""
    return foresee(context, client, filing_by(context, client, body, "preview"), request)


def foresee(context: Context, client: Client, filing: Filing, request: Request) -> PreviewView:
    """Answer with the decision that this filing would bring."""
    with on_errand(Errand(Purpose.PREVIEW, client_id=client.id, request_id=request.state.request_id)):
        decision, answer, rulebook = preview(context.desk, filing)
    return PreviewView(
        outcome=decision.outcome,
        establishment=EstablishmentView.of(answer),
        decision=DecisionView.of(decision, rulebook.authority.identity.id, rulebook.digest),
        fee=decision.fee,
    )


@router.get("/{application_id}", operation_id="get_application", summary="Lire une de ses demandes")
@policy(Policy.CLIENT)
def get_application(
    request: Request, application_id: UUID, context: CurrentContext, client: CurrentClient
) -> ApplicationView:
    """La demande dans son état présent."""
    filed = context.catalogue.application(application_id, client.id)
    if filed is None:
        raise Refusal("not_found")
    note(request, Subject.APPLICATION, str(application_id))
    return _shown(context, filed)


def _shown(context: Context, filed: Filed) -> ApplicationView:
    amends = context.catalogue.act(filed.filing.amends) if filed.filing.amends else None
    return ApplicationView.of(filed, amends, context.desk.today().law.rulebook, context.desk.public_url)


def required_key(header: str | None) -> str:
    """Accept the draft standard's quoted form as well as the bare one."""
    if header is None or not header.strip():
        raise Refusal("idempotency_key_missing")
    key = header.strip()
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not 1 <= len(key) <= 255 or not all("!" <= character <= "~" for character in key):
        raise Refusal("idempotency_key_invalid")
    return key


def filing_by(context: Context, client: Client, body: Application, key: str) -> Filing:
    """Return what this client files now."""
    return filing_of(
        body,
        application_id=uuid4(),
        client_id=client.id,
        key=key,
        assurance=_assurance(client, body.siret),
        payer=_assurance(client, body.payer_siret) if body.payer_siret else Assurance.NONE,
        at=context.desk.clock(),
        sandbox=client.sandbox,
    )


def _assurance(client: Client, siret: str) -> Assurance:
    return Assurance.KEY_BOUND_TO_SIREN if siren_of(siret) in client.sirens else Assurance.NONE
