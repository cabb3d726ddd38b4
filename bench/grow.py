"""A book of millions of permits, written by the database itself: small payloads, no documents.

Spots and days are those of tests/register/filings.py, so that whoever records later filings among them meets a town
whose every spot is taken for a share of its weeks. Guards are off while it is written, as only an owner can.
"""

from uuid import UUID

from sqlalchemy import Connection, Engine, text

from tests.register.filings import DEPTH_M, FIRST_MONDAY, GRID_M, LENGTH_M, SPOTS, SPOTS_A_ROW, STRIDE, WEEKS

AT_ONCE = 250_000
COMPANIES = 20_000
# One number in so many was annulled.
ANNULLED = 1000

_BATCH = f"""
CREATE TEMPORARY TABLE batch ON COMMIT DROP AS
SELECT i, md5('act ' || i)::uuid AS act, md5('application ' || i)::uuid AS application,
       :number + (i - :first) AS number, lpad((i % {COMPANIES})::text, 14, '0') AS siret,
       i % {ANNULLED} = 0 AS annulled, encode(sha256(i::text::bytea), 'hex') AS digest,
       place % {SPOTS} AS spot, date '{FIRST_MONDAY}' + (place / {SPOTS} * 7)::int AS monday
FROM (SELECT i, i * {STRIDE} % ({SPOTS}::bigint * {WEEKS}) AS place
      FROM generate_series(CAST(:first AS bigint), :last) AS i) AS slots
"""
_APPLICATIONS = """
INSERT INTO application (id, authority, client_id, idempotency_key, body_sha256, received_at, outcome, siret,
                         worksite_key, assurance, payer_assurance, body, facts, decision, rulebook_digest, decided_at)
SELECT application, :authority, :client, 'grown-' || i, digest, now(), 'granted', siret, 'grown ' || i, 1, 0,
       '{}', '{}', '{}', :rulebook, now() FROM batch
"""
_ACTS = """
INSERT INTO act (id, authority, series, year, number, label, kind, application_id, client_id, state, code, siret,
                 starts_on, ends_on, fee_total, payload, payload_sha256, reserved_at, issued_at, document_sha256,
                 annulled_because)
SELECT act, :authority, 'EX', 2026, number, 'EX-2026-' || lpad(number::text, greatest(6, length(number::text)), '0'),
       'permit', application, :client, CASE WHEN annulled THEN 'annulled' ELSE 'issued' END, left(digest, 22), siret,
       monday, monday + 4, 92.40, '{}', digest, now(), CASE WHEN NOT annulled THEN now() END,
       CASE WHEN NOT annulled THEN digest END, CASE WHEN annulled THEN 'le sceau a manqué ce jour' END FROM batch
"""
_FOOTPRINTS = f"""
INSERT INTO act_footprint (act_id, occupancy, authority, footprint_core, period, worksite_key, space, live)
SELECT act, 0, :authority, ('(' || string_agg(
           '(' || round((x + cos(angle) * dx - sin(angle) * dy)::numeric, 3) || ','
               || round((y + sin(angle) * dx + cos(angle) * dy)::numeric, 3) || ')',
           ',' ORDER BY corner) || ')')::polygon,
       daterange(monday, monday + 5), 'grown ' || i, 'street', NOT annulled
FROM (SELECT *, radians(spot * 137.5) AS angle, spot % {SPOTS_A_ROW} * {GRID_M} AS x,
             spot / {SPOTS_A_ROW} * {GRID_M} AS y FROM batch) AS placed,
     (VALUES (1, 0.0, 0.0), (2, {LENGTH_M}, 0.0), (3, {LENGTH_M}, {DEPTH_M}), (4, 0.0, {DEPTH_M}), (5, 0.0, 0.0))
         AS corners (corner, dx, dy)
GROUP BY act, i, monday, annulled
"""
_ENTRIES = """
INSERT INTO audit_entry (authority, position, at, event, entry, previous_sha256, sha256)
SELECT :authority, :position + 2 * (i - :first) + half, now(), CASE half WHEN 1 THEN 'granted' ELSE 'issued' END,
       jsonb_build_object('act', number, 'digest', digest), digest, encode(sha256((i || '/' || half)::bytea), 'hex')
FROM batch, (VALUES (1), (2)) AS halves (half)
"""
_COUNTER = "UPDATE counter SET value = :number + (:last - :first)"
_HEAD = """
UPDATE audit_head SET (position, sha256) =
    (SELECT position, sha256 FROM audit_entry ORDER BY position DESC LIMIT 1)
"""


def grow(engine: Engine, authority: str, client: UUID, first: int, last: int) -> None:
    """Add the permits of slots `first`…`last`, after the last number given; leave the tables as vacuum leaves them."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SET statement_timeout = 0; SET synchronous_commit = off")
        connection.exec_driver_sql("SET session_replication_role = replica; SET maintenance_work_mem = '1GB'")
        exclusion = connection.exec_driver_sql(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'no_double_booking'"
        ).scalar_one()
        # An index is built faster than it is kept; the whole book is checked again by the constraint's return.
        connection.exec_driver_sql("ALTER TABLE act_footprint DROP CONSTRAINT no_double_booking")
        for begun in range(first, last + 1, AT_ONCE):
            _write(connection, authority, client, begun, min(begun + AT_ONCE - 1, last))
        connection.exec_driver_sql(f"ALTER TABLE act_footprint ADD CONSTRAINT no_double_booking {exclusion}")
        connection.exec_driver_sql("VACUUM ANALYZE")
        connection.exec_driver_sql("CHECKPOINT")
        connection.exec_driver_sql("RESET ALL")


def _write(connection: Connection, authority: str, client: UUID, first: int, last: int) -> None:
    connection.exec_driver_sql("BEGIN")
    rulebook = connection.exec_driver_sql("SELECT digest FROM rulebook").scalar_one()
    number = connection.exec_driver_sql("SELECT value + 1 FROM counter").scalar_one()
    position = connection.exec_driver_sql("SELECT position FROM audit_head").scalar_one()
    values = {"authority": authority, "client": client, "rulebook": rulebook} | {
        "first": first,
        "last": last,
        "number": number,
        "position": position,
    }
    for statement in (_BATCH, _APPLICATIONS, _ACTS, _FOOTPRINTS, _ENTRIES, _COUNTER, _HEAD):
        connection.execute(text(statement), values)
    connection.exec_driver_sql("COMMIT")
