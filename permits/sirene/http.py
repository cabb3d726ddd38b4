"""A polite HTTP client for registries: bounded in time, size, attempts and trust.

Redirects are not followed (they would carry the token elsewhere), nothing is decompressed (a few
kilobytes of gzip can fill the memory), and a source that asks us to wait is left alone until then:
API Entreprise bans for twelve hours those who do not listen.

The exchange itself runs on an event loop, in a thread of its own: only there does a deadline bound
all of it, name resolution and headers that drip one byte a second included.
"""

import logging
import random
import ssl
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cache
from threading import Lock

import anyio
import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal

from permits import __version__
from permits.domain.establishment import Source
from permits.sirene import metrics, reasons
from permits.sirene.answer import Answer, read_answer
from permits.sirene.budget import Budget
from permits.sirene.clock import Clock
from permits.sirene.errors import SourceMisconfigured, SourceNotAsked, SourceUnavailable
from permits.sirene.pace import Pace, Quota
from permits.sirene.retries import Retries

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
MAX_BODY_BYTES = 1024 * 1024
CONNECT_S, READ_S = 1.0, 2.5

# How many tries a status deserves in all. 503 is a maintenance that has announced itself.
_ATTEMPTS = {409: 2, 500: MAX_ATTEMPTS, 502: MAX_ATTEMPTS, 504: MAX_ATTEMPTS}
# 4xx that pass with time; every other one says that our request, token or contract is wrong.
_PASSING_4XX = {408, 409, 425, 429, 451}
# All that an exchange may end in; httpx reads `Location` even when it does not follow it.
_NO_ANSWER = (TimeoutError, httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ssl.SSLError, OSError, UnicodeError)
# These speak for the whole source; the wait that another status names is that of one request.
_SPEAKS_FOR_ALL = {429, 503}


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
        quota: Quota,
        *,
        contact: str,
        headers: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        connect_s: float = CONNECT_S,
        read_s: float = READ_S,
    ) -> None:
        self._source = source
        self._clock = clock or Clock()
        self._connect_s, self._read_s = connect_s, read_s
        self._pace = Pace(source, quota, self._clock)
        self._retries = Retries()
        self._loop = ExitStack()
        self._portal: BlockingPortal | None = None
        self._starting = Lock()
        self._http = httpx.AsyncClient(
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
        """Close the connections: nothing can be asked any more."""
        with self._starting:
            if self._portal is None:
                self._portal = self._loop.enter_context(start_blocking_portal())
            if not self._http.is_closed:
                self._portal.call(self._http.aclose)
                self._loop.close()

    def get(self, path: str, params: Mapping[str, str], budget: Budget, accept: frozenset[int] = frozenset()) -> Answer:
        """Return the answer when its status is 200 or in `accept`; a 200 always holds a JSON object."""
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._ask(path, params, budget, accept | {200}, is_first=attempt == 1)
            except (SourceUnavailable, SourceMisconfigured) as error:
                budget.note_failure()
                if isinstance(error, SourceMisconfigured) or not self._may_retry(error, attempt, budget):
                    raise
                metrics.RETRIES.labels(self._source).inc()

    def _may_retry(self, error: SourceUnavailable, attempt: int, budget: Budget) -> bool:
        """Wait a random while before the next attempt; False when there may be none, or no time would be left."""
        asked_to_wait = error.retry_after is not None
        delay = random.uniform(0, 0.25 * 2**attempt)
        if asked_to_wait or attempt >= error.attempts or budget.is_spent or delay >= budget.left_s:
            return False
        if not self._retries.take():
            return False
        self._clock.sleep(delay)
        return True

    def _ask(
        self, path: str, params: Mapping[str, str], budget: Budget, accept: frozenset[int], *, is_first: bool
    ) -> Answer:
        if budget.is_spent:
            raise SourceNotAsked(self._source, reasons.OUT_OF_BUDGET)
        self._pace.enter(budget.left_s)
        if is_first:
            self._retries.earn()
        started = self._clock.monotonic()
        with metrics.CALL_SECONDS.labels(self._source).time():
            status, headers, body, flaw = self._exchange(path, params, budget)
        answer = read_answer(status, headers, body, self._clock.now())
        metrics.CALLS.labels(self._source, str(status)).inc()
        self._pace.read(headers)
        logger.info(
            "registry %s answered %s in %d ms, request id %s",
            self._source,
            answer.outcome,
            round(1000 * (self._clock.monotonic() - started)),
            answer.request_id,
        )
        return self._accepted(answer, flaw, accept)

    def _exchange(
        self, path: str, params: Mapping[str, str], budget: Budget
    ) -> tuple[int, httpx.Headers, bytes, str | None]:
        try:
            return self._on_the_loop().call(self._fetch, path, params, budget.left_s)
        except _NO_ANSWER as error:
            reason = _told(error)
            metrics.CALLS.labels(self._source, reason).inc()
            logger.info("registry %s gave no answer: %s", self._source, reason)
            # What was received and is late may still be worked on there: it is not asked for again.
            attempts = 1 if isinstance(error, TimeoutError | httpx.ReadTimeout) else MAX_ATTEMPTS
            raise SourceUnavailable(self._source, reason, attempts=attempts) from error

    def _on_the_loop(self) -> BlockingPortal:
        with self._starting:
            if self._http.is_closed:
                raise SourceNotAsked(self._source, reasons.CLOSED)
            if self._portal is None:
                self._portal = self._loop.enter_context(start_blocking_portal(name=f"registry-{self._source}"))
            return self._portal

    async def _fetch(
        self, path: str, params: Mapping[str, str], left_s: float
    ) -> tuple[int, httpx.Headers, bytes, str | None]:
        timeout = httpx.Timeout(min(self._read_s, left_s), connect=min(self._connect_s, left_s))
        response: httpx.Response | None = None
        try:
            with anyio.fail_after(left_s):
                async with self._http.stream("GET", path, params=params, timeout=timeout) as response:
                    body, flaw = await _read(response)
        except (TimeoutError, httpx.RequestError) as error:
            if response is None or response.status_code == 200:
                raise
            # Its status and headers came: a 429 is a 429, whatever becomes of its body.
            body, flaw = b"", _told(error)
        return response.status_code, response.headers, body, flaw

    def _accepted(self, answer: Answer, flaw: str | None, accept: frozenset[int]) -> Answer:
        """Return an answer that may be read; turn any other into what the caller does next."""
        status = answer.status
        if status in _SPEAKS_FOR_ALL and (status == 429 or answer.retry_after):
            self._pace.leave_alone(answer.retry_after)
        if status == 200 and (flaw or not answer.is_json):
            raise SourceUnavailable(self._source, f"{reasons.UNUSABLE}: {flaw or 'not a JSON object'}")
        if status in accept:
            return answer
        if 400 <= status < 500 and status not in _PASSING_4XX:
            raise SourceMisconfigured(self._source, answer.outcome)
        raise SourceUnavailable(self._source, answer.outcome, answer.retry_after, _ATTEMPTS.get(status, 1))


def _told(error: Exception) -> str:
    """Name what went wrong: its class alone, since its text may hold the URL, hence the SIRET."""
    return reasons.OUT_OF_TIME if isinstance(error, TimeoutError) else type(error).__name__


async def _read(response: httpx.Response) -> tuple[bytes, str | None]:
    """Return the raw body and what is wrong with it; a body that is refused is not read further."""
    if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
        return b"", "compressed although identity was asked"
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return b"", f"longer than {MAX_BODY_BYTES} bytes"
    return bytes(body), None
