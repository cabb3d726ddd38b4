"""The payload of an act: what is frozen, and how the PDF carries it inside, for software."""

from typing import Annotated

from pydantic import Field, TypeAdapter

from permits.domain.canonical import canonical_json
from permits.domain.permit import Permit
from permits.domain.ruling import Ruling

Payload = Permit | Ruling

QR_WORDS = "Code QR de vérification"
"""What stands for the picture of the code where it is read aloud."""

# What lets somebody occupy the street is a permit, extensions and corrections too; a ruling never is.
_ATTACHMENT_NAMES: dict[type[Payload], str] = {Permit: "permis.json", Ruling: "acte.json"}

_EITHER: TypeAdapter[Payload] = TypeAdapter(Annotated[Payload, Field(discriminator="payload_schema")])


def payload_bytes(payload: Payload) -> bytes:
    """Return the canonical JSON of `payload` in UTF-8: the bytes whose digest the register keeps."""
    return canonical_json(payload).encode()


def read_payload(content: bytes) -> Payload:
    """Return the payload that `content` is the JSON of, told by its `payload_schema`; ValueError for anything else."""
    return _EITHER.validate_json(content)


def read_permit(content: bytes) -> Permit:
    """Return the permit that `content` is the JSON of; ValueError for anything else."""
    return Permit.model_validate_json(content)


def qr_content(payload: Payload, signed_code: str | None) -> str:
    """Return what the act's QR code holds: the address of its verification page, and its signed code if it has one."""
    return f"{payload.verification_url}#{signed_code}" if signed_code else payload.verification_url


def attachment_name(payload: Payload) -> str:
    """Return the name under which the PDF carries the JSON of `payload`."""
    return _ATTACHMENT_NAMES[type(payload)]
