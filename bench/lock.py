"""How long the number's lock is held, beside an empty lock-and-commit. `python -m bench.lock`, under three minutes.

Clients are processes of their own, as several web processes would be. Each in turn records a granted
filing (T1, as the walk does) and takes a number from an empty table of the same shape, while others lay
out and seal permits without a pause. PostgreSQL is the real one, fsync on.

Both times run from the instant the lock was obtained, by the clock that server and client share, to the
instant the client knows that COMMIT is done. T1 is counted from the chain's lock, the first one that
`give_number` takes; the number's row comes right after it.
"""

import multiprocessing
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from unittest.mock import patch

import psycopg
from sqlalchemy import Engine, text
from sqlmodel import Session

from bench.seals import seals_going_on
from bench.tell import percentiles, tell_load, tell_machine
from permits.embedded_postgres import EmbeddedPostgres
from permits.register.database import connect, migrate
from tests.fakes import open_office
from tests.register.filings import Filings

CLIENTS = (1, 4, 16)
# Layout workers kept busy: none, one (a core is left), as many as there are cores.
WORKERS = (0, 1, 2)
SECONDS_EACH = 8.0
# All clients together, several times what this machine can seal: more clients collide more, and do no more.
RATE = 20.0
FIRST_LOCK = "PERFORM lock_audit_head(the_authority);"
STAMP = "PERFORM set_config('bench.locked_at', extract(epoch FROM clock_timestamp())::text, false);"
LOCKED_AT = text("SELECT current_setting('bench.locked_at')")
EMPTY = text("UPDATE empty_counter SET value = value + 1 RETURNING extract(epoch FROM clock_timestamp())")


@dataclass(frozen=True)
class Held:
    """The seconds each lock was held, by T1 and by the empty transaction."""

    recording: list[float]
    empty: list[float]


def main() -> None:
    home = Path(tempfile.mkdtemp(prefix="permits-bench-lock-"))
    home.chmod(0o755)
    server = EmbeddedPostgres(home)
    try:
        url = server.start()
        _measure(url)
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


def _measure(url: str) -> None:
    engine = connect(url, pool_size=1)
    migrate(engine)
    put_stopwatch(engine)
    filings = Filings(open_office(engine))
    permit = filings.record(filings.at(0)).act
    engine.dispose()
    assert permit is not None
    tell_machine()
    first = 1
    for workers in WORKERS:
        print(f"\n{_going_on(workers):28}T1 p50    p95   empty p50    p95   ratio   T1/s  seals/s  T1 seen")
        with seals_going_on(permit.permit, workers) as sealed:
            for clients in CLIENTS:
                before, began = sealed.value, time.monotonic()
                held = hold(url, clients, first)
                _tell(clients, held, (sealed.value - before) / (time.monotonic() - began))
                first += 1_000_000
    tell_load()


def put_stopwatch(engine: Engine) -> None:
    """Have give_number note when it obtained its first lock; the table beside it has the shape of the counter's."""
    with engine.begin() as connection:
        source = connection.execute(text("SELECT pg_get_functiondef('give_number'::regproc)")).scalar_one()
        assert source.count(FIRST_LOCK) == 1, "give_number has changed: find its first lock again"
        connection.exec_driver_sql(source.replace(FIRST_LOCK, f"{FIRST_LOCK}\n    {STAMP}").replace("%", "%%"))
        connection.exec_driver_sql("CREATE TABLE empty_counter (LIKE counter INCLUDING ALL) WITH (fillfactor = 10)")
        connection.exec_driver_sql("INSERT INTO empty_counter VALUES ('bench', 'bench', 2026, 1)")


def hold(url: str, clients: int, first: int) -> Held:
    """Have so many processes record and take empty numbers for a while; return how long they held each lock."""
    context = multiprocessing.get_context("spawn")
    together, found = context.Barrier(clients), context.Queue()
    processes: list[BaseProcess] = [
        context.Process(target=_record, args=(url, first + client, clients, together, found), daemon=True)
        for client in range(clients)
    ]
    for process in processes:
        process.start()
    try:
        lists = [found.get(timeout=SECONDS_EACH + 120) for _ in processes]
    finally:
        for process in processes:
            process.join(30)
            process.kill()
    return Held(
        recording=[each for held in lists for each in held.recording],
        empty=[each for held in lists for each in held.empty],
    )


def _record(url: str, first: int, step: int, together: Barrier, found: "Queue[Held]") -> None:
    """One client: record, take an empty number, pause."""
    engine = connect(url, pool_size=1)
    filings, chance = Filings(open_office(engine)), random.Random(first)
    held, index = Held([], []), first
    together.wait(60)
    ends = time.monotonic() + SECONDS_EACH
    # T1 ends with its last message (the number and COMMIT together), the empty transaction with its COMMIT.
    with _noted(psycopg.ClientCursor, "execute") as number_done, _noted(psycopg.Connection, "commit") as commit_done:
        while time.monotonic() < ends:
            filings.record(filings.at(index))
            # This process has one connection only: what the function noted is in its session.
            with Session(engine) as session:
                held.recording.append(number_done[-1] - float(session.execute(LOCKED_AT).scalar_one()))
            with Session(engine) as session, session.begin():
                locked = float(session.execute(EMPTY).scalar_one())
            held.empty.append(commit_done[-1] - locked)
            index += step
            time.sleep(chance.uniform(0, 2 * step / RATE))
    engine.dispose()
    assert len(number_done) == len(held.recording), "a recording no longer ends with give_number"
    found.put(held)


@contextmanager
def _noted(owner: type, method: str) -> Iterator[list[float]]:
    """Note the instant at which each call of this method is done."""
    noted: list[float] = []
    plain = getattr(owner, method)

    def note(*arguments: object) -> object:
        try:
            return plain(*arguments)
        finally:
            noted.append(time.time())

    with patch.object(owner, method, note):
        yield noted


def _going_on(workers: int) -> str:
    return f"{workers} layout worker{'s' if workers > 1 else ''}, ms" if workers else "no seals, ms"


def _tell(clients: int, held: Held, seals: float) -> None:
    (p50, p95), (empty_p50, empty_p95) = percentiles(held.recording), percentiles(held.empty)
    name = f"{clients} client{'s' if clients > 1 else ''}"
    rate = len(held.recording) / SECONDS_EACH
    print(
        f"  {name:26}{p50:6.2f} {p95:6.2f} {empty_p50:11.2f} {empty_p95:6.2f} {p50 / empty_p50:7.2f} "
        f"{rate:6.1f} {seals:8.1f} {len(held.recording):8}",
        flush=True,
    )


if __name__ == "__main__":
    main()
