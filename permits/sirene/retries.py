"""How often a failed call may be made again: never more than one for ten, whatever breaks and for how long."""

from threading import Lock

CALLS_FOR_A_RETRY = 10
_MOST_SAVED = 10 * CALLS_FOR_A_RETRY


class Retries:
    """Ten first calls earn one retry; at most ten are saved up for a bad day."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._saved = 0

    def earn(self) -> None:
        """A call is made for the first time."""
        with self._lock:
            self._saved = min(self._saved + 1, _MOST_SAVED)

    def take(self) -> bool:
        """Tell whether one more call may be made, and count it."""
        with self._lock:
            if self._saved < CALLS_FOR_A_RETRY:
                return False
            self._saved -= CALLS_FOR_A_RETRY
            return True
