"""A key in a PKCS#12 file: parsed once, held in memory."""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import pkcs12
from pydantic import SecretStr

from permits.document.errors import SealError
from permits.document.sealing.keys import PrivateKey
from permits.document.sealing.signer import KeySigner


class HeldKeySigner(KeySigner):
    """Signs with a key held ready: pyHanko's own SimpleSigner parses the key again for each signature."""

    def __init__(self, key: PrivateKey, certificate: x509.Certificate, chain: tuple[x509.Certificate, ...]) -> None:
        super().__init__(certificate, chain)
        self._key = key

    async def sign(self, data: bytes) -> bytes:
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(data, padding.PKCS1v15(), SHA256())
        return self._key.sign(data, ec.ECDSA(SHA256()))


class Pkcs12Key:
    """An RSA or elliptic-curve key, its certificate and the chain above it."""

    kind = "dans un fichier PKCS#12"

    def __init__(
        self, key: PrivateKey, certificate: x509.Certificate, chain: tuple[x509.Certificate, ...] = ()
    ) -> None:
        if key.public_key() != certificate.public_key():
            raise SealError("the private key is not that of the certificate")
        self._certificate = certificate
        self._signer = HeldKeySigner(key, certificate, chain)

    @classmethod
    def load(cls, path: Path, passphrase: SecretStr) -> "Pkcs12Key":
        """Read the key, its certificate and the chain, or raise SealError."""
        try:
            content = pkcs12.load_pkcs12(path.read_bytes(), passphrase.get_secret_value().encode())
        except (OSError, ValueError) as error:
            raise SealError(f"the seal {path.name} can't be read: {error}") from error
        if content.cert is None or not isinstance(content.key, PrivateKey):
            raise SealError(f"the seal {path.name} needs a certificate with its RSA or elliptic-curve key")
        chain = tuple(each.certificate for each in content.additional_certs)
        return cls(content.key, content.cert.certificate, chain)

    @property
    def certificate(self) -> x509.Certificate:
        return self._certificate

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        return self._signer.chain

    @property
    def signer(self) -> KeySigner:
        return self._signer

    def close(self) -> None:
        """Nothing is held open."""
