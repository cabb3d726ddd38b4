"""How time grows with the book: at 10 thousand, 1 and 5 million permits. `python -m bench.scale`.

    python -m bench.scale 10000 100000      # other sizes, smallest first

The book is grown by bench/grow.py on a durable PostgreSQL with the settings it comes with. At each size one client
does everything whose time could depend on the book, then 1, 4 and 16 clients record filings while the time that the
number's lock is held is taken, as bench/lock.py does.
"""

import hashlib
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from sqlalchemy import Engine

from bench.grow import ANNULLED, COMPANIES, grow
from bench.lock import CLIENTS, hold, put_stopwatch
from bench.tell import percentiles, tell_load, tell_machine
from permits.domain.filing import FootprintTaken
from permits.embedded_postgres import EmbeddedPostgres
from permits.register import catalogue
from permits.register.catalogue import PermitSearch
from permits.register.database import connect, migrate
from tests.fakes import open_office
from tests.register.filings import FIRST_MONDAY, WEEKS, Filings

SIZES = (10_000, 1_000_000, 5_000_000)
TIMES, WARM_UP = 400, 100
PAGE = 51
# Slots on which no book is grown: for the filings recorded while measuring, and for places that stay free.
RECORDED_FROM, FREE_FROM, HELD_FROM = 20_000_000, 40_000_000, 60_000_000

Act = Callable[[], object]
# From what was measured to its median and 95th percentile in milliseconds, one pair a size.
Rows = dict[str, list[tuple[float, float]]]


def main(sizes: list[int]) -> None:
    home = Path(tempfile.mkdtemp(prefix="permits-bench-scale-"))
    home.chmod(0o755)
    server = EmbeddedPostgres(home)
    try:
        url = server.start()
        engine = connect(url, pool_size=1)
        migrate(engine)
        tell_machine()
        _tell(sizes, _measure(engine, url, sizes))
        tell_load()
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


def _measure(engine: Engine, url: str, sizes: list[int]) -> Rows:
    town, rows = Town(engine), Rows()
    put_stopwatch(engine)
    for turn, size in enumerate(sizes):
        begun = time.monotonic()
        town.grow(size)
        print(f"{size} permits, after {time.monotonic() - begun:.0f} s; {town.weight()}", flush=True)
        for name, prepare in town.operations().items():
            rows.setdefault(name, []).append(_time(prepare))
        for clients in CLIENTS:
            held = hold(url, clients, HELD_FROM + (turn * len(CLIENTS) + clients) * 100_000)
            name = f"number's lock held, {clients} client{'s' if clients > 1 else ''}"
            rows.setdefault(name, []).append(percentiles(held.recording))
            rows.setdefault(f"{name}, empty", []).append(percentiles(held.empty))
    return rows


def _time(prepare: Callable[[], Act]) -> tuple[float, float]:
    times = []
    for _ in range(WARM_UP + TIMES):
        act = prepare()
        begun = time.perf_counter()
        act()
        times.append(time.perf_counter() - begun)
    return percentiles(times[WARM_UP:])


class Town:
    """A grown book, and what one client does there, on another place, day or company each time.

    Every operation checks what it was told, so that nothing is fast because it found nothing.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine, self._office = engine, open_office(engine)
        self._filings, self._chance = Filings(self._office), random.Random(1)
        self._size, self._recorded = 0, RECORDED_FROM
        self._record()()

    def grow(self, size: int) -> None:
        """Make the book hold the slots 0…size - 1."""
        grow(self._engine, self._office.register.authority, self._office.client_id, self._size, size - 1)
        self._size = size

    def weight(self) -> str:
        """Return what the database weighs."""
        with self._engine.connect() as connection:
            asked = "SELECT pg_size_pretty(pg_database_size(current_database()))"
            return str(connection.exec_driver_sql(asked).scalar_one())

    def operations(self) -> dict[str, Callable[[], Act]]:
        """Return each operation: what prepares it, and then what is timed."""
        return {
            "record and number (T1)": self._record,
            "refused: the place is taken": self._record_in_vain,
            "file a document (T2)": self._file,
            "overlap check, place taken": self._find_standing,
            "overlap check, place free": self._find_none,
            "list, newest": lambda: self._list(PAGE),
            "list, from the middle": lambda: self._list(PAGE, before=(2026, self._size // 2)),
            "list, of one company": self._list_company,
            "list, annulled": lambda: self._list(min(PAGE, self._size // ANNULLED), state="annulled"),
            "list, in force on a day": lambda: self._list(1, on=self._day()),
        }

    def _record(self) -> Act:
        self._recorded += 1
        ready = self._filings.at(self._recorded)
        return lambda: self._filings.record(ready)

    def _record_in_vain(self) -> Act:
        ready = self._filings.at(self._taken())

        def act() -> None:
            with suppress(FootprintTaken):
                self._filings.record(ready)
                raise AssertionError("a taken place was given again")

        return act

    def _file(self) -> Act:
        self._recorded += 1
        act = self._filings.record(self._filings.at(self._recorded)).act
        assert act is not None
        content, at = uuid4().bytes, self._office.clock()
        return lambda: self._office.register.file(act.id, content, hashlib.sha256(content).hexdigest(), at)

    def _find_standing(self) -> Act:
        return self._find(self._taken(), 1)

    def _find_none(self) -> Act:
        return self._find(FREE_FROM + self._chance.randrange(10**6), 0)

    def _find(self, slot: int, standing: int) -> Act:
        ready = self._filings.at(slot)
        footprint = ready.facts.places[0].footprint

        def act() -> None:
            assert len(self._office.register.standing_permits(footprint, ready.filing)) == standing

        return act

    def _list_company(self) -> Act:
        company = self._chance.randrange(min(COMPANIES, self._size))
        return self._list(1, siret=f"{company:014}")

    def _list(self, at_least: int, **filters: Any) -> Act:
        search = PermitSearch(limit=PAGE, **filters)

        def act() -> None:
            # The payloads are too small to be read: what is timed is the query.
            with patch.object(catalogue, "act_of", lambda row, *_: row):
                found = self._office.register.permits(self._office.client_id, search)
            assert len(found) >= at_least

        return act

    def _taken(self) -> int:
        """A slot of the book whose number was not annulled."""
        return self._chance.randrange(self._size // ANNULLED) * ANNULLED + 1

    def _day(self) -> date:
        return FIRST_MONDAY + timedelta(weeks=self._chance.randrange(WEEKS))


def _tell(sizes: list[int], rows: Rows) -> None:
    print(f"\n{'p50 / p95, ms':38}" + "".join(f"{size:>20,}" for size in sizes) + f"{'last : first':>15}")
    for name, row in rows.items():
        cells = "".join(f"{f'{p50:.2f} / {p95:.2f}':>20}" for p50, p95 in row)
        print(f"{name:38}{cells}{row[-1][0] / row[0][0]:>15.2f}")


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or list(SIZES))
