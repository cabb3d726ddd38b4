"""The payload as the PDF carries it inside, for software."""

from permits.domain.canonical import canonical_json
from permits.domain.permit import Permit

ATTACHMENT_NAME = "permis.json"


def payload_bytes(permit: Permit) -> bytes:
    """Return the canonical JSON of `permit` in UTF-8: the bytes whose digest the register keeps."""
    return canonical_json(permit).encode()
