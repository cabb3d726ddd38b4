"""The register's tables with SQL in hand: try a statement, see how the database refuses it, undo it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from tests.fakes import FakeOffice


def columns(connection: Connection, table: str) -> dict[str, str]:
    """Return every column of a table and its type, as the server knows them."""
    query = (
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = :table ORDER BY ordinal_position"
    )
    return {row.column_name: row.data_type for row in connection.execute(text(query), {"table": table})}


def refusal(connection: Connection, statement: str, **values: Any) -> str | None:
    """Try a statement and undo it: return how the database refuses it, None when it does not."""
    try:
        with connection.begin_nested() as attempt:
            touched = connection.execute(text(statement), values).rowcount
            connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
            attempt.rollback()
    except DBAPIError as error:
        return str(error.orig).splitlines()[0]
    assert touched, f"nothing to touch: {statement}"
    return None


@contextmanager
def by_hand(office: FakeOffice, *, triggers: bool = True) -> Iterator[Connection]:
    """Give a connection with all the rights of the owner; what it does is undone."""
    with office.register.engine.connect() as connection:
        if not triggers:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield connection
