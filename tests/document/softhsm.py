"""A software token (SoftHSM2) behind the same interface as a hardware module; it keeps its keys in files."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pkcs11
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key
from pkcs11 import Attribute, KeyType
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters
from pkcs11.util.rsa import encode_rsa_public_key
from pkcs11.util.x509 import decode_x509_certificate
from pydantic import SecretStr

from permits.document.sealing.pkcs11 import TokenKey
from tests.conftest import cannot_run
from tests.document.issuing import Issuer

TOKEN, PIN = "permis", "314159"


def library() -> Path:
    """Return where the distribution put the module."""
    folders = [Path("/usr/lib/softhsm"), Path("/usr/local/lib/softhsm"), *Path("/usr/lib").glob("*/softhsm")]
    found = [path for folder in folders if (path := folder / "libsofthsm2.so").exists()]
    return found[0] if found else cannot_run("libsofthsm2.so is missing: install Debian's softhsm2")


@dataclass(frozen=True)
class SoftToken:
    """A token in a folder of its own, with keys made inside it and certificates of `issuer`."""

    module: Path
    folder: Path
    issuer: Issuer

    @classmethod
    def make(cls, folder: Path, tool: str) -> "SoftToken":
        """Make an empty token; the module reads its configuration when it is first loaded."""
        tokens = folder / "tokens"
        tokens.mkdir()
        configuration = folder / "softhsm2.conf"
        configuration.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
        os.environ["SOFTHSM2_CONF"] = str(configuration)
        command = [tool, "--init-token", "--free", "--label", TOKEN, "--pin", PIN, "--so-pin", "271828"]
        subprocess.run(command, check=True, capture_output=True)
        return cls(library(), tokens, Issuer())

    def where(self, label: str) -> TokenKey:
        """Return what the settings say of one of its keys."""
        return TokenKey(self.module, TOKEN, label, SecretStr(PIN))

    def unload(self) -> None:
        """Let the next token be read anew."""
        pkcs11.unload(str(self.module))
        os.environ.pop("SOFTHSM2_CONF", None)

    def make_key(self, label: str, kind: KeyType, *, certified: bool = True) -> None:
        """Make a key in the token, with its certificate and that of its issuer beside it."""
        with self.open() as session:
            public = make_pair(session, label, kind)
            if certified:
                self.hold(session, label, self.issuer.certify(public))
                self.hold(session, f"autorité de {label}", self.issuer.certificate)

    def open(self) -> Any:
        """Return a session that may write."""
        return pkcs11.lib(str(self.module)).get_token(token_label=TOKEN).open(rw=True, user_pin=PIN)

    @staticmethod
    def hold(session: Any, label: str, certificate: x509.Certificate) -> None:
        """Put a certificate in the token."""
        content = decode_x509_certificate(certificate.public_bytes(Encoding.DER))
        session.create_object(content | {Attribute.LABEL: label, Attribute.TOKEN: True})


def make_pair(session: Any, label: str, kind: KeyType) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey:
    """Have the token make an RSA-3072 or P-256 key, and return its public half."""
    if kind is KeyType.RSA:
        public, _ = session.generate_keypair(kind, 3072, store=True, label=label)
        encoded = encode_rsa_public_key(public)
    else:
        curve = {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
        public, _ = session.create_domain_parameters(kind, curve, local=True).generate_keypair(store=True, label=label)
        encoded = encode_ec_public_key(public)
    read = load_der_public_key(encoded)
    assert isinstance(read, rsa.RSAPublicKey | ec.EllipticCurvePublicKey)
    return read
