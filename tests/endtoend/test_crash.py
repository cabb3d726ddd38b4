"""The service is killed in the middle of issuing, again and again: no number is lost, repeated or skipped.

What is shown is a death of the process. A power cut is another matter: it is PostgreSQL's own promise.
"""

import hashlib
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import Engine, text

from permits.document.seal import DEMO_FILE, DEMO_PASSPHRASE_FILE, make_demo_seal
from permits.domain.siret import siren_of
from permits.embedded_postgres import EmbeddedPostgres
from permits.examples import with_coming_dates
from permits.register.clients import add_client, new_key
from permits.register.database import connect, migrate
from tests.endtoend.running import Running, besides_the_database, forget, free_port, nothing_runs, processes_of, wait
from tests.fakes import SIRET, load_law, request_body
from tests.sandbox.server import running_sandbox

pytestmark = pytest.mark.xdist_group("crash")

PERMITS = 20
CALLERS = 8
FINISHED_WITHIN_S = 60


@dataclass(frozen=True)
class Line:
    """One act as the database holds it. `content_sha256` is computed from the stored bytes."""

    key: str
    series: str
    number: int
    label: str
    state: str
    document_sha256: str | None
    content_sha256: str | None
    times_issued: int


@dataclass
class Promises:
    """What the callers were told: by idempotency key, the number and the digest of the document."""

    told: dict[str, tuple[str, str]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def add(self, key: str, permit: dict[str, Any]) -> None:
        now = (permit["number"], permit["document_sha256"])
        if self.told.setdefault(key, now) != now:
            self.broken.append(f"{key} was {self.told[key]} and is {now}")


class Town:
    """`permits serve`, which may be killed, between a database, a sandbox and a seal that live on."""

    def __init__(self, home: Path, database_url: str, sandbox_url: str, engine: Engine) -> None:
        self.home, self.engine = home, engine
        self.body = with_coming_dates(request_body(), date.today())
        self.service: Running | None = None
        self.client = httpx.Client()
        port, seal, authority, key = free_port(), home / "seal", load_law().rulebook.authority.identity.id, new_key()
        make_demo_seal(seal)
        add_client(engine, authority, "crash", [siren_of(SIRET)], key, uuid4(), datetime.now(UTC))
        self._caller: dict[str, Any] = {
            "base_url": f"http://127.0.0.1:{port}",
            "headers": {"Authorization": f"Bearer {key.get_secret_value()}"},
            "timeout": 30,
        }
        self._settings = {
            "PERMITS_DATABASE_URL": database_url,
            "PERMITS_PORT": str(port),
            "PERMITS_API_ENTREPRISE_URL": sandbox_url,
            "PERMITS_API_ENTREPRISE_TOKEN": "bac-a-sable",
            "PERMITS_API_ENTREPRISE_RECIPIENT": "21299999900015",
            "PERMITS_RECHERCHE_ENTREPRISES_URL": sandbox_url,
            "PERMITS_GEOCODER_URL": f"{sandbox_url}/geocodage",
            "PERMITS_SEAL_PKCS12": str(seal / DEMO_FILE),
            "PERMITS_SEAL_PASSPHRASE": (seal / DEMO_PASSPHRASE_FILE).read_text(),
        }

    def start(self) -> None:
        self.client.close()
        self.client = httpx.Client(**self._caller)  # no connection of the service that died
        self.service = Running(self.home, "serve", **self._settings)
        self.service.until(self._is_ready, "the service is ready")

    def kill(self) -> None:
        assert self.service is not None
        self.service.kill()

    def stop(self) -> None:
        assert self.service is not None
        self.client.close()
        self.service.process.terminate()
        self.service.process.wait(30)

    def file(self, key: str) -> httpx.Response:
        return self.client.post("/v1/applications", json=self.body, headers={"Idempotency-Key": key})

    def document(self, number: str) -> bytes:
        answer = self.client.get(f"/v1/permits/{number}/document")
        answer.raise_for_status()
        return answer.content

    def lines(self) -> list[Line]:
        """Return the whole book, as the database holds it."""
        query = text(
            "SELECT application.idempotency_key, act.authority || '/' || act.series || '/' || act.year, act.number,"
            " act.label, act.state, act.document_sha256, encode(sha256(document.content), 'hex'),"
            " (SELECT count(*) FROM audit_entry WHERE event = 'issued' AND entry->>'act' = act.label)"
            " FROM application LEFT JOIN act ON act.application_id = application.id"
            " LEFT JOIN document ON document.sha256 = act.document_sha256"
        )
        with self.engine.connect() as connection:
            return [Line(*row) for row in connection.execute(query)]

    def count(self, what: str) -> int:
        with self.engine.connect() as connection:
            return int(connection.execute(text(f"SELECT count(*) FROM {what}")).scalar_one())

    def _is_ready(self) -> bool:
        try:
            return self.client.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def open_town() -> Iterator[Town]:
    """A town on a real, durable PostgreSQL; whoever leaves it leaves no process behind."""
    home = Path(tempfile.mkdtemp(prefix="permits-crash-"))
    home.chmod(0o755)
    database = EmbeddedPostgres(home / "var")
    try:
        with running_sandbox() as sandbox_url:
            database_url = database.start()
            engine = connect(database_url, pool_size=CALLERS)
            migrate(engine)
            town = Town(home, database_url, sandbox_url, engine)
            town.start()
            yield town
            town.stop()
            engine.dispose()
        database.stop()
        assert nothing_runs(home), processes_of(home)
    finally:
        forget(home)


def numbering_faults(numbers: list[int]) -> list[str]:
    """Say which numbers of one series and year are there twice, and which of 1…n are not there."""
    seen = Counter(numbers)
    repeated = [f"{number} is given {times} times" for number, times in seen.items() if times > 1]
    missing = [f"{number} is missing" for number in range(1, max(seen, default=0) + 1) if number not in seen]
    return repeated + missing


def faults(lines: list[Line], keys: set[str], promises: Promises, documents: int) -> list[str]:
    """Say everything that is wrong in the book, after each of `keys` was filed until it was answered."""
    found = [f"{key} has no line" for key in keys - {line.key for line in lines}]
    found += [f"{key} has {times} lines" for key, times in Counter(line.key for line in lines).items() if times > 1]
    for series in {line.series for line in lines}:
        found += [f"{series}: {told}" for told in numbering_faults([li.number for li in lines if li.series == series])]
    for line in lines:
        if line.state != "issued":
            found.append(f"{line.label} is {line.state}")
        if line.document_sha256 is None or line.content_sha256 != line.document_sha256:
            found.append(f"the document of {line.label} is not the one recorded")
        if line.times_issued != 1:
            found.append(f"{line.label} was issued {line.times_issued} times")
        if promises.told.get(line.key, line_of(line)) != line_of(line):
            found.append(f"{line.label} is not what was answered: {promises.told[line.key]}")
    if documents != len(lines):
        found.append(f"{documents} documents for {len(lines)} acts")
    return found + promises.broken


def line_of(line: Line) -> tuple[str, str | None]:
    return line.label, line.document_sha256


def file_until_issued(town: Town, key: str, promises: Promises, deadline: float, *, through_a_crash: bool) -> None:
    """File under this key until a permit is issued; on a dead connection give up, or not."""
    while time.monotonic() < deadline:
        try:
            answer = town.file(key)
        except httpx.TransportError:
            if through_a_crash:
                return
            raise
        if answer.status_code == 201 and answer.json()["permit"]["state"] == "issued":
            promises.add(key, answer.json()["permit"])
            return
        assert answer.status_code in (201, 409, 503), answer.text
        time.sleep(0.4)
    raise TimeoutError(f"{key} is still not issued")


def crash_while_issuing(town: Town, chance: random.Random, promises: Promises) -> tuple[set[str], int]:
    """File twenty, kill the service meanwhile, start it again, file the twenty again.

    Returns the keys, and how many permits the kill left with a number and no document.
    """
    keys = {str(uuid4()) for _ in range(PERMITS)}
    before = len(promises.told)
    enough, moment = chance.randrange(PERMITS - CALLERS), chance.uniform(0, 0.4)
    deadline = time.monotonic() + FINISHED_WITHIN_S
    with ThreadPoolExecutor(CALLERS) as callers:
        asked = [callers.submit(file_until_issued, town, key, promises, deadline, through_a_crash=True) for key in keys]
        assert wait(lambda: len(promises.told) - before >= enough), "the service answers"
        time.sleep(moment)
        doomed = besides_the_database(town.home)
        town.kill()
        for each in asked:
            each.result(FINISHED_WITHIN_S)
    interrupted = town.count("act WHERE state = 'reserved'")
    town.start()
    deadline = time.monotonic() + FINISHED_WITHIN_S
    with ThreadPoolExecutor(CALLERS) as callers:
        asked = [
            callers.submit(file_until_issued, town, key, promises, deadline, through_a_crash=False) for key in keys
        ]
        for each in asked:
            each.result(2 * FINISHED_WITHIN_S)
    assert len(doomed) >= 4, "the service, its workers and their servers were there"
    assert wait(lambda: not doomed.keys() & processes_of(town.home).keys(), 10), "what the dead service started is gone"
    return keys, interrupted


def crash_and_check(rounds: int) -> str:
    seed = random.randrange(2**32)
    chance, promises, keys, interrupted = random.Random(seed), Promises(), set[str](), []
    with open_town() as town:
        for _ in range(rounds):
            filed, cut = crash_while_issuing(town, chance, promises)
            keys |= filed
            interrupted.append(cut)
            lines = town.lines()
            assert faults(lines, keys, promises, town.count("document")) == [], f"seed {seed}"
        for number, sha256 in promises.told.values():
            assert hashlib.sha256(town.document(number)).hexdigest() == sha256
    assert len(promises.told) == len(keys) == rounds * PERMITS
    assert sum(interrupted) > 0, "no kill ever struck between a number and its document: nothing was shown"
    return f"{len(keys)} permits, {rounds} kills, {sum(interrupted)} permits cut between number and document, 0 fault"


@pytest.mark.timeout(300)
def test_a_service_killed_while_issuing_loses_repeats_and_skips_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    told = crash_and_check(rounds=3)
    with capsys.disabled():
        print(f" [{told}]", end="")


@pytest.mark.proof
@pytest.mark.timeout(1800)
def test_thirty_times_killed_while_issuing_twenty(capsys: pytest.CaptureFixture[str]) -> None:
    told = crash_and_check(rounds=30)
    with capsys.disabled():
        print(f" [{told}]", end="")


def test_the_same_look_sees_a_naive_book_repeat_its_numbers(engine: Engine) -> None:
    """The negative control: eight threads that take the highest number plus one, without a lock."""
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE naive_book (number integer NOT NULL)"))

    def take_numbers() -> None:
        for _ in range(25):
            with engine.begin() as connection:
                highest = connection.execute(text("SELECT coalesce(max(number), 0) FROM naive_book")).scalar_one()
                connection.execute(text("INSERT INTO naive_book VALUES (:number)"), {"number": highest + 1})

    with ThreadPoolExecutor(CALLERS) as threads:
        for each in [threads.submit(take_numbers) for _ in range(CALLERS)]:
            each.result(30)

    with engine.connect() as connection:
        numbers = list(connection.execute(text("SELECT number FROM naive_book")).scalars())
    assert len(numbers) == 25 * CALLERS
    assert any("times" in told for told in numbering_faults(numbers))


GOOD = [
    Line(
        f"key-{number}", "ville/EX/2027", number, f"EX-2027-{number:06}", "issued", f"{number:064}", f"{number:064}", 1
    )
    for number in (1, 2, 3)
]


def test_a_good_book_is_found_good() -> None:
    promises = Promises({line.key: (line.label, str(line.document_sha256)) for line in GOOD})

    assert faults(GOOD, {line.key for line in GOOD}, promises, documents=3) == []


@pytest.mark.parametrize(
    ("lines", "documents", "expected"),
    [
        ([GOOD[0], GOOD[2]], 2, "2 is missing"),
        ([GOOD[0], GOOD[1], replace(GOOD[2], number=2)], 3, "2 is given 2 times"),
        ([*GOOD, replace(GOOD[2], number=4)], 4, "key-3 has 2 lines"),
        (GOOD[:2], 2, "key-3 has no line"),
        ([*GOOD[:2], replace(GOOD[2], state="reserved")], 3, "EX-2027-000003 is reserved"),
        ([*GOOD[:2], replace(GOOD[2], content_sha256="f" * 64)], 3, "EX-2027-000003 is not the one recorded"),
        ([*GOOD[:2], replace(GOOD[2], document_sha256="f" * 64)], 3, "is not what was answered"),
        ([*GOOD[:2], replace(GOOD[2], times_issued=2)], 3, "was issued 2 times"),
        (GOOD, 4, "4 documents for 3 acts"),
    ],
)
def test_each_fault_would_be_seen(lines: list[Line], documents: int, expected: str) -> None:
    promises = Promises({line.key: (line.label, str(line.document_sha256)) for line in GOOD})

    told = faults(lines, {line.key for line in GOOD}, promises, documents)

    assert any(expected in each for each in told), told


def test_an_answer_that_changes_would_be_seen() -> None:
    promises = Promises()
    promises.add("key", {"number": "EX-2027-000001", "document_sha256": "a"})
    promises.add("key", {"number": "EX-2027-000001", "document_sha256": "b"})

    assert promises.broken != []
