"""What one look-up may spend in all, over every source and every stage of theirs: seconds, and failed calls."""

from permits.sirene.clock import Clock

BUDGET_S = 8.0
MAX_FAILURES = 3
# What each later source is left at least, unless that is more than its equal share.
LEAST_S = 1.5


class Budget:
    """Counts down; a part of it, given to one source, counts the whole down too."""

    def __init__(
        self,
        clock: Clock,
        seconds: float = BUDGET_S,
        failures: int = MAX_FAILURES,
        *,
        whole: "Budget | None" = None,
    ) -> None:
        self._clock = clock
        self._deadline = clock.monotonic() + seconds
        self._failures_left = failures
        self._whole = whole

    @property
    def left_s(self) -> float:
        return max(0.0, self._deadline - self._clock.monotonic())

    @property
    def failures_left(self) -> int:
        return self._failures_left

    @property
    def is_spent(self) -> bool:
        """True when no call may be made any more."""
        return self._failures_left <= 0 or self.left_s <= 0

    def note_failure(self) -> None:
        """A call was made and failed."""
        self._failures_left -= 1
        if self._whole is not None:
            self._whole.note_failure()

    def part(self, sources_left: int) -> "Budget":
        """Return what the next of so many sources may spend: each after it keeps a second and a half, and one call."""
        failures = max(1, self._failures_left - (sources_left - 1))
        later_s = min(LEAST_S, self.left_s / sources_left) * (sources_left - 1)
        return Budget(self._clock, self.left_s - later_s, failures, whole=self)
