"""Days in Paris, working days and months."""

import hashlib
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from permits.domain.calendar import PublicHolidays, months_after, paris_day

FRANCE = PublicHolidays()
DATES = st.dates(min_value=date(2020, 1, 1), max_value=date(2060, 12, 31))


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2027-01-03T22:59:59.999999+00:00", "2027-01-03"),  # winter: UTC + 1
        ("2027-01-03T23:00:00+00:00", "2027-01-04"),
        ("2027-07-04T21:59:59.999999+00:00", "2027-07-04"),  # summer: UTC + 2
        ("2027-07-04T22:00:00+00:00", "2027-07-05"),
        ("2026-12-31T23:30:00+00:00", "2027-01-01"),  # the year of a number
        ("2027-03-27T22:59:00+00:00", "2027-03-27"),  # the eve of summer time
        ("2027-03-28T21:59:00+00:00", "2027-03-28"),  # the day of 23 hours
        ("2027-03-28T22:00:00+00:00", "2027-03-29"),
        ("2027-10-31T22:59:00+00:00", "2027-10-31"),  # the day of 25 hours
        ("2027-10-31T23:00:00+00:00", "2027-11-01"),
        ("2027-01-04T00:30:00+01:00", "2027-01-04"),
        ("2027-01-03T18:30:00-05:00", "2027-01-04"),
    ],
)
def test_a_day_begins_at_midnight_in_paris(instant: str, day: str) -> None:
    assert paris_day(datetime.fromisoformat(instant)) == date.fromisoformat(day)


def test_an_instant_without_a_zone_is_no_day() -> None:
    with pytest.raises(ValueError, match="time zone"):
        paris_day(datetime(2027, 1, 1, 12))


@given(st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2037, 1, 1)), st.integers(-12, 14))
def test_the_day_does_not_depend_on_how_the_instant_is_written(naive: datetime, hours: int) -> None:
    instant = naive.replace(tzinfo=UTC)
    elsewhere = instant.astimezone(timezone(timedelta(hours=hours)))
    assert paris_day(instant) == paris_day(elsewhere)
    assert instant.date() <= paris_day(instant) <= instant.date() + timedelta(days=1)


@pytest.mark.parametrize(
    "day",
    [
        *("2027-01-01", "2027-03-29", "2027-05-06", "2027-05-17", "2027-07-14", "2027-11-01", "2027-11-11"),
        *("2026-12-25", "2028-05-01", "2028-05-08", "2028-04-17", "2028-05-25", "2028-06-05", "2028-08-15"),
    ],
)
def test_the_eleven_public_holidays_are_not_working_days(day: str) -> None:
    assert date.fromisoformat(day).weekday() < 5
    assert not FRANCE.leave_working(date.fromisoformat(day))


@pytest.mark.parametrize(
    "day",
    [
        "2027-03-26",  # Good Friday, a holiday in Alsace-Moselle only
        "2028-12-26",  # likewise
        "2027-03-30",  # the day after Easter Monday
        "2027-12-24",
        "2027-05-07",  # between Ascension and the week-end
        "2027-01-04",
    ],
)
def test_an_ordinary_week_day_is_a_working_day(day: str) -> None:
    assert FRANCE.leave_working(date.fromisoformat(day))


def test_saturday_and_sunday_are_not_working_days() -> None:
    assert [FRANCE.leave_working(date(2027, 1, 4) + timedelta(days=n)) for n in range(7)] == [True] * 5 + [False] * 2


def easter(year: int) -> date:
    """The Gregorian computus (Meeus, Jones, Butcher): an oracle apart from the library used."""
    a, (b, c) = year % 19, divmod(year, 100)
    (d, e), f = divmod(b, 4), (b + 8) // 25
    g = (b - f + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


@pytest.mark.parametrize("year", range(2024, 2046))
def test_the_holidays_of_a_year_are_those_of_the_labour_code(year: int) -> None:
    fixed = [(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)]
    movable = [easter(year) + timedelta(days=n) for n in (1, 39, 50)]
    holidays = {date(year, month, day) for month, day in fixed} | set(movable)
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(366 if monthrange(year, 2)[1] == 29 else 365)]
    assert {day for day in days if day.weekday() < 5 and not FRANCE.leave_working(day)} == {
        day for day in holidays if day.weekday() < 5
    }


