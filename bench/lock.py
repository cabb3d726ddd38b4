"""How long the number's lock is held, beside an empty lock-and-commit in the same run. `python -m bench.lock`, two minutes.

Clients are processes of their own, as several web processes would be. Each in turn records a granted
filing (T1, as the walk does) and takes a number from an empty table of the same shape, while two other
processes lay out and seal permits without a pause. PostgreSQL is the real one, fsync on.

Both times run from the instant the lock was obtained, told by the server's clock, to the instant the
client knows that COMMIT is done. For T1 that instant is the chain's lock, the first one that
`give_number` takes; the number's row comes right after it.
"""

import multiprocessing
import random
import shutil
import tempfile
import time
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

from sqlalchemy import Engine, event, text
from sqlmodel import Session

from tests.register.filings import Filings
from bench.seals import seals_going_on
from bench.tell import percentiles, tell_load, tell_machine
from permits.embedded_postgres import EmbeddedPostgres
from permits.register.database import connect, migrate
from tests.fakes import open_office

CLIENTS = (1, 2, 4, 8, 16)
SECONDS_EACH = 15.0
# Between two recordings of one client, on average: sixteen clients still ask for far more than can be sealed.
PAUSE_S = 0.05
FIRST_LOCK = "PERFORM lock_audit_head(the_authority);"
STAMP = "PERFORM set_config('bench.locked_at', extract(epoch FROM clock_timestamp())::text, false);"
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
    _put_stopwatch(engine)
    filings = Filings(open_office(engine))
    permit = filings.record(filings.at(0)).act
    engine.dispose()
    assert permit is not None
    tell_machine()
    print(
        f"\n{'The number’s lock, held (ms)':28} T1 p50    p95   empty p50    p95   ratio p50    T1/s  seals/s    T1 seen"
    )
    first = 1
    with seals_going_on(permit.permit) as sealed:
        for clients in CLIENTS:
            before, began = sealed.value, time.monotonic()
            held = _hold(url, clients, first)
            seals = (sealed.value - before) / (time.monotonic() - began)
            _tell(clients, held, seals)
            first += 1_000_000
    tell_load()


def _put_stopwatch(engine: Engine) -> None:
    """Have give_number note when it obtained its first lock; the table beside it has the shape of the counter's."""
    with engine.begin() as connection:
        source = connection.execute(text("SELECT pg_get_functiondef('give_number'::regproc)")).scalar_one()
        assert source.count(FIRST_LOCK) == 1, "give_number has changed: find its first lock again"
        connection.exec_driver_sql(source.replace(FIRST_LOCK, f"{FIRST_LOCK}\n    {STAMP}").replace("%", "%%"))
        connection.exec_driver_sql("CREATE TABLE empty_counter (LIKE counter INCLUDING ALL) WITH (fillfactor = 10)")
        connection.exec_driver_sql("INSERT INTO empty_counter VALUES ('bench', 'bench', 2026, 1)")


def _hold(url: str, clients: int, first: int) -> Held:
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
    done_at = _commits_of(engine)
    held, index = Held([], []), first
    together.wait(60)
    ends = time.monotonic() + SECONDS_EACH
    while time.monotonic() < ends:
        ready = filings.at(index)
        filings.record(ready)
        # The only connection of this process: what the function noted is in its session.
        committed = done_at[-1]
        with Session(engine) as session:
            locked = float(session.execute(text("SELECT current_setting('bench.locked_at')")).scalar_one())
        held.recording.append(committed - locked)
        with Session(engine) as session, session.begin():
            locked = float(session.execute(EMPTY).scalar_one())
        held.empty.append(done_at[-1] - locked)
        done_at.clear()
        index += step
        time.sleep(chance.uniform(0, 2 * PAUSE_S))
    found.put(held)


def _commits_of(engine: Engine) -> list[float]:
    """Note the instant, by the clock that the server reads too, at which each commit of this process is known."""
    done_at: list[float] = []
    event.listen(Session, "after_commit", lambda _session: done_at.append(time.time()))
    return done_at


def _tell(clients: int, held: Held, seals: float) -> None:
    (p50, p95), (empty_p50, empty_p95) = percentiles(held.recording), percentiles(held.empty)
    name = f"{clients} client{'s' if clients > 1 else ''}"
    rate = len(held.recording) / SECONDS_EACH
    print(
        f"  {name:26} {p50:6.2f} {p95:6.2f} {empty_p50:11.2f} {empty_p95:6.2f} {p50 / empty_p50:9.2f} × "
        f"{rate:7.1f} {seals:8.1f} {len(held.recording):10}",
        flush=True,
    )


if __name__ == "__main__":
    main()
