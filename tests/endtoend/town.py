"""A town whose service and database may be killed: `permits serve` between PostgreSQL, a sandbox and a seal."""

import hashlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import httpx
from pydantic import SecretStr
from sqlalchemy import Engine, text

from permits.document.codes import make_code_key
from permits.document.sealing.demo import DEMO_FILE, DEMO_PASSPHRASE_FILE, make_demo_seal
from permits.document.sealing.pkcs12 import Pkcs12Key
from permits.document.verify import verify_seal
from permits.domain.siret import siren_of
from permits.embedded_postgres import EmbeddedPostgres
from permits.examples import with_coming_dates
from permits.register.clients import add_client, new_key
from permits.register.database import connect, migrate
from tests.endtoend.book import Book, have_documents_read, read_book
from tests.endtoend.running import (
    Running,
    bare_environment,
    besides_the_database,
    forget,
    free_port,
    nothing_runs,
    processes_of,
    wait,
)
from tests.fakes import ROOT, SIRET, load_law, request_body
from tests.sandbox.server import running_sandbox

ANSWER_WITHIN_S = 30


class Town:
    """`permits serve` on a folder of its own; what it needs lives on when it dies."""

    def __init__(self, home: Path, database: EmbeddedPostgres, sandbox_url: str) -> None:
        self.home, self.database = home, database
        database_url = database.start()
        self.engine: Engine = connect(database_url, pool_size=4)
        migrate(self.engine)
        port, key = free_port(), new_key()
        self._key, self._url = key.get_secret_value(), f"http://127.0.0.1:{port}"
        authority = load_law().rulebook.authority.identity.id
        add_client(self.engine, authority, "crash", [siren_of(SIRET)], key, uuid4(), datetime.now(UTC))
        seal, passphrase = _demo_seal(home / "seal")
        self.certificate = Pkcs12Key.load(seal, SecretStr(passphrase)).certificate
        self.body = with_coming_dates(request_body(), date.today())
        self.service: Running | None = None
        self._settings = {
            "PERMITS_DATABASE_URL": database_url,
            "PERMITS_PORT": str(port),
            "PERMITS_API_ENTREPRISE_URL": sandbox_url,
            "PERMITS_API_ENTREPRISE_TOKEN": "bac-a-sable",
            "PERMITS_API_ENTREPRISE_RECIPIENT": "21299999900015",
            "PERMITS_RECHERCHE_ENTREPRISES_URL": sandbox_url,
            "PERMITS_GEOCODER_URL": f"{sandbox_url}/geocodage",
            "PERMITS_SEAL_PKCS12": str(seal),
            "PERMITS_CODE_KEY": str(make_code_key(home / "codes")),
            "PERMITS_SEAL_PASSPHRASE": passphrase,
        }

    @property
    def settings(self) -> dict[str, str]:
        """The settings of its service, for another one beside it or for an operator's command."""
        return dict(self._settings)

    def change_settings(self, **settings: str) -> None:
        """Have every later start and command use these."""
        self._settings.update(settings)

    def start(self, **settings: str) -> None:
        """Start the service, on the data that the one before it left, and wait until it is ready."""
        self.service = Running(self.home, "serve", **self._settings, **settings)
        with self.caller() as client:
            self.service.until(lambda: _is_ready(client), "the service is ready")

    def refuses_to_start(self, **settings: str) -> str:
        """Start the service with settings that it can't obey; return what it says."""
        refused = Running(self.home, "serve", **self._settings, **settings)
        assert refused.process.wait(60) == 1
        return refused.said()

    def own_processes(self) -> set[int]:
        """Return every process that has to end with the service."""
        found = set(besides_the_database(self.home))
        assert len(found) >= 4, "the service, its workers and their servers are there"
        return found

    def kill(self) -> set[int]:
        """Kill the service with SIGKILL; return every process of its own that has to end with it."""
        assert self.service is not None
        doomed = self.own_processes()
        self.service.kill()
        return doomed

    def kill_database(self) -> None:
        """Kill PostgreSQL with SIGKILL, its postmaster first, then every session and helper at once."""
        postmaster = self.database.pid
        assert postmaster is not None
        os.kill(postmaster, signal.SIGKILL)

        def none_left() -> bool:
            left = processes_of(self.home).keys() - besides_the_database(self.home).keys()
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return not left

        assert wait(none_left, 10), processes_of(self.home)

    def stop(self) -> None:
        """Stop the service in the ordinary way, if it runs."""
        if self.service is not None and self.service.process.poll() is None:
            self.service.process.terminate()
            self.service.process.wait(60)

    def said(self) -> str:
        """Return the log of the service started last."""
        assert self.service is not None
        return self.service.said()

    def caller(self, timeout: float = ANSWER_WITHIN_S) -> httpx.Client:
        """Return a client of the service, to be closed."""
        return httpx.Client(base_url=self._url, headers={"Authorization": f"Bearer {self._key}"}, timeout=timeout)

    def file(self, client: httpx.Client, key: str) -> httpx.Response:
        """File the one application of this town, or repeat it, under this idempotency key."""
        return client.post("/v1/applications", json=self.body, headers={"Idempotency-Key": key})

    def book(self, *, hashing: bool = True) -> Book:
        return read_book(self.engine, hashing=hashing)

    def gone(self, pids: set[int]) -> bool:
        """Tell whether all these processes have ended, soon."""
        return wait(lambda: not pids & processes_of(self.home).keys(), 10)

    def run_jobs_now(self, within_s: float = 120) -> None:
        """Make every deferred job due, and wait until the service's worker has run them all."""

        def all_done() -> bool:
            with self.engine.begin() as connection:
                due = "UPDATE jobs.procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'"
                connection.execute(text(due))
                left = "SELECT count(*) FROM jobs.procrastinate_jobs WHERE task_name = 'finish_permit'"
                return bool(connection.execute(text(left)).scalar_one() == 0)

        assert wait(all_done, within_s, every_s=0.5), "the worker does its jobs"

    def put_jobs_off(self) -> None:
        """Keep the service's worker from what it was to do in the hour to come."""
        with self.engine.begin() as connection:
            connection.execute(text("UPDATE jobs.procrastinate_jobs SET scheduled_at = now() + interval '1 hour'"))

    def check_documents(self, told: Iterable[tuple[str, str]], *, seals: int) -> None:
        """Fetch the document of each number and digest told: the same bytes; and verify so many seals."""
        with self.caller() as client:
            for verified, (number, sha256) in enumerate(told):
                answer = client.get(f"/v1/permits/{number}/document").raise_for_status()
                assert hashlib.sha256(answer.content).hexdigest() == sha256
                if verified < seals:
                    verify_seal(answer.content, self.certificate)

    def permits(self, *words: str, patience_s: float = 90) -> subprocess.CompletedProcess[str]:
        """Run `permits …` to its end, as the operator of this town does."""
        return subprocess.run(
            [sys.executable, "-m", "permits", *words],
            cwd=ROOT,
            env=bare_environment() | {"PERMITS_VAR": str(self.home / "var")} | self.settings,
            capture_output=True,
            text=True,
            timeout=patience_s,
        )

    def check_by_fsck(self) -> None:
        """Have the product look at the whole book itself: chain, numbers, digests, fees, footprints, every seal."""
        done = self.permits("fsck", "--seals=all", patience_s=900)
        assert done.returncode == 0, done.stdout + done.stderr


def told(answer: httpx.Response) -> tuple[int, str]:
    """Return what an answer says: the status, with the state of the permit or the code of the problem."""
    content = answer.json()
    return answer.status_code, content["permit"]["state"] if answer.status_code == 201 else content["code"]


def _demo_seal(folder: Path) -> tuple[Path, str]:
    make_demo_seal(folder)
    return folder / DEMO_FILE, (folder / DEMO_PASSPHRASE_FILE).read_text().strip()


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def open_town(home: Path | None = None) -> Iterator[Town]:
    """A town on a real, durable PostgreSQL, its service not yet started; it leaves no process behind.

    `home` is a folder that PostgreSQL's own account may enter, unlike pytest's; a new one by default.
    """
    if home is None:
        home = Path(tempfile.mkdtemp(prefix="permits-crash-"))
        home.chmod(0o755)
    database = EmbeddedPostgres(home / "var")
    try:
        with running_sandbox() as sandbox_url:
            town = Town(home, database, sandbox_url)
            yield town
            town.stop()
            have_documents_read(town.engine, town.certificate)
            town.engine.dispose()
        database.stop()
        assert nothing_runs(home), processes_of(home)
    finally:
        forget(home)
