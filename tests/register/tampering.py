"""What somebody with every right on the database could do to a book, drawn at random."""

import json
import random
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from tests.register.forcing import force, refreeze, rewrite_chain, superuser
from tests.register.sealed import Column, columns_of, sealed_columns, sealed_tables

# A way to do it: what was done, None when this book does not lend itself to it.
Way = Callable[[Connection, random.Random], str | None]


def tamper(connection: Connection, chance: random.Random) -> str:
    """Do one thing to the book, in a way drawn at random; return what was done."""
    for _ in range(100):
        (way,) = chance.choices(list(WAYS), list(WAYS.values()))
        done = way(connection, chance)
        if done is not None:
            return f"{way.__name__}: {done}"
    raise AssertionError("nothing could be done to this book")


def edit(
    connection: Connection, chance: random.Random, column: Column | None = None, rows_that: str = "true"
) -> str | None:
    """Change one value of a sealed column, of any when none is given; only in the rows of this condition."""
    column = column or chance.choice(sealed_columns(connection))
    statement = (
        f'UPDATE {column.table} SET "{column.name}" = CAST(:new AS {column.type}) WHERE ctid = CAST(:row AS tid)'
    )
    with superuser(connection):
        query = f'SELECT ctid::text, "{column.name}"::text FROM {column.table} WHERE {rows_that} ORDER BY ctid'
        rows = connection.execute(text(query)).all()
        # Several times each: in a short table, another row's value is often the one that a key does not allow.
        for row, old in chance.sample(rows, len(rows)) * 8:
            new = _other(chance, column, old, [value for _, value in rows])
            if new != old and force(connection, statement, new=new, row=row):
                return f"{column} {str(old)[:60]} -> {str(new)[:60]}"
    return None


def nullify(connection: Connection, chance: random.Random) -> str | None:
    """Take away one value of a sealed column that must have one; that it must is no longer said."""
    column = chance.choice([each for each in sealed_columns(connection) if not each.nullable])
    with superuser(connection):
        rows = connection.execute(text(f"SELECT ctid::text FROM {column.table} ORDER BY ctid")).scalars().all()
        if not rows:
            return None
        row = chance.choice(rows)
        try:
            with connection.begin_nested():
                connection.execute(text(f'ALTER TABLE {column.table} ALTER "{column.name}" DROP NOT NULL'))
        except DBAPIError:  # part of a key
            return None
        forced = f'UPDATE {column.table} SET "{column.name}" = NULL WHERE ctid = CAST(:row AS tid)'
        return f"{column} row {row}" if force(connection, forced, row=row) else None


def delete(connection: Connection, chance: random.Random) -> str | None:
    """Delete one row."""
    table = chance.choice(sealed_tables(connection))
    with superuser(connection):
        rows = connection.execute(text(f"SELECT ctid::text FROM {table} ORDER BY ctid")).scalars().all()
        if not rows:
            return None
        row = chance.choice(rows)
        connection.execute(text(f"DELETE FROM {table} WHERE ctid = CAST(:row AS tid)"), {"row": row})
    return f"{table} row {row}"


def add(connection: Connection, chance: random.Random) -> str | None:
    """Add a row that looks like one that is there."""
    statement = chance.choice(_ADDED)
    with superuser(connection):
        return statement if connection.execute(text(statement)).rowcount else None


def swap(connection: Connection, chance: random.Random) -> str | None:
    """Exchange what two rows hold in one column."""
    table, column = chance.choice(_SWAPPED)
    statement = (
        f"UPDATE {table} SET {column} = CASE ctid WHEN CAST(:one AS tid) THEN"
        f" (SELECT {column} FROM {table} WHERE ctid = CAST(:two AS tid)) ELSE"
        f" (SELECT {column} FROM {table} WHERE ctid = CAST(:one AS tid)) END"
        f" WHERE ctid IN (CAST(:one AS tid), CAST(:two AS tid))"
    )
    with superuser(connection):
        query = f"SELECT ctid::text, {column}::text FROM {table} WHERE {column} IS NOT NULL ORDER BY ctid"
        found = connection.execute(text(query)).all()
        first, *rest = chance.sample(found, len(found))
        second = next((row for row in rest if row[1] != first[1]), None)
        if second is None:
            return None
        # Two values can't change places under an index that lets neither be there twice: it goes, and comes back.
        unique = f"indexname = 'act_has_a_document_of_its_own' AND indexdef LIKE '% ON public.{table} %({column})%'"
        indexes = connection.execute(text(f"SELECT indexname, indexdef FROM pg_indexes WHERE {unique}")).all()
        for index in indexes:
            connection.execute(text(f"DROP INDEX {index.indexname}"))
        swapped = force(connection, statement, one=first[0], two=second[0])
        for index in indexes:
            connection.execute(text(index.indexdef))
        if not swapped:
            return None
    return f"{table}.{column} of {first[0]} and {second[0]}"


