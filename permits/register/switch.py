"""The switch that suspends automatic issuing; and how any switch is turned, with PostgreSQL and nothing else.

In an emergency neither seal nor registry must be needed, nor a second spent on loading the rest of the
service.
"""

from datetime import UTC, datetime
from typing import Any

import psycopg

from permits.domain.canonical import canonical_json, digest

# Longer than the fifteen seconds after which whoever hangs with the chain in hand loses it (permits.register.audit).
_SESSION = "-c search_path=public -c lock_timeout=20s -c statement_timeout=30s -c timezone=UTC"
_KNOWN = "SELECT 1 FROM rulebook WHERE authority = %s LIMIT 1"
_TELL = "SELECT append_audit(%s, %s, %s, %s)"
_TURN = "INSERT INTO issuing_switch (authority, halted, reason, turned_by, turned_at) VALUES (%s, %s, %s, %s, %s)"


class UnknownAuthority(Exception):
    """No service of this authority ever started on this database: turning its switch would stop nothing."""


def turn_digest(*, halted: bool, reason: str, by: str) -> str:
    """Return the digest that the chain holds of one turn of the switch."""
    return digest({"halted": halted, "reason": reason, "turned_by": by})


def turn_issuing(database_url: str, authority: str, *, halted: bool, reason: str, by: str, at: datetime) -> None:
    """Suspend automatic issuing, or take it up again: every process obeys from the commit on.

    Raises as `record_turn` does.
    """
    sealed = {"switch_sha256": turn_digest(halted=halted, reason=reason, by=by), "by": by}
    told = (authority, "halted" if halted else "resumed", at.astimezone(UTC).isoformat(), canonical_json(sealed))
    record_turn(database_url, told, _TURN, (authority, halted, reason, by, at))


def record_turn(database_url: str, told: tuple[str, str, str, str], turn: str, turned: tuple[Any, ...]) -> None:
    """Turn a switch and tell the chain, in one transaction: `told` is authority, event, instant and entry.

    `database_url` is postgresql://…, with or without the driver's name. Raises psycopg.OperationalError, or
    UnknownAuthority; nothing is changed then.
    """
    scheme, _, rest = database_url.partition("://")
    with psycopg.connect(
        f"{scheme.partition('+')[0]}://{rest}", options=_SESSION, connect_timeout=5, application_name="permits"
    ) as connection:
        if connection.execute(_KNOWN, told[:1]).fetchone() is None:
            raise UnknownAuthority(told[0])
        # The chain's lock is the one that give_number takes first: what was granted before it is committed.
        connection.execute(_TELL, told)
        connection.execute(turn.encode(), turned)
