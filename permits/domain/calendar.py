"""Days as the law counts them: calendar days in Europe/Paris, and working days."""

from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

PARIS = ZoneInfo("Europe/Paris")


def paris_day(instant: datetime) -> date:
    """Return the calendar day in Paris at an aware instant."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return instant.astimezone(PARIS).date()


@lru_cache(maxsize=64)
def _public_holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("FR", years=year))


def is_public_holiday(day: date) -> bool:
    """A public holiday of mainland France (C. trav. art. L3133-1)."""
    return day in _public_holidays(day.year)


def is_working_day(day: date) -> bool:
    """Monday to Friday, but for public holidays."""
    return day.weekday() < 5 and not is_public_holiday(day)


def nth_working_day_after(day: date, count: int) -> date:
    """Return the `count`-th working day after `day`; `day` itself is not counted."""
    if count < 0:
        raise ValueError("count must not be negative")
    reached = day
    while count:
        reached += timedelta(days=1)
        count -= is_working_day(reached)
    return reached


def months_after(day: date, months: int) -> date:
    """Return the day with the same number `months` later, or the last day of that month when it has none."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    first_of_next = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + timedelta(days=day.day - 1), first_of_next - timedelta(days=1))
