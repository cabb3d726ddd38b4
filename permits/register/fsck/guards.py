"""What the schema forbids is still forbidden: tables, constraints, triggers, functions, sequences…, one by one.

`migrations/guards.txt` names each of them with the SHA-256 of its definition as the server writes it;
`permits schema` writes it, and a test compares it with what the migrations make.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import Connection, text

from permits.register.database import MIGRATIONS
from permits.register.fsck.finding import Code
from permits.register.fsck.look import Look

FILE = MIGRATIONS / "guards.txt"

# Written alike by PostgreSQL 15 to 18: not-null is told with its column, whatever the version makes of it.
_DEFINITIONS = text(
    """
    WITH ours AS (
        SELECT oid, nspname FROM pg_namespace WHERE nspname IN ('public', 'jobs')
    ), own AS (
        SELECT c.oid, ours.nspname || '.' || c.relname AS name, c.relkind, c.relpersistence, c.relrowsecurity
        FROM pg_class c JOIN ours ON ours.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
    )
    SELECT 'table ' || name AS name, concat_ws(' ', relkind, relpersistence, relrowsecurity) AS definition,
        true AS enabled
    FROM own
    UNION ALL
    SELECT 'column ' || own.name || '.' || a.attname,
        concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                  nullif(a.attidentity, ''), nullif(a.attgenerated, ''), pg_get_expr(d.adbin, d.adrelid)), true
    FROM own JOIN pg_attribute a ON a.attrelid = own.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    UNION ALL
    SELECT 'constraint ' || own.name || '.' || c.conname, pg_get_constraintdef(c.oid), c.convalidated
    FROM own JOIN pg_constraint c ON c.conrelid = own.oid AND c.contype IN ('c', 'f', 'p', 'u', 'x')
    UNION ALL
    SELECT 'index ' || i.indexrelid::regclass, pg_get_indexdef(i.indexrelid),
        i.indisvalid AND i.indisready AND i.indislive
    FROM own JOIN pg_index i ON i.indrelid = own.oid
    UNION ALL
    SELECT 'trigger ' || own.name || '.' || coalesce(c.conname || ' (' || p.proname || ')', t.tgname),
        CASE WHEN t.tgisinternal THEN 'of its constraint' ELSE pg_get_triggerdef(t.oid) END, t.tgenabled = 'O'
    FROM own JOIN pg_trigger t ON t.tgrelid = own.oid JOIN pg_proc p ON p.oid = t.tgfoid
    LEFT JOIN pg_constraint c ON c.oid = t.tgconstraint
    UNION ALL
    SELECT 'rule ' || own.name || '.' || r.rulename, pg_get_ruledef(r.oid), true
    FROM own JOIN pg_rewrite r ON r.ev_class = own.oid
    UNION ALL
    SELECT 'sequence ' || s.seqrelid::regclass,
        concat_ws(' ', s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle),
        true
    FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN ours ON ours.oid = c.relnamespace
    UNION ALL
    SELECT 'function ' || p.oid::regprocedure, pg_get_functiondef(p.oid), true
    FROM pg_proc p JOIN ours ON ours.oid = p.pronamespace
    WHERE p.prokind IN ('f', 'p') AND NOT EXISTS (
        SELECT 1 FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'e')
    """
)
# What could answer in the place of ours, or hold rows that our triggers and constraints never see. A name without its
# schema is looked for in ours and in the system's, where nothing is to be added; and PostgreSQL prefers to its own
# function for any type one that is made for exactly this type. Identifiers begin at 16384 for what is not its own.
_STRANGERS = text(
    """
    WITH looked_in AS (
        SELECT oid, nspname FROM pg_namespace
        WHERE nspname IN ('public', 'jobs', 'pg_catalog')
    ), found AS (
        SELECT 'pg_proc'::regclass AS catalogue, p.oid, 'function ' || p.oid::regprocedure AS name, NULL AS of
        FROM pg_proc p JOIN looked_in ON looked_in.oid = p.pronamespace
        UNION ALL
        SELECT 'pg_operator'::regclass, o.oid, 'operator ' || o.oid::regoperator, NULL
        FROM pg_operator o JOIN looked_in ON looked_in.oid = o.oprnamespace
        UNION ALL
        SELECT 'pg_cast'::regclass, oid, concat('cast ', castsource::regtype, ' as ', casttarget::regtype), NULL
        FROM pg_cast
        UNION ALL
        SELECT 'pg_event_trigger'::regclass, oid, 'event trigger ' || evtname, NULL FROM pg_event_trigger
        UNION ALL
        SELECT 'pg_class'::regclass, oid, 'table pg_catalog.' || relname, 'table public.' || relname
        FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace
        UNION ALL
        SELECT 'pg_class'::regclass, inhrelid, 'child ' || inhrelid::regclass, 'table ' || inhparent::regclass
        FROM pg_inherits
    )
    SELECT name, of FROM found WHERE oid >= 16384 AND NOT EXISTS (
        SELECT 1 FROM pg_depend WHERE classid = catalogue AND objid = found.oid AND deptype = 'e')
    """
)
# Names are written with their schema, and no function of another schema is called, whatever this session's path is.
_PATH = text("SELECT set_config('search_path', :path, true)")
# Whoever comes with another value than origin fires no trigger: for this session, and for those to come.
_BYPASSES = """
SELECT 'session_replication_role' WHERE current_setting('session_replication_role') <> 'origin'
UNION
SELECT 'session_replication_role' FROM pg_db_role_setting, unnest(setconfig) AS setting
WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    AND setting LIKE 'session_replication_role=%' AND setting <> 'session_replication_role=origin'
"""


def definitions(connection: Connection) -> dict[str, str]:
    """Return the digest of each definition of this database's schema, by its name."""
    with _system_path(connection):
        return {row.name: _digest(row.definition) for row in connection.execute(_DEFINITIONS)}


