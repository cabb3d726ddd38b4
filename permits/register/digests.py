"""What the audit chain seals of each row: whoever writes a row and whoever checks it take the same digest."""

import hashlib

from permits.domain.canonical import digest
from permits.register.audit import instant_text
from permits.register.tables import ApplicationRow, NotificationRow


def application_digest(row: ApplicationRow) -> str:
    """Return the digest of what was filed: all that never changes, decided or not."""
    return digest(
        {
            "id": str(row.id),
            "client_id": str(row.client_id),
            "idempotency_key": row.idempotency_key,
            "body_sha256": row.body_sha256,
            "received_at": instant_text(row.received_at),
            "siret": row.siret,
            "worksite_key": row.worksite_key,
            "assurance": row.assurance,
            "payer_assurance": row.payer_assurance,
            "body": row.body,
            "sandbox": row.sandbox,
            "amends": None if row.amends is None else str(row.amends),
        }
    )


def notification_digest(row: NotificationRow) -> str:
    """Return the digest of a notification and its proof."""
    return digest(
        {
            "act_id": str(row.act_id),
            "notified_on": row.notified_on.isoformat(),
            "channel": row.channel,
            "proof": row.proof,
            "recorded_by": row.recorded_by,
        }
    )


def seal_digest(certificate: bytes, chain: str) -> str:
    """Return the digest of a certificate that seals (DER) and of those above it (PEM)."""
    return digest({"certificate_sha256": hashlib.sha256(certificate).hexdigest(), "chain": chain})
