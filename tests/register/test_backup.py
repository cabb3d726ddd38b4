"""A backup taken under load is a whole book, and what can't be backed up or restored is refused in one line."""

import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Lock, Thread

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from permits.cli import app
from permits.issue import issue_permit
from permits.register import postgres_programs
from permits.register.backup import Backup, back_up, checkpoint_beside, restore
from permits.register.checkpoint import PRIVATE_KEY_FILE, Checkpoint, make_key, opened
from permits.register.database import check_schema
from permits.register.floor import read_checkpoint, snapshot
from permits.register.fsck import check
from permits.register.postgres_programs import BackupRefused, pg_dump_for, pg_restore_for
from permits.register.schema_dump import dump_schema
from tests.fakes import ROOT, START, FakeOffice
from tests.register.copies import administration, faults_of, new_database

KEY = Ed25519PrivateKey.generate()
LONGEST_LOAD_S = 90


class Filing:
    """Threads that file applications until told to stop; what the office acknowledged is kept in order."""

    def __init__(self, office: FakeOffice, threads: int = 4) -> None:
        self._office = office
        self._until = time.monotonic() + LONGEST_LOAD_S
        self._stop = Event()
        self._lock = Lock()
        self._threads = [Thread(target=self._run) for _ in range(threads)]
        self.acknowledged: list[tuple[str, str | None]] = []
        self.failures: list[Exception] = []

    def __enter__(self) -> "Filing":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def wait_for(self, more: int) -> None:
        """Return when this many more permits have been acknowledged."""
        goal = len(self.acknowledged) + more
        while len(self.acknowledged) < goal:
            assert not self.failures and time.monotonic() < self._until
            time.sleep(0.01)

    def _run(self) -> None:
        while not self._stop.is_set() and time.monotonic() < self._until:
            try:
                filed, _ = issue_permit(self._office.desk, self._office.filing())
            except Exception as error:
                self.failures.append(error)
                return
            assert filed.act is not None
            with self._lock:
                self.acknowledged.append((filed.act.number, filed.act.document_sha256))


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def backed_up(engine: Engine, file: Path, authority: str = "exemple") -> Backup:
    return back_up(engine, file, authority, datetime.now(UTC), KEY)


def acts_in(engine: Engine) -> dict[str, str | None]:
    """Return the digest of the document of every act, None while it has none."""
    with engine.connect() as connection:
        return dict(list(connection.execute(text("SELECT label, document_sha256 FROM act"))))


def test_every_backup_taken_while_permits_are_issued_is_a_whole_book(office: FakeOffice, tmp_path: Path) -> None:
    source, taken = office.register.engine, 0
    with Filing(office) as load:
        for turn in range(2):
            load.wait_for(10)
            known = set(load.acknowledged)
            made = backed_up(source, tmp_path / f"{turn}.dump")
            taken += len(load.acknowledged) - len(known)
            load.wait_for(5)
            with new_database(url_of(source)) as copy:
                restore(copy, tmp_path / f"{turn}.dump")

                assert made.checkpoint is not None
                report = check(copy, "exemple", office.clock(), checkpoint=made.checkpoint)
                assert (report.findings, report.position) == ((), made.checkpoint.position)
                assert len(known) >= 10 and known <= set(acts_in(copy).items())
                assert set(acts_in(copy)) < set(acts_in(source))
                with snapshot(copy) as connection:
                    now = read_checkpoint(connection, "exemple", made.checkpoint.at)
                assert now == made.checkpoint, "the checkpoint and the dump show the same instant"

    assert load.failures == []
    assert taken > 0, "permits were issued while the backups were being taken"
    assert faults_of(source) == []


@pytest.mark.parametrize(
    ("damage", "seen"),
    [
        ("DELETE FROM act WHERE number = 2", "the numbers are not 1 to 3"),
        ("DELETE FROM act WHERE number = 3", "the numbers are not 1 to 3"),
        ("UPDATE counter SET value = 4", "the numbers are not 1 to 4"),
        ("DELETE FROM counter", "acts without a counter"),
        ("DELETE FROM document WHERE sha256 = (SELECT document_sha256 FROM act WHERE number = 1)", "without its doc"),
        ("UPDATE act SET state = 'reserved', issued_at = NULL, document_sha256 = NULL WHERE number = 1", None),
        ("DELETE FROM audit_entry WHERE position = 4", "entry 5 of the chain does not follow"),
        ("UPDATE audit_entry SET entry = '{}' WHERE position = 6", "entry 6 of the chain does not follow"),
        ("DELETE FROM audit_entry WHERE position = 6", "the head is not the last entry"),
    ],
)
def test_a_damaged_copy_is_seen(office: FakeOffice, damage: str, seen: str | None) -> None:
    """Negative control of the check above; the one `None` is an ordinary interrupted permit, which is no fault."""
    for _ in range(3):
        issue_permit(office.desk, office.filing())
    assert faults_of(office.register.engine) == []
    with office.register.engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(damage))

    faults = faults_of(office.register.engine)
    assert faults == [] if seen is None else seen in faults[0]


