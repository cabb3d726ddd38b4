"""One look-up in flight for each SIRET: whoever asks meanwhile waits for it, and shares what it brings."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

Brought = TypeVar("Brought")


class TooLong(Exception):
    """Somebody else's look-up of this SIRET has not ended in time."""


class Flights(Generic[Brought]):
    """Look-ups in flight by SIRET; `kind` tells apart those that can't share what they bring."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._flights: dict[str, tuple[str, Future[Brought]]] = {}

    def share(self, siret: str, kind: str, look: Callable[[], Brought], left_s: Callable[[], float]) -> Brought:
        """Return what `look` brings, called here unless somebody is at it. Raises what it raises, or TooLong."""
        while True:
            mine: Future[Brought] = Future()
            with self._lock:
                their_kind, flight = self._flights.setdefault(siret, (kind, mine))
            if flight is mine:
                return self._lead(siret, mine, look)
            try:
                flight.exception(timeout=left_s())
            except TimeoutError:
                raise TooLong from None
            if their_kind == kind:
                return flight.result()

    def _lead(self, siret: str, mine: Future[Brought], look: Callable[[], Brought]) -> Brought:
        try:
            mine.set_result(look())
        except BaseException as error:
            mine.set_exception(error)
        finally:
            with self._lock:
                del self._flights[siret]
        return mine.result()
