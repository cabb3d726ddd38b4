"""The register's promises hold on the newest PostgreSQL and on the oldest that is supported."""

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, Engine

from permits.register.database import connect, migrate
from tests.conftest import cannot_run, embedded_postgres, passing_folder
from tests.register.every_kind import Original, original_book

OLDEST = Path("/usr/lib/postgresql/15/bin")
# What rests on the database's own constraints and triggers is tried on both by `make test`; the rest on the oldest by
# `make proof`.
ON_BOTH = {"test_exclusion", "test_guards", "test_migration", "test_queue"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave to `make proof`, on the oldest PostgreSQL, what does not rest on its version."""
    for item in items:
        given = item.callspec.params if hasattr(item, "callspec") else {}
        if given.get("postgres") == "15" and item.path.stem not in ON_BOTH:
            item.add_marker(pytest.mark.proof)


@pytest.fixture(scope="session", params=["18", "15"])
def postgres(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a server of that version, with a migrated database named permits."""
    if request.param == "18":
        with embedded_postgres() as url:
            yield url
    elif (OLDEST / "postgres").exists():
        with oldest_postgres() as url:
            yield url
    else:
        cannot_run("PostgreSQL 15 is not installed here (Debian's postgresql-15)")


@pytest.fixture(scope="session")
def original(postgres: str) -> Iterator[Original]:
    """A book with acts of every kind in every state, to be copied."""
    with original_book(postgres) as written:
        yield written


@pytest.fixture(scope="session")
def written(original: Original) -> Iterator[Engine]:
    """An engine on one copy of that book, for those who take back what they do."""
    with original.copied() as engine:
        yield engine


@pytest.fixture
def book(written: Engine) -> Iterator[Connection]:
    """A transaction on a copy of that book, taken back at the end."""
    with written.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


@contextmanager
def oldest_postgres() -> Iterator[str]:
    """Run Debian's PostgreSQL 15 on a socket of its own."""
    directory = passing_folder("permits-pg15-")
    account = pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    os.chown(directory, account.pw_uid, account.pw_gid)
    data = directory / "data"

    def command(*words: str) -> subprocess.Popen[bytes]:
        user = account.pw_uid if os.geteuid() == 0 else None
        log = (directory.parent / f"{directory.name}.log").open("ab")
        return subprocess.Popen(words, user=user, cwd=directory, stdout=log, stderr=log, start_new_session=True)

    initdb = [str(OLDEST / "initdb"), "-D", str(data), "-U", "permits", "--auth=trust", "--no-sync"]
    assert command(*initdb, "--locale=C.UTF-8", "--encoding=UTF8").wait(60) == 0
    options = ["listen_addresses=", f"unix_socket_directories={directory}", "fsync=off"]
    server = command(str(OLDEST / "postgres"), "-D", str(data), *(word for o in options for word in ("-c", o)))
    try:
        for _ in range(200):
            try:
                admin = psycopg.connect(f"host={directory} user=permits dbname=postgres", autocommit=True)
                break
            except psycopg.OperationalError:
                time.sleep(0.05)
        with admin:
            admin.execute("CREATE DATABASE permits")
        url = f"postgresql+psycopg://permits@/permits?host={directory}"
        engine = connect(url, pool_size=1)
        migrate(engine)
        engine.dispose()
        yield url
    finally:
        server.send_signal(signal.SIGINT)  # at once, whoever is connected
        server.wait(30)
        shutil.rmtree(directory, ignore_errors=True)
        (directory.parent / f"{directory.name}.log").unlink(missing_ok=True)
