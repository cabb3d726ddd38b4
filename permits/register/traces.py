"""The trace of each exchange with a registry of the State, open to the person it is about (CRPA art. R114-9-5 to -7).

A trace is committed before its exchange, and completed by what came back. When it can't be written, nobody
is asked; when it can't be completed, the answer is not used. Either way the database's error goes up, and
nothing is decided.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Engine, text
from sqlmodel import Session, col, select

from permits.domain.establishment import Audience, Establishment, NotFound, RegistryAnswer, Source
from permits.register.tables import RegistryAccessRow

_COMPLETE = text("UPDATE registry_access SET outcome = :outcome WHERE id = :id")


class Purpose(StrEnum):
    """Why the registry is asked."""

    FILING = "filing"
    PREVIEW = "preview"
    CONSULTATION = "consultation"  # a client looks at an establishment
    WAITING = "waiting"  # an application that an outage kept waiting is decided
    SEALING = "sealing"  # a late seal looks again
    OPERATION = "operation"  # an operator at the command line: what nobody else has declared


@dataclass(frozen=True)
class Errand:
    """Why the registry is asked, for which application or act, and by whom.

    `about` may name an application that was never recorded, because it turned out inadmissible.
    """

    purpose: Purpose
    about: UUID | None = None
    client_id: UUID | None = None
    request_id: UUID | None = None


_ERRAND: ContextVar[Errand] = ContextVar("errand")
_BY_AN_OPERATOR = Errand(Purpose.OPERATION)


@contextmanager
def on_errand(errand: Errand) -> Iterator[None]:
    """Trace the exchanges made inside as made for that reason."""
    token = _ERRAND.set(errand)
    try:
        yield
    finally:
        _ERRAND.reset(token)


class AskedSource(Protocol):
    """One registry of the State, as it is asked."""

    @property
    def name(self) -> Source: ...

    def lookup(self, siret: str, audience: Audience, budget: Any) -> RegistryAnswer: ...

    def close(self) -> None: ...


class TracedSource:
    """One registry, which is never asked without a trace."""

    def __init__(self, source: AskedSource, engine: Engine, authority: str, clock: Callable[[], datetime]) -> None:
        self._source = source
        self._engine = engine
        self._authority = authority
        self._clock = clock

    @property
    def name(self) -> Source:
        return self._source.name

    def close(self) -> None:
        self._source.close()

    def lookup(self, siret: str, audience: Audience, budget: Any) -> RegistryAnswer:
        """Ask the source, between the two halves of a trace; no connection is held while it answers."""
        trace_id = self._begin(siret)
        try:
            answer = self._source.lookup(siret, audience, budget)
        except Exception as error:
            # A source out of quota, or at peace, was not called after all: no exchange took place.
            self._complete(trace_id, "no_answer" if getattr(error, "was_asked", True) else "not_asked")
            raise
        self._complete(trace_id, _outcome(answer))
        return answer

    def _begin(self, siret: str) -> int:
        return _write(self._engine, self._authority, self._clock(), self._source.name, siret, None)

    def _complete(self, trace_id: int, outcome: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(_COMPLETE, {"id": trace_id, "outcome": outcome})


def note_reuse(
    engine: Engine, authority: str, clock: Callable[[], datetime], siret: str, answer: RegistryAnswer
) -> None:
    """Trace an answer given again without an exchange: who saw it, and why, is owed all the same."""
    _write(engine, authority, clock(), answer.evidence[0].source, siret, "reused")


def _write(engine: Engine, authority: str, at: datetime, source: Source, siret: str, outcome: str | None) -> int:
    errand = _ERRAND.get(_BY_AN_OPERATOR)
    row = RegistryAccessRow(
        authority=authority,
        at=at,
        source=source,
        siret=siret,
        purpose=errand.purpose,
        about=errand.about,
        client_id=errand.client_id,
        request_id=errand.request_id,
        outcome=outcome,
    )
    with Session(engine, expire_on_commit=False) as session, session.begin():
        session.add(row)
    assert row.id is not None
    return row.id


def _outcome(answer: RegistryAnswer) -> str:
    if isinstance(answer, Establishment):
        return "found"
    return "not_found" if isinstance(answer, NotFound) else "protected"


def traces_about(engine: Engine, authority: str, siret: str, limit: int) -> list[RegistryAccessRow]:
    """Return the latest exchanges about a SIRET, latest first: what the person may be shown."""
    query = (
        select(RegistryAccessRow)
        .where(col(RegistryAccessRow.authority) == authority, col(RegistryAccessRow.siret) == siret)
        .order_by(col(RegistryAccessRow.at).desc(), col(RegistryAccessRow.id).desc())
        .limit(limit)
    )
    with Session(engine) as session:
        return list(session.exec(query).all())
