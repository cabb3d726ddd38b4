"""The audit chain: one entry a transition, each holding the hash of the one before, per authority.

Entries hold ids and digests only, never a person's data. The database writes them (`append_audit` in
migrations/); `entry_digest` is the same hash computed apart, for whoever checks the chain.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from permits.domain.canonical import canonical_json, digest

GENESIS = "0" * 64

# Everybody waits for whoever holds the chain: a process that stops with it in hand loses its session, soon.
_LET_GO = "set_config('idle_in_transaction_session_timeout', '15s', true)"
_APPEND = text(f"SELECT append_audit(:authority, :event, :at, :entry) FROM {_LET_GO}")
_LOCK = text(f"SELECT 1 FROM {_LET_GO}, lock_audit_head(:authority)")


def append(session: Session, authority: str, event: str, at: datetime, entry: dict[str, Any]) -> int:
    """Add one entry in the caller's transaction; return its position. Takes the chain's lock: call it last."""
    values = {"authority": authority, "event": event, "at": instant_text(at), "entry": canonical_json(entry)}
    position: int = session.execute(_APPEND, values).scalar_one()
    return position


def lock(session: Session, authority: str) -> None:
    """Take the chain's lock until the transaction ends, before another lock that a writer of numbers also takes."""
    session.execute(_LOCK, {"authority": authority})


def instant_text(at: datetime) -> str:
    """Write an instant as the chain does: ISO 8601 in UTC."""
    return at.astimezone(UTC).isoformat()


def entry_digest(
    authority: str, position: int, event: str, at: datetime, entry: dict[str, Any], previous_sha256: str
) -> str:
    """Return the hash that an entry must have."""
    return digest(
        {
            "authority": authority,
            "position": position,
            "event": event,
            "at": instant_text(at),
            "entry": entry,
            "previous_sha256": previous_sha256,
        }
    )
