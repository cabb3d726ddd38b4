"""A large book that passes the check: real digests, real chain, written by COPY from one permit of the walk.

    .venv/bin/python -m tests.register.large_book 100000

writes one on an embedded server of its own and says how long the check takes.
"""

import hashlib
import json
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import psycopg
from sqlalchemy import text

from permits.domain.canonical import canonical_json, digest
from permits.issue import issue_permit
from permits.register.audit import entry_digest, instant_text
from permits.register.fsck import Code, check
from tests.conftest import embedded_postgres
from tests.fakes import FakeOffice, open_office

# Spots lie on a square grid, wide enough for the example to stay clear of its neighbours.
_GRID_M, _SPOTS_A_ROW = 30, 1000
# The whole book fits in the month of its first permit, so that its year has one counter.
_SPREAD = timedelta(days=20)
_ID = "00000000-0000-4000-8000-000000000000"
_MARKS = ("@id@", "@received@", "@decided@", "@number@", "@code@", "@ring@", "@core@")
_ORDER = ("application", "application_evidence", "document", "act", "act_footprint", "audit_entry")


@dataclass(frozen=True)
class _Pattern:
    """One permit's rows, with marks where each copy differs; JSON columns are canonical texts."""

    rows: dict[str, dict[str, Any]]
    ring: list[list[float]]
    core: list[list[float]]
    series: str
    first_at: datetime


def write_large_book(office: FakeOffice, permits: int) -> None:
    """Add copies of a first permit, each on a spot of its own, with its document and its entries in the chain."""
    filed, _ = issue_permit(office.desk, office.filing())
    assert filed.act is not None
    pattern = _pattern(office, filed.act.id)
    raw = office.register.engine.raw_connection()
    connection: psycopg.Connection[Any] = raw.driver_connection  # type: ignore[assignment]
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute("SELECT position, sha256 FROM audit_head")
            position, last = cursor.fetchone() or (0, "")
            # Some tens of thousands of rows at a time: a book of millions needs no more memory.
            for first in range(2, permits + 1, 20_000):
                numbers = range(first, min(first + 20_000, permits + 1))
                copies = [_copy(pattern, number, permits) for number in numbers]
                entries, position, last = _chain(office.register.authority, copies, position, last)
                for table in _ORDER[:-1]:
                    _copy_in(cursor, table, (copied[table] for copied in copies))
                _copy_in(cursor, "audit_entry", entries)
            cursor.execute("UPDATE audit_head SET position = %s, sha256 = %s", [position, last])
            cursor.execute("UPDATE counter SET value = %s", [permits])
        connection.commit()
        connection.autocommit = True
        connection.execute("ANALYZE")
        connection.autocommit = False
    finally:
        raw.close()
    office.clock.now = pattern.first_at + _SPREAD


def _pattern(office: FakeOffice, act_id: UUID) -> _Pattern:
    """Read the first permit's rows back, and put the marks in."""
    queries = {
        "application": "SELECT a.* FROM application a JOIN act ON act.application_id = a.id WHERE act.id = :id",
        "application_evidence": "SELECT e.* FROM application_evidence e JOIN act USING (application_id)"
        " WHERE act.id = :id",
        "act": "SELECT * FROM act WHERE id = :id",
        "act_footprint": "SELECT * FROM act_footprint WHERE act_id = :id",
    }
    with office.register.engine.connect() as connection:
        rows = {
            name: dict(connection.execute(text(query), {"id": act_id}).mappings().one())
            for name, query in queries.items()
        }
    act, application = rows["act"], rows["application"]
    measured = application["facts"]["places"][0]["footprint"]
    ring, core = measured["ring"], measured["core"]
    measured["ring"], measured["core"] = "@ring@", "@core@"
    act["payload"]["occupancies"][0]["ring_m"] = "@ring@"
    plain = {
        str(application["id"]): "@id@",
        act["label"]: "@number@",
        act["code"]: "@code@",
    }
    for row, column in ((application, "body"), (application, "facts"), (application, "decision"), (act, "payload")):
        written = canonical_json(row[column])
        for value, mark in plain.items():
            written = written.replace(value, mark)
        row[column] = written
    rows["application_evidence"]["answer"] = canonical_json(rows["application_evidence"]["answer"])
    return _Pattern(rows, ring, core, act["series"], act["reserved_at"])


