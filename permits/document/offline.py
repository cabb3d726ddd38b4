"""Checks a sealed file with a trust bundle and nothing else, in a process of its own.

Neither database, nor settings, nor network. It says what the seal proves; whether the act is still in force, only the
authority can say.
"""

import sys
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pikepdf
from cryptography import x509
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.reader import PdfFileReader

from permits.document.confined import lock_in, refuse_outside
from permits.document.errors import SealError
from permits.document.payload import Payload, read_payload
from permits.document.sealing.keys import is_demo
from permits.document.trust import Verifier, certificate_inside
from permits.document.verify import Verified
from permits.domain.model import Value
from permits.domain.sealing import SealLevel
from permits.domain.trust import TrustBundle

MEMORY_BYTES = 1024**3
CPU_SECONDS = 20
# An event loop has some of its own.
DESCRIPTORS = 16
MAX_ATTACHMENT_BYTES = 4 * 1024**2


class Proof(StrEnum):
    """What is proven of a file."""

    HOLDS = "holds"  # under a certificate of the bundle
    UNPROVEN = "unproven"  # whole since it was sealed; no bundle says by whom
    FOREIGN = "foreign"  # whole, and sealed by nobody of the bundle
    WITHDRAWN = "withdrawn"  # under a certificate of the bundle whose key is in other hands since, maybe before it
    CONTINUED = "continued"  # begins with a file that holds; the seal does not cover what follows it
    BROKEN = "broken"


class Examined(Value):
    """What a file proves. `why` tells what is broken; all the rest is None then.

    Of a continued file, an archive copy or an addition, all is told of its beginning, whose digest is `begins_with`.
    `level` is what is proven of the seal, and `at` its instant, by the word of the machine that made it unless
    `time_is_proven`; `has_unproven_stamp` when the file carries a time stamp that no root of the bundle vouches for.
    `number`, `verification_url` and `specimen` are those of the data sealed in the file. From `revoked_at` the seal is
    trusted no more, None where it still is.
    """

    proof: Proof
    why: str | None = None
    sealed_by: str | None = None
    demonstration: bool = False
    level: SealLevel | None = None
    at: datetime | None = None
    time_is_proven: bool = False
    has_unproven_stamp: bool = False
    number: str | None = None
    verification_url: str | None = None
    specimen: bool | None = None
    begins_with: str | None = None
    revoked_at: datetime | None = None


def examine(sealed: bytes, bundle: TrustBundle | None) -> Examined:
    """Return what a file proves to somebody who holds this bundle, or none."""
    examined = _examine(sealed, bundle)
    begins = _first_revision(sealed) if examined.proof is Proof.BROKEN else sealed
    if len(begins) < len(sealed) and (first := _examine(begins, bundle)).proof in (Proof.HOLDS, Proof.WITHDRAWN):
        proof = Proof.CONTINUED if first.proof is Proof.HOLDS else Proof.WITHDRAWN
        return first.model_copy(update={"proof": proof, "begins_with": sha256(begins).hexdigest()})
    return examined


def _examine(sealed: bytes, bundle: TrustBundle | None) -> Examined:
    verifier = _verifier(bundle)
    try:
        certificate, verified = certificate_inside(sealed), verifier.verify(sealed)
    except SealError as error:
        return Examined(proof=Proof.BROKEN, why=str(error))
    payload = _payload(sealed)
    return Examined(
        proof=_proof(certificate, verified, bundle),
        revoked_at=_revoked_at(certificate, bundle),
        sealed_by=_name(certificate),
        demonstration=is_demo(certificate),
        level=verified.level,
        at=verified.at,
        time_is_proven=verified.level is not SealLevel.B_B,
        has_unproven_stamp=verified.carried is not verified.level,
        number=payload.number if payload else None,
        verification_url=payload.verification_url if payload else None,
        specimen=payload.specimen if payload else None,
    )


def _verifier(bundle: TrustBundle | None) -> Verifier:
    if bundle is None:
        return Verifier(())
    seals = [(_certificates(each.certificate)[0], _certificates(each.chain)) for each in bundle.seals]
    return Verifier(seals, [root for each in bundle.roots for root in _certificates(each)])


def _first_revision(sealed: bytes) -> bytes:
    """Return the part of a file that its first signature covers, or all of it when it has none."""
    try:
        _, _, after, length = next(iter(PdfFileReader(BytesIO(sealed)).embedded_signatures)).byte_range
        return sealed[: int(after) + int(length)]
    except Exception:  # a damaged file makes its reader fail in any way
        return sealed


def _proof(certificate: x509.Certificate, verified: Verified, bundle: TrustBundle | None) -> Proof:
    if bundle is None:
        return Proof.UNPROVEN
    if all(_certificates(each.certificate)[0] != certificate for each in bundle.seals):
        return Proof.FOREIGN
    revoked_at = _revoked_at(certificate, bundle)
    if revoked_at is None or (verified.level is not SealLevel.B_B and verified.at < revoked_at):
        return Proof.HOLDS
    return Proof.WITHDRAWN


def _revoked_at(certificate: x509.Certificate, bundle: TrustBundle | None) -> datetime | None:
    seals = bundle.seals if bundle else ()
    told = (each.revoked_at for each in seals if _certificates(each.certificate)[0] == certificate)
    return min((each for each in told if each is not None), default=None)


def _certificates(pem: str) -> tuple[x509.Certificate, ...]:
    return tuple(x509.load_pem_x509_certificates(pem.encode())) if pem else ()


def _name(certificate: x509.Certificate) -> str:
    parts = (
        str(attribute.value)
        for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
        for attribute in certificate.subject.get_attributes_for_oid(oid)
    )
    return ", ".join(parts) or certificate.subject.rfc4514_string()


def _payload(sealed: bytes) -> Payload | None:
    """Return the data that the file carries, None when it is no act of this kind."""
    try:
        with pikepdf.open(BytesIO(sealed)) as document:
            (attachment,) = document.attachments.values()
            return read_payload(attachment.get_file().read_bytes()[:MAX_ATTACHMENT_BYTES])
    except (pikepdf.PdfError, ValueError):
        return None


def main() -> None:
    """Examine the file named first, with the bundle named second if any, locked in; answer on the standard output."""
    path, *bundles = map(Path, sys.argv[1:])
    sealed = path.read_bytes()
    bundle = TrustBundle.model_validate_json(bundles[0].read_bytes()) if bundles else None
    refuse_outside()
    lock_in(MEMORY_BYTES, CPU_SECONDS, DESCRIPTORS)
    sys.stdout.write(examine(sealed, bundle).model_dump_json())


if __name__ == "__main__":
    main()
