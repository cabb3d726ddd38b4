"""What a file is, by its digest: no file is sent, no key is needed."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from permits.domain.calendar import paris_day
from permits.web.context import CurrentContext
from permits.web.policy import Policy, policy
from permits.web.verdict import Verdict, of_file

router = APIRouter(prefix="/v1/documents", tags=["documents"])

Sha256 = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="SHA-256 du fichier, en hexadécimal minuscule")]


@router.get("/{sha256}", operation_id="find_document", summary="Dire si un fichier est le document délivré")
@policy(Policy.PUBLIC)
def find_document(sha256: Sha256, context: CurrentContext, response: Response) -> Verdict:
    """Par son empreinte seule ; l’état de l’acte est celui de l’instant où l’on demande."""
    response.headers["Cache-Control"] = "no-store"
    return of_file(context.catalogue.find_file(sha256), paris_day(context.desk.clock()))
