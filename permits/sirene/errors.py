"""Why a source gave no usable answer, split by what the caller does next. Neither ever means "not found"."""

from datetime import timedelta

from permits.domain.establishment import Source


class SourceError(Exception):
    """A source was asked and nothing is known for now. `reason` is technical and holds no personal data."""

    def __init__(self, source: Source, reason: str, retry_after: timedelta | None = None) -> None:
        super().__init__(f"{source}: {reason}")
        self.source = source
        self.reason = reason
        self.retry_after = retry_after


class SourceUnavailable(SourceError):
    """Ask another source now, or this one later. `attempts` is how many tries such a failure deserves in all."""

    def __init__(self, source: Source, reason: str, retry_after: timedelta | None = None, attempts: int = 1) -> None:
        super().__init__(source, reason, retry_after)
        self.attempts = attempts


class SourceMisconfigured(SourceError):
    """The source refuses us (token, rights, parameters): asking again is useless until an operator acts."""
