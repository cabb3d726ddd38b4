"""When a source may be called next: its documented quota, what its own headers say, and the peace it asked for."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock

from permits.domain.establishment import Source
from permits.sirene import reasons
from permits.sirene.clock import Clock
from permits.sirene.errors import SourceNotAsked

# What a source that says "too many" without saying for how long is left alone for.
UNTOLD_PEACE = timedelta(seconds=30)
# A place in the quota that comes up sooner is waited for; another source is asked rather than a longer wait.
_SHORT_WAIT_S = 1.0


@dataclass(frozen=True)
class Quota:
    """So many calls in so many seconds. `on_the_clock`: the window begins with the clock's, as with its minute."""

    calls: int
    window_s: int
    on_the_clock: bool = False


class Pace:
    """The pace of one source in this process; safe to share between threads.

    A window that slides is kept where the source's own is not known: it also satisfies any fixed one.
    """

    def __init__(self, source: Source, quota: Quota, clock: Clock) -> None:
        self._source = source
        self._quota = quota
        self._clock = clock
        self._lock = Lock()
        self._quiet_until = float("-inf")
        self._told_until = float("-inf")
        self._left = 0
        self._calls: deque[float] = deque(maxlen=quota.calls)

    def enter(self, patience_s: float) -> None:
        """Take a place, waiting for one that comes up shortly. Raises SourceNotAsked with the wait otherwise."""
        while True:
            with self._lock:
                if (wait_s := self._quiet_until - self._clock.monotonic()) > 0:
                    raise SourceNotAsked(self._source, reasons.AT_PEACE, timedelta(seconds=wait_s))
                if (wait_s := self._take_place()) <= 0:
                    return
            if wait_s > min(patience_s, _SHORT_WAIT_S):
                raise SourceNotAsked(self._source, reasons.OUT_OF_QUOTA, timedelta(seconds=wait_s))
            self._clock.sleep(wait_s)
            patience_s -= wait_s

    def leave_alone(self, wait: timedelta | None) -> None:
        """Call nobody there before the wait is over; a shorter one never shortens it."""
        until = self._clock.monotonic() + (wait or UNTOLD_PEACE).total_seconds()
        with self._lock:
            self._quiet_until = max(self._quiet_until, until)

    def read(self, headers: Mapping[str, str]) -> None:
        """Learn what is left of the source's own window, from `RateLimit-Remaining` and `RateLimit-Reset`.

        The reset is an instant in Unix seconds. Others may share the token: what is left only goes down.
        """
        remaining, reset = headers.get("ratelimit-remaining", ""), headers.get("ratelimit-reset", "")
        if not (remaining.isdecimal() and reset.isdecimal() and len(remaining) < 10 and len(reset) < 12):
            return
        ends_in_s = int(reset) - self._clock.now().timestamp()
        if not 0 < ends_in_s <= 2 * self._quota.window_s:
            return
        with self._lock:
            # The same window, told again, ends within the second that its instant is rounded to.
            is_same = abs(self._clock.monotonic() + ends_in_s - self._told_until) <= 1
            self._left = min(self._left, int(remaining)) if is_same else int(remaining)
            self._told_until = self._clock.monotonic() + ends_in_s

    def _take_place(self) -> float:
        """Take a place and return 0, or the seconds until there is one. Its own window comes before our count."""
        now = self._clock.monotonic()
        if now < self._told_until:
            if self._left <= 0:
                return self._told_until - now
            self._left -= 1
        elif (wait_s := self._wait_for_place(now)) > 0:
            return wait_s
        self._calls.append(now)
        return 0

    def _wait_for_place(self, now: float) -> float:
        quota = self._quota
        if len(self._calls) < quota.calls:
            return 0
        if quota.on_the_clock:
            into_window = self._clock.now().timestamp() % quota.window_s
            # Calls of earlier windows don't count in this one.
            return quota.window_s - into_window if self._calls[0] >= now - into_window else 0
        return self._calls[0] + quota.window_s - now
