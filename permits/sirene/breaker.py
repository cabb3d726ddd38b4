"""Leaves a source that fails time and again to itself, and finds out soon that it is back."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Lock

from permits.domain.establishment import Source
from permits.sirene import reasons
from permits.sirene.clock import Clock
from permits.sirene.errors import SourceMisconfigured, SourceNotAsked, SourceUnavailable

FAILURES_IN_A_ROW = 3
FIRST_REST_S, LONGEST_REST_S = 5.0, 30.0


class Breaker:
    """Lets every look-up through until three fail in a row; then, after each rest, one look-up alone tries.

    A try that fails doubles the rest, up to thirty seconds: a source that is back serves within that time.
    Safe to share between threads.
    """

    def __init__(self, source: Source, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._lock = Lock()
        self._failures = 0
        self._rest_s = 0.0
        self._rests_until = float("-inf")
        self._trial_is_on = False

    @property
    def is_open(self) -> bool:
        return self._rest_s > 0

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """Let a look-up through and learn from how it ends; raises SourceNotAsked when it may not pass."""
        is_trial = self._enter()
        try:
            yield
        except (SourceUnavailable, SourceMisconfigured):
            self._failed(is_trial)
            raise
        except BaseException:
            # Nobody was called after all, or the fault is ours: nothing is learnt.
            if is_trial:
                self._trial_is_on = False
            raise
        self._answered()

    def _enter(self) -> bool:
        with self._lock:
            if not self.is_open:
                return False
            wait_s = self._rests_until - self._clock.monotonic()
            if wait_s > 0 or self._trial_is_on:
                wait = timedelta(seconds=max(wait_s, 1.0))
                raise SourceNotAsked(self._source, reasons.RESTING, wait)
            self._trial_is_on = True
            return True

    def _answered(self) -> None:
        with self._lock:
            self._failures, self._rest_s, self._trial_is_on = 0, 0.0, False

    def _failed(self, is_trial: bool) -> None:
        with self._lock:
            self._failures += 1
            if is_trial:
                self._trial_is_on = False
                self._rest_s = min(2 * self._rest_s, LONGEST_REST_S)
            elif self.is_open or self._failures < FAILURES_IN_A_ROW:
                return
            else:
                self._rest_s = FIRST_REST_S
            self._rests_until = self._clock.monotonic() + self._rest_s
