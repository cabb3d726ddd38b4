"""What a town publishes for whoever verifies far from it."""

import ssl
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from permits.document.sealing.seal import Seal
from permits.domain.trust import CodeKeys, TrustBundle, TrustedAuthority, TrustedSeal


def bundle_of(
    *seals: Seal, roots: tuple[x509.Certificate, ...] = (), revoked_at: datetime | None = None
) -> TrustBundle:
    """Return what a town publishes that sealed with these, and has withdrawn them since."""
    return TrustBundle(
        authority=TrustedAuthority(id="exemple", name="Commune d’Exemple-Ville"),
        made_at=datetime(2027, 1, 1, tzinfo=UTC),
        seals=tuple(
            TrustedSeal(
                sha256=seal.certificate.fingerprint(SHA256()).hex(),
                certificate=ssl.DER_cert_to_PEM_cert(seal.certificate.public_bytes(Encoding.DER)),
                chain="".join(each.public_bytes(Encoding.PEM).decode() for each in seal.key.chain),
                first_used_at=datetime(2026, 1, 1, tzinfo=UTC),
                revoked_at=revoked_at,
            )
            for seal in seals
        ),
        code_keys=CodeKeys(keys=()),
        roots=tuple(root.public_bytes(Encoding.PEM).decode() for root in roots),
    )
