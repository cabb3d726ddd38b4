"""Where a word is to be found in a whole database: every column of every table, documents opened, and what the
planner has sampled of them.
"""

import io
import json
from typing import Any

import pikepdf
import pypdfium2
from sqlalchemy import Connection, Engine, text

_TABLES = text(
    "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE'"
    " AND table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2"
)
_COLUMNS = text(
    "SELECT count(*) FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)"
    " WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')"
)
_SAMPLES = text(
    "SELECT 'pg_stats.' || tablename || '.' || attname AS place,"
    " concat_ws(' ', most_common_vals, histogram_bounds, most_common_elems) AS told FROM pg_stats"
)


def places_of(engine: Engine, *marks: str) -> dict[str, set[str]]:
    """Return the `table.column`s that hold each mark; tables of the public schema go by their name alone."""
    found: dict[str, set[str]] = {mark: set() for mark in marks}
    looked_at = 0
    with engine.connect() as connection:
        for schema, table in connection.execute(_TABLES).all():
            looked_at += _look(connection, schema, table, found)
        for place, told in connection.execute(_SAMPLES).all():
            for mark, places in found.items():
                if mark in told:
                    places.add(place)
        assert looked_at == connection.execute(_COLUMNS).scalar_one(), "no column was left out"
    return found


def _look(connection: Connection, schema: str, table: str, found: dict[str, set[str]]) -> int:
    result = connection.execute(text(f'SELECT * FROM "{schema}"."{table}"'))
    columns = list(result.keys())
    for row in result:
        for column, value in zip(columns, row, strict=True):
            told = _text(value)
            for mark, places in found.items():
                if mark in told:
                    places.add(f"{table}.{column}" if schema == "public" else f"{schema}.{table}.{column}")
    return len(columns)


def _text(value: Any) -> str:
    if isinstance(value, bytes | memoryview):
        return _of_bytes(bytes(value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _of_bytes(content: bytes) -> str:
    told = content.decode("utf-8", errors="replace")
    return told + _of_pdf(content) if content.startswith(b"%PDF") else told


def _of_pdf(content: bytes) -> str:
    """Return what a PDF shows, and all that it holds: its objects, its streams unpacked, its attachments."""
    shown = pypdfium2.PdfDocument(content)
    told = ["\n".join(page.get_textpage().get_text_range() for page in shown)]
    with pikepdf.open(io.BytesIO(content)) as pdf:
        for each in pdf.objects:
            if isinstance(each, pikepdf.Stream):
                told.append(each.read_bytes().decode("utf-8", errors="replace"))
            told.append(repr(each))
    return "\n".join(told)
