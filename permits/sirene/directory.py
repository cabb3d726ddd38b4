"""The order in which the sources are asked, and how many look-ups may wait on them at once."""

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import BoundedSemaphore
from typing import Any, Protocol

from permits.domain.establishment import (
    FRESH_FOR,
    Audience,
    NotFound,
    RegistryAnswer,
    RegistryUnavailable,
    Source,
)
from permits.sirene.errors import SourceError, SourceMisconfigured

logger = logging.getLogger(__name__)


class RegistrySource(Protocol):
    """One registry: `lookup` answers about exactly one SIRET or raises SourceError."""

    @property
    def name(self) -> Source: ...

    def lookup(self, siret: str) -> RegistryAnswer: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class SourceStatus:
    """How a source last behaved, seen from here."""

    name: Source
    last_success: datetime | None = None
    last_failure: datetime | None = None
    last_reason: str | None = None


class Directory:
    """Asks sources in order: the first certain answer wins.

    A NotFound that proves nothing is kept while the next source is asked, and stays so if none knows
    better. At most `max_waiting` look-ups wait at a time; one more is told at once that nothing is known.
    """

    def __init__(
        self,
        sources: Sequence[RegistrySource],
        max_waiting: int = 12,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sources = tuple(sources)
        self._seats = BoundedSemaphore(max_waiting)
        self._now = now
        self._status = {source.name: SourceStatus(source.name) for source in sources}

    @property
    def names(self) -> tuple[Source, ...]:
        return tuple(source.name for source in self._sources)

    def status(self) -> tuple[SourceStatus, ...]:
        """How each source last behaved, in the order they are asked; asks nobody."""
        return tuple(self._status[name] for name in self.names)

    def close(self) -> None:
        for source in self._sources:
            source.close()

    def last_known(self, siret: str, *, audience: Audience) -> RegistryAnswer | None:
        """Return what was last known of this SIRET, however old."""
        return None

    def lookup(
        self, siret: str, *, audience: Audience = Audience.AUTHORITY, max_age: timedelta = FRESH_FOR
    ) -> RegistryAnswer:
        """Return the registry's answer about this SIRET; RegistryUnavailable when nothing is known for now."""
        if not re.fullmatch(r"[0-9]{14}", siret):
            raise ValueError("a SIRET has 14 digits")
        if not self._seats.acquire(blocking=False):
            raise RegistryUnavailable(("too many look-ups are waiting",))
        try:
            return self._ask_in_order(siret)
        finally:
            self._seats.release()

    def _ask_in_order(self, siret: str) -> RegistryAnswer:
        unproven: NotFound | None = None
        failures: list[SourceError] = []
        for source in self._sources:
            try:
                answer = source.lookup(siret)
            except SourceError as error:
                failures.append(error)
                self._record_failure(error)
                continue
            self._record(source.name, last_success=self._now())
            if not isinstance(answer, NotFound) or answer.definite:
                return answer
            earlier = unproven.evidence if unproven else ()
            unproven = answer.model_copy(update={"evidence": earlier + answer.evidence})
        if unproven:
            return unproven
        waits = [error.retry_after for error in failures if error.retry_after is not None]
        raise RegistryUnavailable(tuple(str(error) for error in failures), min(waits, default=None))

    def _record_failure(self, error: SourceError) -> None:
        if isinstance(error, SourceMisconfigured):
            logger.error("registry %s refuses us, an operator must act: %s", error.source, error.reason)
        else:
            logger.warning("registry %s is unavailable: %s", error.source, error.reason)
        self._record(error.source, last_failure=self._now(), last_reason=error.reason)

    def _record(self, name: Source, **changes: Any) -> None:
        self._status[name] = replace(self._status[name], **changes)
