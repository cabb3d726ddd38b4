"""More people than the service has places: who finds none is told when to come back, and nothing piles up."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from sqlalchemy import text

from tests.endtoend.town import Town, open_town, told

pytestmark = [pytest.mark.proof, pytest.mark.xdist_group("overload"), pytest.mark.timeout(900)]

CLIENTS = 64
PLACES = 8
# What a document takes on a busy machine, with every place held.
SERVED_WITHIN_S = 20


@dataclass
class Rush:
    """What was seen while everybody filed at once."""

    issued: int = 0
    turned_away: int = 0
    slowest_s: float = 0
    slowest_refusal_s: float = 0
    in_hand: list[int] = field(default_factory=list)


def rush(town: Town) -> Rush:
    """Have every client file one application at once, and again as it is told to, until each has its permit."""
    seen, lock = Rush(), threading.Lock()

    def file(_: int) -> None:
        key = str(uuid4())
        with town.caller() as client:
            while True:
                sent = time.monotonic()
                answer = town.file(client, key)
                took = time.monotonic() - sent
                with lock:
                    if answer.status_code == 201:
                        assert told(answer) == (201, "issued")
                        seen.issued += 1
                        seen.slowest_s = max(seen.slowest_s, took)
                        return
                    assert told(answer) == (503, "overloaded"), answer.text
                    seen.turned_away += 1
                    seen.slowest_refusal_s = max(seen.slowest_refusal_s, took)
                time.sleep(int(answer.headers["Retry-After"]))

    # The registry's answer is remembered from now on: only the press is short of places.
    with town.caller() as client:
        assert told(town.file(client, str(uuid4()))) == (201, "issued")
    with watched(town, seen), ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(file, range(CLIENTS)))
    return seen


@contextmanager
def watched(town: Town, seen: Rush) -> Iterator[None]:
    """Count the acts that have a number and no document yet, again and again."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            with town.engine.connect() as connection:
                count = connection.execute(text("SELECT count(*) FROM act WHERE state = 'reserved'"))
                seen.in_hand.append(count.scalar_one())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def test_beyond_its_places_it_says_503_and_those_inside_finish() -> None:
    with open_town() as town:
        town.start(PERMITS_DOCUMENTS_IN_HAND=str(PLACES))
        seen = rush(town)
        town.stop()
        town.start(PERMITS_DOCUMENTS_IN_HAND="1000")
        control = rush(town)
        town.check_by_fsck()
    print(f"{CLIENTS} at once, {PLACES} places: {seen.issued} issued, {seen.turned_away} times 503 with Retry-After")
    print(f"  at most {max(seen.in_hand)} in hand; slowest permit {seen.slowest_s:.1f} s")
    print(f"  slowest refusal {seen.slowest_refusal_s:.1f} s")
    print(f"  beside, with 1,000 places: at most {max(control.in_hand)} in hand, slowest {control.slowest_s:.1f} s")
    assert seen.issued == control.issued == CLIENTS
    assert seen.turned_away > 0 == control.turned_away
    assert 0 < max(seen.in_hand) <= PLACES < max(control.in_hand)
    assert max(seen.slowest_s, seen.slowest_refusal_s) < SERVED_WITHIN_S
