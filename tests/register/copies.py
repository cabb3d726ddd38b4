"""Other databases on the same server, and a check of what a copy must hold."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from threading import Timer
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url, text

from permits.register.audit import GENESIS, entry_digest
from permits.register.database import connect

_names = count(1)


@contextmanager
def new_database(url: str, template: str = "template0") -> Iterator[Engine]:
    """An engine on a new database beside this one, empty unless another template is named; dropped afterwards."""
    name = f"{make_url(url).database}_copy_{next(_names)}"
    with administration(url) as run:
        run(f"CREATE DATABASE {name} TEMPLATE {template}")
        engine = connect(make_url(url).set(database=name).render_as_string(hide_password=False))
        try:
            yield engine
        finally:
            engine.dispose()
            run(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def administration(url: str) -> Iterator[object]:
    """Run statements about whole databases."""
    admin = create_engine(make_url(url).set(database="postgres"), isolation_level="AUTOCOMMIT")

    def run(statement: str) -> None:
        with admin.connect() as connection:
            connection.execute(text(statement))

    try:
        yield run
    finally:
        admin.dispose()


@contextmanager
def kept_waiting(engine: Engine, table: str) -> Iterator[None]:
    """For a second, keep whoever reads this table waiting; sessions wait for a fifth of that, unless they say so."""

    def impatient(connection: Any, _record: object) -> None:
        connection.execute("SET statement_timeout = '200ms'")
        connection.commit()

    engine.dispose()
    holding = engine.connect()
    holding.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
    let_go = Timer(1, holding.close)
    event.listen(engine, "connect", impatient)
    let_go.start()
    try:
        yield
    finally:
        event.remove(engine, "connect", impatient)
        let_go.join()
        engine.dispose()


def faults_of(engine: Engine) -> list[str]:
    """Return what is wrong with a book: its numbers, its counters, its documents, its chain."""
    with engine.connect() as connection:
        acts = connection.execute(
            text(
                "SELECT authority, series, year, number, label, state, document_sha256, content FROM act"
                " LEFT JOIN document ON sha256 = document_sha256 ORDER BY authority, series, year, number"
            )
        ).all()
        counters = connection.execute(text("SELECT authority, series, year, value FROM counter")).all()
        entries = connection.execute(text("SELECT * FROM audit_entry ORDER BY authority, position")).all()
        heads = connection.execute(text("SELECT authority, position, sha256 FROM audit_head")).all()
    faults = []
    for authority, series, year, value in counters:
        numbers = [a.number for a in acts if (a.authority, a.series, a.year) == (authority, series, year)]
        if numbers != list(range(1, value + 1)):
            faults.append(f"{series} {year}: the numbers are not 1 to {value}")
    if {(a.authority, a.series, a.year) for a in acts} != {tuple(counter[:3]) for counter in counters}:
        faults.append("a series has acts without a counter, or a counter without acts")
    for act in acts:
        digest = None if act.content is None else hashlib.sha256(act.content).hexdigest()
        if digest != act.document_sha256 or (act.state == "issued") != (digest is not None):
            faults.append(f"{act.label} is {act.state} without its document")
    last = dict.fromkeys({entry.authority for entry in entries}, (0, GENESIS))
    for entry in entries:
        position, previous = last[entry.authority][0] + 1, last[entry.authority][1]
        expected = entry_digest(entry.authority, position, entry.event, entry.at, entry.entry, previous)
        if (entry.position, entry.previous_sha256, entry.sha256) != (position, previous, expected):
            faults.append(f"entry {entry.position} of the chain does not follow")
        last[entry.authority] = (entry.position, entry.sha256)
    if last != {head.authority: (head.position, head.sha256) for head in heads}:
        faults.append("the head is not the last entry")
    return faults
