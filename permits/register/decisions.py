"""The decisions of a book as they were recorded, to be taken again: one look at it, oldest first."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import Connection, Engine, text

from permits.domain.calendar import PARIS
from permits.register.floor import snapshot

_FROM = """
FROM application a
LEFT JOIN application_evidence e ON e.application_id = a.id
LEFT JOIN act ON act.application_id = a.id
    AND (act.kind IN ('permit', 'extension', 'correction') OR (act.kind = 'refusal' AND act.state <> 'annulled'))
WHERE a.authority = :authority AND a.outcome <> 'awaiting_registry'
    AND (CAST(:since AS timestamptz) IS NULL OR a.decided_at >= :since)
    AND (CAST(:number AS text) IS NULL OR act.label = :number)
"""
_STORED = f"""
SELECT a.id, a.body, a.facts, a.decision, a.rulebook_digest, e.answer, act.label {_FROM}
ORDER BY a.decided_at, a.id LIMIT :limit
"""
_COUNT = text(f"SELECT count(*) {_FROM}")
# Counting decisions and putting them in order is asked of the whole book at once.
_PATIENCE = text("SET LOCAL statement_timeout = '600s'")
_FILES = text("SELECT files FROM rulebook WHERE digest = :digest")
_BATCH = 200


@dataclass(frozen=True)
class Decisions:
    """Recorded decisions: how many, each in turn, and the rulebooks they rest on.

    A row has `id`, `body`, `facts`, `decision`, `rulebook_digest`, `answer` (None once erased) and `label`.
    """

    total: int
    rows: Iterator[Any]
    _connection: Connection

    def rulebook_files(self, digest: str) -> Mapping[str, str] | None:
        """Return the files kept under a digest."""
        files: Mapping[str, str] | None = self._connection.execute(_FILES, {"digest": digest}).scalar()
        return files


@contextmanager
def decisions(
    engine: Engine, authority: str, *, since: date | None = None, number: str | None = None, limit: int | None = None
) -> Iterator[Decisions]:
    """Give an authority's decisions, as they are at one instant.

    `since` is the first day of decision, in Paris; `number` that of a permit or a refusal.
    """
    values = {
        "authority": authority,
        "since": since and datetime.combine(since, time(), PARIS),
        "number": number,
        "limit": limit,
    }
    with snapshot(engine) as connection:
        connection.execute(_PATIENCE)
        total = min(connection.execute(_COUNT, values).scalar_one(), limit or sys.maxsize)
        with connection.execute(text(_STORED).execution_options(stream_results=True), values) as answer:
            rows = (row for batch in answer.partitions(_BATCH) for row in batch)
            yield Decisions(total, rows, connection)