def _copy(pattern: _Pattern, number: int, permits: int) -> dict[str, Any]:
    """Return the rows of one more permit, by table, and what the chain will say of it."""
    at = pattern.first_at + _SPREAD * (number / (permits + 1))
    x, y = (number % _SPOTS_A_ROW) * _GRID_M, (number // _SPOTS_A_ROW) * _GRID_M
    ring, core = (
        [[round(px + x, 3), round(py + y, 3)] for px, py in each] for each in (pattern.ring, pattern.core)
    )
    application_id, act_id = uuid5(UUID(_ID), f"application {number}"), uuid5(UUID(_ID), f"act {number}")
    label = f"{pattern.series}-{at.year}-{number:06d}"
    code = hashlib.sha256(label.encode()).hexdigest()[:22]
    written = {
        '"@ring@"': canonical_json(ring),  # type: ignore[arg-type]
        '"@core@"': canonical_json(core),  # type: ignore[arg-type]
        "@id@": str(application_id),
        "@number@": label,
        "@code@": code,
    }
    application, act = dict(pattern.rows["application"]), dict(pattern.rows["act"])
    for row, column in ((application, "body"), (application, "facts"), (application, "decision"), (act, "payload")):
        for mark, value in written.items():
            row[column] = row[column].replace(mark, value)
    sealed = f"document {label}".encode()
    application |= {"id": application_id, "idempotency_key": f"copy-{number}", "decided_at": at}
    document = {"sha256": hashlib.sha256(sealed).hexdigest(), "content": sealed, "stored_at": at}
    act |= {"id": act_id, "number": number, "label": label, "application_id": application_id, "code": code}
    act |= {"payload_sha256": _sha256(act["payload"]), "issued_at": at, "document_sha256": document["sha256"]}
    footprint = pattern.rows["act_footprint"] | {"act_id": act_id, "footprint_core": _polygon(core)}
    return {
        "application": application,
        "application_evidence": pattern.rows["application_evidence"] | {"application_id": application_id},
        "document": document,
        "act": act,
        "act_footprint": footprint,
        "at": at,
    }


def _chain(
    authority: str, copies: list[dict[str, Any]], position: int, last: str
) -> tuple[list[dict[str, Any]], int, str]:
    """Return the entries of these permits, chained to the last one; then the new end of the chain."""
    entries = []
    for copied in copies:
        for event, entry in _events(copied):
            position += 1
            sha256 = entry_digest(authority, position, event, copied["at"], entry, last)
            entries.append(
                {
                    "authority": authority,
                    "position": position,
                    "at": copied["at"],
                    "event": event,
                    "entry": canonical_json(entry),
                    "previous_sha256": last,
                    "sha256": sha256,
                }
            )
            last = sha256
    return entries, position, last


def _events(copied: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    application, act = copied["application"], copied["act"]
    filed = {name: application[name] for name in _FILED} | {
        "id": str(application["id"]),
        "client_id": str(application["client_id"]),
        "received_at": instant_text(application["received_at"]),
        "body": json.loads(application["body"]),
    }
    yield (
        "granted",
        {
            "application": str(application["id"]),
            "application_sha256": digest(filed),
            "facts_sha256": _sha256(application["facts"]),
            "evidence_sha256": _sha256(copied["application_evidence"]["answer"]),
            "decision_sha256": _sha256(application["decision"]),
            "rulebook": application["rulebook_digest"],
            "act": act["label"],
            "id": str(act["id"]),
            "kind": act["kind"],
            "by": act["taken_by"],
            "payload_sha256": act["payload_sha256"],
        },
    )
    yield "issued", {"act": act["label"], "document_sha256": act["document_sha256"]}


_FILED = (
    "idempotency_key",
    "body_sha256",
    "siret",
    "worksite_key",
    "assurance",
    "payer_assurance",
    "sandbox",
    "amends",
)


def _copy_in(cursor: "psycopg.Cursor[Any]", table: str, rows: Iterable[dict[str, Any]]) -> None:
    rows = iter(rows)
    first = next(rows)
    with cursor.copy(f"COPY {table} ({', '.join(first)}) FROM STDIN") as copy:
        copy.write_row(list(first.values()))
        for row in rows:
            copy.write_row(list(row.values()))


def _sha256(written: str) -> str:
    return hashlib.sha256(written.encode()).hexdigest()


def _polygon(core: list[list[float]]) -> str:
    return "(" + ",".join(f"({x},{y})" for x, y in core[:-1]) + ")"
