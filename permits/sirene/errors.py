"""Why a source gave no usable answer, split by what the caller does next. None of them ever means "not found"."""

from datetime import timedelta

from permits.domain.establishment import Source


class SourceError(Exception):
    """Nothing is known from this source for now. `reason` is technical and holds no personal data.

    `was_asked` tells whether it was called, or would have been about another SIRET.
    """

    was_asked = True

    def __init__(self, source: Source, reason: str, retry_after: timedelta | None = None) -> None:
        super().__init__(f"{source}: {reason}")
        self.source = source
        self.reason = reason
        self.retry_after = retry_after


class SourceUnavailable(SourceError):
    """It was asked and failed. `attempts` is how many tries such a failure deserves in all."""

    def __init__(self, source: Source, reason: str, retry_after: timedelta | None = None, attempts: int = 1) -> None:
        super().__init__(source, reason, retry_after)
        self.attempts = attempts


class SourceMisconfigured(SourceError):
    """It refuses us (token, rights, parameters): asking again is useless until an operator acts."""


class SourceNotAsked(SourceError):
    """It was not called at all: switched off, resting after failures, left alone as it asked, or out of quota."""

    was_asked = False


class NotAskedAboutThisSiret(SourceNotAsked):
    """It was not called about this SIRET; about another it would be."""

    was_asked = True
