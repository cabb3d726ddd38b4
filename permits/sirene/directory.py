"""Three sources behind one function: the order they are asked in, and what they say together."""

import itertools
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from threading import BoundedSemaphore
from typing import Any, Protocol

from permits.domain.calendar import paris_day
from permits.domain.establishment import (
    FRESH_FOR,
    Audience,
    RegistryAnswer,
    RegistryUnavailable,
    Source,
    Unheard,
    verdict_of,
)
from permits.domain.second_opinion import needs_another, together
from permits.sirene import metrics, reasons
from permits.sirene.breaker import Breaker
from permits.sirene.budget import BUDGET_S, Budget
from permits.sirene.clock import Clock
from permits.sirene.errors import SourceError, SourceMisconfigured, SourceNotAsked
from permits.sirene.flights import Flights, TooLong
from permits.sirene.memory import MOST_KEPT, Memory
from permits.sirene.waits import Waits

logger = logging.getLogger(__name__)

MAX_WAITING = 12
# One look-up in so many is heard from a second source too, and the first of each day; 0 for none.
COMPARE_ONE_IN = 20


class RegistrySource(Protocol):
    """One registry: `lookup` answers about exactly one SIRET or raises SourceError."""

    @property
    def name(self) -> Source: ...

    def lookup(self, siret: str, audience: Audience, budget: Budget) -> RegistryAnswer: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class SourceStatus:
    """How a source last behaved, seen from here."""

    name: Source
    last_success: datetime | None = None
    last_failure: datetime | None = None
    last_reason: str | None = None


@dataclass(frozen=True)
class Heard:
    """What one source said when it was asked alone: an answer, or why there is none."""

    source: Source
    at: datetime
    answer: RegistryAnswer | None = None
    reason: str | None = None


