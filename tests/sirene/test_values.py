from datetime import UTC, date, datetime

import pytest

from permits.sirene.values import iso_day, iso_moment, paris_day, postal_lines


@pytest.mark.parametrize(
    ("seconds", "day"),
    [
        (519861600, date(1986, 6, 23)),  # summer: 22:00 UTC the day before
        (816390000, date(1995, 11, 15)),  # winter: 23:00 UTC the day before
        (-473389200, date(1955, 1, 1)),
        (-556765200, date(1952, 5, 11)),
        (0, date(1970, 1, 1)),
    ],
)
def test_a_day_is_read_at_midnight_in_paris(seconds: int, day: date) -> None:
    assert paris_day(seconds) == day


@pytest.mark.parametrize("absurd", [267038293600, -(10**12), 10**30, None, "519861600", 5.5, True, []])
def test_an_absurd_day_is_no_day(absurd: object) -> None:
    assert paris_day(absurd) is None


def test_an_iso_day_may_carry_a_time() -> None:
    assert iso_day("2022-10-22") == iso_day("2022-10-22T10:00:00") == date(2022, 10, 22)
    assert iso_day("22/10/2022") is iso_day(None) is iso_day(20221022) is None


def test_a_moment_without_offset_is_taken_as_utc() -> None:
    assert iso_moment("2026-05-17T09:12:35") == datetime(2026, 5, 17, 9, 12, 35, tzinfo=UTC)
    assert iso_moment("yesterday") is None


def test_one_masked_line_hides_the_whole_address() -> None:
    assert postal_lines(["", None, "2 PLACE AUX ETOILES", "93210 SAINT-DENIS"]) == (
        "2 PLACE AUX ETOILES",
        "93210 SAINT-DENIS",
    )
    assert postal_lines(["[ND]", "93210 SAINT-DENIS"]) == ()
    assert postal_lines(["2 PLACE\u202e", "93210 SAINT-DENIS"]) == ()
