"""Values as registries write them: masked text, postal lines, Paris midnights."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from permits.domain.model import plain_text

PARIS = ZoneInfo("Europe/Paris")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MASKS = ("[ND]", "[NON-DIFFUSIBLE]")
_LONGEST_LINE = 200


def shown(text: object) -> str | None:
    """Return the one printable line that a registry shows, or None: absent, masked, or fit to deceive a reader."""
    if not isinstance(text, str) or any(mask in text.upper() for mask in _MASKS):
        return None
    try:
        line = plain_text(text)
    except ValueError:
        return None
    return line if 0 < len(line) <= _LONGEST_LINE else None


def postal_lines(lines: Sequence[object]) -> tuple[str, ...]:
    """Return the lines that are filled, or none at all when one of them is masked: half an address misleads."""
    filled = [line for line in lines if not (line is None or (isinstance(line, str) and not line.strip()))]
    readable = [shown(line) for line in filled]
    return tuple(line for line in readable if line) if all(readable) else ()


def paris_moment(seconds: object) -> datetime | None:
    """Return the moment of these Unix seconds as a Paris clock shows it; None for what cannot be a date of life.

    INSEE's days are midnights in Paris: read in UTC, each would be the day before.
    """
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        return None
    try:
        moment = (_EPOCH + timedelta(seconds=seconds)).astimezone(PARIS)
    except OverflowError:
        return None
    return moment if 1800 <= moment.year < 2200 else None


def paris_day(seconds: object) -> date | None:
    """Return the day in Paris of these Unix seconds."""
    moment = paris_moment(seconds)
    return moment.date() if moment else None


def iso_day(text: object) -> date | None:
    """Return the day of an ISO date or date-time; None when it is not one."""
    try:
        return date.fromisoformat(text[:10]) if isinstance(text, str) else None
    except ValueError:
        return None


def iso_moment(text: object) -> datetime | None:
    """Return the moment of an ISO date-time; one without offset is taken as UTC."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
