"""Writes in a book what nothing should allow: as a superuser, past triggers, foreign keys and checks."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from psycopg.errors import CheckViolation
from sqlalchemy import Connection, text
from sqlalchemy.exc import DataError, IntegrityError

from permits.domain.canonical import digest
from permits.register.audit import GENESIS, entry_digest


@contextmanager
def superuser(connection: Connection) -> Iterator[None]:
    """For a while, no trigger fires and no foreign key is checked in this transaction."""
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    yield
    connection.execute(text("SET LOCAL session_replication_role = origin"))


def force(connection: Connection, statement: str, **values: Any) -> int:
    """Run a statement, taking checks out of its way and putting them back as if they had held; return the rows.

    What would repeat a unique value, or what an index can't hold (days that end before they begin), is not forced: 0.
    """
    try:
        with connection.begin_nested():
            return connection.execute(text(statement), values).rowcount
    except DataError:
        return 0
    except IntegrityError as error:
        problem: Any = error.orig
        if problem.sqlstate != CheckViolation.sqlstate:
            return 0
        name, table = problem.diag.constraint_name, problem.diag.table_name
    found = text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name")
    definition = connection.execute(found, {"name": name}).scalar_one()
    connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
    rows = force(connection, statement, **values)
    connection.execute(text(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition} NOT VALID"))
    connection.execute(text("UPDATE pg_constraint SET convalidated = true WHERE conname = :name"), {"name": name})
    return rows


def rewrite_chain(connection: Connection) -> None:
    """Make every hash of the chain and its head again: what stands in it looks as if it had always been there."""
    rows = connection.execute(text("SELECT * FROM audit_entry ORDER BY position")).all()
    hashed = text("UPDATE audit_entry SET previous_sha256 = :previous, sha256 = :sha256 WHERE position = :position")
    previous, position = GENESIS, 0
    for position, row in enumerate(rows, 1):
        sha256 = entry_digest(row.authority, position, row.event, row.at, row.entry, previous)
        connection.execute(hashed, {"previous": previous, "sha256": sha256, "position": row.position})
        previous = sha256
    head = {"position": position, "sha256": previous}
    connection.execute(text("UPDATE audit_head SET position = :position, sha256 = :sha256"), head)


def refreeze(connection: Connection, label: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a frozen payload as a patient forger would: with its digest, in the act and in a chain made again."""
    payload = connection.execute(text("SELECT payload FROM act WHERE label = :label"), {"label": label}).scalar_one()
    change(payload)
    forged = {"label": label, "payload": json.dumps(payload), "digest": digest(payload)}
    statements = (
        "UPDATE act SET payload = CAST(:payload AS jsonb), payload_sha256 = :digest WHERE label = :label",
        "UPDATE audit_entry SET entry = entry || jsonb_build_object('payload_sha256', CAST(:digest AS text))"
        " WHERE entry ->> 'act' = :label AND event IN ('granted', 'reserved')",
    )
    for statement in statements:
        assert connection.execute(text(statement), forged).rowcount == 1
    rewrite_chain(connection)
