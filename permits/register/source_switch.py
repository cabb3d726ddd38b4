"""The switch of each source of the company registry: off, nobody asks it until it is on again.

It is turned with PostgreSQL and nothing else, as the one that suspends issuing.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from permits.domain.canonical import canonical_json, digest
from permits.domain.establishment import Source
from permits.register.switch import record_turn

if TYPE_CHECKING:
    from sqlalchemy import Engine

_IS_OFF = "SELECT off FROM registry_switch WHERE authority = %s AND source = %s ORDER BY id DESC LIMIT 1"
_LAST_TURNS = (
    "SELECT DISTINCT ON (source) source, off, reason, turned_at FROM registry_switch WHERE authority = %s"
    " ORDER BY source, id DESC"
)
_TURN = (
    "INSERT INTO registry_switch (authority, source, off, reason, turned_by, turned_at) VALUES (%s, %s, %s, %s, %s, %s)"
)


def turn_digest(*, source: str, off: bool, reason: str, by: str) -> str:
    """Return the digest that the chain holds of one turn of a source's switch."""
    return digest({"source": source, "off": off, "reason": reason, "turned_by": by})


def turn(database_url: str, authority: str, source: Source, *, off: bool, reason: str, by: str, at: datetime) -> None:
    """Have every process leave a source alone, or ask it again: each obeys from its next look-up on.

    Raises psycopg.OperationalError, or UnknownAuthority; nothing is changed then.
    """
    sealed = {"switch_sha256": turn_digest(source=source, off=off, reason=reason, by=by), "source": source, "by": by}
    told = (authority, "source_off" if off else "source_on", at.astimezone(UTC).isoformat(), canonical_json(sealed))
    record_turn(database_url, told, _TURN, (authority, source, off, reason, by, at))


class Off(NamedTuple):
    """A source that is switched off: since when, and why."""

    source: Source
    since: datetime
    reason: str


def switched_off(engine: "Engine", authority: str) -> list[Off]:
    """Return the sources that are switched off, by name."""
    with engine.connect() as connection:
        turns = connection.exec_driver_sql(_LAST_TURNS, (authority,)).all()
    return [Off(Source(turn.source), turn.turned_at, turn.reason) for turn in turns if turn.off]


def is_off(engine: "Engine", authority: str, source: Source) -> bool:
    """Tell whether a person has switched this source off; one that nobody touched is on."""
    with engine.connect() as connection:
        return bool(connection.exec_driver_sql(_IS_OFF, (authority, source)).scalar())
