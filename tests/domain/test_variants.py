"""Logic that changes: a decision is taken by the rules of its day, says which, and is taken again the same for ever."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from permits.domain import decide as walk
from permits.domain import rules
from permits.domain.decide import decide
from permits.domain.decision import Decision, Finding
from permits.domain.rules import RULES, Case, Variants
from permits.domain.rules.variants import FIRST_VERSION
from permits.domain.tariff.fee import compute_fee
from tests.domain.builders import an_application, demo_rulebook, some_facts

DECIDED = some_facts().decided_on


def stricter(case: Case) -> Iterator[Finding]:
    yield case.finding("LANE-CLOSED", False, "Une règle plus stricte.")


def dearer(*args: Any, **changes: Any) -> Any:
    fee = compute_fee(*args, **changes)
    return fee.model_copy(update={"total": fee.total * 2})


def decided(on: date) -> Decision:
    return decide(an_application(), some_facts(decided_on=on), demo_rulebook())


def messages(decision: Decision) -> list[str]:
    return [finding.message for finding in decision.findings]


@pytest.fixture
def changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One rule became stricter on the day of decision."""
    one = next(each for each in RULES if each.first.__name__ == "traffic_keeps_its_lanes")
    later = tuple(Variants(one.first, ((DECIDED, stricter),)) if each is one else each for each in RULES)
    monkeypatch.setattr(rules, "RULES", later)


def test_a_decision_names_the_first_version_as_long_as_nothing_changed() -> None:
    assert decided(DECIDED).rules_version == FIRST_VERSION


@pytest.mark.usefixtures("changed")
def test_a_decision_is_taken_by_the_rule_of_its_day_and_says_so() -> None:
    before, on, after = (decided(DECIDED + timedelta(days=n)) for n in (-1, 0, 1))
    assert ["Une règle plus stricte." in messages(each) for each in (before, on, after)] == [False, True, True]
    assert [each.rules_version for each in (before, on, after)] == [FIRST_VERSION, DECIDED, DECIDED]


def test_an_earlier_decision_is_taken_again_bit_for_bit_once_a_rule_has_changed(
    request: pytest.FixtureRequest,
) -> None:
    day = DECIDED - timedelta(days=1)
    stored = decided(day).model_dump_json()
    request.getfixturevalue("changed")
    assert decided(day).model_dump_json() == stored
    assert decided(DECIDED).outcome == "referred"


def test_a_fee_is_counted_as_it_was_on_the_day_of_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    was = decided(DECIDED - timedelta(days=1)).fee
    for module in (rules, walk):
        monkeypatch.setattr(module, "PRICING", Variants(compute_fee, ((DECIDED, dearer),)))
    before, on = decided(DECIDED - timedelta(days=1)), decided(DECIDED)
    assert before.fee == was and was is not None and on.fee is not None
    assert on.fee.total == 2 * was.total
    assert (before.rules_version, on.rules_version) == (FIRST_VERSION, DECIDED)


def test_of_several_changes_the_last_that_has_come_holds() -> None:
    variants = Variants("a", ((date(2027, 1, 1), "b"), (date(2028, 1, 1), "c")))
    days = (date(2026, 12, 31), date(2027, 1, 1), date(2027, 12, 31), date(2028, 1, 1))
    assert [variants.on(day) for day in days] == ["a", "b", "b", "c"]
