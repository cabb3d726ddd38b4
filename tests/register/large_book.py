"""A large book that passes the check: real digests, real chain, written by COPY from one permit of the walk.

    .venv/bin/python -m tests.register.large_book 100000

writes one on an embedded server of its own and says how long the check takes.
"""

import hashlib
import json
import logging
import resource
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import psycopg
from sqlalchemy import text

from permits.domain.canonical import canonical_json, digest
from permits.issue import issue_permit
from permits.register.audit import entry_digest, instant_text
from permits.register.database import connect
from permits.register.fsck import check
from permits.register.tables import polygon_text
from tests.conftest import embedded_postgres
from tests.fakes import FakeOffice, open_office

# Spots lie on a square grid, wide enough for the example to stay clear of its neighbours.
_GRID_M, _SPOTS_A_ROW = 30, 1000
_AT_ONCE = 2000
_NAMES = UUID("00000000-0000-4000-8000-000000000000")
_TABLES = ("application", "application_evidence", "document", "act", "act_footprint")
_WRITTEN = (("application", "body"), ("application", "facts"), ("application", "decision"), ("act", "payload"))
# What the digest of an application holds as it is stored (permits.register.digests).
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


@dataclass(frozen=True)
class _Pattern:
    """One permit's rows, with marks where each copy differs; JSON columns are canonical texts."""

    rows: dict[str, dict[str, Any]]
    ring: list[list[float]]
    core: list[list[float]]
    at: datetime


def write_large_book(office: FakeOffice, permits: int) -> None:
    """Add copies of a first permit, each on a spot of its own, with its document and its entries in the chain."""
    filed, _ = issue_permit(office.desk, office.filing())
    assert filed.act is not None
    pattern = _pattern(office, filed.act.id)
    raw = office.register.engine.raw_connection()
    connection: psycopg.Connection[Any] = raw.driver_connection  # type: ignore[assignment]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SET LOCAL statement_timeout = 0")
        position, last = cursor.execute("SELECT position, sha256 FROM audit_head").fetchall()[0]
        for first in range(2, permits + 1, _AT_ONCE):
            copies = [_copy(pattern, number) for number in range(first, min(first + _AT_ONCE, permits + 1))]
            for table in _TABLES:
                _copy_in(cursor, table, (copied[table] for copied in copies))
            entries = list(_chain(office.register.authority, pattern.at, copies, position, last))
            _copy_in(cursor, "audit_entry", entries)
            position, last = entries[-1]["position"], entries[-1]["sha256"]
        cursor.execute("UPDATE audit_head SET position = %s, sha256 = %s", [position, last])
        cursor.execute("UPDATE counter SET value = %s", [permits])
        cursor.execute("ANALYZE")
    connection.commit()
    raw.close()


def _pattern(office: FakeOffice, act_id: UUID) -> _Pattern:
    """Read the first permit's rows back, and put the marks in."""
    queries = {
        "application": "SELECT a.* FROM application a JOIN act ON act.application_id = a.id WHERE act.id = :id",
        "application_evidence": "SELECT e.* FROM application_evidence e JOIN act USING (application_id)"
        " WHERE act.id = :id",
        "act": "SELECT * FROM act WHERE id = :id",
        "act_footprint": "SELECT act_id, occupancy, authority, period::text, worksite_key, space, live"
        " FROM act_footprint WHERE act_id = :id",
    }
    with office.register.engine.connect() as connection:
        rows = {name: dict(connection.execute(text(q), {"id": act_id}).mappings().one()) for name, q in queries.items()}
    act, application = rows["act"], rows["application"]
    measured = application["facts"]["places"][0]["footprint"]
    ring, core = measured["ring"], measured["core"]
    measured["ring"], measured["core"] = "@ring@", "@core@"
    act["payload"]["occupancies"][0]["ring_m"] = "@ring@"
    for table, column in _WRITTEN:
        written = canonical_json(rows[table][column])
        for value, mark in ((str(application["id"]), "@id@"), (act["label"], "@number@"), (act["code"], "@code@")):
            written = written.replace(value, mark)
        rows[table][column] = written
    rows["application_evidence"]["answer"] = canonical_json(rows["application_evidence"]["answer"])
    return _Pattern(rows, ring, core, act["reserved_at"])


