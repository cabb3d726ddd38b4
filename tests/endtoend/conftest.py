"""One demonstration for all the tests that need it, on data and a port of its own."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

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
    demo.stop()
    assert nothing_runs(home), demo.processes()


@pytest.fixture
def demo(installed: Demo) -> Demo:
    """The demonstration, running: started once, and again after a test that stopped it."""
    return installed.up()
