"""Values as registries write them: masked text, postal lines, Paris midnights."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from permits.domain.model import plain_text

PARIS = ZoneInfo("Europe/Paris")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MASKS = ("[ND]", "[NON-DIFFUSIBLE]")
_LONGEST_LINE = 200
_YEARS = range(1800, 2200)
# How INSEE writes a day that it does not know.
_UNKNOWN_DAY = date(1900, 1, 1)


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


def person_name(first: object, last: object) -> str | None:
    """Return the first and last names of a person; None as soon as one of them is masked."""
    parts = [shown(part) for part in (first, last) if part]
    return shown(" ".join(part for part in parts if part)) if all(parts) else None


def bare_code(code: object) -> str | None:
    """Return an activity code without its dot, which sources write or not."""
    text = shown(code)
    return text.replace(".", "") if text else None


def paris_moment(seconds: object) -> datetime | None:
    """Return the moment of these Unix seconds as a Paris clock shows it; None for what cannot be a date of life.

    INSEE's days are midnights in Paris: read in UTC, each would be the day before.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds % 1:
        return None
    try:
        moment = (_EPOCH + timedelta(seconds=seconds)).astimezone(PARIS)
    except (OverflowError, ValueError):
        return None
    return moment if moment.year in _YEARS else None


def paris_day(seconds: object) -> date | None:
    """Return the day in Paris of these Unix seconds."""
    moment = paris_moment(seconds)
    return _known(moment.date()) if moment else None


def iso_day(text: object) -> date | None:
    """Return the day of an ISO date or date-time; None when it is not one, or is no date of life."""
    try:
        return _known(date.fromisoformat(text[:10])) if isinstance(text, str) else None
    except ValueError:
        return None


def iso_moment(text: object, zone: tzinfo = UTC) -> datetime | None:
    """Return the moment of an ISO date-time; one without offset is taken as the time in `zone`."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    if moment is None or moment.year not in _YEARS:
        return None
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment


def _known(day: date) -> date | None:
    return day if day.year in _YEARS and day != _UNKNOWN_DAY else None
