"""The service is killed in the middle of issuing, again and again: no number is lost, repeated or skipped.

Callers never stop asking, so a kill strikes whatever goes on: a request at any step, or what the start before was
still finishing. The book is looked at after each kill, before anything is repaired, and once everybody is answered.

What is shown is a death of the process. A power cut is another matter: it is PostgreSQL's own promise.
"""

import random
import time
from collections import Counter

import pytest

from tests.endtoend.book import Line, faults, unfinished
from tests.endtoend.callers import Callers
from tests.endtoend.town import Town, open_town

pytestmark = pytest.mark.xdist_group("crash")

SEALS = 20


def kill_while_issuing(town: Town, callers: Callers) -> list[str]:
    """Kill the service at some moment; return where each request that was on its way had come to. Start again."""
    callers.wait_for_permits(random.randrange(3))
    time.sleep(random.uniform(0, 0.3))
    moment = time.monotonic()
    doomed = town.kill()
    assert town.gone(doomed), "what the dead service had started is gone"
    book = town.book(hashing=False)
    assert faults(book, callers.promises) == []
    lines = {line.key: line for line in book.lines}
    cut = callers.cut_at(moment)
    town.start()
    return [how_far(lines.get(key)) for key in cut]


def how_far(line: Line | None) -> str:
    if line is None:
        return "before the number"
    return "before the document" if line.state == "reserved" else "before the answer"


def crash_and_check(rounds: int) -> str:
    cut = Counter[str]()
    with open_town() as town:
        town.start()
        with Callers(town) as callers:
            for _ in range(rounds):
                cut.update(kill_while_issuing(town, callers))
            callers.finish()
        book = town.book()
        assert faults(book, callers.promises) + unfinished(book, callers.keys) == []
        assert callers.promises.told.keys() == callers.keys
        town.check_documents(callers.promises.told.values(), seals=SEALS)
        town.check_by_fsck()
    assert cut["before the document"] > 0, f"no kill struck between a number and its document: {cut}"
    return f"{len(callers.keys)} permits, {rounds} kills, {cut.total()} requests cut ({dict(cut)}), 0 fault"


@pytest.mark.timeout(400)
def test_a_service_killed_while_issuing_loses_repeats_and_skips_nothing() -> None:
    print(crash_and_check(rounds=3))


@pytest.mark.proof
@pytest.mark.timeout(3600)
def test_three_hundred_times_killed_while_issuing() -> None:
    print(crash_and_check(rounds=300))
