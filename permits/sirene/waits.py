"""What a source asked us to wait for before it is asked about one SIRET again."""

from datetime import timedelta
from threading import Lock

from permits.domain.establishment import Source
from permits.sirene import reasons
from permits.sirene.clock import Clock
from permits.sirene.errors import NotAskedAboutThisSiret, SourceError, SourceUnavailable

MOST_KEPT = 10_000


class Waits:
    """The waits named with a failure about one SIRET, such as `meta.retry_in`; safe to share between threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._until: dict[tuple[Source, str], float] = {}

    def check(self, source: Source, siret: str) -> None:
        """Raise NotAskedAboutThisSiret while this source is to be left alone about it."""
        with self._lock:
            left_s = self._until.get((source, siret), float("-inf")) - self._clock.monotonic()
        if left_s > 0:
            raise NotAskedAboutThisSiret(source, reasons.AT_PEACE_FOR_THIS_SIRET, timedelta(seconds=left_s))

    def note(self, siret: str, error: SourceError) -> None:
        """Keep the wait that a failure named."""
        if not isinstance(error, SourceUnavailable) or error.retry_after is None:
            return
        now = self._clock.monotonic()
        with self._lock:
            self._until[error.source, siret] = now + error.retry_after.total_seconds()
            if len(self._until) > MOST_KEPT:
                # The first noted; whoever asked for a longer peace asks for it again.
                del self._until[next(iter(self._until))]
