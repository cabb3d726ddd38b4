"""Erases what the law wants erased once its period is over, and tells the audit chain.

Only what `Retention` names is ever touched: contacts, the registry's answers about natural persons, the
traces and readings, and the accounts of revoked keys. Each batch is a transaction with its own entry.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Engine, text
from sqlmodel import Session

from permits.domain.calendar import PARIS, paris_day
from permits.domain.retention import Period, Retention
from permits.register import audit

# The rest is erased by the next run.
MOST_BATCHES = 10_000
_FIRST = UUID(int=0)
# To count is to ask the whole book once.
_PATIENCE = text("SET LOCAL statement_timeout = '600s'")
_ONE_PURGE = text("SELECT pg_advisory_xact_lock(hashtext('permits.purge'))")


@dataclass(frozen=True)
class _Sweep:
    """How one table is erased: what is due, by key and in order, and what erases it.

    `told` is what the chain keeps of a batch: the keys, when something else refers to what is erased.
    """

    table: str
    due: str
    erase: str
    told: Literal["ids", "count"]
    batch: int


def _files(table: str, rows: str = "true") -> str:
    """Return the query of the rows whose file is due.

    An application is received before its file ends. The exact day takes longer to tell: it is asked for
    the rows of this table alone (the case keeps it after the join), once they are old enough.
    """
    return f"""
        SELECT kept.application_id FROM {table} kept JOIN application a ON a.id = kept.application_id
        WHERE {rows} AND a.authority = :authority AND a.received_at < :before AND kept.application_id > :after
          AND CASE WHEN a.received_at < :before THEN file_runs_until(kept.application_id) <= :last_day END
        ORDER BY kept.application_id LIMIT :size
    """


def _log(table: str) -> str:
    """Return the query of the lines of a log that are due."""
    return f"SELECT id FROM {table} WHERE authority = :authority AND at < :before ORDER BY at, id LIMIT :size"


# No permit of theirs runs or is to be sealed, and no application of theirs still hopes for an answer.
_ACCOUNTS = """
    SELECT c.id FROM client c
    WHERE c.authority = :authority AND c.revoked_at < :before AND c.erased_at IS NULL AND c.id > :after
      AND NOT EXISTS (
        SELECT 1 FROM act WHERE act.client_id = c.id AND (act.state = 'reserved'
            OR (act.state = 'issued' AND act.kind IN ('permit', 'extension', 'correction') AND act.ends_on >= :today)
            OR (act.state = 'abrogated' AND act.ended_on > :today)))
      AND NOT EXISTS (
        SELECT 1 FROM application a WHERE a.client_id = c.id AND (a.outcome = 'awaiting_registry'
            OR (a.outcome = 'referred' AND (a.body ->> 'ends_on')::date >= :today AND NOT EXISTS (
                SELECT 1 FROM act WHERE act.application_id = a.id AND (act.kind IN ('permit', 'extension', 'correction')
                    OR (act.kind = 'refusal' AND act.state <> 'annulled'))))))
    ORDER BY c.id LIMIT :size
"""

SWEEPS = (
    _Sweep(
        "application_contact",
        _files("application_contact"),
        "DELETE FROM application_contact WHERE application_id = ANY(:keys)",
        "ids",
        500,
    ),
    _Sweep(
        "application_evidence",
        _files("application_evidence", "kept.about_a_person"),
        "DELETE FROM application_evidence WHERE application_id = ANY(:keys) AND about_a_person",
        "ids",
        500,
    ),
    _Sweep(
        "registry_access",
        _log("registry_access"),
        "DELETE FROM registry_access WHERE id = ANY(:keys)",
        "count",
        5000,
    ),
    _Sweep(
        "access_log",
        _log("access_log"),
        "DELETE FROM access_log WHERE id = ANY(:keys)",
        "count",
        5000,
    ),
    _Sweep(
        "client",
        _ACCOUNTS,
        "UPDATE client SET name = '', key_sha256 = repeat('0', 64), sirens = '{}', erased_at = :at"
        " WHERE id = ANY(:keys)",
        "ids",
        500,
    ),
)


def purge(
    engine: Engine, authority: str, retention: Retention, at: datetime, *, dry_run: bool = False
) -> dict[str, int]:
    """Erase everything whose period is over at `at`; return how many rows of each table.

    A period ends on a day in Paris, and what it covers is erased from that day on. With `dry_run` nothing
    is erased: the numbers are what a purge would erase now. Can be run beside the service, and again.
    """
    erased = {}
    for sweep in SWEEPS:
        period: Period = getattr(retention, sweep.table)
        given = _given(authority, period, at)
        erased[sweep.table] = _count(engine, sweep, given) if dry_run else _sweep(engine, sweep, given)
    return erased


def erase_contact(engine: Engine, authority: str, application_id: UUID, at: datetime) -> bool:
    """Erase the contact of one application, whose person asked for it; return False when there is none.

    What acts and the chain keep is not touched: nothing there depends on a contact.
    """
    one = text(
        "DELETE FROM application_contact WHERE application_id = :id"
        " AND application_id IN (SELECT id FROM application WHERE authority = :authority)"
    )
    with Session(engine) as session, session.begin():
        session.execute(_ONE_PURGE)
        found: Any = session.execute(one, {"id": application_id, "authority": authority})
        if found.rowcount == 0:
            return False
        told = {"table": "application_contact", "ids": [str(application_id)], "on_request": True}
        audit.append(session, authority, "erased", at, told)
    return True


def _given(authority: str, period: Period, at: datetime) -> dict[str, Any]:
    today = paris_day(at)
    last_day = period.last_day_over(today)
    return {
        "authority": authority,
        "at": at,
        "today": today,
        "last_day": last_day,
        "before": _start_of(last_day + timedelta(days=1)),
        "after": _FIRST,
        "size": None,
    }


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), PARIS)


def _count(engine: Engine, sweep: _Sweep, given: dict[str, Any]) -> int:
    with engine.connect() as connection:
        connection.execute(_PATIENCE)
        found: int = connection.execute(text(f"SELECT count(*) FROM ({sweep.due}) due"), given).scalar_one()
    return found


def _sweep(engine: Engine, sweep: _Sweep, given: dict[str, Any]) -> int:
    erased = 0
    for _ in range(MOST_BATCHES):
        keys = _one_batch(engine, sweep, given)
        erased += len(keys)
        if len(keys) < sweep.batch:
            break
        given = given | {"after": keys[-1]}
    return erased


def _one_batch(engine: Engine, sweep: _Sweep, given: dict[str, Any]) -> list[Any]:
    """Erase the next batch and tell the chain, in one transaction; return what was due."""
    with Session(engine) as session, session.begin():
        session.execute(_ONE_PURGE)
        keys = list(session.execute(text(sweep.due), given | {"size": sweep.batch}).scalars())
        if keys:
            session.execute(text(sweep.erase), given | {"keys": keys})
            told = {"ids": [str(key) for key in keys]} if sweep.told == "ids" else {"count": len(keys)}
            audit.append(session, given["authority"], "erased", given["at"], {"table": sweep.table} | told)
    return keys
