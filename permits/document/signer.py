"""How a signature enters a PDF: PAdES (ETSI.CAdES.detached, B-B), certifying, nothing allowed after it."""

from io import BytesIO

from asn1crypto import x509 as asn1_x509  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign import PdfSignatureMetadata, PdfSigner
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers import Signer
from pyhanko_certvalidator.registry import SimpleCertificateStore

from permits.document.errors import SealError

FIELD_NAME = "Cachet"
DIGEST = "sha256"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class HeldKeySigner(Signer):
    """Signs with a key held ready: pyHanko's own SimpleSigner parses the key again for each signature."""

    def __init__(self, key: PrivateKey, certificate: x509.Certificate, chain: list[x509.Certificate]) -> None:
        store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        store.register_multiple([to_asn1(each) for each in chain])
        super().__init__(signing_cert=to_asn1(certificate), cert_registry=store)
        self._key = key

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        if digest_algorithm != DIGEST:
            raise SigningError(f"only {DIGEST} is used, not {digest_algorithm}")
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(data, padding.PKCS1v15(), SHA256())
        return self._key.sign(data, ec.ECDSA(SHA256()))


def to_asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    """Return the certificate as pyHanko reads them."""
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))


def certify(pdf: bytes, signer: Signer) -> bytes:
    """Return `pdf` followed by one revision: the invisible field `Cachet` that certifies every byte.

    Not to be called from a running event loop: it waits.
    """
    metadata = PdfSignatureMetadata(
        field_name=FIELD_NAME,
        md_algorithm=DIGEST,
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
    )
    field = SigFieldSpec(sig_field_name=FIELD_NAME, readable_field_name="Cachet électronique de l’autorité")
    try:
        writer = IncrementalPdfFileWriter(BytesIO(pdf))
        sealed = PdfSigner(metadata, signer=signer, new_field_spec=field).sign_pdf(writer)
    except (PdfError, SigningError, ValueError) as error:
        raise SealError(f"the document could not be sealed: {error}") from error
    return bytes(sealed.getvalue())