class Directory:
    """Asks sources in order until one answer, or several together, say enough.

    At most `max_waiting` look-ups wait at a time; one more is told at once that nothing is known. `is_off`
    tells whether a source is switched off, and `on_reuse` is told of each answer given without asking anybody.
    """

    def __init__(
        self,
        sources: Sequence[RegistrySource],
        *,
        clock: Clock | None = None,
        max_waiting: int = MAX_WAITING,
        budget_s: float = BUDGET_S,
        compare_one_in: int = COMPARE_ONE_IN,
        most_remembered: int = MOST_KEPT,
        is_off: Callable[[Source], bool] = lambda _source: False,
        on_reuse: Callable[[str, RegistryAnswer], None] = lambda _siret, _answer: None,
    ) -> None:
        self._sources = tuple(sources)
        self._clock = clock or Clock()
        self._seats = BoundedSemaphore(max_waiting)
        self._budget_s = budget_s
        self._compare_one_in = compare_one_in
        self._is_off = is_off
        self._on_reuse = on_reuse
        self._breakers = {source.name: Breaker(source.name, self._clock) for source in sources}
        self._status = {source.name: SourceStatus(source.name) for source in sources}
        self._waits = Waits(self._clock)
        self._memory = Memory(most_remembered)
        self._flights: Flights[RegistryAnswer] = Flights()
        self._count = itertools.count(1)
        self._compared_on: date | None = None
        self._answers_given = 0

    @property
    def names(self) -> tuple[Source, ...]:
        return tuple(source.name for source in self._sources)

    @property
    def answers_given(self) -> int:
        """How many look-ups the sources answered so far, whatever they said."""
        return self._answers_given

    def status(self) -> tuple[SourceStatus, ...]:
        """How each source last behaved, in the order they are asked; asks nobody."""
        return tuple(self._status[name] for name in self.names)

    def close(self) -> None:
        for source in self._sources:
            source.close()

    def lookup(
        self, siret: str, *, audience: Audience = Audience.AUTHORITY, max_age: timedelta = FRESH_FOR
    ) -> RegistryAnswer:
        """Return what the sources say of this SIRET; RegistryUnavailable when nothing is known for now."""
        _check(siret)
        known = self._memory.fresh(siret, audience, max_age, self._clock.now())
        # A source is switched off because of what it says: what it said goes with it.
        if known is not None and not any(map(self._is_off, {each.source for each in known.evidence})):
            return self._reused(siret, known)
        budget = Budget(self._clock, self._budget_s)
        with self._seat():
            asked: list[bool] = []

            def ask() -> RegistryAnswer:
                asked.append(True)
                return self._ask_in_order(siret, audience, budget)

            try:
                answer = self._flights.share(siret, audience, ask, lambda: budget.left_s)
            except TooLong:
                raise RegistryUnavailable((reasons.ANOTHER_LOOK_UP,)) from None
        return answer if asked else self._reused(siret, answer)

    def last_known(self, siret: str, *, audience: Audience) -> RegistryAnswer | None:
        """Return what was last known of this SIRET, however old; it may fill a form, and never decides."""
        answer = self._memory.last_known(siret, audience, self._clock.now())
        return None if answer is None else self._reused(siret, answer)

    def ask_each(self, siret: str, audience: Audience) -> list[Heard]:
        """Return what each source says of this SIRET now, asked alone whatever the others said."""
        _check(siret)
        heard = []
        for source in self._sources:
            try:
                answer = self._hear(source, siret, audience, Budget(self._clock, self._budget_s))
                heard.append(Heard(source.name, self._clock.now(), answer))
            except SourceError as error:
                heard.append(Heard(source.name, self._clock.now(), reason=error.reason))
        return heard

    def _reused(self, siret: str, answer: RegistryAnswer) -> RegistryAnswer:
        metrics.REUSED.inc()
        self._on_reuse(siret, answer)
        return answer

    @contextmanager
    def _seat(self) -> Iterator[None]:
        if not self._seats.acquire(blocking=False):
            raise RegistryUnavailable((reasons.TOO_MANY,), was_asked=False)
        try:
            with metrics.WAITING.track_inprogress():
                yield
        finally:
            self._seats.release()

    def _ask_in_order(self, siret: str, audience: Audience, budget: Budget) -> RegistryAnswer:
        answer: RegistryAnswer | None = None
        heard, compares = 0, self._is_to_be_compared()
        failures: list[SourceError] = []
        for index, source in enumerate(self._sources):
            if answer is not None and not (needs_another(answer, heard) or (compares and heard < 2)):
                break
            try:
                said = self._hear(source, siret, audience, budget.part(len(self._sources) - index))
            except SourceError as error:
                failures.append(error)
                continue
            heard += 1
            answer = said if answer is None else together(answer, said)
        if answer is None:
            raise _outage(failures)
        self._answers_given += 1
        if heard > 1:
            self._compared_on = paris_day(self._clock.now())
            metrics.COMPARISONS.labels(verdict_of(answer)).inc()
        if not (failures and needs_another(answer, heard)):
            # What an outage left incomplete is asked again at once.
            self._memory.keep(siret, audience, answer)
        return answer.model_copy(update={"unheard": self._unheard(failures)}) if failures else answer

    def _hear(self, source: RegistrySource, siret: str, audience: Audience, budget: Budget) -> RegistryAnswer:
        """Ask one source, unless it is switched off or resting; raises SourceError."""
        name = source.name
        try:
            if self._is_off(name):
                raise SourceNotAsked(name, reasons.SWITCHED_OFF)
            self._waits.check(name, siret)
            left = budget.failures_left
            with self._breakers[name].guarding():
                answer = source.lookup(siret, audience, budget)
        except SourceError as error:
            if not isinstance(error, SourceNotAsked) and budget.failures_left == left:
                # It answered, and what it said could not be used.
                budget.note_failure()
            self._waits.note(siret, error)
            self._record_failure(error)
            raise
        finally:
            metrics.RESTING.labels(name).set(self._breakers[name].is_open)
        metrics.LOOKUPS.labels(name, verdict_of(answer)).inc()
        self._record(name, last_success=self._clock.now())
        return answer

    def _unheard(self, failures: Sequence[SourceError]) -> tuple[Unheard, ...]:
        now = self._clock.now()
        return tuple(Unheard(source=error.source, at=now, reason=error.reason) for error in failures)

    def _is_to_be_compared(self) -> bool:
        if self._compare_one_in == 0:
            return False
        is_first = self._compared_on != paris_day(self._clock.now())
        return is_first or next(self._count) % self._compare_one_in == 0

    def _record_failure(self, error: SourceError) -> None:
        if isinstance(error, SourceNotAsked):
            metrics.LOOKUPS.labels(error.source, "not_asked").inc()
            logger.info("registry %s was not asked: %s", error.source, error.reason)
            return
        if isinstance(error, SourceMisconfigured):
            metrics.LOOKUPS.labels(error.source, "refused").inc()
            logger.error("registry %s refuses us, an operator must act: %s", error.source, error.reason)
        else:
            metrics.LOOKUPS.labels(error.source, "unavailable").inc()
            logger.warning("registry %s is unavailable: %s", error.source, error.reason)
        self._record(error.source, last_failure=self._clock.now(), last_reason=error.reason)

    def _record(self, name: Source, **changes: Any) -> None:
        self._status[name] = replace(self._status[name], **changes)


def _check(siret: str) -> None:
    if not re.fullmatch(r"[0-9]{14}", siret):
        raise ValueError("a SIRET has 14 digits")


def _outage(failures: Sequence[SourceError]) -> RegistryUnavailable:
    waits = [error.retry_after for error in failures if error.retry_after is not None]
    was_asked = any(error.was_asked for error in failures)
    told = tuple(str(error) for error in failures)
    return RegistryUnavailable(told, min(waits, default=None), was_asked=was_asked)
