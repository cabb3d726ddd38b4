"""What a source asked us to wait for before it is asked about one SIRET again."""

from datetime import timedelta
from threading import Lock

from permits.domain.establishment import Source
from permits.sirene.clock import Clock
from permits.sirene.errors import SourceError, SourceUnavailable

MOST_KEPT = 10_000


class Waits:
    """The waits named with a failure about one SIRET, such as `meta.retry_in`; safe to share between threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._until: dict[tuple[Source, str], float] = {}

    def check(self, source: Source, siret: str) -> None:
        """Raise SourceUnavailable while this source is not to be asked about this SIRET; others may be asked about."""
        with self._lock:
            left_s = self._until.get((source, siret), float("-inf")) - self._clock.monotonic()
        if left_s > 0:
            raise SourceUnavailable(source, "not to be asked about this SIRET yet", timedelta(seconds=left_s))

    def note(self, siret: str, error: SourceError) -> None:
        """Keep the wait that a failure named."""
        if not isinstance(error, SourceUnavailable) or error.retry_after is None:
            return
        now = self._clock.monotonic()
        with self._lock:
            if len(self._until) >= MOST_KEPT:
                self._until = {key: until for key, until in self._until.items() if until > now}
            self._until[error.source, siret] = now + error.retry_after.total_seconds()
