"""What anybody needs to check acts and QR codes without us, for decades: the trust bundle, `permits-trust/1`.

A bundle is worth what the way it came by is worth: whoever takes it from the authority's own site, over TLS, trusts
that site on that day, and needs nobody afterwards.
"""

from datetime import datetime
from typing import Literal

from permits.domain.model import Value

TRUST_SCHEMA: Literal["permits-trust/1"] = "permits-trust/1"


class TrustedSeal(Value):
    """A certificate that sealed acts: `sha256` is that of its DER, `certificate` and `chain` (above it) are PEM.

    From `revoked_at` its key may be in other hands: what it sealed is of this authority where a time stamp proves that
    it is from before.
    """

    sha256: str
    certificate: str
    chain: str
    first_used_at: datetime
    revoked_at: datetime | None = None


class CodeKey(Value):
    """A public key (JWK, RFC 7517) that verifies signed QR codes: ES256 (RFC 7518, section 3.4) and nothing else."""

    kid: str
    kty: Literal["EC"] = "EC"
    crv: Literal["P-256"] = "P-256"
    x: str
    y: str
    use: Literal["sig"] = "sig"
    alg: Literal["ES256"] = "ES256"


class CodeKeys(Value):
    """A JWK set (RFC 7517, section 5)."""

    keys: tuple[CodeKey, ...]


class TrustedAuthority(Value):
    """Who seals."""

    id: str
    name: str


class TrustBundle(Value):
    """All that was ever trusted here, as of `made_at`.

    `seals` are the certificates that sealed acts, `code_keys` the keys that signed QR codes, `roots` the authorities
    (PEM) to which the chains of seals and time stamps lead; none where the seals are believed by themselves.
    """

    bundle_schema: Literal["permits-trust/1"] = TRUST_SCHEMA
    authority: TrustedAuthority
    made_at: datetime
    seals: tuple[TrustedSeal, ...]
    code_keys: CodeKeys
    roots: tuple[str, ...] = ()
