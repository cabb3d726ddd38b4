"""People who file applications without rest, and repeat each one under its key until its permit is issued."""

import heapq
import threading
import time
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Self
from uuid import uuid4

import httpx

from tests.endtoend.book import Promises
from tests.endtoend.running import wait
from tests.endtoend.town import Town

# A repeated request is "in progress" for thirty seconds at most.
FINISHED_WITHIN_S = 120


class Heard(StrEnum):
    """How one request ended."""

    ISSUED = "issued"
    RESERVED = "reserved"
    IN_PROGRESS = "in progress"
    UNAVAILABLE = "unavailable"
    DIED = "died"


# How long a caller waits before the same request is sent again, in seconds.
PAUSE = {Heard.RESERVED: 0.3, Heard.IN_PROGRESS: 0.5, Heard.UNAVAILABLE: 0.2, Heard.DIED: 0.1}
_CODES = {409: ("request_in_progress", Heard.IN_PROGRESS), 503: ("database_unavailable", Heard.UNAVAILABLE)}


@dataclass(frozen=True)
class Attempt:
    """One request, and when it was sent and ended on the monotonic clock."""

    key: str
    sent: float
    ended: float
    heard: Heard


class Callers:
    """`at_once` callers on one town, with at most `in_hand` applications not yet issued."""

    def __init__(self, town: Town, *, at_once: int = 6, in_hand: int = 10) -> None:
        self.promises = Promises()
        self.keys: set[str] = set()
        self.attempts: list[Attempt] = []
        self._town, self._at_once, self._in_hand = town, at_once, in_hand
        self._again: list[tuple[float, str]] = []
        self._lock = threading.Lock()
        self._finishing, self._leaving = threading.Event(), threading.Event()
        self._threads = ThreadPoolExecutor(at_once)
        self._working: list[Future[None]] = []

    @property
    def issued(self) -> int:
        """How many permits were received, issued, so far."""
        return len(self.promises.told)

    def wait_for_permits(self, more: int) -> None:
        """Wait until so many more permits were received."""
        enough = self.issued + more
        assert wait(lambda: self.issued >= enough or any(each.done() for each in self._working)), "nobody is answered"
        self._check()

    def stop_filing(self) -> None:
        """File nothing new; what was filed is still repeated."""
        self._finishing.set()

    def finish(self) -> None:
        """File nothing new, and wait until every application filed has its issued permit."""
        self.stop_filing()
        _, late = wait_for(self._working, FINISHED_WITHIN_S, FIRST_EXCEPTION)
        self._check()
        assert not late, f"{len(self.keys) - self.issued} applications are still not issued"

    def cut_at(self, moment: float) -> set[str]:
        """Return the keys whose request was on its way at that moment and did not end well."""
        wait(lambda: any(attempt.sent > moment for attempt in list(self.attempts)), 5)
        bad = (Heard.DIED, Heard.UNAVAILABLE, Heard.RESERVED)
        return {each.key for each in list(self.attempts) if each.sent < moment < each.ended and each.heard in bad}

    def __enter__(self) -> Self:
        self._working = [self._threads.submit(self._file_and_file_again) for _ in range(self._at_once)]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._leaving.set()
        self._threads.shutdown(cancel_futures=True)

    def _check(self) -> None:
        for each in self._working:
            if each.done():
                each.result()

    def _file_and_file_again(self) -> None:
        with self._town.caller() as client:
            while not self._is_done():
                if (key := self._next()) is not None:
                    self._attempt(client, key)
                else:
                    time.sleep(0.02)

    def _is_done(self) -> bool:
        return self._leaving.is_set() or (self._finishing.is_set() and not self._again)

    def _next(self) -> str | None:
        """Return a key to repeat, or a new one; None when there is nothing to do yet."""
        with self._lock:
            if self._again and self._again[0][0] <= time.monotonic():
                return heapq.heappop(self._again)[1]
            if self._finishing.is_set() or len(self.keys) - self.issued >= self._in_hand:
                return None
            self.keys.add(key := str(uuid4()))
            return key

    def _attempt(self, client: httpx.Client, key: str) -> None:
        sent = time.monotonic()
        try:
            heard = self._hear(key, self._town.file(client, key))
        except httpx.TransportError:
            heard = Heard.DIED
        now = time.monotonic()
        with self._lock:
            self.attempts.append(Attempt(key, sent, now, heard))
            if heard is not Heard.ISSUED:
                heapq.heappush(self._again, (now + PAUSE[heard], key))

    def _hear(self, key: str, answer: httpx.Response) -> Heard:
        """Keep what a 2xx promises; anything but the few answers that say "repeat" is a fault of the service."""
        content = answer.json()
        if answer.status_code == 201:
            with self._lock:
                self.promises.add(key, content["permit"])
            return Heard(content["permit"]["state"])
        code, heard = _CODES.get(answer.status_code, (None, Heard.DIED))
        assert content["code"] == code, answer.text
        return heard
