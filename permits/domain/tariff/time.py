"""Time as a scale counts it: the periods that an occupation touches, each by its first day."""

from collections.abc import Callable, Iterator
from datetime import date, time, timedelta
from itertools import count, islice, takewhile
from typing import NamedTuple

from permits.domain.application import Application
from permits.domain.calendar import PublicHolidays, months_after
from permits.domain.tariff.rates import Block, Package, Packages
from permits.domain.tariff.scale import Item
from permits.domain.tariff.unknown import NotDeclared

_DAY = timedelta(days=1)
# No counted day is further from another than this.
_LONGEST_WAIT = 3660
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
# A half-day ends by one o'clock, or begins at noon.
_MORNING_ENDS, _AFTERNOON_BEGINS = time(13), time(12)
_COUNTED: dict[str, Callable[[date, PublicHolidays], bool]] = {
    "all": lambda day, holidays: True,
    "working": lambda day, holidays: holidays.leave_working(day),
    "weekdays": lambda day, holidays: day.weekday() < 5,
    "mondays_to_saturdays": lambda day, holidays: day.weekday() < 6 and not holidays.hold(day),
    "sundays_and_holidays": lambda day, holidays: day.weekday() == 6 or holidays.hold(day),
    "not_working": lambda day, holidays: not holidays.leave_working(day),
}


class Period(NamedTuple):
    """A unit of time that is charged, by the day it begins: `parts` out of `out_of`; a whole one is 1 out of 1."""

    first_day: date
    parts: int = 1
    out_of: int = 1


def periods(item: Item, application: Application, holidays: PublicHolidays) -> list[Period]:
    """Return the periods that `item` counts from its first day that is not free, whatever their season, in order.

    Never empty but for days of which none is counted.
    """
    starts_on, last = _first_day(item, application), _last_day(item, application)
    if starts_on > last:
        return []
    if item.per == "once":
        found = [Period(starts_on)]
    elif item.per in ("day", "half_day", "hour"):
        parts = _parts_of_a_day(item, application)
        found = [Period(day) for day in _counted_days(item, application, holidays) for _ in range(parts)]
    else:
        found = [Period(first) for first in first_days(item, application)]
        if item.begun in ("exact", "thirtieths"):
            found[-1] = _share(item, starts_on, len(found), last)
    return _bounded(item, found)


def _counted_days(item: Item, application: Application, holidays: PublicHolidays) -> list[date]:
    """Return the days that a line by day counts; days added at the end are counted ones, one day at least is left."""
    counted = _COUNTED[item.days_counted]
    found = [day for day in _days(_first_day(item, application), application.ends_on) if counted(day, holidays)]
    if item.extra_days < 0:
        return found[: max(len(found) + item.extra_days, 1)]
    following = (day for n in range(1, _LONGEST_WAIT) if counted(day := application.ends_on + n * _DAY, holidays))
    return found + list(islice(following, item.extra_days)) if found else found


def first_days(item: Item, application: Application) -> list[date]:
    """Return the first day of each period that touches the occupation, counted or not, in order."""
    starts_on, last = _first_day(item, application), _last_day(item, application)
    if item.per in (None, "once"):
        return [starts_on]
    if item.per in ("day", "half_day", "hour"):
        return list(_days(starts_on, last))
    start = _calendar_start(item, starts_on) if item.begun == "calendar" else starts_on
    return [max(first, starts_on) for first in _firsts(item, start, last)]


def package_days(item: Item, application: Application) -> int:
    """Return how many days packages have to cover."""
    return max((_last_day(item, application) - _first_day(item, application)).days + 1, 0)


def free_days(item: Item, application: Application) -> int:
    """Return how many of the first days of the occupation are not charged by `item`."""
    return min(item.free_days or 0, application.days)


def next_packages(packages: Packages, days: int) -> list[Package]:
    """Return the packages that cover so many days, by the method `next` or `largest_first`."""
    longest = packages.steps[-1]
    if packages.method == "largest_first":
        chosen = []
        for package in reversed(packages.steps):
            number, days = divmod(days, package.days)
            chosen += [package] * number
        return [*chosen, packages.steps[0]] if days else chosen
    whole, rest = divmod(days, longest.days)
    chosen = [longest] * whole
    if rest:
        chosen.append(next(package for package in packages.steps if package.days >= rest))
    return chosen


def _first_day(item: Item, application: Application) -> date:
    return application.starts_on + (item.free_days or 0) * _DAY


def _last_day(item: Item, application: Application) -> date:
    return max(application.starts_on, application.ends_on + item.extra_days * _DAY)


def _days(first: date, last: date) -> Iterator[date]:
    return (first + n * _DAY for n in range((last - first).days + 1))


def _parts_of_a_day(item: Item, application: Application) -> int:
    """Return how many units a day is: two half-days, unless the hours fit in one; each hour begun."""
    hours = application.daily_hours
    if item.per == "day":
        return 1
    if item.per == "half_day":
        return 1 if hours and (hours.to <= _MORNING_ENDS or hours.from_ >= _AFTERNOON_BEGINS) else 2
    if hours is None:
        raise NotDeclared("les horaires de chaque jour", None)
    return -(-hours.minutes // 60)


def _first(item: Item, start: date, nth: int) -> date:
    """Return the first day of the nth period from `start`, counted from zero."""
    if isinstance(item.per, Block):
        return start + nth * item.per.days * _DAY
    if item.per == "week":
        return start + nth * 7 * _DAY
    reached = months_after(start, nth * _MONTHS[str(item.per)])
    # From the 31st of January a month ends with February: the next begins on the first of March.
    return reached if reached.day == start.day else reached + _DAY


def _firsts(item: Item, start: date, last: date) -> list[date]:
    return list(takewhile(lambda day: day <= last, (_first(item, start, nth) for nth in count())))


def _share(item: Item, start: date, number: int, last: date) -> Period:
    """Return the last of `number` periods, charged for its days alone: of those it would have, or of thirty."""
    first, following = _first(item, start, number - 1), _first(item, start, number)
    parts, whole = (last - first).days + 1, (following - first).days
    out_of = 30 if item.begun == "thirtieths" else whole
    return Period(first) if parts == whole or parts >= out_of else Period(first, parts, out_of)


def _calendar_start(item: Item, day: date) -> date:
    if item.per == "week":
        return day - day.weekday() * _DAY
    months = _MONTHS[str(item.per)]
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def _bounded(item: Item, found: list[Period]) -> list[Period]:
    if not found:
        return found
    missing = (item.at_least_periods or 0) - len(found)
    if missing >= 0 and item.at_least_periods:
        # The least is of whole periods.
        return [*(Period(each.first_day) for each in found), *[Period(found[-1].first_day)] * missing]
    return found[: item.at_most_periods]
