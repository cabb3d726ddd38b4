"""Who read what of the book: one line a reading by a client, kept apart from the book and erased in its time."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, Row, text
from sqlmodel import Session

from permits.register.tables import AccessLogRow

# A list names no act: whoever asks about one is told of the lists of the client who holds it.
_ABOUT = text(
    "SELECT log.at, log.what, log.subject, log.request_id, log.client_id, client.name FROM access_log log"
    " JOIN client ON client.id = log.client_id WHERE log.authority = :authority AND ("
    " (log.what = 'application' AND log.subject IN"
    "  (SELECT id::text FROM application WHERE authority = :authority AND siret = :siret))"
    " OR (log.what IN ('act', 'document') AND log.subject IN"
    "  (SELECT label FROM act WHERE authority = :authority AND siret = :siret))"
    " OR (log.what = 'permits' AND log.client_id IN"
    "  (SELECT client_id FROM act WHERE authority = :authority AND siret = :siret)))"
    " ORDER BY log.at DESC, log.id DESC LIMIT :limit"
)


class Subject(StrEnum):
    """What is read."""

    APPLICATION = "application"
    PERMITS = "permits"  # the list of one's own
    ACT = "act"
    DOCUMENT = "document"


@dataclass(frozen=True)
class Reading:
    """One reading. `subject` is an application's id, an act's number, None for a list."""

    at: datetime
    client_id: UUID
    request_id: UUID
    what: Subject
    subject: str | None


def note_reading(engine: Engine, authority: str, reading: Reading) -> None:
    """Record one reading."""
    with Session(engine) as session, session.begin():
        session.add(AccessLogRow(authority=authority, **vars(reading)))


def readings_about(engine: Engine, authority: str, siret: str, limit: int) -> list[Row[Any]]:
    """Return the latest readings of what the book holds about a SIRET, with their client's name, latest first."""
    with engine.connect() as connection:
        given = {"authority": authority, "siret": siret, "limit": limit}
        return list(connection.execute(_ABOUT, given).all())
