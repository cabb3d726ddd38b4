"""What the registry's room costs: look-ups a second from memory, and what it adds to a bare HTTP call.

`python -m bench.registry`, under a minute. The sandbox answers over real HTTP on this machine, PostgreSQL
keeps the traces with fsync on, and both share the processors with what is measured. The quotas of the real
sources are lifted: they would be all that is seen.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx

from permits.embedded_postgres import EmbeddedPostgres
from permits.register.database import connect, migrate
from permits.register.source_switch import is_off
from permits.register.traces import TracedSource, note_reuse
from permits.sirene.directory import Directory
from permits.sirene.recherche_entreprises import RechercheEntreprises
from tests.endtoend.running import forget
from tests.sandbox.server import running_sandbox

SIRET = "99999001300024"
CONTACT = "mailto:bench@exemple.example"
ROUNDS, CALLS = 5, 200
MEMORY_SECONDS = 3.0
NEVER = timedelta(0)
NO_QUOTA = 1_000_000


def main() -> None:
    home = Path(tempfile.mkdtemp(prefix="permits-bench-"))
    home.chmod(0o755)
    server = EmbeddedPostgres(home)
    engine = connect(server.start())
    migrate(engine)
    try:
        with running_sandbox() as url, httpx.Client(base_url=url, headers={"Accept-Encoding": "identity"}) as bare:
            plain = Directory([RechercheEntreprises(url, contact=CONTACT, calls=NO_QUOTA)])
            traced = Directory(
                [TracedSource(RechercheEntreprises(url, contact=CONTACT, calls=NO_QUOTA), engine, "exemple", _now)],
                is_off=partial(is_off, engine, "exemple"),
                on_reuse=partial(note_reuse, engine, "exemple", _now),
            )
            _tell_latency(
                {
                    "a bare httpx call": partial(_call, bare),
                    "the room: budget, pace, breaker, schema": partial(plain.lookup, SIRET, max_age=NEVER),
                    "the room, its switch and its traces": partial(traced.lookup, SIRET, max_age=NEVER),
                }
            )
            _tell_memory("from memory", partial(plain.lookup, SIRET))
            _tell_memory("from memory, switch asked and trace written", partial(traced.lookup, SIRET))
            plain.close()
            traced.close()
    finally:
        engine.dispose()
        server.stop()
        forget(home)


def _call(client: httpx.Client) -> None:
    client.get("/search", params={"q": SIRET, "include_admin": "bodacc,immatriculation"}).raise_for_status().json()


def _tell_latency(ways: dict[str, Callable[[], object]]) -> None:
    """Take the ways in turn, so that what else the machine does falls on all of them."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for look in ways.values():
        look()
    for _ in range(ROUNDS):
        for name, look in ways.items():
            for _ in range(CALLS):
                started = time.perf_counter()
                look()
                times[name].append(1000 * (time.perf_counter() - started))
    print(f"{'one look-up, ms':44} {'p50':>7} {'p95':>7}   against bare")
    base = statistics.median(next(iter(times.values())))
    for name, seen in times.items():
        p50, p95 = statistics.median(seen), statistics.quantiles(seen, n=20)[-1]
        print(f"{name:44} {p50:7.2f} {p95:7.2f}   {p50 / base:.2f} ×, {p50 - base:+.2f} ms")


def _tell_memory(name: str, look: Callable[[], object]) -> None:
    look()
    for threads in (1, 12):
        until = time.perf_counter() + MEMORY_SECONDS

        def work(end: float) -> int:
            done = 0
            while time.perf_counter() < end:
                look()
                done += 1
            return done

        with ThreadPoolExecutor(threads) as pool:
            done = sum(pool.map(work, [until] * threads))
        print(f"{name}, {threads} thread{'s' * (threads > 1)}: {done / MEMORY_SECONDS:,.0f} look-ups a second")


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main()
