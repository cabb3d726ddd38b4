"""Decides what waits for the company registry, one application after the other, in the order of reception."""

import logging
from collections.abc import Callable, Collection
from uuid import UUID

from permits.desk import Desk
from permits.domain.establishment import RegistryUnavailable
from permits.domain.permit import PressBusy, SealingStopped
from permits.issue import ask_again, decide_waiting
from permits.register.traces import Errand, Purpose, on_errand
from permits.register.waiting import Place, WaitingLine

log = logging.getLogger(__name__)

# After so many that fail one after the other, one drawn at random tells an outage from special cases. One more
# in a row, and the sources are left to rest.
MOST_FAILURES = 2


class Drain:
    """The drain of one queue; what it saw fail is remembered from one pass to the next.

    During an outage nothing is postponed, so that all are decided in order once it is over. Whoever fails while
    the registry answers somebody else is a special case: put off, it keeps nobody waiting, and the rest stays in
    order. So is whoever fails for any other reason. The sources' own pace is kept by those who ask them.
    """

    def __init__(self, desk: Desk, line: WaitingLine) -> None:
        self._desk = desk
        self._line = line
        self._seems_down = False
        self._failed: dict[UUID, tuple[Place, str, int]] = {}

    def run(self, is_stopping: Callable[[], bool] = lambda: False) -> int:
        """Decide until nobody is due, or the registry is down; return how many were decided. One pass at a time."""
        if self._seems_down:
            if not self._registry_answers():
                return 0
            # What failed during an outage is no special case: it is tried again in its turn.
            self._failed.clear()
        self._put_off_special_cases()
        decided, aside = 0, set[UUID]()
        while not is_stopping():
            if len(aside) == MOST_FAILURES:
                if not self._registry_answers(aside):
                    break
                self._put_off_special_cases()
                aside.clear()
            place = self._line.first(self._desk.clock(), aside)
            if place is None:
                break
            try:
                decided += self._decide(place)
                aside.clear()
            except RegistryUnavailable as outage:
                if not outage.was_asked:
                    self._seems_down = True
                    break
                aside.add(place.application_id)
                self._note_failure(place, outage)
            except (PressBusy, SealingStopped):
                # Everybody's trouble: the order is kept until there is room, and a seal.
                break
            except Exception as error:
                self._put_off(place, error)
        return decided

    def _decide(self, place: Place) -> bool:
        """Decide one; raises RegistryUnavailable, PressBusy, SealingStopped, or whatever is wrong with this one."""
        with on_errand(Errand(Purpose.WAITING, place.application_id)):
            is_decided = decide_waiting(self._desk, place.application_id)
        self._failed.pop(place.application_id, None)
        self._put_off_special_cases()
        if not is_decided:
            # Somebody else decided it, and took its place away; what is left of it otherwise keeps nobody waiting.
            self._line.postpone(place, self._desk.clock(), "not waiting")
        return is_decided

    def _registry_answers(self, aside: Collection[UUID] = ()) -> bool:
        """Ask about one drawn at random, whose turn is kept: the first in line may be what always fails."""
        place = self._line.first(self._desk.clock(), aside, at_random=True)
        self._seems_down = place is not None
        if place is None:
            return False
        try:
            with on_errand(Errand(Purpose.WAITING, place.application_id)):
                ask_again(self._desk, place.application_id)
        except RegistryUnavailable as outage:
            if outage.was_asked:
                self._note_failure(place, outage)
            return False
        except Exception as error:
            self._put_off(place, error)
            return False
        self._seems_down = False
        return True

    def _put_off(self, place: Place, error: Exception) -> None:
        log.error(
            "a waiting application could not be decided", extra={"application": place.application_id}, exc_info=error
        )
        self._line.postpone(place, self._desk.clock(), type(error).__name__)

    def _note_failure(self, place: Place, outage: RegistryUnavailable) -> None:
        told = "; ".join(outage.reasons)
        self._failed[place.application_id] = (place, told, self._desk.registry.answers_given)

    def _put_off_special_cases(self) -> None:
        for place, reason, given in list(self._failed.values()):
            if self._desk.registry.answers_given > given:
                self._line.postpone(place, self._desk.clock(), reason)
                del self._failed[place.application_id]