def file_text(found: dict[str, str]) -> str:
    """Return the definitions as the file holds them: one a line, in order."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(found.items()))


def check_guards(look: Look) -> None:
    """Every guard that the migrations make is there, unchanged and enabled; our tables have no other.

    Nor is there anything that PostgreSQL would run or read in the place of what we name.
    """
    with _system_path(look.connection):
        present = {row.name: row for row in look.connection.execute(_DEFINITIONS)}
        strangers = list(look.connection.execute(_STRANGERS))
    expected = _expected()
    unknown = {name for name, of in strangers if of is None or of in expected}
    unknown |= {name for name in present if _touches_ours(name, expected)}
    for name in sorted(expected.keys() - present.keys()):
        look.found(Code.GUARD_MISSING, name, f"« {name} » manque au schéma")
    for name in sorted(unknown - expected.keys()):
        look.found(Code.GUARD_UNKNOWN, name, f"« {name} » n’est pas du schéma")
    for name, definition in expected.items():
        row = present.get(name)
        if row is not None and _digest(row.definition) != definition:
            look.found(Code.GUARD_ALTERED, name, f"« {name} » n’est plus défini comme il doit l’être")
    for name in _disabled(look, present):
        look.found(Code.GUARD_DISABLED, name, f"« {name} » ne protège plus rien : désactivé")


@contextmanager
def _system_path(connection: Connection) -> Iterator[None]:
    """For a while, let names without a schema mean the system's own only."""
    path = connection.execute(text("SHOW search_path")).scalar_one()
    connection.execute(_PATH, {"path": "pg_catalog"})
    yield
    connection.execute(_PATH, {"path": path})


def _touches_ours(name: str, expected: dict[str, str]) -> bool:
    """Tell whether something more changes what our tables do; a view or an index of the operator's doesn't."""
    kind, _, of = name.partition(" ")
    return kind in ("column", "constraint", "trigger", "rule") and f"table {'.'.join(of.split('.')[:2])}" in expected


def _disabled(look: Look, present: dict[str, Any]) -> Iterator[str]:
    yield from (name for name, row in sorted(present.items()) if not row.enabled)
    yield from (row[0] for row in look.rows(_BYPASSES))


@cache
def _expected() -> dict[str, str]:
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def _digest(definition: str) -> str:
    return hashlib.sha256(definition.encode()).hexdigest()
