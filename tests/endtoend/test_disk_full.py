"""The disk under PostgreSQL is really full while the service issues: nothing is lost, all is finished with new room.

The database lies on a small disk in memory, which only root can make: elsewhere these tests are skipped, and in CI they
fail. Faults that only pretend a full disk, at each step, are in test_failpoints.py.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from tests.conftest import cannot_run
from tests.endtoend.book import Promises, faults, unfinished
from tests.endtoend.running import forget, wait
from tests.endtoend.town import Town, open_town, told

pytestmark = pytest.mark.xdist_group("disk-full")

ROOM = "1g"
APPLICATIONS = 6


class SmallDisk:
    """A disk in memory that can be full, and have room again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fill(self) -> None:
        """Leave room for nothing: the disk becomes as small as what it holds."""
        disk = os.statvfs(self._folder)
        self._mount(f"remount,size={(disk.f_blocks - disk.f_bfree) * disk.f_frsize}")
        assert os.statvfs(self._folder).f_bfree == 0

    def make_room(self) -> None:
        self._mount(f"remount,size={ROOM}")

    def begin(self) -> None:
        self._mount(f"size={ROOM},mode=0755")

    def end(self) -> None:
        subprocess.run(["umount", "--lazy", self._folder], check=True, timeout=30)

    def _mount(self, options: str) -> None:
        command = ["mount", "-t", "tmpfs", "-o", options, "permits-test", str(self._folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        if done.returncode != 0:
            cannot_run(f"this machine lets nobody make a disk: {done.stderr.strip()}")


@contextmanager
def town_on_a_small_disk() -> Iterator[tuple[Town, SmallDisk]]:
    home = Path(tempfile.mkdtemp(prefix="permits-full-"))
    home.chmod(0o755)
    (home / "var" / "postgres").mkdir(parents=True)
    disk = SmallDisk(home / "var" / "postgres")
    try:
        disk.begin()
        try:
            with open_town(home) as town:
                assert os.path.ismount(town.database.home)
                yield town, disk
        finally:
            disk.end()
    finally:
        forget(home)


def start_and_issue_one(town: Town, promises: Promises) -> None:
    """With room everything goes well; and the tables have begun pages, in which a line may still fit."""
    town.start()
    with town.caller() as client:
        promises.add("key-0", town.file(client, "key-0").json()["permit"])
    assert promises.told.keys() == {"key-0"}


def file_all(town: Town, promises: Promises) -> list[httpx.Response]:
    with town.caller() as client:
        answers = [town.file(client, f"key-{number}") for number in range(APPLICATIONS)]
    for number, answer in enumerate(answers):
        if answer.status_code == 201:
            promises.add(f"key-{number}", answer.json()["permit"])
    return answers


def finish_all(town: Town, promises: Promises) -> None:
    """The service is the same, and nobody helps it: its worker finishes, its callers repeat."""
    town.run_jobs_now()
    assert wait(lambda: {answer.status_code for answer in file_all(town, promises)} == {201})
    book = town.book()
    keys = [f"key-{number}" for number in range(APPLICATIONS)]
    assert faults(book, promises) + unfinished(book, keys) == []
    assert promises.told.keys() == set(keys)
    town.check_documents(promises.told.values(), seals=APPLICATIONS)
    town.check_by_fsck()


@pytest.mark.timeout(300)
def test_what_finds_no_room_in_the_tables_is_finished_when_there_is_some() -> None:
    promises = Promises()
    with town_on_a_small_disk() as (town, disk):
        start_and_issue_one(town, promises)
        disk.fill()

        answers = file_all(town, promises)

        assert {told(answer) for answer in answers} <= {(503, "database_unavailable"), (201, "reserved")}
        assert promises.told.keys() == {"key-0"}, "a document needs room"
        assert "No space left on device" in town.database.log.read_text()
        assert faults(town.book(hashing=False), promises) == []
        disk.make_room()
        finish_all(town, promises)


@pytest.mark.proof
@pytest.mark.timeout(300)
def test_a_database_that_stops_for_want_of_room_is_found_again_with_all_it_had() -> None:
    """Without room for its journal PostgreSQL stops at once, as if it had been killed."""
    promises = Promises()
    with town_on_a_small_disk() as (town, disk):
        start_and_issue_one(town, promises)
        disk.fill()
        with pytest.raises(OperationalError), town.engine.connect() as connection:
            for _ in range(10):
                connection.execute(text("SELECT pg_switch_wal()"))
                connection.execute(text("CREATE TEMPORARY TABLE x ON COMMIT DROP AS SELECT 1"))
        assert wait(lambda: town.database.pid is None, 30), town.database.log.read_text()
        assert "PANIC" in town.database.log.read_text()

        answers = file_all(town, promises)

        assert {told(answer) for answer in answers} == {(503, "database_unavailable")}
        disk.make_room()
        town.database.start()
        finish_all(town, promises)
