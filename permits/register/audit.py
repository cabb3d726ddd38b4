"""The audit chain: one entry a transition, each holding the hash of the one before, per authority.

Entries hold ids and digests only, never a person's data.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from permits.domain.canonical import digest
from permits.register.tables import AuditRow

GENESIS = "0" * 64

_LOCK_HEAD = text(
    "INSERT INTO audit_head (authority, position, sha256) VALUES (:authority, 0, :genesis)"
    " ON CONFLICT (authority) DO UPDATE SET position = audit_head.position"
    " RETURNING position, sha256"
)
_MOVE_HEAD = text("UPDATE audit_head SET position = :position, sha256 = :sha256 WHERE authority = :authority")


def append(session: Session, authority: str, event: str, at: datetime, entry: dict[str, Any]) -> None:
    """Add one entry in the caller's transaction. Takes the chain's lock: call it last."""
    head = session.execute(_LOCK_HEAD, {"authority": authority, "genesis": GENESIS}).one()
    position = head.position + 1
    sha256 = entry_digest(authority, position, event, at, entry, head.sha256)
    session.add(
        AuditRow(
            authority=authority,
            position=position,
            at=at,
            event=event,
            entry=entry,
            previous_sha256=head.sha256,
            sha256=sha256,
        )
    )
    session.execute(_MOVE_HEAD, {"authority": authority, "position": position, "sha256": sha256})


def entry_digest(
    authority: str, position: int, event: str, at: datetime, entry: dict[str, Any], previous_sha256: str
) -> str:
    """Return the hash that an entry must have."""
    return digest(
        {
            "authority": authority,
            "position": position,
            "event": event,
            "at": at.isoformat(),
            "entry": entry,
            "previous_sha256": previous_sha256,
        }
    )
