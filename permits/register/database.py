"""The connection to PostgreSQL, its schema, and what must be true of the server before anything is promised on it."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection, Engine, create_engine, make_url, text

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
OLDEST_SERVER = 150000
# Any lock waited for longer than this is a fault to report, not a request to keep hanging.
_SESSION = "-c search_path=public,jobs -c lock_timeout=10s -c statement_timeout=30s -c timezone=UTC"


class DatabaseUnfit(Exception):
    """This server can't keep the register's promises; says why."""


def connect(url: str, *, pool_size: int = 20) -> Engine:
    """Return an engine whose sessions see the register and the queue. `url` is one that the settings accept."""
    return create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        # An error that shows a statement never shows what a person typed.
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=10,
        pool_pre_ping=True,
        connect_args={"options": _SESSION, "connect_timeout": 5, "application_name": "permits"},
    )


def conninfo(engine: Engine) -> str:
    """Return the libpq connection string of an engine, for programs that open their own connections."""
    url = engine.url
    arguments = url.translate_connect_args(username="user", database="dbname") | dict(url.query)
    return make_conninfo(**arguments, options=_SESSION, connect_timeout=5, application_name="permits-jobs")


def migrate(engine: Engine) -> None:
    """Bring the schema to the newest revision; two processes at once wait for each other."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.connect() as connection:
        # Held until the connection closes; a migration may well take longer than a request may wait.
        connection.execute(text("SET lock_timeout = '120s'"))
        connection.execute(text("SELECT pg_advisory_lock(hashtext('permits.migrate'))"))
        connection.commit()
        try:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(hashtext('permits.migrate'))"))
            connection.execute(text("RESET lock_timeout"))
            connection.commit()


def check_server(engine: Engine) -> None:
    """Raise DatabaseUnfit unless this server is recent, durable, and holds the newest schema."""
    with engine.connect() as connection:
        version = int(connection.execute(text("SHOW server_version_num")).scalar_one())
        if version < OLDEST_SERVER:
            raise DatabaseUnfit(f"PostgreSQL 15 or newer is needed, this is {version // 10000}")
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            value = connection.execute(text(f"SHOW {setting}")).scalar_one()
            if value == "off":
                raise DatabaseUnfit(f"{setting} is off: a permit could be lost in a power cut")
        check_schema(connection)


def check_schema(connection: Connection) -> None:
    """Raise DatabaseUnfit unless the newest migration has been applied."""
    newest = max(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    present = connection.execute(text("SELECT to_regclass('public.alembic_version') IS NOT NULL")).scalar_one()
    applied = connection.execute(text("SELECT version_num FROM alembic_version")).scalar() if present else None
    if applied != newest:
        raise DatabaseUnfit(f"the schema is at {applied or 'nothing'}, this code needs {newest}: run `permits migrate`")
