"""The signed QR code: a compact JWS (RFC 7515, ES256) that proves offline what a permit says.

Its key is not that of the seal: it signs for a scan, and its public half is given to every patrol.
"""

import hashlib
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from jwt import PyJWK
from jwt.algorithms import ECAlgorithm
from jwt.api_jws import PyJWS
from jwt.exceptions import PyJWTError

from permits.document.errors import CodeError
from permits.domain.permit import Permit
from permits.domain.signed_code import claims_bytes, claims_of

ALGORITHM = "ES256"
KEY_FILE = "code-key.pem"
_JWS = PyJWS(algorithms=[ALGORITHM])

PublicKey = dict[str, str]


class CodeKey:
    """The private key of the codes, P-256. Safe to use from many threads."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        bare = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        self.kid = thumbprint(bare)[:8]
        self.public: PublicKey = {**{name: str(bare[name]) for name in ("kty", "crv", "x", "y")}, "kid": self.kid}

    @classmethod
    def load(cls, path: Path) -> "CodeKey":
        """Read a PEM file without passphrase, or raise CodeError in French."""
        try:
            key = load_pem_private_key(path.read_bytes(), None)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise CodeError(f"la clé des codes {path} ne peut pas être lue : {error}") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise CodeError(f"{path} n’est pas une clé P-256 : `permits codes make-key` en fait une")
        return cls(key)

    def sign(self, permit: Permit) -> str:
        """Return the compact JWS of what a code says of this permit."""
        headers = {"typ": "", "kid": self.kid}  # an empty type is left out
        return _JWS.encode(claims_bytes(claims_of(permit)), self._key, ALGORITHM, headers)


def make_code_key(directory: Path) -> Path:
    """Make a key in `directory`, readable by its owner only; CodeError when one is there: patrols know it."""
    path = directory / KEY_FILE
    key = ec.generate_private_key(ec.SECP256R1())
    content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
    except FileExistsError:
        raise CodeError(f"{path} existe déjà : une clé ne se remplace pas") from None
    except OSError as error:
        raise CodeError(f"la clé ne peut pas être écrite : {error}") from error
    return path


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """Return the SHA-256 thumbprint of an elliptic-curve JWK (RFC 7638)."""
    required = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    canonical = json.dumps(required, sort_keys=True, separators=(",", ":")).encode()
    return urlsafe_b64encode(hashlib.sha256(canonical).digest()).rstrip(b"=").decode()


def verify_code(token: str, keys: Iterable[PublicKey]) -> dict[str, Any]:
    """Return the claims of a code that one of these public keys signed, or raise CodeError."""
    known = {thumbprint(key)[:8]: key for key in keys}
    try:
        kid = _JWS.get_unverified_header(token).get("kid")
        if kid not in known:
            raise CodeError("signed by a key that is not known")
        content = _JWS.decode(token, PyJWK(dict(known[kid]), ALGORITHM).key, algorithms=[ALGORITHM])
        claims: dict[str, Any] = json.loads(content)
    except (PyJWTError, ValueError) as error:
        raise CodeError(f"not a code of ours: {error}") from error
    return claims


def code_defects(permit: Permit, signed_code: str) -> list[str]:
    """Return one sentence when a code does not say what the permit says. Its signature is not looked at."""
    try:
        _, content, _ = signed_code.split(".")
        said = json.loads(urlsafe_b64decode(content + "=" * (-len(content) % 4)))
    except ValueError:
        said = None
    return [] if said == claims_of(permit) else ["le code signé n’est pas celui de cet acte"]
