"""How long what can be erased is kept: to the day, with its citation, and for rulebooks that say nothing of it."""

from datetime import date, timedelta

import pytest

from permits.domain.calendar import months_after
from permits.domain.decision import Citation, Verification
from permits.domain.retention import DEFAULT_RETENTION, EventPeriod, Retention
from permits.law.load import RulebookError, load, read_directory
from tests.fakes import ROOT


def months(number: int) -> EventPeriod:
    return EventPeriod(months=number, cites=Citation(text="essai"))


@pytest.mark.parametrize(
    ("start", "number", "end"),
    [
        (date(2027, 1, 15), 12, date(2028, 1, 15)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2028, 2, 29), 48, date(2032, 2, 29)),
        (date(2027, 2, 28), 12, date(2028, 2, 28)),
        (date(2027, 10, 31), 4, date(2028, 2, 29)),
        (date(2027, 12, 31), 36, date(2030, 12, 31)),
    ],
)
def test_a_period_is_over_on_the_day_it_ends_and_not_the_day_before(start: date, number: int, end: date) -> None:
    assert months(number).last_day_over(end) >= start
    assert months(number).last_day_over(end - timedelta(days=1)) < start


@pytest.mark.parametrize("number", [1, 4, 12, 36, 120])
def test_what_is_over_is_exactly_what_ends_by_that_day(number: int) -> None:
    """Every day of five years with a leap day, against the definition."""
    period = months(number)
    for each in range(5 * 366):
        today = date(2026, 1, 1) + timedelta(days=each)
        last = period.last_day_over(today)

        assert months_after(last, number) <= today < months_after(last + timedelta(days=1), number)


def demo_files() -> dict[str, str]:
    return read_directory(ROOT / "rulebooks" / "exemple")


def test_the_demonstration_rulebook_keeps_traces_for_the_36_months_of_the_law() -> None:
    retention = load(demo_files()).retention

    assert retention.registry_access.months == 36
    assert "R. 114-9-7" in retention.registry_access.cites.text
    assert retention.registry_access.cites.verification is Verification.TEXT_READ


@pytest.mark.parametrize("table", ["application_contact", "application_evidence", "access_log", "client"])
def test_a_period_that_is_the_citys_own_choice_says_so(table: str) -> None:
    cites = getattr(load(demo_files()).retention, table).cites

    assert "choix" in cites.text
    assert cites.verification is Verification.UNVERIFIED


def test_a_rulebook_stored_before_periods_existed_still_loads() -> None:
    files = demo_files()
    del files["retention.yaml"]

    assert load(files).retention == DEFAULT_RETENTION


@pytest.mark.parametrize("table", Retention.model_fields)
def test_a_period_left_out_is_told(table: str) -> None:
    files = demo_files()
    files["retention.yaml"] = files["retention.yaml"].replace(f"\n{table}:", "\nzzz:")

    with pytest.raises(RulebookError, match=r"retention.yaml: ligne \d+, zzz: « zzz » est inconnu ici"):
        load(files)


@pytest.mark.parametrize(
    ("before", "after", "where"),
    [
        ("  months: 12\n", "  months: 3\n", "application_contact > months"),
        ("  months: 36\n", "  months: 35\n", "registry_access > months"),
        ("  months: 36\n", '  months: "36.5"\n', "registry_access > months"),
        ("counted_from: end_of_file", "counted_from: event", "application_contact > counted_from"),
        ("counted_from: revocation", "counted_from: event", "client > counted_from"),
        ("  months: 12\n", "  months: 12\n  years: 1\n", "application_contact > years"),
    ],
)
def test_a_period_that_cannot_be_is_told_with_its_place(before: str, after: str, where: str) -> None:
    files = demo_files()
    assert before in files["retention.yaml"]
    files["retention.yaml"] = files["retention.yaml"].replace(before, after, 1)

    with pytest.raises(RulebookError, match=rf"retention\.yaml: ligne \d+, {where}"):
        load(files)