def renumber(connection: Connection, chance: random.Random) -> str | None:
    """Exchange the numbers of two permits."""
    statement = text("UPDATE act SET number = :number, label = :label WHERE id = :id")
    with superuser(connection):
        acts = connection.execute(text("SELECT id, number FROM act WHERE series = 'EX' AND year = 2027 ORDER BY id"))
        one, two = chance.sample(list(acts), 2)
        for act, number in ((one, 9999), (two, one.number), (one, two.number)):
            connection.execute(statement, {"id": act.id, "number": number, "label": f"EX-2027-{number:06d}"})
    return f"{one.number} and {two.number}"


def empty(connection: Connection, chance: random.Random) -> str | None:
    """Truncate a table, and what refers to it."""
    table = chance.choice(sealed_tables(connection))
    with superuser(connection):
        if not connection.execute(text(f"SELECT EXISTS (SELECT FROM {table})")).scalar_one():
            return None
        connection.execute(text(f"TRUNCATE {table} CASCADE"))
    return table


def rewrite(connection: Connection, chance: random.Random) -> str | None:
    """Change an entry of the chain, and make all that follows fit."""
    name = chance.choice(["event", "at", "entry"])
    column = next(each for each in columns_of(connection) if str(each) == f"audit_entry.{name}")
    done = edit(connection, chance, column)
    with superuser(connection):
        rewrite_chain(connection)
    return done


def cut(connection: Connection, chance: random.Random) -> str | None:
    """Take the last entries off the chain."""
    with superuser(connection):
        last = connection.execute(text("SELECT position FROM audit_head")).scalar_one()
        kept = chance.randrange(1, last)
        connection.execute(text("DELETE FROM audit_entry WHERE position > :kept"), {"kept": kept})
        rewrite_chain(connection)
    return f"the chain from {last} to {kept}"


def forge(connection: Connection, chance: random.Random) -> str | None:
    """Change a fee everywhere it is told."""
    with superuser(connection):
        labels = connection.execute(text("SELECT label FROM act WHERE kind = 'permit' ORDER BY label")).scalars().all()
        label, total = chance.choice(labels), f"{chance.randrange(100, 9000) / 100:.2f}"

        def cheaper(payload: dict[str, Any]) -> None:
            line = payload["fee"]["lines"][0] | {"quantity": "1", "rate": total, "amount": total}
            payload["fee"] |= {"total": total, "lines": [line]}

        refreeze(connection, label, cheaper)
        forged = {"total": total, "label": label}
        connection.execute(text("UPDATE act SET fee_total = :total WHERE label = :label"), forged)
    return f"the fee of {label}: {total}"


def undermine(connection: Connection, chance: random.Random) -> str | None:
    """Take away, disable or change what guards the book."""
    statement = chance.choice(sorted(connection.execute(text(chance.choice(_UNDERMINED))).scalars()))
    connection.execute(text(statement))
    return statement


def forget(connection: Connection, chance: random.Random) -> str | None:
    """Take a waiting application out of the queue, or give its place to one that does not wait."""
    decided = "(SELECT id FROM application WHERE outcome <> 'awaiting_registry' ORDER BY id LIMIT 1)"
    statement = chance.choice(("DELETE FROM registry_wait", f"UPDATE registry_wait SET application_id = {decided}"))
    with superuser(connection):
        return statement if connection.execute(text(statement)).rowcount else None


# Every way, and how often it is tried.
WAYS: dict[Way, int] = {
    edit: 40,
    nullify: 6,
    delete: 10,
    add: 8,
    swap: 10,
    renumber: 2,
    empty: 4,
    rewrite: 8,
    cut: 4,
    forge: 4,
    undermine: 14,
    forget: 2,
}


def _other(chance: random.Random, column: Column, old: str | None, known: list[str | None]) -> str | None:
    """Return another value that such a column could hold, as text."""
    others = sorted({value for value in known if value is not None and value != old})
    if old is not None and column.nullable and chance.random() < 0.2:
        return None
    if others and (old is None or chance.random() < 0.3):
        return chance.choice(others)
    return _PLAUSIBLE[column.type] if old is None else _CHANGED[column.type](chance, old)


def _changed_text(chance: random.Random, old: str) -> str:
    place = chance.randrange(len(old)) if old else 0
    letters = [letter for letter in "0123456789abcdef" if letter != old[place : place + 1]]
    return old[:place] + chance.choice(letters) + old[place + 1 :]