def _copy(pattern: _Pattern, number: int) -> dict[str, dict[str, Any]]:
    """Return the rows of one more permit, by table."""
    rows = {table: dict(row) for table, row in pattern.rows.items()}
    x, y = (number % _SPOTS_A_ROW) * _GRID_M, (number // _SPOTS_A_ROW) * _GRID_M
    ring, core = ([[round(px + x, 3), round(py + y, 3)] for px, py in each] for each in (pattern.ring, pattern.core))
    application_id, act_id = uuid5(_NAMES, f"application {number}"), uuid5(_NAMES, f"act {number}")
    label = f"{rows['act']['series']}-{rows['act']['year']}-{number:06d}"
    code = hashlib.sha256(label.encode()).hexdigest()[:22]
    for table, column in _WRITTEN:
        written = rows[table][column].replace('"@ring@"', _json(ring)).replace('"@core@"', _json(core))
        for mark, value in (("@id@", str(application_id)), ("@number@", label), ("@code@", code)):
            written = written.replace(mark, value)
        rows[table][column] = written
    content = f"document {label}".encode()
    rows["document"] = {"sha256": hashlib.sha256(content).hexdigest(), "content": content, "stored_at": pattern.at}
    rows["application"] |= {"id": application_id, "idempotency_key": f"copy-{number}"}
    rows["application_evidence"] |= {"application_id": application_id}
    rows["act"] |= {"id": act_id, "number": number, "label": label, "application_id": application_id, "code": code}
    rows["act"] |= {"payload_sha256": _sha256(rows["act"]["payload"]), "document_sha256": rows["document"]["sha256"]}
    rows["act_footprint"] |= {"act_id": act_id, "footprint_core": polygon_text(core)}
    return rows


def _chain(
    authority: str, at: datetime, copies: list[dict[str, dict[str, Any]]], position: int, last: str
) -> Iterator[dict[str, Any]]:
    """Give the entries of these permits, chained to the last one."""
    for event, entry in (each for rows in copies for each in _events(rows)):
        position += 1
        sha256 = entry_digest(authority, position, event, at, entry, last)
        yield {
            "authority": authority,
            "position": position,
            "at": at,
            "event": event,
            "entry": canonical_json(entry),
            "previous_sha256": last,
            "sha256": sha256,
        }
        last = sha256


def _events(rows: dict[str, dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    application, act = rows["application"], rows["act"]
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
            "evidence_sha256": _sha256(rows["application_evidence"]["answer"]),
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


def _copy_in(cursor: "psycopg.Cursor[Any]", table: str, rows: Iterable[dict[str, Any]]) -> None:
    rows = iter(rows)
    first = next(rows)
    with cursor.copy(f"COPY {table} ({', '.join(first)}) FROM STDIN") as copy:
        copy.write_row(list(first.values()))
        for row in rows:
            copy.write_row(list(row.values()))


def _sha256(written: str) -> str:
    return hashlib.sha256(written.encode()).hexdigest()


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _main(permits: int) -> None:
    logging.disable(logging.WARNING)
    with embedded_postgres() as url:
        engine = connect(url)
        office = open_office(engine)
        begun = time.monotonic()
        write_large_book(office, permits)
        print(f"{permits} permits written in {time.monotonic() - begun:.1f} s")
        steps: dict[str, float] = {}
        begun, busy = time.monotonic(), time.process_time()

        def note(step: str, _done: int, _total: int) -> None:
            steps[step] = time.monotonic() - begun

        report = check(engine, office.register.authority, office.clock(), progress=note)
        took, busy = time.monotonic() - begun, time.process_time() - busy
        read = ", ".join(f"{count} {step}" for step, count in report.read.items())
        print(f"checked in {took:.1f} s, {busy:.1f} s of processor: {read}; {len(report.findings)} findings")
        print(", ".join(f"{step} done at {at:.1f} s" for step, at in steps.items()))
        print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")
        engine.dispose()


if __name__ == "__main__":
    _main(int(sys.argv[1]))
