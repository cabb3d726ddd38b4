"""What stays due of a fee when a permit ends early, as the rulebook says: whole, by day, or for the file alone."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from permits.domain.authority import EndingFeeTerms
from permits.domain.decision import Fee
from permits.domain.rulebook import Rulebook
from permits.domain.tariff.early_end import due_after_abrogation, due_after_withdrawal
from permits.domain.tariff.fee import compute_fee
from tests.domain.builders import (
    TEXT,
    a_place,
    a_rulebook_with_scales,
    a_scale,
    an_application,
    an_extended_permit,
    demo_rulebook,
    some_facts,
)

DAY = date(2027, 1, 11)  # a Monday, the first of five days
TERMS = EndingFeeTerms(abrogation="recomputed", withdrawal="file_only", text="Une phrase de dix.", cites=TEXT)


def fee(rulebook: Rulebook | None = None) -> Fee:
    """14.40 m² × 5 days × 1.20 € + 6.00 €: 92.40 €."""
    return compute_fee(an_application(), (a_place(),), rulebook or demo_rulebook(), date(2026, 12, 21))


def due(policy: str, ends: date, rulebook: Rulebook | None = None, **changes: Any) -> Decimal | None:
    terms = TERMS.model_copy(update={"abrogation": policy})
    law = rulebook or demo_rulebook()
    return due_after_abrogation(terms, fee(law), an_application(), some_facts(**changes), law, ends)


@pytest.mark.parametrize(
    ("policy", "days", "amount"),
    [
        ("kept", 2, "92.40"),
        ("recomputed", 2, "40.56"),
        ("recomputed", 1, "23.28"),
        ("recomputed", 4, "75.12"),
        ("pro_rata", 2, "40.56"),
        ("pro_rata", 4, "75.12"),
        ("kept", 0, "92.40"),
        ("recomputed", 0, "6.00"),
        ("pro_rata", 0, "6.00"),
        ("recomputed", -3, "6.00"),
    ],
)
def test_what_stays_due_depends_on_the_days_kept_and_on_what_the_city_says(policy: str, days: int, amount: str) -> None:
    assert due(policy, DAY + timedelta(days=days)) == Decimal(amount)


@pytest.mark.parametrize(("policy", "amount"), [("kept", "92.40"), ("file_only", "6.00"), ("nothing", "0.00")])
def test_what_stays_due_of_a_permit_undone_from_its_start(policy: str, amount: str) -> None:
    assert due_after_withdrawal(TERMS.model_copy(update={"withdrawal": policy}), fee()) == Decimal(amount)


def test_weeks_begun_stay_due_when_recomputed_and_are_shared_by_day_otherwise() -> None:
    line = {"label": "Ligne", "kinds": ["scaffolding"], "unit": "occupancy", "per": "week", "rate": "50.00"}
    weekly = a_rulebook_with_scales({date(2026, 1, 1): a_scale(line)})
    assert due("recomputed", DAY + timedelta(days=2), weekly) == Decimal("50.00")
    assert due("pro_rata", DAY + timedelta(days=2), weekly) == Decimal("20.00")


def test_a_shorter_period_that_would_cost_more_is_not_charged_more() -> None:
    tiers = [{"up_to": 3, "rate": "90.00"}, {"rate": "10.00"}]
    line = {"label": "L" * 5, "kinds": ["scaffolding"], "unit": "occupancy", "per": "day", "tiers": tiers}
    falling = a_rulebook_with_scales({date(2026, 1, 1): a_scale(line | {"tiers_method": "whole"})})
    assert fee(falling).total == Decimal("50.00")
    assert due("recomputed", DAY + timedelta(days=2), falling) == Decimal("50.00")


def test_without_the_facts_a_person_fixes_it_unless_nothing_has_to_be_computed() -> None:
    for policy, expected in (("kept", Decimal("92.40")), ("pro_rata", Decimal("40.56")), ("recomputed", None)):
        terms = TERMS.model_copy(update={"abrogation": policy})
        found = due_after_abrogation(terms, fee(), an_application(), None, demo_rulebook(), DAY + timedelta(days=2))
        assert found == expected


def test_an_extension_that_ends_early_is_the_whole_period_less_what_was_due() -> None:
    standing = an_extended_permit()
    extension = compute_fee(an_application(), (a_place(),), demo_rulebook(), date(2026, 12, 21), extends=standing)
    assert extension.total == Decimal("86.40")
    left = due_after_abrogation(
        TERMS, extension, an_application(), some_facts(extends=standing), demo_rulebook(), DAY + timedelta(days=2)
    )
    assert left == Decimal("34.56")


@pytest.mark.parametrize(
    ("policy", "days", "amount"), [("pro_rata", 2, "20.00"), ("pro_rata", 0, "0.00"), ("recomputed", 0, "0.00")]
)
def test_an_extension_does_not_pay_the_file_twice(policy: str, days: int, amount: str) -> None:
    line = {"label": "Ligne", "kinds": ["scaffolding"], "unit": "occupancy", "per": "day", "rate": "10.00"}
    law = a_rulebook_with_scales(
        {date(2026, 1, 1): a_scale(line, {"label": "Dossier", "unit": "request", "per": "once", "rate": "6.00"})}
    )
    first = an_extended_permit(starts_on=DAY - timedelta(days=5), ends_on=DAY - timedelta(days=1), due=Decimal(56))
    asked = an_application()
    fee = compute_fee(asked, (a_place(),), law, date(2026, 12, 21), extends=first)
    assert fee.total == 50
    terms = TERMS.model_copy(update={"abrogation": policy})
    due = due_after_abrogation(terms, fee, asked, some_facts(extends=first), law, DAY + timedelta(days=days))
    assert (due, due_after_withdrawal(TERMS, fee)) == (Decimal(amount), 0)
