"""How a signature enters a PDF: PAdES (ETSI.CAdES.detached), certifying, in one revision, nothing allowed after it."""

import asyncio
from io import BytesIO

from asn1crypto import x509 as asn1_x509  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign import PdfSignatureMetadata, PdfSigner
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers import Signer
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.validation.dss import DocumentSecurityStore

from permits.document.errors import SealError
from permits.document.sealing.evidence import Evidence
from permits.document.sealing.field import add_field

FIELD_NAME = "Cachet"
DIGEST = "sha256"


def to_asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    """Return the certificate as pyHanko reads them."""
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))


def lower_twin(signature: bytes, certificate: x509.Certificate) -> bytes:
    """Return the one form in which we write a signature.

    Whoever holds an elliptic-curve signature (r, s) can write its twin (r, n − s), which holds as well:
    the lower is ours. An RSA signature has no twin.
    """
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return signature
    r, s = decode_dss_signature(signature)
    return encode_dss_signature(r, min(s, key.curve.group_order - s))


def certify(
    pdf: bytes, signer: Signer, timestamper: TimeStamper | None = None, evidence: Evidence | None = None
) -> bytes:
    """Return `pdf` followed by one revision: the invisible field `Cachet` that certifies every byte.

    `evidence` goes into the same revision, so that the seal covers it too. Not to be called from a running event
    loop: it waits.
    """
    metadata = PdfSignatureMetadata(
        field_name=FIELD_NAME,
        md_algorithm=DIGEST,
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
    )
    try:
        writer = IncrementalPdfFileWriter(BytesIO(pdf))
        add_field(writer, FIELD_NAME, "Cachet électronique de l’autorité")
        if evidence is not None:
            add_evidence(writer, evidence)
        signing = PdfSigner(metadata, signer=signer, timestamper=timestamper)
        sealed = signing.sign_pdf(writer, bytes_reserved=asyncio.run(_room(signer, timestamper)))
    except (PdfError, SigningError, ValueError) as error:
        raise SealError(f"the document could not be sealed: {error}") from error
    return bytes(sealed.getvalue())


async def _room(signer: Signer, timestamper: TimeStamper | None) -> int:
    """Return how many digits to leave for a signature: no fewer than one takes. pyHanko would make one to know."""
    own = signer.signing_cert
    assert own is not None
    # Beside its certificates, a signature names who issued its own, twice; all the rest of it is short.
    size = sum(len(each.dump()) for each in (own, *signer.cert_registry)) + 2 * len(own.issuer.dump()) + 768
    size += len(await signer.async_sign_raw(b"", DIGEST, dry_run=True))
    if timestamper is not None:  # whose answers may differ in length
        size += len((await timestamper.async_dummy_response(DIGEST)).dump()) * 3 // 2
    return 2 * size


def add_evidence(writer: IncrementalPdfFileWriter, evidence: Evidence) -> None:
    """Write a document security store, or add to it, in the revision in hand; roots are for whoever verifies to hold.

    It is what pyHanko does with TOGETHER_WITH_SIGNATURE, but from evidence that is kept from one seal to the next.
    """
    DocumentSecurityStore.supply_dss_in_writer(
        writer, None, paths=evidence.paths, crls=evidence.crls, ocsps=evidence.ocsps, embed_roots=False
    )
