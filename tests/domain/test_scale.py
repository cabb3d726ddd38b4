"""Every structure that a tariff may have, as data: what is counted, for how long, at which price, and what follows."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from permits.domain.application import Kind
from permits.domain.dated import NotInForce
from permits.domain.decision import Fee
from permits.domain.questions import Question
from permits.domain.rulebook import Rulebook
from permits.domain.tariff.fee import compute_fee
from permits.domain.tariff.scale import Scale
from permits.domain.tariff.unknown import (
    ChangingBase,
    CostsLess,
    FeeUnknown,
    NoPrice,
    NotConfirmed,
    NotDeclared,
    RoundsToNothing,
)
from permits.register.fsck.arithmetic import fee_faults
from tests.domain.builders import (
    TEXT,
    a_place,
    a_rulebook_with_scales,
    a_scale,
    an_application,
    an_extended_permit,
    an_occupancy,
)

FIRST = date(2027, 1, 1)  # a Friday
DECIDED = date(2026, 12, 1)
CITES = TEXT.model_dump(mode="json")
FREE = {"free": True, "cites": CITES}
QUESTIONS = tuple(
    Question.model_validate(each)
    for each in (
        {"id": "gene", "asks": "Quelle gêne ?", "answers": {"aucune": "aucune", "totale": "totale"}},
        {"id": "voies", "asks": "Combien de voies ?", "figure": {"unit": "voie", "at_most": "6"}},
        {"id": "badge", "asks": "Un badge ?", "answers": {"oui": "oui", "non": "non"}, "if_silent": "non"},
        {
            "id": "qui",
            "asks": "Qui demande ?",
            "about": "application",
            "answers": {"entreprise": "entreprise", "particulier": "particulier"},
        },
    )
)


def item(**changes: Any) -> dict[str, Any]:
    """A line of 1 € per square metre and day, changed; None takes a word away."""
    values = {"label": "Ligne", "kinds": ["scaffolding"], "unit": "m2", "per": "day", "rate": "1.00"} | changes
    return {name: value for name, value in values.items() if value is not None}


def adjustment(**changes: Any) -> dict[str, Any]:
    return {"label": "Ajustement", "of": "occupations", "cites": CITES} | changes


def rulebook(*items: dict[str, Any], **scale: Any) -> Rulebook:
    return a_rulebook_with_scales({date(2026, 1, 1): a_scale(*items, **scale)}).model_copy(
        update={"questions": QUESTIONS}
    )


def fee_of(
    law: Rulebook,
    *,
    area: str = "10",
    days: int = 1,
    first: date = FIRST,
    zones: tuple[str, ...] = (),
    answers: dict[str, str] | None = None,
    hours: tuple[str, str] | None = None,
    received_on: date | None = None,
    unauthorised: bool = False,
    told: dict[str, str] | None = None,
    **occupancy: Any,
) -> Fee:
    """The fee of one scaffolding of 1 m width and that area; every line adds up."""
    application = an_application(
        starts_on=first,
        ends_on=first + timedelta(days=days - 1),
        daily_hours={"from": hours[0], "to": hours[1]} if hours else None,
        answers=answers or {},
        occupancies=(an_occupancy(**({"length_m": area, "width_m": "1", "answers": told or {}} | occupancy)),),
    )
    place = a_place(area_m2=area, zones=zones)
    fee = compute_fee(application, (place,), law, DECIDED, received_on=received_on, unauthorised=unauthorised)
    assert list(fee_faults(fee.model_dump(mode="json"))) == []
    return fee


# Each line: what the scale says, what is asked, the amount.
QUANTITIES: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {"area": "14.4"}, "14.40"),
    ({"rounded_up_to": "1"}, {"area": "14.4"}, "15.00"),
    ({"rounded_up_to": "1"}, {"area": "15"}, "15.00"),
    ({"rounded_up_to": "10", "rate_for": "10", "rate": "50"}, {"area": "14"}, "100.00"),
    ({"rounded_up_to": "10", "rate_for": "10", "rate": "50"}, {"area": "20"}, "100.00"),
    ({"rounded_up_to": "10", "rate_for": "10", "rate": "50"}, {"area": "20.01"}, "150.00"),
    ({"rate_for": "3", "rate": "1"}, {"area": "10"}, "3.33"),
    ({"at_least": "12"}, {"area": "10"}, "12.00"),
    ({"at_most": "8"}, {"area": "10"}, "8.00"),
    ({"free_quantity": "4", "cites": CITES}, {"area": "10"}, "6.00"),
    ({"free_quantity": "4", "cites": CITES}, {"area": "4"}, "0.00"),
    *(
        (
            {"free_quantity": "5", "cites": CITES, "rounded_up_to": "10", "rate_for": "10", "rate": "6.25"},
            {"area": area},
            amount,
        )
        for area, amount in (("5", "0.00"), ("5.01", "6.25"), ("15", "6.25"), ("15.01", "12.50"))
    ),
    ({"free_quantity": "5", "cites": CITES, "at_least": "2"}, {"area": "6"}, "2.00"),
    ({"free_quantity": "5", "cites": CITES, "at_least": "2"}, {"area": "5"}, "0.00"),
    ({"unit": "m"}, {"area": "7", "length_m": "7"}, "7.00"),
    ({"unit": "m"}, {"area": "14", "length_m": "7", "pieces": 2}, "14.00"),
    ({"unit": "m2_three_sides"}, {"area": "20", "length_m": "10", "width_m": "2", "height_m": "2"}, "28.00"),
    ({"unit": "m2_four_sides"}, {"area": "20", "length_m": "10", "width_m": "2", "height_m": "2"}, "48.00"),
    ({"unit": "piece"}, {"area": "20", "length_m": "10", "pieces": 2}, "2.00"),
    ({"unit": "parking_space"}, {"parking_spaces_taken": 3}, "3.00"),
    ({"unit": "occupancy"}, {"area": "99"}, "1.00"),
    ({"unit": "voies"}, {"answers_of": {"voies": "2"}}, "2.00"),
]

TIMES: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {"days": 3}, "30.00"),
    ({"extra_days": 1}, {"days": 3}, "40.00"),
    ({"extra_days": -1}, {"days": 3}, "20.00"),
    ({"extra_days": -1}, {"days": 1}, "10.00"),
    ({"days_counted": "working"}, {"days": 10}, "50.00"),  # from Friday 1 January, a holiday, to Sunday 10
    ({"days_counted": "weekdays"}, {"days": 10}, "60.00"),
    ({"days_counted": "mondays_to_saturdays"}, {"days": 10}, "70.00"),
    ({"per": "half_day"}, {}, "20.00"),
    ({"per": "half_day"}, {"hours": ("08:00", "13:00")}, "10.00"),
    ({"per": "half_day"}, {"hours": ("08:00", "13:01")}, "20.00"),
    ({"per": "half_day"}, {"hours": ("12:00", "18:00")}, "10.00"),
    ({"per": "half_day"}, {"hours": ("11:59", "18:00")}, "20.00"),
    ({"per": "hour"}, {"hours": ("08:00", "10:01"), "days": 2}, "60.00"),
    ({"per": "once"}, {"days": 30}, "10.00"),
    ({"per": "week"}, {"days": 7}, "10.00"),
    ({"per": "week"}, {"days": 8}, "20.00"),
    ({"per": "week", "begun": "exact", "rate": "7"}, {"days": 10}, "100.00"),
    ({"per": "week", "begun": "calendar"}, {"days": 3}, "10.00"),  # Friday to Sunday
    ({"per": "week", "begun": "calendar"}, {"days": 4}, "20.00"),  # to Monday
    ({"per": {"days": 14}}, {"days": 14}, "10.00"),
    ({"per": {"days": 14}}, {"days": 15}, "20.00"),
    ({"per": "month"}, {"days": 31}, "10.00"),
    ({"per": "month"}, {"days": 32}, "20.00"),
    ({"per": "month"}, {"days": 28, "first": date(2027, 2, 1)}, "10.00"),
    ({"per": "month"}, {"days": 29, "first": date(2027, 2, 1)}, "20.00"),
    ({"per": "month"}, {"days": 29, "first": date(2028, 2, 1)}, "10.00"),
    ({"per": "month"}, {"days": 29, "first": date(2027, 1, 31)}, "10.00"),  # to the last day of February
    ({"per": "month"}, {"days": 30, "first": date(2027, 1, 31)}, "20.00"),
    ({"per": "month"}, {"days": 31, "first": date(2027, 1, 29)}, "10.00"),
    ({"per": "month"}, {"days": 32, "first": date(2027, 1, 29)}, "20.00"),
    ({"per": "month"}, {"days": 60, "first": date(2027, 1, 31)}, "30.00"),  # the third begins on 31 March
    ({"per": "month", "begun": "thirtieths", "rate": "9"}, {"days": 46}, "135.00"),  # a month and fifteen thirtieths
    ({"per": "month", "begun": "thirtieths", "rate": "9"}, {"days": 30}, "90.00"),
    ({"per": "month", "begun": "thirtieths", "rate": "9"}, {"days": 29}, "87.00"),
    ({"per": "month", "begun": "thirtieths", "rate": "9"}, {"days": 28, "first": date(2027, 2, 1)}, "90.00"),
    ({"days_counted": "sundays_and_holidays"}, {"days": 10}, "30.00"),  # 1 January and two Sundays
    ({"days_counted": "not_working"}, {"days": 10}, "50.00"),
    ({"days_counted": "working", "extra_days": 1}, {"days": 9}, "60.00"),  # to Saturday 9: the day added is Monday
    ({"days_counted": "working", "extra_days": -1}, {"days": 10}, "40.00"),
    ({"per": "month", "begun": "calendar"}, {"days": 2, "first": date(2027, 12, 31)}, "20.00"),
    ({"per": "month", "begun": "exact", "rate": "3.1"}, {"days": 41, "first": date(2027, 1, 1)}, "42.07"),
    ({"per": "quarter"}, {"days": 91}, "20.00"),
    ({"per": "quarter", "begun": "calendar"}, {"days": 2, "first": date(2027, 3, 31)}, "20.00"),
    ({"per": "year"}, {"days": 365}, "10.00"),
    ({"per": "year"}, {"days": 366}, "20.00"),
    ({"per": "year"}, {"days": 366, "first": date(2028, 1, 1)}, "10.00"),
    ({"at_least_periods": 3}, {"days": 2}, "30.00"),
    ({"at_least_periods": 3}, {"days": 4}, "40.00"),
    ({"at_most_periods": 3}, {"days": 4}, "30.00"),
    ({"free_days": 3, "cites": CITES}, {"days": 3}, "0.00"),
    ({"free_days": 3, "cites": CITES}, {"days": 4}, "10.00"),
    ({"free_days": 3, "cites": CITES, "minimum": "25"}, {"days": 3}, "0.00"),  # nothing to bring to the minimum
    ({"free_days": 3, "cites": CITES, "minimum": "25"}, {"days": 4}, "25.00"),
    ({"free_days": 3, "cites": CITES, "per": "week"}, {"days": 10}, "10.00"),
    ({"free_days": 3, "cites": CITES, "per": "week"}, {"days": 11}, "20.00"),
    ({"free_days": 3, "cites": CITES, "per": "week", "begun": "exact", "rate": "7"}, {"days": 5}, "20.00"),
    ({"free_days": 1, "cites": CITES, "days_counted": "working"}, {"days": 4}, "10.00"),  # Friday is free, Monday due
    ({"free_days": 3, "cites": CITES, "tiers": [{"up_to": 1, "times": "1"}, {"times": "2"}]}, {"days": 5}, "30.00"),
    (
        {
            "free_days": 3,
            "cites": CITES,
            "rate": None,
            "per": None,
            "packages": {"method": "next", "steps": [{"days": 3, "rate": "2"}, {"days": 7, "rate": "5"}]},
        },
        {"days": 7},
        "50.00",
    ),
    ({"per": "half_day", "days_counted": "working"}, {"days": 4}, "20.00"),  # of a holiday and a weekend, Monday
]

PRICES: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"rate": None, "rate_by": "zone", "rates": {"a": "3", "b": "2", "territory": "1"}}, {}, "10.00"),
    ({"rate": None, "rate_by": "zone", "rates": {"a": "3", "b": "2"}}, {"zones": ("b",)}, "20.00"),
    ({"rate": None, "rate_by": "zone", "rates": {"a": "3", "b": "2"}}, {"zones": ("b", "a")}, "30.00"),
    ({"rate": None, "rate_by": "gene", "rates": {"totale": "4"}}, {"answers_of": {"gene": "totale"}}, "40.00"),
    ({"rate": None, "rate_by": "badge", "rates": {"oui": "1", "non": "2"}}, {}, "20.00"),
    *(
        ({"rate": None, "bands": {"method": method, "steps": steps}}, {"area": area}, amount)
        for method, steps, area, amount in (
            ("whole", [{"up_to": "20", "rate": "3"}, {"rate": "2"}], "20", "60.00"),
            ("whole", [{"up_to": "20", "rate": "3"}, {"rate": "2"}], "20.01", "40.02"),
            ("whole", [{"up_to": "20", "fixed": "5", "rate": "3"}, {"rate": "2"}], "20", "65.00"),
            ("slices", [{"up_to": "20", "rate": "3"}, {"up_to": "50", "rate": "2"}, {"rate": "1"}], "60", "130.00"),
            ("slices", [{"up_to": "20", "rate": "3"}, {"up_to": "50", "rate": "2"}, {"rate": "1"}], "20", "60.00"),
            ("above", [{"up_to": "20", "fixed": "65"}, {"up_to": "50", "fixed": "98"}, {"fixed": "98", "rate": "0.2"}],
             "60", "100.00"),
            ("above", [{"up_to": "20", "fixed": "65"}, {"up_to": "50", "fixed": "98"}, {"fixed": "98", "rate": "0.2"}],
             "50", "98.00"),
        )
    ),
    *(
        ({"rate": None, "per": None, "unit": "occupancy", "packages": {"method": method, "steps": [
            {"days": 3, "rate": "28"}, {"days": 7, "rate": "65"}, {"days": 30, "rate": "163"}]}},
         {"days": days}, amount)
        for method, days, amount in (
            ("next", 3, "28.00"), ("next", 4, "65.00"), ("next", 10, "163.00"), ("next", 37, "228.00"),
            ("largest_first", 10, "93.00"), ("largest_first", 11, "121.00"), ("largest_first", 2, "28.00"),
            ("cheapest", 10, "93.00"), ("cheapest", 8, "84.00"), ("cheapest", 29, "163.00"), ("cheapest", 60, "326.00"),
        )
    ),
    ({"tiers": [{"up_to": 3, **FREE}, {"up_to": 30, "times": "1"}, {"times": "2"}]}, {"days": 3}, "0.00"),
    ({"tiers": [{"up_to": 3, **FREE}, {"up_to": 30, "times": "1"}, {"times": "2"}]}, {"days": 31}, "290.00"),
    ({"rate": None, "tiers": [{"up_to": 1, "rate": "5"}, {"rate": "3"}]}, {"days": 3}, "110.00"),
    ({"rate": None, "tiers_method": "whole", "tiers": [{"up_to": 7, "rate": "2"}, {"rate": "1.5"}]}, {"days": 7},
     "140.00"),
    ({"rate": None, "tiers_method": "whole", "tiers": [{"up_to": 7, "rate": "2"}, {"rate": "1.5"}]}, {"days": 8},
     "120.00"),
    ({"per": "month", "progression": {"from_period": 4, "every": 3, "add": "0.1"}}, {"days": 181}, "63.00"),
    ({"per": "month", "progression": {"from_period": 4, "every": 3, "add": "0.1"}}, {"days": 182}, "75.00"),
    ({"coefficients": [{"by": "zone", "values": {"a": "1.5", "territory": "1"}},
                       {"by": "badge", "values": {"oui": "0.5", "non": "2"}}]}, {"zones": ("a",)}, "30.00"),
    ({"minimum_per_period": "12"}, {"days": 2}, "24.00"),
    ({"minimum_per_period": "10"}, {"days": 2}, "20.00"),
    ({"maximum_per_period": "4"}, {"days": 2}, "8.00"),
    ({"minimum": "25"}, {"days": 2}, "25.00"),
    ({"maximum": "15"}, {"days": 2}, "15.00"),
    ({"rate": None, **FREE}, {"days": 2}, "0.00"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "asked", "amount"), [*QUANTITIES, *TIMES, *PRICES])
def test_a_line_charges_what_it_says(line: dict[str, Any], asked: dict[str, Any], amount: str) -> None:
    answered = {"answers": asked["answers_of"]} if "answers_of" in asked else {}
    law = rulebook(item(**line), zone_order=("a", "b"))
    place = {name: value for name, value in asked.items() if name != "answers_of"}
    application_fee = _fee_with_answers(law, answered, place)
    assert application_fee.total == Decimal(amount), [line.explanation for line in application_fee.lines]


def _fee_with_answers(law: Rulebook, answered: dict[str, Any], asked: dict[str, Any]) -> Fee:
    if not answered:
        return fee_of(law, **asked)
    area = asked.get("area", "10")
    application = an_application(
        starts_on=FIRST, ends_on=FIRST, occupancies=(an_occupancy(length_m=area, width_m="1", **answered),)
    )
    return compute_fee(application, (a_place(area_m2=area),), law, DECIDED)


CONDITIONS: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({"zone": ["a"]}, {"zones": ("a",)}, {"zones": ("b",)}),
    ({"zone": ["territory"]}, {}, {"zones": ("b",)}),
    ({"area_m2": {"above": "10"}}, {"area": "10.01"}, {"area": "10"}),
    ({"area_m2": {"at_least": "10"}}, {"area": "10"}, {"area": "9.99"}),
    ({"area_m2": {"up_to": "10"}}, {"area": "10"}, {"area": "10.01"}),
    ({"area_m2": {"below": "10"}}, {"area": "9.99"}, {"area": "10"}),
    ({"days": {"above": "7"}}, {"days": 8}, {"days": 7}),
    ({"days_ahead": {"below": "10"}}, {"received_on": date(2026, 12, 23)}, {"received_on": date(2026, 12, 22)}),
    (
        {"working_days_ahead": {"below": "5"}},
        {"received_on": date(2026, 12, 24)},
        {"received_on": date(2026, 12, 23)},
    ),
    ({"height_m": {"above": "6"}}, {"height_m": "6.01"}, {"height_m": "6"}),
    ({"length_m": {"above": "6"}}, {"area": "7"}, {"area": "6"}),
    ({"vehicle_tonnes": {"up_to": "3.5"}}, {"vehicle_tonnes": "3.5"}, {"vehicle_tonnes": "3.51"}),
    ({"hours_per_day": {"up_to": "6"}}, {"hours": ("08:00", "14:00")}, {"hours": ("08:00", "14:01")}),
    ({"hours_per_day": {"above": "6"}}, {}, {"hours": ("08:00", "14:00")}),
    ({"pieces": {"above": "1"}}, {"pieces": 2, "area": "20", "length_m": "10"}, {"pieces": 1}),
    ({"parking_spaces": {"above": "0"}}, {"parking_spaces_taken": 1}, {"parking_spaces_taken": 0}),
    ({"lane_closed": True}, {"lane_closed": True}, {"lane_closed": False}),
    ({"unauthorised": True}, {"unauthorised": True}, {"unauthorised": False}),
    ({"answers": {"qui": ["particulier"]}}, {"answers": {"qui": "particulier"}}, {"answers": {"qui": "entreprise"}}),
    ({"answers": {"badge": ["non"]}, "days": {"above": "1"}}, {"days": 2}, {"days": 1}),
]


@pytest.mark.parametrize(("when", "holds", "does_not"), CONDITIONS)
def test_a_condition_holds_on_its_own_side_of_the_bound(
    when: dict[str, Any], holds: dict[str, Any], does_not: dict[str, Any]
) -> None:
    law = rulebook(
        item(), item(label="Autre", per="once", rate="7", unit="occupancy", when=when), zone_order=("a", "b")
    )

    assert "Autre" in [line.label for line in fee_of(law, **holds).lines]
    assert "Autre" not in [line.label for line in fee_of(law, **does_not).lines]


ADJUSTMENTS: list[tuple[list[dict[str, Any]], dict[str, Any], str]] = [
    ([{"percent": "-20"}], {}, "14.00"),  # 8 and the file's 6
    ([{"percent": "-20", "of": "total"}], {}, "12.80"),
    ([{"percent": "100", "nature": "penalty"}], {}, "26.00"),
    ([{"percent": "-100"}], {}, "6.00"),
    ([{"amount": "2.50"}], {}, "18.50"),
    ([{"amount": "-50"}], {}, "6.00"),
    ([{"minimum": "22"}], {}, "28.00"),
    ([{"minimum": "22", "of": "total"}], {}, "22.00"),
    ([{"minimum": "10"}], {}, "16.00"),
    ([{"maximum": "9"}], {}, "15.00"),
    ([{"waived_below": "10.01"}], {}, "6.00"),
    ([{"waived_below": "10"}], {}, "16.00"),
    ([{"minimum": "12"}, {"minimum": "22"}], {}, "28.00"),
    ([{"minimum": "12", "of": "each_occupancy"}, {"minimum": "20", "of": "total"}], {}, "20.00"),
    ([{"percent": "-50"}, {"minimum": "8"}], {}, "14.00"),
    ([{"minimum": "12"}, {"percent": "-50"}], {}, "12.00"),  # in the order written
    ([{"percent": "-50", "items": ["sol"]}], {}, "11.00"),
    ([{"percent": "-50", "of": "each_occupancy", "when": {"area_m2": {"above": "10"}}}], {}, "16.00"),
    ([{"percent": "-50", "of": "each_occupancy", "when": {"area_m2": {"above": "9"}}}], {}, "11.00"),
    ([{"percent": "-50", "when": {"answers": {"qui": ["particulier"]}}}], {"answers": {"qui": "entreprise"}}, "16.00"),
]


@pytest.mark.parametrize(("changes", "asked", "amount"), ADJUSTMENTS)
def test_adjustments_follow_the_lines_in_the_order_written(
    changes: list[dict[str, Any]], asked: dict[str, Any], amount: str
) -> None:
    file = {"label": "Dossier", "unit": "request", "per": "once", "rate": "6"}
    law = rulebook(item(id="sol"), file, adjustments=[adjustment(**each) for each in changes])

    assert fee_of(law, **asked).total == Decimal(amount)


def test_minimums_are_taken_for_each_occupancy_before_they_are_for_all() -> None:
    law = rulebook(
        item(),
        adjustments=[adjustment(of="each_occupancy", minimum="12"), adjustment(minimum="30")],
    )
    application = an_application(
        starts_on=FIRST, ends_on=FIRST, occupancies=tuple(an_occupancy(length_m=n, width_m="1") for n in ("5", "13"))
    )
    fee = compute_fee(application, tuple(a_place(area_m2=n) for n in ("5", "13")), law, DECIDED)

    assert [str(line.amount) for line in fee.lines] == ["5.00", "13.00", "7.00", "5.00"]


@pytest.mark.parametrize(
    ("rounding", "rate", "total"),
    [
        ({"line": "0.01"}, "0.3335", "3.34"),
        ({"line": "0.01", "mode": "down"}, "0.3339", "3.33"),
        ({"line": "0.01", "mode": "up"}, "0.3331", "3.34"),
        ({"total": "0.01"}, "0.3335", "3.34"),
        ({"line": "0.01", "total": "0.05"}, "0.3331", "3.35"),
        ({"line": "0.01", "total": "1"}, "0.3331", "3.00"),
    ],
)
def test_an_amount_is_rounded_where_the_scale_says(rounding: dict[str, str], rate: str, total: str) -> None:
    assert fee_of(rulebook(item(rate=rate), rounding=rounding)).total == Decimal(total)


def test_rounding_the_total_alone_adds_lines_before_they_are_rounded() -> None:
    lines = (item(rate="0.3335"), item(rate="0.3335", label="Autre"))
    assert fee_of(rulebook(*lines, rounding={"total": "0.01"})).total == Decimal("6.67")
    assert fee_of(rulebook(*lines, rounding={"line": "0.01"})).total == Decimal("6.68")


@pytest.mark.parametrize(
    ("days", "first", "amount"),
    [
        (3, date(2027, 5, 30), "40.00"),  # 30 and 31 May at 1, 1 June at 2
        (2, date(2027, 9, 30), "30.00"),
        (2, date(2027, 12, 31), "20.00"),
    ],
)
def test_seasons_have_their_own_prices(days: int, first: date, amount: str) -> None:
    law = rulebook(
        item(season={"from_day": "06-01", "to_day": "09-30"}, rate="2"),
        item(season={"from_day": "10-01", "to_day": "05-31"}, label="Hiver"),
    )
    assert fee_of(law, days=days, first=first).total == Decimal(amount)


def test_the_rank_of_a_period_counts_from_the_first_day_whatever_the_season() -> None:
    """Doubled after the thirtieth day of the occupation, not of its season."""
    tiers = [{"up_to": 30, "times": "1"}, {"times": "2"}]
    law = rulebook(
        item(season={"from_day": "06-01", "to_day": "09-30"}, rate="2", tiers=tiers),
        item(season={"from_day": "10-01", "to_day": "05-31"}, label="Hiver", tiers=tiers),
    )
    fee = fee_of(law, days=40, first=date(2027, 5, 12))
    assert [str(line.amount) for line in fee.lines] == ["200.00", "400.00", "200.00"]


def test_a_day_that_no_season_charges_is_never_free_by_omission() -> None:
    law = rulebook(item(season={"from_day": "06-01", "to_day": "09-30"}))
    assert fee_of(law, days=2, first=date(2027, 9, 29)).total == 20
    with pytest.raises(NoPrice, match="aucune ligne ne compte le 1er octobre 2027"):
        fee_of(law, days=2, first=date(2027, 9, 30))


def test_a_deposit_is_told_apart_from_the_total() -> None:
    fee = fee_of(rulebook(item(), item(label="Caution", nature="deposit", unit="occupancy", per="once", rate="150")))
    assert fee.total == 10
    assert [(line.label, line.amount) for line in fee.deposits] == [("Caution", Decimal("150.00"))]


@pytest.mark.parametrize(
    ("line", "asked", "why"),
    [
        ({"unit": "m"}, {"length_m": None}, NotDeclared),
        ({"unit": "m"}, {"area": "20", "length_m": "10"}, NotConfirmed),
        ({"unit": "m2_three_sides"}, {"height_m": None}, NotDeclared),
        ({"unit": "voies"}, {}, NotDeclared),
        ({"per": "hour"}, {}, NotDeclared),
        ({"rate": None, "rate_by": "gene", "rates": {"totale": "4"}}, {}, NotDeclared),
        ({"rate": None, "rate_by": "zone", "rates": {"a": "4"}}, {}, NoPrice),
        ({"rate": None, "bands": {"method": "whole", "steps": [{"up_to": "9", "rate": "1"}]}}, {}, NoPrice),
        ({"coefficients": [{"by": "zone", "values": {"a": "2"}}]}, {}, NoPrice),
        ({"when": {"days": {"above": "3"}}}, {}, NoPrice),
        ({"when": {"answers": {"gene": ["aucune"]}}}, {}, NotDeclared),
        ({"unit": "parking_space"}, {}, NoPrice),
        ({"kinds": ["skip"]}, {}, NoPrice),
    ],
)
def test_what_is_not_known_is_never_free(line: dict[str, Any], asked: dict[str, Any], why: type[FeeUnknown]) -> None:
    with pytest.raises(why):
        fee_of(rulebook(item(**line), zone_order=("a",)), **asked)


@pytest.mark.parametrize(("lanes", "amount"), [("2", "10.00"), ("3", "17.00")])
def test_a_figure_that_was_answered_may_be_a_condition(lanes: str, amount: str) -> None:
    many = item(label="Autre", per="once", rate="7", unit="occupancy", when={"figures": {"voies": {"above": "2"}}})
    fee = _fee_with_answers(rulebook(item(), many), {"answers": {"voies": lanes}}, {})
    assert fee.total == Decimal(amount)


def test_nobody_answers_for_a_line_that_is_not_theirs() -> None:
    law = rulebook(item(), item(label="Autre", when={"days": {"above": "3"}, "answers": {"gene": ["totale"]}}))
    assert fee_of(law, days=3).total == 30
    with pytest.raises(NotDeclared, match=r"« Quelle gêne \? »"):
        fee_of(law, days=4)


WRONG: list[dict[str, Any]] = [
    {"rate": "0"},
    {"rate": "-1"},
    {"rate": None},
    {"free": True},
    {"rate": None, "free": True},
    {"rate_by": "zone"},
    {"rate": None, "rates": {"a": "1"}},
    {"rate": "1", "bands": {"method": "whole", "steps": [{"rate": "1"}]}},
    {"rate": None, "bands": {"method": "whole", "steps": []}},
    {"rate": None, "bands": {"method": "whole", "steps": [{"rate": "1"}, {"rate": "2"}]}},
    {"rate": None, "bands": {"method": "whole", "steps": [{"up_to": "5", "rate": "1"}, {"up_to": "5", "rate": "2"}]}},
    {"rate": None, "bands": {"method": "whole", "steps": [{"up_to": "5"}]}},
    {"rate": None, "packages": {"method": "next", "steps": [{"days": 3, "rate": "1"}]}},  # with per
    {"rate": None, "per": None, "packages": {"method": "next", "steps": [{"days": 3}]}},
    {"rate": None, "per": None, "packages": {"method": "next", "steps": [{"days": 3, "rate": "1"}] * 2}},
    {"per": None},
    {"per": {"days": 1}},
    {"per": "day", "begun": "exact"},
    {"per": "week", "days_counted": "working"},
    {"per": {"days": 14}, "begun": "calendar"},
    {"tiers": [{"up_to": 3, "times": "1"}]},
    {"tiers": [{"times": "1"}, {"times": "2"}]},
    {"tiers": [{"up_to": 3, "times": "0"}, {"times": "2"}]},
    {"tiers": [{"up_to": 3, "free": True}, {"times": "2"}]},
    {"tiers": [{"up_to": 3, "times": "1"}, {"up_to": 3, "times": "2"}, {"times": "3"}]},
    {"free_quantity": "3"},
    {"free_days": 3},
    {"free_days": 3, "cites": CITES, "per": "once"},
    {"free_days": 3, "cites": CITES, "rate": None, "free": True},
    {"tiers": [{"up_to": 3, "rate": "1"}, {"rate": "2"}]},  # beside a rate that is never used
    {"tiers_method": "whole"},
    {"coefficients": [{"by": "badge", "values": {"oui": "1"}}, {"by": "badge", "values": {"non": "2"}}]},
    {"when": {"zone": []}},
    {"when": {"answers": {"gene": []}}},
    {"when": {"days": {"above": "3", "below": "3"}}},
    {"when": {"days": {"at_least": "3", "below": "3"}}},
    {"when": {"pieces": {"below": "0"}}},
    {"rate": None, "bands": {"method": "above", "steps": [{"up_to": "20", "rate": "3"}, {"rate": "2"}]}},
    {"per": "once", "extra_days": 1},
    {"per": "once", "at_least_periods": 3},
    {"per": "once", "tiers": [{"up_to": 1, "times": "1"}, {"times": "2"}]},
    {
        "per": None,
        "rate": None,
        "packages": {"method": "next", "steps": [{"days": 3, "rate": "1"}]},
        "minimum_per_period": "5",
    },
    {"rate": "1,40"},
    {"rate": "1_000"},
    {"rate": "1e3"},
    {"minimum": "3", "maximum": "2"},
    {"at_least": "3", "at_most": "2"},
    {"unit": "request"},
    {"kinds": []},
    {"kinds": ["terrasse"]},
    {"season": {"from_day": "02-30", "to_day": "03-01"}},
    {"season": {"from_day": "06-01", "to_day": "09-30"}, "minimum": "5"},
    {"when": {"days": {}}},
    {"when": {"days": {"above": "3", "at_least": "3"}}},
    {"when": {"days": {"above": "3", "up_to": "2"}}},
    {"rounded_up_to": "0"},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_line_that_can_not_be_right_is_refused(wrong: dict[str, Any]) -> None:
    a_scale(item())
    with pytest.raises(ValidationError):
        a_scale(item(**wrong))


@pytest.mark.parametrize(
    "wrong",
    [
        {"rounding": {}},
        {"rounding": {"rate": "0.01"}},
        {"rounding": {"line": "0.001"}},
        {"rounding": {"line": "0.03"}},
        {"zone_order": ["a", "b", "a"]},
        {"zone_order": ["a", "territory"]},
        {"when_replaced": "always"},
        {"currency": "euro"},
        {"items": []},
        {"items": [item(id="x"), item(id="x")]},
        {"items": [item(when={"zone": ["a"]})]},
        {"adjustments": [adjustment()]},
        {"adjustments": [adjustment(percent="-10", minimum="3")]},
        {"adjustments": [adjustment(percent="-101")]},
        {"adjustments": [adjustment(percent="0")]},
        {"adjustments": [adjustment(percent="-10", items=["inconnue"])]},
        {"adjustments": [adjustment(percent="-10", items=[])]},
        {"adjustments": [adjustment(percent="-10", when={"zone": ["a"]})]},
        {"adjustments": [{"label": "Sans texte", "of": "total", "minimum": "3"}]},
    ],
)
def test_a_scale_that_can_not_be_right_is_refused(wrong: dict[str, Any]) -> None:
    values = {"name": "Essai", "rounding": {"line": "0.01"}, "when_replaced": "first_day", "items": [item()]}
    Scale.model_validate(values)
    with pytest.raises(ValidationError):
        Scale.model_validate(values | wrong)


# --- a scale that is replaced during the period ------------------------------------------------


def replaced(policy: str, **line: Any) -> Rulebook:
    """One euro until 2 January, two from the third."""
    before = a_scale(item(**line), when_replaced=policy, name="Avant")
    after = a_scale(item(**({"rate": "2"} | line)), when_replaced=policy, name="Après")
    return a_rulebook_with_scales({date(2026, 1, 1): before, FIRST + timedelta(days=2): after})


@pytest.mark.parametrize(
    ("policy", "amount"), [("each_period", "60.00"), ("first_day", "40.00"), ("decision_day", "40.00")]
)
def test_a_scale_that_is_replaced_is_counted_as_the_city_says(policy: str, amount: str) -> None:
    assert fee_of(replaced(policy), days=4).total == Decimal(amount)


def test_the_scale_of_the_decision_is_that_of_its_day() -> None:
    application = an_application(
        starts_on=FIRST, ends_on=FIRST, occupancies=(an_occupancy(length_m="10", width_m="1"),)
    )
    later = FIRST + timedelta(days=2)
    assert compute_fee(application, (a_place(area_m2="10"),), replaced("decision_day"), later).total == 20


@pytest.mark.parametrize(
    "whole", [{"minimum": "3"}, {"extra_days": 1}, {"at_least_periods": 2}, {"per": "week", "begun": "exact"}]
)
def test_what_counts_the_whole_period_is_not_cut_in_two_without_a_vote(whole: dict[str, Any]) -> None:
    with pytest.raises(ChangingBase):
        fee_of(replaced("each_period", **whole), days=4)
    assert fee_of(replaced("first_day", **whole), days=4).total > 0


# --- properties --------------------------------------------------------------------------------

prices = st.decimals(min_value="0.10", max_value="50", places=2).map(str)
quantities = {
    "rounded_up_to": st.sampled_from(["0.5", "1", "10"]),
    "at_least": st.just("3"),
    "at_most": st.just("40"),
    "minimum": prices,
}
periods = {
    "extra_days": st.integers(-1, 2),
    "at_least_periods": st.integers(1, 5),
    "minimum_per_period": prices,
    "free_days": st.integers(1, 9),
    "begun": st.sampled_from(["due", "calendar"]),
}
every = st.sampled_from(["day", "half_day", "week", "month", "quarter", "year", {"days": 14}])
slices = st.tuples(prices, prices, prices).map(
    lambda rates: {
        "method": "slices",
        "steps": [{"up_to": "5", "rate": rates[0]}, {"up_to": "50", "rate": rates[1]}, {"rate": rates[2]}],
    }
)
tiers = st.tuples(prices, prices).map(lambda rates: [{"up_to": 3, "rate": rates[0]}, {"rate": rates[1]}])


def _sound(line: dict[str, Any]) -> dict[str, Any]:
    """Take away what goes with neither the period nor the price of the line."""
    if line["per"] in ("day", "half_day") or isinstance(line["per"], dict):
        line = {name: value for name, value in line.items() if name != "begun"}
    if "free_days" in line:
        line = line | {"cites": CITES}
    return line if {"bands", "tiers"}.isdisjoint(line) else line | {"rate": None}


growing = st.one_of(
    st.fixed_dictionaries({"per": st.just("once")}, optional={"rate": prices, **quantities}),
    st.fixed_dictionaries({"per": every}, optional={"rate": prices, **quantities, **periods}).map(_sound),
    st.fixed_dictionaries({"per": every, "bands": slices}, optional={**quantities, **periods}).map(_sound),
    st.fixed_dictionaries({"per": every, "tiers": tiers}, optional={**quantities, **periods}).map(_sound),
)
seasonal = st.fixed_dictionaries(
    {"per": every, "season": st.sampled_from([{"from_day": "06-01", "to_day": "09-15"},
                                              {"from_day": "11-15", "to_day": "03-01"}])},
    optional={"rate": prices},
)  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(
    lines=st.tuples(growing, st.lists(st.one_of(growing, seasonal), max_size=3)).map(
        lambda drawn: [drawn[0], *drawn[1]]
    ),
    area=st.decimals(min_value="0.1", max_value="200", places=2),
    more=st.decimals(min_value="0.01", max_value="50", places=2),
    days=st.integers(1, 400),
)
def test_the_fee_never_falls_when_area_or_days_grow(
    lines: list[dict[str, Any]], area: Decimal, more: Decimal, days: int
) -> None:
    law = rulebook(*(item(**line) for line in lines))

    def total(square_metres: Decimal, length: int) -> Decimal:
        return fee_of(law, area=str(square_metres), length_m=None, days=length).total

    assert total(area + more, days) >= total(area, days)
    assert total(area, days + 1) >= total(area, days)


def test_a_fee_that_falls_where_the_scale_says_so_would_be_seen() -> None:
    law = rulebook(item(rate=None, tiers_method="whole", tiers=[{"up_to": 7, "rate": "2"}, {"rate": "1.5"}]))
    assert fee_of(law, days=8).total < fee_of(law, days=7).total


@settings(deadline=None, max_examples=100)
@given(lines=st.lists(growing, min_size=2, max_size=4), order=st.randoms(), days=st.integers(1, 60))
def test_the_order_of_the_lines_changes_nothing(lines: list[dict[str, Any]], order: Any, days: int) -> None:
    written = [item(**line) for line in lines]
    shuffled = order.sample(written, len(written))

    assert fee_of(rulebook(*written), days=days).total == fee_of(rulebook(*shuffled), days=days).total


@settings(deadline=None, max_examples=100)
@given(
    lines=st.tuples(growing, st.lists(st.one_of(growing, seasonal), max_size=3)).map(
        lambda drawn: [drawn[0], *drawn[1]]
    ),
    cuts=st.lists(st.integers(1, 200), min_size=2, max_size=4, unique=True).map(sorted),
    discount=st.booleans(),
)
def test_a_permit_and_its_extensions_cost_together_what_the_whole_period_costs(
    lines: list[dict[str, Any]], cuts: list[int], discount: bool
) -> None:
    file = {"label": "Dossier", "unit": "request", "per": "once", "rate": "6"}
    follows = [adjustment(percent="-10"), adjustment(of="total", minimum="40")] if discount else []
    law = rulebook(*(item(**line) for line in lines), file, adjustments=follows)
    due = fee_of(law, days=cuts[0]).total
    for before, after in pairwise(cuts):
        standing = an_extended_permit(starts_on=FIRST, ends_on=FIRST + timedelta(days=before - 1), due=due)
        asked = an_application(
            starts_on=FIRST + timedelta(days=before),
            ends_on=FIRST + timedelta(days=after - 1),
            occupancies=(an_occupancy(length_m="10", width_m="1"),),
        )
        due += compute_fee(asked, (a_place(area_m2="10"),), law, DECIDED, extends=standing).total

    assert due == fee_of(law, days=cuts[-1]).total


def test_an_extension_is_priced_at_the_scale_of_the_first_decision_where_that_one_decides() -> None:
    law = replaced("decision_day")
    later = min(day for day in law.tariff.values if day > FIRST)
    standing = an_extended_permit(
        starts_on=FIRST, ends_on=FIRST + timedelta(days=1), decided_on=DECIDED, due=fee_of(law, days=2).total
    )
    asked = an_application(
        starts_on=FIRST + timedelta(days=2),
        ends_on=FIRST + timedelta(days=3),
        occupancies=(an_occupancy(length_m="10", width_m="1"),),
    )
    more = compute_fee(asked, (a_place(area_m2="10"),), law, later, extends=standing).total
    assert standing.due + more == fee_of(law, days=4).total


def test_an_extension_that_would_give_money_back_is_left_to_a_person() -> None:
    cheaper = rulebook(item(rate=None, tiers_method="whole", tiers=[{"up_to": 7, "rate": "2"}, {"rate": "1"}]))
    standing = an_extended_permit(starts_on=FIRST, ends_on=FIRST + timedelta(days=6), due=Decimal("140"))
    asked = an_application(
        starts_on=FIRST + timedelta(days=7),
        ends_on=FIRST + timedelta(days=7),
        occupancies=(an_occupancy(length_m="10", width_m="1"),),
    )
    with pytest.raises(CostsLess, match="EX-2027-000042"):
        compute_fee(asked, (a_place(area_m2="10"),), cheaper, DECIDED, extends=standing)


def test_an_extension_may_be_charged_for_its_own_days_alone() -> None:
    law = rulebook(item(), {"label": "Dossier", "unit": "request", "per": "once", "rate": "6"}, extensions="alone")
    standing = an_extended_permit(starts_on=FIRST, ends_on=FIRST + timedelta(days=6), due=Decimal("76"))
    asked = an_application(
        starts_on=FIRST + timedelta(days=7),
        ends_on=FIRST + timedelta(days=8),
        occupancies=(an_occupancy(length_m="10", width_m="1"),),
    )
    assert compute_fee(asked, (a_place(area_m2="10"),), law, DECIDED, extends=standing).total == 26


def test_each_kind_may_be_charged_and_all_of_them_in_a_word() -> None:
    law = rulebook(item(kinds="all"))
    assert {fee_of(law, kind=kind).total for kind in Kind} == {Decimal("10.00")}


def test_free_days_are_a_line_of_their_own_with_their_text() -> None:
    fee = fee_of(rulebook(item(free_days=3, per="week", cites={"text": "Délibération, art. 4"})), days=10)
    told = [(line.explanation, str(line.amount), line.citation.text) for line in fee.lines]
    assert told == [
        ("3 premiers jours : gratuit", "0.00", "Délibération, art. 4"),
        ("10 m² × 1 semaine commencée × 1,00 €", "10.00", "Délibération, art. 4"),
    ]


# --- what was found to be free, or cheap, by omission --------------------------------------------


@pytest.mark.parametrize(
    ("line", "asked", "amount"),
    [
        ({"per": "hour", "at_least_periods": 4}, {"hours": ("08:00", "18:00")}, "100.00"),
        ({"per": "hour", "at_least_periods": 4}, {"hours": ("08:00", "10:00")}, "40.00"),
        ({"per": "half_day", "at_least_periods": 1}, {}, "20.00"),
        ({"per": "hour", "at_most_periods": 8}, {"hours": ("08:00", "18:00"), "days": 3}, "80.00"),
        (
            {"per": "hour", "tiers": [{"up_to": 4, "times": "1"}, {"times": "2"}]},
            {"hours": ("08:00", "18:00")},
            "160.00",
        ),
        ({"per": "half_day", "tiers": [{"up_to": 2, "times": "1"}, {"times": "2"}]}, {"days": 2}, "60.00"),
    ],
)
def test_each_hour_and_each_half_day_is_a_period(line: dict[str, Any], asked: dict[str, Any], amount: str) -> None:
    assert str(fee_of(rulebook(item(**line)), **asked).total) == amount


SUMMER, WINTER = {"from_day": "06-15", "to_day": "09-15"}, {"from_day": "09-16", "to_day": "06-14"}


@pytest.mark.parametrize(
    ("lines", "first", "days"),
    [
        # A weekend that no line counts, beside a deposit.
        ([item(days_counted="working"), item(label="Dépôt", nature="deposit", per="once")], date(2027, 1, 9), 2),
        # The 16th is in no day of summer, and in no week that begins in winter.
        ([item(season=SUMMER), item(per="week", season=WINTER)], date(2027, 9, 11), 7),
        ([item(per="week", season=SUMMER), item(per="month", season=WINTER)], date(2027, 9, 10), 14),
        ([item(rate="0.0001")], FIRST, 1),
    ],
)
def test_what_no_line_charges_is_never_free_by_omission(lines: list[dict[str, Any]], first: date, days: int) -> None:
    with pytest.raises(FeeUnknown):
        fee_of(rulebook(*lines), first=first, days=days)


def test_a_total_rounded_to_nothing_is_left_to_a_person() -> None:
    with pytest.raises(RoundsToNothing):
        fee_of(rulebook(item(rate="0.40"), rounding={"mode": "down", "total": "10"}), days=2)


def test_weeks_of_the_calendar_and_weeks_begun_do_not_add_up() -> None:
    values = {"name": "Essai", "rounding": {"line": "0.01"}, "when_replaced": "each_period"}
    before = Scale.model_validate(values | {"items": [item(per="week", begun="calendar")]})
    after = Scale.model_validate(values | {"items": [item(per="week")]})
    euros = Scale.model_validate(values | {"items": [item(per="week")], "currency": "CHF"})
    for later in (after, euros):
        law = a_rulebook_with_scales({date(2026, 1, 1): before, FIRST + timedelta(days=3): later})
        with pytest.raises(ChangingBase):
            fee_of(law, days=10)


def test_an_adjustment_of_some_lines_takes_them_as_the_ones_before_left_them() -> None:
    law = rulebook(
        item(id="sol", rate="1.00"),
        item(id="objet", rate="0.50", label="Objet"),
        adjustments=[adjustment(percent="-20"), adjustment(items=["sol"], minimum="10")],
    )
    # 10 + 5, less 20 %: 12; of which 8 for the ground, brought to 10.
    assert fee_of(law, days=1).total == 14


def test_the_cheapest_packages_count_what_their_price_is_for() -> None:
    steps = [{"days": 1, "bands": {"method": "whole", "steps": [{"fixed": "9"}]}}, {"days": 2, "rate": "1"}]
    line = item(per=None, rate=None, rate_for="10", packages={"method": "cheapest", "steps": steps})
    assert fee_of(rulebook(line), area="100", length_m=None, days=2).total == 10


def test_a_length_that_the_drawing_contradicts_decides_no_price() -> None:
    law = rulebook(item(when={"length_m": {"up_to": "5"}}), item(when={"length_m": {"above": "5"}}, rate="3"))
    assert fee_of(law, area="4", length_m="4", days=1).total == 4
    with pytest.raises(NotConfirmed):
        fee_of(law, area="40", length_m="4", days=1)


def test_what_is_known_decides_before_what_is_not() -> None:
    tall = item(label="Haut", when={"height_m": {"above": "3"}, "answers": {"badge": ["oui"]}})
    assert fee_of(rulebook(item(), tall), days=1, height_m=None).total == 10
    with pytest.raises(NotDeclared, match="la hauteur"):
        fee_of(rulebook(item(), tall), days=1, height_m=None, answers={"badge": "oui"})


# --- adjustments, and whom they concern ----------------------------------------------------------


def test_an_adjustment_of_lines_that_an_occupancy_does_not_have_asks_it_nothing() -> None:
    crane = item(id="grue", label="Grue", kinds=["crane"], unit="piece")
    heavy = adjustment(of="each_occupancy", items=["grue"], when={"vehicle_tonnes": {"above": "3.5"}}, percent="50")
    assert fee_of(rulebook(item(), crane, adjustments=[heavy]), days=1).total == 10


def test_a_question_that_is_not_asked_of_a_kind_adjusts_nothing_of_it() -> None:
    asked = Question.model_validate(
        {"id": "moment", "asks": "À quel moment ?", "kinds": ["crane"], "answers": {"jour": "jour", "nuit": "nuit"}}
    )
    night = adjustment(of="each_occupancy", when={"answers": {"moment": ["nuit"]}}, percent="-30")
    law = rulebook(item(kinds=["scaffolding", "crane"]), adjustments=[night])
    law = law.model_copy(update={"questions": (*law.questions, asked)})
    assert fee_of(law, days=1).total == 10
    with pytest.raises(NotDeclared, match="À quel moment"):
        fee_of(law, days=1, kind="crane")
    assert fee_of(law, days=1, kind="crane", told={"moment": "nuit"}).total == 7


def test_an_adjustment_may_be_of_some_kinds() -> None:
    dearer = adjustment(of="each_occupancy", kinds=["crane"], percent="50")
    law = rulebook(item(kinds=["scaffolding", "crane"]), adjustments=[dearer])
    assert (fee_of(law, days=1).total, fee_of(law, days=1, kind="crane").total) == (10, 15)


def test_percentages_of_the_lines_add_up_and_others_are_compounded() -> None:
    def taxed(basis: str) -> Decimal:
        taxes = [adjustment(percent="50"), adjustment(percent="10", basis=basis)]
        return fee_of(rulebook(item(), adjustments=taxes), days=1).total

    assert (taxed("previous"), taxed("lines")) == (Decimal("16.50"), Decimal("16.00"))


def test_a_penalty_is_adjusted_only_by_name_or_with_the_total() -> None:
    penalty = item(id="amende", label="Pénalité", nature="penalty", per="once", unit="occupancy", rate="200")

    def total(**changes: Any) -> Decimal:
        return fee_of(rulebook(item(id="sol"), penalty, adjustments=[adjustment(**changes)]), days=1).total

    assert total(percent="100") == 220
    assert total(of="each_occupancy", percent="100") == 220
    assert total(items=["amende"], percent="100") == 410
    assert total(of="total", percent="100") == 420


@pytest.mark.parametrize("policy", ["each_period", "first_day", "decision_day"])
def test_a_day_without_a_tariff_is_left_to_a_person_whatever_the_policy(policy: str) -> None:
    ended = FIRST + timedelta(days=2)
    law = a_rulebook_with_scales({date(2026, 1, 1): a_scale(item(), when_replaced=policy), ended: None})
    assert fee_of(law, days=2).total == 20
    with pytest.raises(NotInForce) as error:
        fee_of(law, days=3)
    assert error.value.day == ended


def test_scales_whose_adjustments_differ_do_not_add_up() -> None:
    def law(*adjustments: dict[str, Any]) -> Rulebook:
        before = a_scale(item(), when_replaced="each_period", adjustments=[adjustment(percent="-50")])
        after = a_scale(item(rate="2"), when_replaced="each_period", adjustments=list(adjustments))
        return a_rulebook_with_scales({date(2026, 1, 1): before, FIRST + timedelta(days=2): after})

    again = adjustment(percent="-50", label="Même remise", cites={"text": "Une autre délibération"})
    assert fee_of(law(again), days=4).total == 30
    for others in ((), (adjustment(percent="-40"),)):
        with pytest.raises(ChangingBase):
            fee_of(law(*others), days=4)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"per": "month", "maximum_per_period": "5"}, "maximum par période × 1 mois commencé × 5,00 €"),
        ({"minimum_per_period": "50"}, "minimum par période × 1 jour × 50,00 €"),
        (
            {"rate": None, "bands": {"method": "whole", "steps": [{"up_to": "20", "fixed": "67"}]}},
            "tranche jusqu’à 20 × 1 jour × 67,00 €",
        ),
        ({"per": "week", "begun": "calendar"}, "10 m² × 1 semaine civile × 1,00 €"),
        ({"free_quantity": "4", "cites": CITES}, "6 m² (pour 10 m², 4 gratuits) × 1 jour × 1,00 €"),
        ({"free_quantity": "40", "cites": CITES}, "10 m² : gratuit"),
    ],
)
def test_a_line_says_what_it_counted(line: dict[str, Any], told: str) -> None:
    assert fee_of(rulebook(item(**line)), days=1).lines[0].explanation == told