def _changed_json(chance: random.Random, old: str) -> str:
    """Change one leaf, make it another kind of value, or take it away."""
    value = json.loads(old)
    if not _keys(value):
        return '{"x": 1}'
    holder, key = value, chance.choice(_keys(value))
    while _keys(holder[key]):
        holder = holder[key]
        key = chance.choice(_keys(holder))
    leaf = holder[key]
    if isinstance(holder, dict) and chance.random() < 0.2:
        del holder[key]
    elif chance.random() < 0.2:
        holder[key] = chance.choice([other for other in (None, True, 5, "x", [], {}) if type(other) is not type(leaf)])
    elif isinstance(leaf, bool) or leaf is None:
        holder[key] = not leaf
    elif isinstance(leaf, int | float):
        holder[key] = leaf + chance.choice((1, 0.001))
    else:
        holder[key] = _changed_text(chance, leaf) if isinstance(leaf, str) else "x"
    return json.dumps(value, ensure_ascii=False)


def _keys(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return sorted(value)
    return list(range(len(value))) if isinstance(value, list) else []


def _changed_instant(chance: random.Random, old: str) -> str:
    moved = timedelta(**{chance.choice(("microseconds", "seconds", "days")): chance.choice((-1, 1))})
    return (datetime.fromisoformat(old) + moved).isoformat()


def _changed_day(chance: random.Random, old: str) -> str:
    return (date.fromisoformat(old) + timedelta(days=chance.choice((-1, 1)))).isoformat()


def _changed_range(chance: random.Random, old: str) -> str:
    first, end = old.strip("[)").split(",")
    return (
        f"[{first},{_changed_day(chance, end)})" if chance.random() < 0.5 else f"[{_changed_day(chance, first)},{end})"
    )


def _changed_polygon(chance: random.Random, old: str) -> str:
    moved = chance.choice(re.findall(r"-?[0-9.]+", old))
    return old.replace(moved, str(round(float(moved) + chance.choice((-1, 0.001, 1)), 3)), 1)


def _changed_number(chance: random.Random, old: str) -> str:
    return str(int(old) + chance.choice((1, 1000)))


_CHANGED: dict[str, Callable[[random.Random, str], str]] = {
    "text": _changed_text,
    "varchar": _changed_text,
    "uuid": lambda chance, old: str(UUID(int=chance.getrandbits(128), version=4)),
    "int4": _changed_number,
    "int8": _changed_number,
    "numeric": lambda chance, old: str(Decimal(old) + chance.choice((Decimal("0.01"), Decimal(100)))),
    "bool": lambda chance, old: "false" if old == "true" else "true",
    "timestamptz": _changed_instant,
    "date": _changed_day,
    "daterange": _changed_range,
    "polygon": _changed_polygon,
    "jsonb": _changed_json,
    "bytea": lambda chance, old: old[:-1] + ("0" if old[-1] != "0" else "1"),
}
_PLAUSIBLE = {
    "text": "écrit après coup",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "timestamptz": "2026-12-24 12:00:00+00",
    "date": "2027-02-10",
    "jsonb": "{}",
}


def _like(table: str, changes: str, which: str = "") -> str:
    """Return what adds a row like one of the table, changed as told."""
    return (
        f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record({table}, jsonb_build_object("
        f"{changes}))).* FROM {table} {which} LIMIT 1"
    )


_ADDED = (
    _like(
        "act",
        "'id', gen_random_uuid(), 'number', 999, 'label', 'EX-2026-000999', 'code', repeat('z', 22),"
        " 'application_id', gen_random_uuid(), 'document_sha256', encode(sha256('another'), 'hex')",
        "WHERE kind = 'permit'",
    ),
    _like("act_footprint", "'occupancy', 9"),
    _like(
        "act_notification",
        "'act_id', (SELECT id FROM act WHERE id NOT IN (SELECT act_id FROM act_notification) ORDER BY label LIMIT 1)",
    ),
    _like("application", "'id', gen_random_uuid(), 'idempotency_key', 'autre'"),
    _like(
        "application_evidence",
        "'application_id', (SELECT id FROM application WHERE outcome = 'awaiting_registry')",
    ),
    "INSERT INTO document SELECT encode(sha256('faux'), 'hex'), 'faux', now()",
    _like(
        "audit_entry",
        "'position', position + 1, 'sha256', repeat('a', 64), 'previous_sha256', sha256",
        "ORDER BY position DESC",
    ),
    _like("counter", "'series', 'ZZ'"),
    _like("code_key", "'kid', 'other'"),
    "INSERT INTO seal_certificate SELECT authority, encode(sha256('forged'), 'hex'), 'forged', chain, first_used_at"
    " FROM seal_certificate LIMIT 1",
    _like("issuing_switch", "'id', 99"),
    _like("registry_switch", "'id', 99"),
    _like(
        "registry_wait",
        "'application_id', (SELECT id FROM application WHERE outcome <> 'awaiting_registry' ORDER BY id LIMIT 1)",
    ),
    _like("rulebook", "'digest', repeat('a', 64)"),
    _like("rulebook_step", "'id', 99, 'effective_on', date '2031-01-01'", "WHERE step <> 'adopted'"),
)
_SWAPPED = (
    ("act", "payload"),
    ("act", "payload_sha256"),
    ("act", "document_sha256"),
    ("act", "reserved_at"),
    ("act", "issued_at"),
    ("act", "fee_total"),
    ("act_footprint", "footprint_core"),
    ("act_footprint", "period"),
    ("act_notification", "proof"),
    ("application", "body"),
    ("application", "facts"),
    ("application", "decision"),
    ("application", "received_at"),
    ("application_evidence", "answer"),
    ("audit_entry", "entry"),
    ("audit_entry", "event"),
    ("audit_entry", "at"),
    ("code_key", "public_key"),
    ("code_key", "first_used_at"),
    ("counter", "value"),
    ("document", "content"),
    ("issuing_switch", "reason"),
    ("registry_switch", "reason"),
    ("rulebook_step", "taken_by"),
    ("seal_certificate", "chain"),
    ("seal_certificate", "first_used_at"),
)
_OURS = "c.relnamespace = 'public'::regnamespace"
_TRIGGERS = f"pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE {_OURS} AND NOT t.tgisinternal"
_TABLES = f"pg_class c WHERE {_OURS} AND c.relkind = 'r'"
_FUNCTIONS = (
    "pg_proc p JOIN pg_language l ON l.oid = p.prolang"
    " WHERE p.pronamespace = 'public'::regnamespace AND l.lanname IN ('sql', 'plpgsql')"
)
# Each finds the statements that would take away one guard of a sort.
_UNDERMINED = (
    f"SELECT format('DROP TRIGGER %I ON %s', t.tgname, c.oid::regclass) FROM {_TRIGGERS}",
    f"SELECT format('ALTER TABLE %s DISABLE TRIGGER %I', c.oid::regclass, t.tgname) FROM {_TRIGGERS}",
    f"SELECT DISTINCT format('ALTER TABLE %s DISABLE TRIGGER ALL', c.oid::regclass) FROM {_TRIGGERS}",
    "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', c.oid::regclass, k.conname)"
    f" FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE {_OURS} AND k.contype <> 'n'",
    "SELECT format('ALTER TABLE %s ALTER %I DROP NOT NULL', c.oid::regclass, a.attname)"
    f" FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE {_OURS} AND c.relkind = 'r' AND a.attnum > 0"
    " AND a.attnotnull AND a.attidentity = '' AND NOT EXISTS ("
    "SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey))",
    f"SELECT format('DROP INDEX %s', i.indexrelid::regclass) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
    f" WHERE {_OURS} AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)",
    f"SELECT format('ALTER FUNCTION %s SECURITY DEFINER', p.oid::regprocedure) FROM {_FUNCTIONS}",
    f"SELECT format('DROP FUNCTION %s CASCADE', p.oid::regprocedure) FROM {_FUNCTIONS}",
    f"SELECT format('CREATE RULE quiet AS ON DELETE TO %s DO INSTEAD NOTHING', c.oid::regclass) FROM {_TABLES}",
    "SELECT format('CREATE TRIGGER quiet BEFORE UPDATE ON %s FOR EACH ROW"
    f" EXECUTE FUNCTION suppress_redundant_updates_trigger()', c.oid::regclass) FROM {_TABLES}",
    "SELECT 'CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN OLD; END'''",
    "SELECT format('ALTER DATABASE %I SET session_replication_role = replica', current_database())",
    # What would be run or read in the place of ours; they do as the built-in ones, so that nothing else is found.
    "SELECT 'CREATE FUNCTION public.upper(daterange) RETURNS date IMMUTABLE LANGUAGE sql AS "
    "''SELECT pg_catalog.upper($1)'''",
    "SELECT 'DO $do$ BEGIN CREATE FUNCTION meet(daterange, daterange) RETURNS boolean IMMUTABLE LANGUAGE sql AS "
    "''SELECT $1 OPERATOR(pg_catalog.&&) $2''; "
    "CREATE OPERATOR public.&& (LEFTARG = daterange, RIGHTARG = daterange, FUNCTION = meet); END $do$'",
    f"SELECT format('CREATE TABLE more () INHERITS (%s)', c.oid::regclass) FROM {_TABLES}",
    "SELECT format('ALTER SEQUENCE %s MINVALUE -99', seqrelid::regclass) FROM pg_sequence",
)
