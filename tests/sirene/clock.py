"""A clock that only moves when something sleeps, or when a test says so."""

from datetime import UTC, datetime, timedelta

from permits.sirene.http import Clock


class StoppedClock:
    def __init__(self) -> None:
        self.elapsed_s = 0.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.elapsed_s += seconds

    def now(self) -> datetime:
        return datetime(2026, 9, 1, 10, 0, tzinfo=UTC) + timedelta(seconds=self.elapsed_s)

    @property
    def clock(self) -> Clock:
        return Clock(now=self.now, monotonic=lambda: self.elapsed_s, sleep=self.sleep)
