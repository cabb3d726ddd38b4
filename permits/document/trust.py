"""Verifies sealed files in number: by the seals that are trusted, or by the certificate that each carries."""

from collections.abc import Collection, Iterable
from io import BytesIO
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from pyhanko.pdf_utils.reader import PdfFileReader

from permits.document.errors import SealError
from permits.document.verify import Verified, verify_seal
from permits.domain.sealing import SealLevel

# A certificate that seals, and those that are sent with it where that is known.
Known = tuple[x509.Certificate, tuple[x509.Certificate, ...] | None]


class Verifier:
    """Verifies files that one of these seals made; of a certificate given twice, the last chain counts.

    With no seal given, each file is verified with the certificate inside it: that shows that not a byte changed since
    it was sealed, and nothing of who sealed it. With `roots`, time stamps must lead to one of them.
    """

    def __init__(self, seals: Iterable[Known], roots: Collection[x509.Certificate] = ()) -> None:
        self._chains = {certificate.fingerprint(SHA256()): chain for certificate, chain in seals}
        self._roots = roots

    def verify(self, sealed: bytes) -> Verified:
        """Return what a file proves under the certificate that it carries, known or not, or raise SealError."""
        certificate = certificate_inside(sealed)
        return verify_seal(sealed, certificate, self._roots, self._chains.get(certificate.fingerprint(SHA256())))

    def check(self, sealed: bytes, level: SealLevel) -> None:
        """Raise SealError unless a file is whole, of one of these seals, and carries what its level says."""
        certificate = certificate_inside(sealed)
        if self._chains and certificate.fingerprint(SHA256()) not in self._chains:
            raise SealError(f"sealed by another certificate: {certificate.subject.rfc4514_string()}")
        carried = self.verify(sealed).carried
        if carried is not level:
            raise SealError(f"the seal is {carried}, and was {level} when it was delivered")


def load_roots(paths: Iterable[Path]) -> tuple[x509.Certificate, ...]:
    """Return the certificates of PEM files, or raise SealError."""
    roots: list[x509.Certificate] = []
    for path in paths:
        try:
            roots += x509.load_pem_x509_certificates(path.read_bytes())
        except (OSError, ValueError) as error:
            raise SealError(f"the roots {path.name} can't be read: {error}") from error
    return tuple(roots)


def certificate_inside(sealed: bytes) -> x509.Certificate:
    """Return the certificate of the seal that a file carries, or raise SealError. Nothing is verified."""
    try:
        signatures = list(PdfFileReader(BytesIO(sealed)).embedded_signatures)
        return x509.load_der_x509_certificate(signatures[0].signer_cert.dump())
    except Exception as error:  # a damaged file makes its reader fail in any way
        raise SealError(f"the seal can't be read: {error or type(error).__name__}") from error