def test_a_restored_database_has_every_table_constraint_and_trigger(office: FakeOffice, tmp_path: Path) -> None:
    issue_permit(office.desk, office.filing())
    backed_up(office.register.engine, tmp_path / "b.dump")
    with new_database(url_of(office.register.engine)) as copy:
        restore(copy, tmp_path / "b.dump")

        assert dump_schema(url_of(copy)) == (ROOT / "migrations" / "schema.sql").read_text()
        with copy.connect() as connection:
            check_schema(connection)
            assert connection.execute(text("SELECT count(*) FROM jobs.procrastinate_jobs")).scalar_one() == 1
            assert connection.execute(text("SELECT reltuples FROM pg_class WHERE relname = 'act'")).scalar_one() == 1
        with pytest.raises(DBAPIError, match="keeps everything"), copy.begin() as connection:
            connection.execute(text("DELETE FROM act"))


def test_a_restored_database_goes_on_with_the_next_number(office: FakeOffice, tmp_path: Path) -> None:
    for _ in range(2):
        issue_permit(office.desk, office.filing())
    backed_up(office.register.engine, tmp_path / "b.dump")
    with new_database(url_of(office.register.engine)) as copy:
        restore(copy, tmp_path / "b.dump")
        office.register.engine = copy
        filed, _ = issue_permit(office.desk, office.filing())

        assert filed.act is not None and filed.act.number == "EX-2026-000003"
        assert faults_of(copy) == []


def test_a_backup_is_for_its_owner_only_and_is_never_replaced(office: FakeOffice, tmp_path: Path) -> None:
    file = tmp_path / "b.dump"
    backed_up(office.register.engine, file)
    before = file.read_bytes()

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(BackupRefused, match=r"b\.dump existe déjà"):
        backed_up(office.register.engine, file)
    file.unlink()
    with pytest.raises(BackupRefused, match=r"checkpoint\.json existe déjà"):
        backed_up(office.register.engine, file)
    checkpoint_beside(file).unlink()
    backed_up(office.register.engine, file)
    assert file.read_bytes() != b"" != before
    assert sorted(tmp_path.iterdir()) == [file, checkpoint_beside(file)]


def test_a_backup_that_cannot_be_written_is_told_and_leaves_nothing(office: FakeOffice, tmp_path: Path) -> None:
    for file in (tmp_path / "no" / "b.dump", tmp_path / ("b" * 245)):
        with pytest.raises(BackupRefused, match="ne peut pas être écrit"):
            backed_up(office.register.engine, file)

    assert list(tmp_path.iterdir()) == []


def test_two_backups_do_not_write_the_same_file(office: FakeOffice, tmp_path: Path) -> None:
    (tmp_path / "b.dump.part").touch()

    with pytest.raises(BackupRefused, match="une autre sauvegarde"):
        backed_up(office.register.engine, tmp_path / "b.dump")


