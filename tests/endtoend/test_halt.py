"""`permits halt` while two services on one database are issuing: nothing is granted after it, and filing goes on."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from tests.endtoend.running import Running, free_port, wait
from tests.endtoend.town import Town, open_town

pytestmark = [pytest.mark.xdist_group("halt"), pytest.mark.timeout(300)]

CALLERS = 4
# Each caller files so often before the command and after it.
BEFORE, AFTER = 4, 2


@contextmanager
def second_service(town: Town) -> Iterator[str]:
    """Run another `permits serve` on the town's database; give its address."""
    home, port = town.home / "second", free_port()
    home.mkdir()
    service = Running(home, "serve", **town.settings | {"PERMITS_PORT": str(port)})
    url = f"http://127.0.0.1:{port}"

    def is_ready() -> bool:
        try:
            return httpx.get(f"{url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    try:
        service.until(is_ready, "the second service is ready")
        yield url
    finally:
        service.process.terminate()
        service.process.wait(60)


def command(town: Town, *words: str) -> tuple[datetime, datetime]:
    """Run `permits …` to its end; return when it was launched and when it was over."""
    launched = datetime.now(UTC)
    done = town.permits(*words)
    assert done.returncode == 0, done.stderr
    return launched, datetime.now(UTC)


class Filing:
    """Callers who file without rest at two addresses, until each was answered `AFTER` times past the halt."""

    def __init__(self, town: Town, addresses: list[str]) -> None:
        self.halted = Event()
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self._town, self._addresses = town, addresses

    def run(self, name: int) -> None:
        address, after = self._addresses[name % len(self._addresses)], 0
        with self._town.caller() as client:
            client.base_url = httpx.URL(address)
            while after < AFTER:
                late = self.halted.is_set()
                answer = self._town.file(client, str(uuid4()))
                assert answer.status_code in (201, 503), answer.text
                if answer.status_code == 503:  # every place at the press is taken
                    time.sleep(0.2)
                    continue
                after += late
                self.outcomes[address, answer.json()["outcome"]] += 1


def read(town: Town, query: str) -> list[tuple[object, ...]]:
    with town.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_nothing_is_granted_after_a_halt_and_filing_goes_on() -> None:
    with ExitStack() as stack:
        town = stack.enter_context(open_town())
        town.start()
        addresses = [str(town.caller().base_url), stack.enter_context(second_service(town))]
        filing = Filing(town, addresses)
        threads = stack.enter_context(ThreadPoolExecutor(CALLERS))
        callers = [threads.submit(filing.run, name) for name in range(CALLERS)]
        assert wait(
            lambda: (
                all(filing.outcomes[address, "granted"] >= BEFORE for address in addresses)
                or any(caller.done() for caller in callers)
            )
        )
        launched, over = command(town, "halt", "--reason", "le cachet est peut-être compromis", "--by", "agent-7")
        filing.halted.set()
        for caller in callers:
            caller.result(timeout=120)

        grants = read(town, "SELECT position, at FROM audit_entry WHERE event = 'granted' ORDER BY position")
        ((turned, turned_at),) = read(town, "SELECT position, at FROM audit_entry WHERE event = 'halted'")
        assert [position for position, _ in grants if position > turned] == []  # type: ignore[operator]
        decided = max(at for _, at in grants)
        assert isinstance(decided, datetime) and isinstance(turned_at, datetime)
        assert launched < turned_at < over
        assert decided < over
        for address in addresses:
            assert filing.outcomes[address, "granted"] >= BEFORE
            assert filing.outcomes[address, "referred"] >= AFTER
        # What was in flight ends whole.
        assert wait(lambda: read(town, "SELECT 1 FROM act WHERE state <> 'issued'") == [])
        command(town, "resume-issuing", "--reason", "le cachet est sûr", "--by", "agent-7")
        with town.caller() as client:
            assert town.file(client, str(uuid4())).json()["outcome"] == "granted"
    print(told(launched, over, turned_at, decided, len(grants)))


def told(launched: datetime, over: datetime, turned_at: datetime, decided: datetime, grants: int) -> str:
    def seconds(span: timedelta) -> str:
        return f"{span.total_seconds():.2f} s"

    return (
        f"2 services, {grants} grants: the last one decided {seconds(decided - launched)} after the command was "
        f"launched and {seconds(decided - turned_at)} after its switch was written; the command took "
        f"{seconds(over - launched)}"
    )
