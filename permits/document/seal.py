"""The seal: proves which organisation made a file, and that not a byte of it changed since.

It is the seal of an organisation, not the signature of a person. A demonstration seal says so in
its own certificate.
"""

import os
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from permits.document.errors import SealError
from permits.document.signer import HeldKeySigner, PrivateKey, certify

DEMO_FILE = "seal.p12"
DEMO_PASSPHRASE_FILE = "passphrase"
DEMO_VALIDITY = timedelta(days=3650)
DEMO_NAME = x509.Name(
    [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Commune d’Exemple-Ville (fictive)"),
        x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "SPÉCIMEN — cachet de démonstration"),
        x509.NameAttribute(NameOID.COMMON_NAME, "Cachet de démonstration d’Exemple-Ville"),
    ]
)


class Seal(Protocol):
    """What seals: a key in memory here, later one in a hardware module or at a trust service."""

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate that every sealed file carries."""

    @property
    def is_demo(self) -> bool:
        """True when the certificate itself says that it proves nothing."""

    @property
    def expires_at(self) -> datetime:
        """The last instant at which a seal can be made."""

    def seal(self, pdf: bytes) -> bytes:
        """Return `pdf` followed by its seal in one revision, or raise SealError."""


class Pkcs12Seal:
    """A seal whose RSA or elliptic-curve key was read from a PKCS#12 file: parsed once, held in memory."""

    def __init__(
        self, key: PrivateKey, certificate: x509.Certificate, chain: tuple[x509.Certificate, ...] = ()
    ) -> None:
        if key.public_key() != certificate.public_key():
            raise SealError("the private key is not that of the certificate")
        self._certificate = certificate
        self._signer = HeldKeySigner(key, certificate, list(chain))

    @classmethod
    def load(cls, path: Path, passphrase: SecretStr) -> "Pkcs12Seal":
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
    def is_demo(self) -> bool:
        units = self._certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
        return any("SPÉCIMEN" in str(unit.value) for unit in units)

    @property
    def expires_at(self) -> datetime:
        return self._certificate.not_valid_after_utc

    def seal(self, pdf: bytes) -> bytes:
        check_validity(self._certificate, datetime.now(UTC))
        return certify(pdf, self._signer)


def check_validity(certificate: x509.Certificate, at: datetime) -> None:
    """Raise SealError when `at` is outside the certificate's validity."""
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not first <= at <= last:
        raise SealError(f"the seal's certificate is valid from {first.isoformat()} to {last.isoformat()} only")


def make_demo_seal(directory: Path) -> None:
    """Make a self-signed demonstration seal in `directory`, and its passphrase beside it; keep one already there."""
    path, passphrase_path = directory / DEMO_FILE, directory / DEMO_PASSPHRASE_FILE
    if path.exists() and passphrase_path.exists():
        return
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    passphrase = secrets.token_urlsafe(24).encode()
    protected = pkcs12.serialize_key_and_certificates(
        b"seal", key, _demo_certificate(key), None, BestAvailableEncryption(passphrase)
    )
    _write_private(passphrase_path, passphrase)
    _write_private(path, protected)


def load_demo_seal(directory: Path) -> Pkcs12Seal:
    """Load the seal that `make_demo_seal` made there."""
    try:
        passphrase = (directory / DEMO_PASSPHRASE_FILE).read_text(encoding="ascii").strip()
    except OSError as error:
        raise SealError(f"no demonstration seal: {error}") from error
    return Pkcs12Seal.load(directory / DEMO_FILE, SecretStr(passphrase))


def _demo_certificate(key: rsa.RSAPrivateKey) -> x509.Certificate:
    now = datetime.now(UTC)
    # A seal signs documents and nothing else: no other usage, and it is no authority.
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(DEMO_NAME)
        .issuer_name(DEMO_NAME)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + DEMO_VALIDITY)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, SHA256())
    )


def _write_private(path: Path, content: bytes) -> None:
    """Write a file that nobody else can read, whole or not at all."""
    part = path.with_name(path.name + ".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    part.replace(path)
