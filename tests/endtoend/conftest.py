"""One demonstration for all the tests that need it, on data and a port of its own."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from permits.document.sealing.demo import load_demo_seal
from permits.register.database import connect
from tests.endtoend.book import have_documents_read, read_book
from tests.endtoend.running import Demo, forget, nothing_runs


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """A folder that PostgreSQL's own account may enter, unlike pytest's. Nobody works there afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="permits-endtoend-"))
    directory.chmod(0o755)
    yield directory
    forget(directory)


@pytest.fixture(scope="session")
def installed(home: Path) -> Iterator[Demo]:
    """The demonstration, running or not."""
    demo = Demo(home)
    yield demo
    engine = connect(f"postgresql+psycopg://permits@/permits?host={demo.up().home}/var/postgres/socket")
    read = have_documents_read(engine, load_demo_seal(home / "var" / "seal").certificate)
    assert read == len([line for line in read_book(engine).lines if line.document_sha256])
    engine.dispose()
    demo.stop()
    assert nothing_runs(home), demo.processes()


@pytest.fixture
def demo(installed: Demo) -> Demo:
    """The demonstration, running: started once, and again after a test that stopped it."""
    return installed.up()