@pytest.mark.parametrize(
    ("day", "count", "reached"),
    [
        ("2027-01-04", 0, "2027-01-04"),
        ("2027-01-02", 0, "2027-01-02"),  # none after a Saturday is that Saturday
        ("2027-01-04", 1, "2027-01-05"),
        ("2027-01-04", 5, "2027-01-11"),  # Monday to Monday
        ("2027-01-08", 1, "2027-01-11"),  # Friday to Monday
        ("2027-01-09", 1, "2027-01-11"),
        ("2027-01-10", 1, "2027-01-11"),
        ("2026-12-24", 1, "2026-12-28"),
        ("2026-12-31", 1, "2027-01-04"),
        ("2027-03-26", 1, "2027-03-30"),
    ],
)
def test_working_days_are_counted_from_the_next_day(day: str, count: int, reached: str) -> None:
    assert FRANCE.nth_working_day_after(date.fromisoformat(day), count) == date.fromisoformat(reached)


def test_working_days_are_not_counted_backwards() -> None:
    with pytest.raises(ValueError, match="negative"):
        FRANCE.nth_working_day_after(date(2027, 1, 4), -1)


@given(DATES, st.integers(min_value=1, max_value=60))
def test_between_a_day_and_its_nth_working_day_there_are_n_of_them(day: date, count: int) -> None:
    reached = FRANCE.nth_working_day_after(day, count)
    between = [day + timedelta(days=n) for n in range(1, (reached - day).days + 1)]
    assert sum(map(FRANCE.leave_working, between)) == count
    assert FRANCE.leave_working(reached)


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        ("2026-12-31", 2, "2027-02-28"),
        ("2027-12-31", 2, "2028-02-29"),  # leap year
        ("2027-01-15", 2, "2027-03-15"),
        ("2027-10-31", 2, "2027-12-31"),
        ("2027-11-30", 1, "2027-12-30"),  # not the last day of the month
        ("2027-10-31", 1, "2027-11-30"),
        ("2027-03-31", 1, "2027-04-30"),
        ("2027-04-30", 1, "2027-05-30"),
        ("2027-12-01", 1, "2028-01-01"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2028-02-29", 48, "2032-02-29"),
        ("2027-06-30", 0, "2027-06-30"),
    ],
)
def test_months_end_on_the_same_number_or_on_the_last_day(day: str, months: int, later: str) -> None:
    assert months_after(date.fromisoformat(day), months) == date.fromisoformat(later)


@given(DATES, st.integers(min_value=0, max_value=240))
def test_months_agree_with_the_calendar(day: date, months: int) -> None:
    later = months_after(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == min(day.day, monthrange(later.year, later.month)[1])


@pytest.mark.parametrize(
    ("country", "region", "day", "holiday"),
    [
        ("FR", None, "2027-12-26", False),
        ("FR", "57", "2027-12-26", True),  # Saint-Étienne, in Moselle
        ("FR", "6AE", "2027-03-26", True),  # Good Friday, in Alsace
        ("FR", "974", "2027-12-20", True),  # the end of slavery, on La Réunion
        ("FR", None, "2027-12-20", False),
        ("CH", "GE", "2027-07-14", False),
        ("BE", None, "2027-07-21", True),
    ],
)
def test_public_holidays_are_those_of_the_place(country: str, region: str | None, day: str, holiday: bool) -> None:
    assert PublicHolidays(country=country, region=region).hold(date.fromisoformat(day)) is holiday


@pytest.mark.parametrize(("country", "region"), [("XX", None), ("FR", "29"), ("LU", "GE"), ("fr", None)])
def test_a_place_whose_holidays_are_not_known_is_refused(country: str, region: str | None) -> None:
    with pytest.raises(ValidationError):
        PublicHolidays(country=country, region=region)


# Of the days from 2020 to 2050: how many are holidays, and a digest of them.
KNOWN = {
    None: (341, "db258d445cf1cf75"),
    "57": (403, "d770673ae466e3d6"),
    "6AE": (403, "d770673ae466e3d6"),
    "971": (464, "73948afdd2675b3e"),
    "972": (401, "a2305762ed768760"),
    "973": (370, "710eed0d5415ee21"),
    "974": (372, "6bbdb89052ffb543"),
    "976": (372, "f163e355c5abead7"),
}


@pytest.mark.parametrize(("region", "known"), KNOWN.items())
def test_the_holidays_that_decisions_rested_on_do_not_change_under_them(
    region: str | None, known: tuple[int, str]
) -> None:
    """When this fails, the library knows another calendar: what has decided with the old one needs it for ever.

    Then PublicHolidays keeps the old days for decisions of before, as a rule keeps its variants.
    """
    place = PublicHolidays(region=region)
    days = (date(2020, 1, 1) + timedelta(days=n) for n in range((date(2051, 1, 1) - date(2020, 1, 1)).days))
    found = [day.isoformat() for day in days if place.hold(day)]
    assert (len(found), hashlib.sha256(" ".join(found).encode()).hexdigest()[:16]) == known