def test_a_database_that_is_not_empty_is_never_restored_into(office: FakeOffice, tmp_path: Path) -> None:
    issue_permit(office.desk, office.filing())
    backed_up(office.register.engine, tmp_path / "b.dump")
    with pytest.raises(BackupRefused, match=r"n’est pas vide \(la table \w+, la table \w+, "):
        restore(office.register.engine, tmp_path / "b.dump")
    for statement, named in (
        ("CREATE TABLE chantier ()", "la table chantier"),
        ("CREATE SCHEMA jobs", "le schéma jobs"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1", "la fonction f"),
        ("CREATE TYPE t AS ENUM ('a')", "le type t"),
        ("CREATE SEQUENCE s", "la séquence s"),
    ):
        with new_database(url_of(office.register.engine)) as other:
            with other.begin() as connection:
                connection.execute(text(statement))
            with pytest.raises(BackupRefused, match=named):
                restore(other, tmp_path / "b.dump")


@pytest.fixture
def taken(office: FakeOffice, tmp_path: Path) -> Checkpoint:
    """The checkpoint of a backup of one permit, b.dump."""
    issue_permit(office.desk, office.filing())
    made = backed_up(office.register.engine, tmp_path / "b.dump")
    assert made.checkpoint is not None
    return made.checkpoint


@pytest.fixture
def ordinary_role(office: FakeOffice) -> Iterator[str]:
    """A role that may do nothing but what it owns."""
    with administration(url_of(office.register.engine)) as run:
        run("CREATE ROLE ordinary")
        yield "ordinary"
        run("DROP ROLE ordinary")


@pytest.mark.parametrize(
    "prepared", ["CREATE EXTENSION btree_gist", "SELECT 1"], ids=["by an administrator", "by none"]
)
def test_an_ordinary_role_that_owns_the_database_restores_it(
    office: FakeOffice,
    taken: Checkpoint,
    ordinary_role: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    prepared: str,
) -> None:
    """Whoever made the extension: its comment is its owner's alone to write."""
    with new_database(url_of(office.register.engine)) as copy:
        with copy.begin() as connection:
            connection.execute(text(prepared))
            connection.execute(text(f"ALTER DATABASE {copy.url.database} OWNER TO {ordinary_role}"))
        with monkeypatch.context() as patch:
            patch.setenv("PGOPTIONS", f"-c role={ordinary_role}")
            restore(copy, tmp_path / "b.dump")

        with copy.connect() as connection:
            owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'act'"
            assert connection.execute(text(owner)).scalar_one() == ordinary_role
        assert check(copy, "exemple", office.clock(), checkpoint=taken).findings == ()


def test_a_damaged_backup_leaves_the_database_empty(office: FakeOffice, tmp_path: Path) -> None:
    issue_permit(office.desk, office.filing())
    whole, cut = tmp_path / "whole.dump", tmp_path / "cut.dump"
    backed_up(office.register.engine, whole)
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 9 // 10])
    (tmp_path / "letter.dump").write_text("Bonjour")
    with new_database(url_of(office.register.engine)) as copy:
        for file in (cut, tmp_path / "letter.dump"):
            with pytest.raises(BackupRefused, match="pg_restore a échoué"):
                restore(copy, file)
        with pytest.raises(BackupRefused, match="n’existe pas"):
            restore(copy, tmp_path / "nothing.dump")
        restore(copy, whole)

        assert faults_of(copy) == []


@pytest.fixture
def shim(office: FakeOffice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Put a pg_dump of our own first in PATH: it notes how it was called, then runs this line."""

    def put(line: str) -> Path:
        with office.register.engine.connect() as connection:
            server = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10000
        _, real = pg_dump_for(server)
        script = tmp_path / "bin" / "pg_dump"
        script.parent.mkdir()
        noted = tmp_path / "noted"
        script.write_text(
            f'#!/bin/sh\n[ "$1" = --version ] && exec {real} --version\n'
            f'printf "%s\\n" "$@" >{noted}.arguments; env >{noted}.environment\n'
            + line.replace("REAL", f'exec {real} "$@"')
        )
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
        return noted

    return put


def test_no_secret_is_on_a_command_line(
    office: FakeOffice, shim: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERMITS_SEAL_PASSPHRASE", "du cachet")
    noted = shim("REAL")
    with_password = office.register.engine.url.set(password="mot de passe")
    office.register.engine.url = with_password
    backed_up(office.register.engine, tmp_path / "b.dump")
    arguments = noted.with_suffix(".arguments").read_text()
    environment = noted.with_suffix(".environment").read_text()

    assert "--format=custom" in arguments and "dbname=" in arguments
    assert "mot de passe" not in arguments
    assert "\nPGPASSWORD=mot de passe\n" in f"\n{environment}"
    assert "du cachet" not in environment


def test_a_failed_dump_leaves_nothing_behind(office: FakeOffice, shim: Callable[[str], Path], tmp_path: Path) -> None:
    shim("echo plus de place >&2; exit 1")
    with pytest.raises(BackupRefused, match="pg_dump a échoué : plus de place"):
        backed_up(office.register.engine, tmp_path / "b.dump")

    assert not list(tmp_path.glob("b.dump*"))


@contextmanager
def only(monkeypatch: pytest.MonkeyPatch, *majors: int) -> Iterator[None]:
    """Pretend that these versions of PostgreSQL's programs are installed, and no other."""
    with monkeypatch.context() as patch:
        real = postgres_programs._programs
        patch.setattr(
            postgres_programs,
            "_programs",
            lambda name: {major: real(name).get(major, Path(f"/nowhere/{name}")) for major in majors},
        )
        yield


def test_the_program_nearest_to_the_server_is_taken_and_never_an_older_pg_dump(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with only(monkeypatch, 14, 15, 16, 18):
        assert [pg_dump_for(server)[0] for server in (15, 16, 17, 18)] == [15, 16, 17, 17]
    with only(monkeypatch, 16), pytest.raises(BackupRefused, match="postgresql-client-18"):
        pg_dump_for(18)


@pytest.mark.parametrize(
    ("installed", "dumped_by", "server", "taken"),
    [
        ((15, 18), 15, 15, 15),
        ((15, 18), 15, 18, 18),
        ((15,), 15, 18, 15),
        ((18,), 18, 17, 18),
        ((15, 18), 18, 15, "il faut PostgreSQL 17 ou plus récent"),
        ((18,), 15, 15, "installez ses programmes clients"),
    ],
)
def test_the_pg_restore_taken_reads_the_backup_and_suits_the_server(
    monkeypatch: pytest.MonkeyPatch, installed: tuple[int, ...], dumped_by: int, server: int, taken: int | str
) -> None:
    monkeypatch.setattr(postgres_programs, "_dumped_by", lambda _file, _program: dumped_by)
    monkeypatch.setattr(postgres_programs, "_programs", lambda name: {each: Path(str(each)) for each in installed})
    if isinstance(taken, int):
        assert pg_restore_for(server, Path("b.dump")) == Path(str(taken))
    else:
        with pytest.raises(BackupRefused, match=taken):
            pg_restore_for(server, Path("b.dump"))


def test_a_backup_by_a_newer_pg_dump_says_where_it_can_be_restored(
    office: FakeOffice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the oldest server, the wheel's own program alone makes a backup that this very server can't take back."""
    with only(monkeypatch, 18):
        made = backed_up(office.register.engine, tmp_path / "b.dump")
    assert made.oldest_server == 17
    with new_database(url_of(office.register.engine)) as copy:
        if made.server >= 17:
            restore(copy, tmp_path / "b.dump")
            assert faults_of(copy) == []
        else:
            with pytest.raises(BackupRefused, match="il faut PostgreSQL 17"):
                restore(copy, tmp_path / "b.dump")


def test_the_two_commands_are_a_pair(office: FakeOffice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    issue_permit(office.desk, office.filing())
    file = tmp_path / "b.dump"
    make_key(tmp_path / "keys")
    monkeypatch.setenv("PERMITS_CHECKPOINT_KEY", str(tmp_path / "keys" / PRIVATE_KEY_FILE))
    monkeypatch.setenv("PERMITS_DATABASE_URL", url_of(office.register.engine))
    run = CliRunner().invoke
    backup = run(app, ["backup", str(file)])
    again = run(app, ["backup", str(file)])
    onto_itself = run(app, ["restore", str(file)])
    with new_database(url_of(office.register.engine)) as copy:
        monkeypatch.setenv("PERMITS_DATABASE_URL", url_of(copy))
        restored = run(app, ["restore", str(file)])
        assert faults_of(copy) == []
    checkpoint_beside(file).unlink()
    with new_database(url_of(office.register.engine)) as copy:
        monkeypatch.setenv("PERMITS_DATABASE_URL", url_of(copy))
        alone = run(app, ["restore", str(file)])
    with new_database(url_of(office.register.engine)) as copy:
        monkeypatch.delenv("PERMITS_CHECKPOINT_KEY")
        monkeypatch.setenv("PERMITS_DATABASE_URL", url_of(copy))
        keyless = run(app, ["restore", str(file)])

    assert (backup.exit_code, again.exit_code, onto_itself.exit_code, restored.exit_code) == (0, 1, 1, 0)
    assert "entrée 2 de la chaîne" in backup.output
    assert "existe déjà" in again.output and "n’est pas vide" in onto_itself.output
    assert "correspond à son point de contrôle" in restored.output and "entrée 2" in restored.output
    assert (alone.exit_code, keyless.exit_code) == (0, 0)
    assert "Copie non comparée, sans point de contrôle : " in alone.output
    assert "Copie non comparée : ni PERMITS_CHECKPOINT_KEY" in keyless.output
    assert "permits fsck" in restored.output and "PERMITS_CHECKPOINT" in restored.output


def test_without_a_key_the_backup_is_made_and_says_that_nothing_vouches_for_it(
    office: FakeOffice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERMITS_DATABASE_URL", url_of(office.register.engine))
    done = CliRunner().invoke(app, ["backup", str(tmp_path / "b.dump")])

    assert done.exit_code == 0
    assert "Sans point de contrôle" in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["b.dump"]


def test_the_checkpoint_beside_a_backup_is_signed(office: FakeOffice, tmp_path: Path) -> None:
    issue_permit(office.desk, office.filing())
    made = back_up(office.register.engine, tmp_path / "b.dump", "exemple", START, KEY)
    read = opened(checkpoint_beside(tmp_path / "b.dump").read_text(), KEY.public_key(), "b")

    assert read == made.checkpoint
    assert (read.position, read.at) == (2, START)
