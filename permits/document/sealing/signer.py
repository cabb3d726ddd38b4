"""Where pyHanko and a key meet: pyHanko says what is to be signed, the key signs it, wherever it lies."""

from abc import abstractmethod
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers import Signer
from pyhanko_certvalidator.registry import SimpleCertificateStore

from permits.document.errors import SealError
from permits.document.sealing.pades import DIGEST, lower_twin, to_asn1


class KeyFailure(NamedTuple):
    """Why a key does not sign, in French, and since when nobody had a signature of it."""

    since: datetime
    why: str


class KeySigner(Signer):
    """Carries a certificate and its chain; `sign` is all that a key has to do.

    `chain` is all that is known above the certificate, `sent` what goes into a signature. `failure` is that of the
    last signature asked for, None when it was given, or before the first.
    """

    def __init__(self, certificate: x509.Certificate, chain: Iterable[x509.Certificate]) -> None:
        self.chain = self.sent = tuple(chain)
        super().__init__(signing_cert=to_asn1(certificate), cert_registry=_store(self.sent))
        self.failure: KeyFailure | None = None
        self._certificate = certificate
        self._longest = _longest_signature(certificate)

    def send(self, chain: Iterable[x509.Certificate]) -> None:
        """Put these certificates, and no other, into the signatures made from now on."""
        self.sent = tuple(chain)
        self._cert_registry = _store(self.sent)

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        if digest_algorithm != DIGEST:
            raise SigningError(f"only {DIGEST} is used, not {digest_algorithm}")
        if dry_run:
            # pyHanko first asks how long a signature may be: no key is troubled for that.
            return bytes(self._longest)
        try:
            signature = await self.sign(data)
        except SealError as error:
            since = self.failure.since if self.failure else datetime.now(UTC)
            self.failure = KeyFailure(since, str(error))
            raise
        self.failure = None
        return lower_twin(signature, self._certificate)

    @abstractmethod
    async def sign(self, data: bytes) -> bytes:
        """Return the signature over the SHA-256 of `data`: PKCS#1 v1.5, or ECDSA in DER. Raises SealError."""


def _store(certificates: Iterable[x509.Certificate]) -> SimpleCertificateStore:
    store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
    store.register_multiple([to_asn1(each) for each in certificates])
    return store


def _longest_signature(certificate: x509.Certificate) -> int:
    public = certificate.public_key()
    if not isinstance(public, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise SigningError("only RSA and elliptic-curve keys seal")
    size = (public.key_size + 7) // 8
    # Two numbers of that size in DER, each with up to three bytes before it, in a sequence with its own three.
    return size if isinstance(public, rsa.RSAPublicKey) else 2 * (size + 3) + 3
