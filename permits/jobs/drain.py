"""Decides what waits for the company registry, one application after the other, in the order of reception."""

import logging
from collections.abc import Callable

from permits.desk import Desk
from permits.domain.establishment import RegistryUnavailable
from permits.issue import decide_waiting
from permits.register.traces import Errand, Purpose, on_errand
from permits.register.waiting import Place, WaitingLine

log = logging.getLogger(__name__)

# So many that fail one after the other mean that the registry is down, unless one drawn at random does better.
MOST_FAILURES = 3


def drain(desk: Desk, line: WaitingLine, is_stopping: Callable[[], bool] = lambda: False) -> int:
    """Decide until nobody is due, or the registry is down; return how many were decided.

    During an outage nothing is postponed, so that all are decided in order once it is over. Whoever fails while
    another succeeds is a special case: put off, it keeps nobody waiting, and the rest stays in order. So is
    whoever fails for any other reason. One pass at a time: the sources' own pace is kept by those who ask them.
    """
    decided, aside = 0, dict[Place, str]()
    while len(aside) <= MOST_FAILURES and not is_stopping():
        place = line.first(desk.clock(), [each.application_id for each in aside], at_random=len(aside) == MOST_FAILURES)
        if place is None:
            break
        try:
            with on_errand(Errand(Purpose.WAITING, place.application_id)):
                is_decided = decide_waiting(desk, place.application_id)
        except RegistryUnavailable as outage:
            if not outage.was_asked:
                break
            aside[place] = "; ".join(outage.reasons)
            continue
        except Exception as error:
            log.exception("a waiting application could not be decided", extra={"application": place.application_id})
            line.postpone(place, desk.clock(), type(error).__name__)
            continue
        if not is_decided:
            # Somebody else decided it, and took its place away; what is left of it otherwise keeps nobody waiting.
            line.postpone(place, desk.clock(), "not waiting")
            continue
        decided += 1
        while aside:
            special, reason = aside.popitem()
            line.postpone(special, desk.clock(), reason)
    return decided
