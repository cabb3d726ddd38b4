"""The demonstration seal: made on the spot, self-signed, and its certificate says that it proves nothing."""

import os
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from permits.document.errors import SealError
from permits.document.sealing.pkcs12 import Pkcs12Key
from permits.document.sealing.seal import Seal

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


def load_demo_seal(directory: Path) -> Seal:
    """Load the seal that `make_demo_seal` made there."""
    try:
        passphrase = (directory / DEMO_PASSPHRASE_FILE).read_text(encoding="ascii").strip()
    except OSError as error:
        raise SealError(f"no demonstration seal: {error}") from error
    return Seal(Pkcs12Key.load(directory / DEMO_FILE, SecretStr(passphrase)))


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
