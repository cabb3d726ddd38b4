"""Writes a database's schema as SQL, to compare what the migrations make with what is committed."""

import re
import subprocess

from sqlalchemy import make_url

from permits.embedded_postgres import program

_NOISE = re.compile(r"^(--.*|SET .*|SELECT pg_catalog\.set_config.*|\\(un)?restrict .*)?\n", re.MULTILINE)


def dump_schema(url: str) -> str:
    """Return the schema as pg_dump writes it, without comments, owners and session settings."""
    target = make_url(url)
    host, port = target.query.get("host") or target.host, target.query.get("port") or target.port
    dumped = subprocess.run(
        [
            program("pg_dump"),
            *("--schema-only", "--no-owner", "--no-privileges", "--exclude-table=alembic_version"),
            *(
                "--host",
                str(host),
                "--port",
                str(port or 5432),
                "--username",
                str(target.username),
                str(target.database),
            ),
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout
    return "-- Written by `permits schema` from migrations/; a test compares them.\n" + _NOISE.sub("", dumped)
