"""The queue of what waits for the company registry: one place for each waiting application, in the order of reception.

A place is taken and left in the transactions of its application. One whose own SIRET fails is postponed, so
that it never keeps the others waiting.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Engine, text
from sqlmodel import Session

FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(minutes=5)

_WAIT = text(
    "INSERT INTO registry_wait (application_id, authority, since, retry_at, reason)"
    " VALUES (:id, :authority, :since, :since, :reason)"
)
_LEAVE = text("DELETE FROM registry_wait WHERE application_id = :id")
# A time further away than any is put was put by a clock that was wrong: it is not waited for.
_DUE = (
    "SELECT application_id, tries FROM registry_wait WHERE authority = :authority"
    " AND (retry_at <= :at OR retry_at > :furthest) AND application_id <> ALL(:aside)"
)
_FIRST_DUE = text(f"{_DUE} ORDER BY since, application_id LIMIT 1")
_ANY_DUE = text(f"{_DUE} ORDER BY random() LIMIT 1")
_POSTPONE = text(
    "UPDATE registry_wait SET retry_at = :retry_at, tries = tries + 1, reason = :reason WHERE application_id = :id"
)
_SUMMARY = text(
    "SELECT reason, count(*) AS waiting, min(since) AS oldest FROM registry_wait WHERE authority = :authority"
    " GROUP BY reason ORDER BY waiting DESC, reason"
)


def wait_in_line(session: Session, authority: str, application_id: UUID, since: datetime, reason: str) -> None:
    """Give an application its place; it is due at once. `reason` is technical, and tells nothing of a person."""
    session.execute(_WAIT, {"id": application_id, "authority": authority, "since": since, "reason": reason})


def leave_line(session: Session, application_id: UUID) -> None:
    """Take away the place of an application that is decided."""
    session.execute(_LEAVE, {"id": application_id})


class Place(NamedTuple):
    """A place in the queue; `tries` is how often it was postponed."""

    application_id: UUID
    tries: int


@dataclass(frozen=True)
class Waiting:
    """How many wait, since when the oldest does, and for which reasons; None and nothing when nobody does."""

    count: int
    oldest: datetime | None
    reasons: dict[str, int]


class WaitingLine:
    """The queue of one authority."""

    def __init__(self, engine: Engine, authority: str) -> None:
        self._engine = engine
        self._authority = authority

    def first(self, at: datetime, aside: Collection[UUID] = (), *, at_random: bool = False) -> Place | None:
        """Return the first place that is due at an instant, or any; None when there is none but those `aside`."""
        given = {"authority": self._authority, "at": at, "furthest": at + LONGEST_WAIT, "aside": list(aside)}
        with self._engine.connect() as connection:
            row = connection.execute(_ANY_DUE if at_random else _FIRST_DUE, given).first()
        return Place(*row) if row else None

    def postpone(self, place: Place, at: datetime, reason: str) -> None:
        """Put a place off: 10 s from now, twice as long each time, up to 5 min."""
        wait = min(FIRST_WAIT * 2 ** min(place.tries, 10), LONGEST_WAIT)
        with self._engine.begin() as connection:
            connection.execute(_POSTPONE, {"id": place.application_id, "retry_at": at + wait, "reason": reason})

    def summary(self) -> Waiting:
        """Tell who waits, the most frequent reason first."""
        with self._engine.connect() as connection:
            rows = connection.execute(_SUMMARY, {"authority": self._authority}).all()
        oldest = min((row.oldest for row in rows), default=None)
        return Waiting(sum(row.waiting for row in rows), oldest, {row.reason: row.waiting for row in rows})
