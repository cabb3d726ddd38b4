"""PostgreSQL itself is killed, postmaster and every session at once, while the service issues.

The service stays up: it says that its register is unavailable, and goes on by itself when the database is back,
requests and deferred jobs alike. Nothing that was answered is lost, no number is lost, repeated or skipped.

fsync is on, as in production. What is shown is a death of processes, not a power cut.
"""

import random
import time
from collections import Counter

import pytest

from tests.endtoend.book import faults, unfinished
from tests.endtoend.callers import Callers, Heard
from tests.endtoend.running import wait
from tests.endtoend.town import Town, open_town, told

pytestmark = pytest.mark.xdist_group("postgres-killed")

SEALS = 20
LONGEST_DARK_S = 1.5


def kill_while_issuing(town: Town, callers: Callers) -> int:
    """Kill PostgreSQL at some moment and start it again; return how many requests that cut."""
    callers.wait_for_permits(random.randrange(4))
    time.sleep(random.uniform(0, 0.5))
    moment = time.monotonic()
    town.kill_database()
    says_so(town)
    time.sleep(random.uniform(0, LONGEST_DARK_S))
    town.database.start()
    back = time.monotonic()
    assert faults(town.book(hashing=False), callers.promises) == []
    assert wait(lambda: any(a.sent > back and a.heard is not Heard.UNAVAILABLE for a in list(callers.attempts)), 30)
    return len(callers.cut_at(moment))


def says_so(town: Town) -> None:
    """The service lives, says that it can't issue, and why; it doesn't keep people waiting for that."""
    with town.caller(timeout=10) as client:
        assert client.get("/healthz").status_code == 200
        refused = town.file(client, "while-the-database-is-dead")
        assert told(refused) == (503, "database_unavailable")
        assert int(refused.headers["Retry-After"]) > 0
        unready = client.get("/readyz")
        assert unready.status_code == 503
        assert [check["name"] for check in unready.json()["checks"] if check["failing"] and not check["ok"]] == [
            "database"
        ]


def kill_and_check(rounds: int, in_hand: int) -> str:
    cut = 0
    with open_town() as town:
        town.start()
        assert town.service is not None
        with Callers(town, in_hand=in_hand) as callers:
            for _ in range(rounds):
                cut += kill_while_issuing(town, callers)
            callers.stop_filing()
            town.run_jobs_now()
            reserved = [line.label for line in town.book(hashing=False).lines if line.state == "reserved"]
            assert reserved == [], "the worker left some undone"
            callers.finish()
        book = town.book()
        assert faults(book, callers.promises) + unfinished(book, callers.keys) == []
        assert callers.promises.told.keys() == callers.keys
        town.check_documents(callers.promises.told.values(), seals=SEALS)
        town.check_by_fsck()
        assert town.service.process.poll() is None, "the service lived through it all"
        heard = Counter(attempt.heard for attempt in callers.attempts)
    assert cut > 0, "no request was on its way when PostgreSQL was killed: nothing was shown"
    assert heard[Heard.DIED] == 0, "the service always answers"
    return f"{len(callers.keys)} permits, PostgreSQL killed {rounds} times, {cut} requests cut, 0 fault"


@pytest.mark.timeout(400)
def test_a_database_killed_while_issuing_loses_repeats_and_skips_nothing() -> None:
    print(kill_and_check(rounds=2, in_hand=8))


@pytest.mark.proof
@pytest.mark.timeout(3600)
def test_sixty_times_the_database_is_killed_while_issuing() -> None:
    print(kill_and_check(rounds=60, in_hand=60))
