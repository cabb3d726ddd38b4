"""Verifies sealed files in number: by the seals that are trusted, or by the certificate that each carries."""

from collections.abc import Callable, Iterable
from io import BytesIO

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from pyhanko.pdf_utils.reader import PdfFileReader

from permits.document.errors import SealError
from permits.document.verify import verify_seal


def verifier(trusted: Iterable[x509.Certificate]) -> Callable[[bytes], None]:
    """Return what raises SealError unless a file is whole under one of these certificates.

    With none given, each file is verified with the certificate inside it: that shows that not a byte
    changed since it was sealed, and nothing of who sealed it.
    """
    known = {certificate.fingerprint(SHA256()) for certificate in trusted}

    def verify(sealed: bytes) -> None:
        certificate = certificate_inside(sealed)
        if known and certificate.fingerprint(SHA256()) not in known:
            raise SealError(f"sealed by another certificate: {certificate.subject.rfc4514_string()}")
        verify_seal(sealed, certificate)

    return verify


def certificate_inside(sealed: bytes) -> x509.Certificate:
    """Return the certificate of the seal that a file carries, or raise SealError. Nothing is verified."""
    try:
        signatures = list(PdfFileReader(BytesIO(sealed)).embedded_signatures)
        return x509.load_der_x509_certificate(signatures[0].signer_cert.dump())
    except Exception as error:  # a damaged file makes its reader fail in any way
        raise SealError(f"the seal can't be read: {error or type(error).__name__}") from error
