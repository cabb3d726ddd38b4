"""A polite HTTP client for registries: bounded in time, size, attempts and trust.

Redirects are not followed (they would carry the token elsewhere), nothing is decompressed (a few
kilobytes of gzip can fill the memory), and a source that asks us to wait is left alone until then:
API Entreprise bans for twelve hours those who do not listen.
"""

import logging
import random
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import httpx

from permits import __version__
from permits.domain.establishment import Source
from permits.sirene.answer import Answer, read_answer
from permits.sirene.errors import SourceMisconfigured, SourceUnavailable

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
MAX_BODY_BYTES = 1024 * 1024
CONNECT_S, READ_S, BUDGET_S = 1.0, 2.5, 8.0

# How many tries a status deserves in all. 503 is a maintenance that has announced itself.
_ATTEMPTS = {409: 2, 500: MAX_ATTEMPTS, 502: MAX_ATTEMPTS, 504: MAX_ATTEMPTS}
# 4xx that pass with time; every other one says that our request, token or contract is wrong.
_PASSING_4XX = {408, 409, 425, 429, 451}


@dataclass(frozen=True)
class Clock:
    """Time as the clients live it; tests bring their own."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@cache
def _tls() -> ssl.SSLContext:
    """One trust store for every client: reading it takes longer than an answer."""
    return httpx.create_ssl_context()


class PoliteClient:
    """Asks one source for JSON objects; every failure comes out as a SourceError."""

    def __init__(
        self,
        source: Source,
        base_url: str,
        *,
        contact: str,
        headers: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        budget_s: float = BUDGET_S,
    ) -> None:
        self._source = source
        self._clock = clock or Clock()
        self._budget_s = budget_s
        self._quiet_until = float("-inf")
        self._http = httpx.Client(
            base_url=base_url.rstrip("/"),
            verify=_tls(),
            follow_redirects=False,
            # A proxy of the environment has no way to this machine's own loopback.
            mounts={"all://127.0.0.1": None, "all://localhost": None},
            headers={
                **(headers or {}),
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "User-Agent": f"permits/{__version__} (+{contact})",
            },
        )

    def close(self) -> None:
        self._http.close()

    def deadline(self) -> float:
        """When a look-up that begins now must have ended, on the monotonic clock."""
        return self._clock.monotonic() + self._budget_s

    def get(
        self,
        path: str,
        params: Mapping[str, str],
        deadline: float,
        accept: frozenset[int] = frozenset(),
    ) -> Answer:
        """Return the answer when its status is 200 or in `accept`; a 200 always holds a JSON object."""
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                return self._ask(path, params, deadline, accept | {200})
            except SourceUnavailable as error:
                asked_to_wait = error.retry_after is not None
                if asked_to_wait or attempt >= error.attempts or not self._pause(attempt, deadline):
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _pause(self, attempt: int, deadline: float) -> bool:
        """Wait a random while before the next attempt; False when no time would be left for it."""
        delay = random.uniform(0, 0.25 * 2**attempt)
        if self._clock.monotonic() + delay >= deadline:
            return False
        self._clock.sleep(delay)
        return True

    def _ask(self, path: str, params: Mapping[str, str], deadline: float, accept: frozenset[int]) -> Answer:
        started = self._clock.monotonic()
        if started < self._quiet_until:
            wait = timedelta(seconds=self._quiet_until - started)
            raise SourceUnavailable(self._source, "left alone, as it asked", wait)
        left = deadline - started
        if left <= 0:
            raise SourceUnavailable(self._source, "no time left in the budget")
        timeout = httpx.Timeout(min(READ_S, left), connect=min(CONNECT_S, left))
        try:
            with self._http.stream("GET", path, params=params, timeout=timeout) as response:
                body, flaw = self._read(response, deadline)
        except httpx.RequestError as error:
            reason = type(error).__name__  # its text may hold the URL, hence the SIRET
            logger.info("registry %s gave no answer: %s", self._source, reason)
            raise SourceUnavailable(self._source, reason, attempts=MAX_ATTEMPTS) from error
        answer = read_answer(response.status_code, response.headers, body, self._clock.now())
        logger.info(
            "registry %s answered %s in %d ms, request id %s",
            self._source,
            answer.outcome,
            round(1000 * (self._clock.monotonic() - started)),
            answer.request_id,
        )
        return self._accepted(answer, flaw, accept)

    def _read(self, response: httpx.Response, deadline: float) -> tuple[bytes, str | None]:
        """Return the raw body and what is wrong with it; a body that is refused is not read further."""
        if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
            return b"", "compressed although identity was asked"
        body = bytearray()
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                return b"", f"longer than {MAX_BODY_BYTES} bytes"
            if self._clock.monotonic() > deadline:
                return b"", "too slow to end within the budget"
        return bytes(body), None

    def _accepted(self, answer: Answer, flaw: str | None, accept: frozenset[int]) -> Answer:
        """Return an answer that may be read; turn any other into what the caller does next."""
        status = answer.status
        if status == 200 and (flaw or not answer.is_json):
            raise SourceUnavailable(self._source, f"unusable answer: {flaw or 'not a JSON object'}")
        if status in accept:
            return answer
        if status == 429 and answer.retry_after:
            self._quiet_until = self._clock.monotonic() + answer.retry_after.total_seconds()
        if 400 <= status < 500 and status not in _PASSING_4XX:
            raise SourceMisconfigured(self._source, answer.outcome)
        raise SourceUnavailable(self._source, answer.outcome, answer.retry_after, _ATTEMPTS.get(status, 1))
