"""What every test may use: a real PostgreSQL, and the outside programs of programs.txt."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from permits.embedded_postgres import EmbeddedPostgres
from permits.register.database import connect, migrate
from tests.fakes import FakeOffice, open_office
from tests.pki import Pki, open_pki

PROGRAMS = dict(
    line.split()
    for line in (Path(__file__).parent / "programs.txt").read_text().splitlines()
    if line and not line.startswith("#")
)

MEMORY = Path("/dev/shm")


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """Return the path of an outside program; where it is missing, fail in CI and skip elsewhere."""

    def find(name: str) -> str:
        assert name in PROGRAMS, f"{name} is not listed in tests/programs.txt"
        path = shutil.which(name)
        if path is None:
            cannot_run(f"{name} is missing: install Debian's {PROGRAMS[name]}")
        return path

    return find


def cannot_run(reason: str) -> NoReturn:
    """Skip what this machine lacks the means for; in CI, where nothing may go untried, fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server of this test process, with a migrated database named permits."""
    with embedded_postgres() as url:
        yield url


def passing_folder(prefix: str) -> Path:
    """Return a new folder for a server that need not survive: in memory when there is room, where files cost nothing.

    Not pytest's own: its parents are closed to the server's unprivileged account.
    """
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 4 * 1024**3
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=MEMORY if has_room else None))
    folder.chmod(0o755)
    return folder


@contextmanager
def embedded_postgres() -> Iterator[str]:
    """Run the embedded server on data of its own, with a migrated database named permits."""
    directory = passing_folder("permits-test-")
    server = EmbeddedPostgres(directory, durable=False)
    url = server.start()
    try:
        engine = connect(url, pool_size=1)
        migrate(engine)
        engine.dispose()
        yield url
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def one_pki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pki]:
    """A public-key infrastructure on the loopback."""
    with open_pki(tmp_path_factory.mktemp("pki")) as pki:
        yield pki


@pytest.fixture
def pki(one_pki: Pki) -> Iterator[Pki]:
    """That infrastructure, with nothing revoked and nothing failing."""
    one_pki.asked.clear()
    yield one_pki
    one_pki.reset()


_databases = 0


@pytest.fixture
def database_url(postgres: str) -> Iterator[str]:
    """The URL of a fresh migrated database, dropped afterwards."""
    with fresh_database(postgres) as url:
        yield url


@contextmanager
def fresh_database(postgres: str) -> Iterator[str]:
    """Make a migrated database on this server, and drop it afterwards."""
    global _databases
    _databases += 1
    name = f"test_{os.getpid()}_{_databases}"
    admin = _administration(postgres)
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE permits STRATEGY file_copy"))
    try:
        yield make_url(postgres).set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@cache
def _administration(postgres: str) -> Engine:
    """Where the databases of a server are made and dropped: a connection for each would take as long as that."""
    return create_engine(make_url(postgres).set(database="postgres"), isolation_level="AUTOCOMMIT")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on a fresh migrated database."""
    engine = connect(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def office(engine: Engine) -> FakeOffice:
    """A desk on a real register, with readable fakes around it."""
    return open_office(engine)
