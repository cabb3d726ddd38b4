"""The fee, line by line: quantities, rounding, started units, and the scale of each day."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from permits.domain.application import Kind
from permits.domain.dated import NotInForce
from permits.domain.decide import decide
from permits.domain.decision import Fee, Granted, Referred
from permits.domain.place import PlaceFacts
from permits.domain.rulebook import Rulebook
from permits.domain.tariff.fee import compute_fee
from permits.domain.tariff.measures import billed_area_m2, dimensions_agree, tolerance_on
from permits.domain.tariff.unknown import ChangingBase, NoPrice
from tests.domain.builders import (
    TEXT,
    a_place,
    a_rulebook_with_scales,
    a_scale,
    an_application,
    an_occupancy,
    demo_rulebook,
    some_facts,
)

MONDAY = date(2027, 1, 11)
DECIDED = date(2026, 12, 21)
TOLERANCE = tolerance_on(demo_rulebook().limits, DECIDED)
PER_M2_DAY = {"label": "Échafaudage", "kinds": ["scaffolding"], "unit": "m2", "per": "day", "rate": "1.20"}
PER_WEEK = {"label": "Palissade", "kinds": ["hoarding"], "unit": "piece", "per": "week", "rate": "10.00"}
PER_REQUEST = {"label": "Dossier", "unit": "request", "per": "once", "rate": "6.00"}


def fee_of(
    *, days: int = 5, rulebook: Rulebook | None = None, places: tuple[PlaceFacts, ...] | None = None, **occupancy: Any
) -> Fee:
    application = an_application(
        starts_on=MONDAY, ends_on=MONDAY + timedelta(days=days - 1), occupancies=(an_occupancy(**occupancy),)
    )
    return compute_fee(application, places or (a_place(),), rulebook or demo_rulebook(), DECIDED)


def amounts(fee: Fee) -> list[str]:
    return [str(line.amount) for line in fee.lines]


def a_rulebook(*items: dict[str, Any]) -> Rulebook:
    return a_rulebook_with_scales({date(2026, 1, 1): a_scale(*items)})


# --- the area billed ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("length", "drawn", "billed"),
    [
        ("21.00", "20.00", "21.00"),  # 5 % above
        ("21.01", "20.00", "20.00"),
        ("19.00", "20.00", "19.00"),  # 5 % below
        ("18.99", "20.00", "20.00"),
        ("4.50", "4.00", "4.50"),  # half a square metre, more than 5 % of a small footprint
        ("4.51", "4.00", "4.00"),
        ("3.50", "4.00", "3.50"),
        ("3.49", "4.00", "4.00"),
        ("10.50", "10.00", "10.50"),  # where both tolerances are the same
        ("10.51", "10.00", "10.00"),
    ],
)
def test_the_declared_area_is_billed_when_it_agrees_with_the_drawing(length: str, drawn: str, billed: str) -> None:
    occupancy, place = an_occupancy(length_m=length, width_m="1.00"), a_place(area_m2=drawn)
    assert billed_area_m2(occupancy, place.footprint.area_m2, TOLERANCE) == Decimal(billed)
    assert dimensions_agree(occupancy, place.footprint.area_m2, TOLERANCE) == (Decimal(billed) == Decimal(length))


@pytest.mark.parametrize("undeclared", ["length_m", "width_m"])
def test_a_dimension_not_declared_leaves_the_drawing_to_be_billed(undeclared: str) -> None:
    changes: dict[str, Any] = {undeclared: None}
    fee = fee_of(places=(a_place(area_m2="20.00"),), **changes)
    assert amounts(fee) == ["120.00", "6.00"]


def test_identical_pieces_are_added_up_before_they_are_compared_with_the_drawing() -> None:
    two = an_occupancy(length_m="5", width_m="2", pieces=2)
    assert dimensions_agree(two, a_place(area_m2="20.00").footprint.area_m2, TOLERANCE)
    assert not dimensions_agree(two, a_place(area_m2="10.00").footprint.area_m2, TOLERANCE)


@pytest.mark.parametrize(("width", "billed"), [("1.11", "3.70"), ("1.15", "3.83")])
def test_a_declared_area_is_rounded_half_up_to_the_square_decimetre(width: str, billed: str) -> None:
    # 3.33 × 1.11 = 3.6963 and 3.33 × 1.15 = 3.8295
    occupancy = an_occupancy(length_m="3.33", width_m=width)
    assert billed_area_m2(occupancy, a_place(area_m2="3.70").footprint.area_m2, TOLERANCE) == Decimal(billed)


def test_half_a_square_centimetre_is_rounded_up() -> None:
    occupancy = an_occupancy(length_m="2.50", width_m="1.13")  # 2.8250
    assert billed_area_m2(occupancy, a_place(area_m2="2.80").footprint.area_m2, TOLERANCE) == Decimal("2.83")


@pytest.mark.parametrize(("side", "billed"), [("0.01", "0.40"), ("0.07", "0.40"), ("0.10", "0.01"), ("0.64", "0.41")])
def test_a_declaration_of_next_to_nothing_does_not_make_a_small_footprint_free(side: str, billed: str) -> None:
    # 0.5 m² of tolerance is more than the whole footprint.
    occupancy = an_occupancy(length_m=side, width_m=side)
    assert billed_area_m2(occupancy, a_place(area_m2="0.40").footprint.area_m2, TOLERANCE) == Decimal(billed)


# --- rounding ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("rate", "amount"), [("0.0050", "0.01"), ("0.0149", "0.01"), ("0.0250", "0.03")])
def test_a_line_is_rounded_half_up_to_the_cent(rate: str, amount: str) -> None:
    line = {"label": "Benne", "kinds": ["skip"], "unit": "piece", "per": "once", "rate": rate}
    assert amounts(fee_of(kind=Kind.SKIP, rulebook=a_rulebook(line))) == [amount]


def test_rounding_is_done_once_a_line_and_not_once_a_day() -> None:
    line = {"label": "Benne", "kinds": ["skip"], "unit": "piece", "per": "day", "rate": "0.3330"}
    assert amounts(fee_of(kind=Kind.SKIP, days=3, rulebook=a_rulebook(line))) == ["1.00"]


def test_rounding_is_done_for_each_line_before_they_are_added() -> None:
    line = {"label": "Benne", "kinds": ["skip"], "unit": "piece", "per": "once", "rate": "0.3350"}
    fee = fee_of(kind=Kind.SKIP, rulebook=a_rulebook(line, line | {"label": "Sol"}))
    assert amounts(fee) == ["0.34", "0.34"]
    assert fee.total == Decimal("0.68")


# --- started units -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("drawn", "square_metres"), [("14.00", 14), ("14.01", 15), ("14.40", 15), ("15.00", 15), ("0.30", 1)]
)
def test_hoarding_and_materials_pay_for_each_square_metre_begun(drawn: str, square_metres: int) -> None:
    place = (a_place(area_m2=drawn),)
    hoarding = fee_of(kind=Kind.HOARDING, length_m=None, places=place, days=7)
    assert hoarding.lines[0].amount == square_metres * Decimal("3.10")
    materials = fee_of(kind=Kind.MATERIALS, length_m=None, places=place, days=1)
    assert materials.lines[0].amount == square_metres * Decimal("0.85")


def test_a_scaffolding_pays_for_its_exact_area() -> None:
    assert amounts(fee_of(length_m=None, places=(a_place(area_m2="14.01"),), days=1)) == ["16.81", "6.00"]


@pytest.mark.parametrize(("days", "weeks"), [(1, 1), (6, 1), (7, 1), (8, 2), (14, 2), (15, 3), (30, 5)])
def test_a_week_begun_is_due_in_full(days: int, weeks: int) -> None:
    fee = fee_of(kind=Kind.HOARDING, days=days)
    assert fee.lines[0].amount == weeks * 15 * Decimal("3.10")
    assert fee.lines[0].quantity == weeks * 15


@pytest.mark.parametrize("pieces", [1, 2, 50])
def test_what_is_charged_by_piece_is_charged_for_each_piece_and_day_whatever_its_area(pieces: int) -> None:
    fee = fee_of(kind=Kind.SKIP, pieces=pieces, places=(a_place(area_m2="999.00"),), days=3)
    assert fee.lines[0].amount == pieces * 3 * Decimal("14.50")


# --- what a line tells -------------------------------------------------------------------------


def test_each_line_shows_its_quantity_unit_rate_and_text() -> None:
    scaffolding, request = fee_of().lines
    assert (scaffolding.label, scaffolding.explanation) == ("Échafaudage", "14,4 m² × 5 jours × 1,20 €")
    assert (scaffolding.quantity, scaffolding.unit, scaffolding.rate) == (
        Decimal("72.0"),
        "m² × jour",
        Decimal("1.20"),
    )
    assert scaffolding.citation.text == "Délibération n° 2025-118 du 10 décembre 2025, annexe 1 (fictive)"
    assert (request.label, request.quantity, request.unit) == ("Frais de dossier", Decimal(1), "dossier")


@pytest.mark.parametrize(
    ("kind", "days", "explanation"),
    [
        (Kind.HOARDING, 7, "15 m² (pour 14,4 m²) × 1 semaine commencée × 3,10 €"),
        (Kind.HOARDING, 8, "15 m² (pour 14,4 m²) × 2 semaines commencées × 3,10 €"),
        (Kind.SKIP, 1, "1 unité × 1 jour × 14,50 €"),
        (Kind.MATERIALS, 2, "15 m² (pour 14,4 m²) × 2 jours × 0,85 €"),
    ],
)
def test_a_line_is_explained_in_french(kind: Kind, days: int, explanation: str) -> None:
    assert fee_of(kind=kind, days=days).lines[0].explanation == explanation


def test_a_round_quantity_is_written_without_an_exponent() -> None:
    fee = fee_of(length_m="100", width_m="1", places=(a_place(area_m2="100.00"),))
    assert fee.lines[0].explanation == "100 m² × 5 jours × 1,20 €"


# --- once a request ----------------------------------------------------------------------------


def test_the_request_is_charged_once_for_several_occupancies() -> None:
    application = an_application(occupancies=(an_occupancy(), an_occupancy(), an_occupancy()))
    fee = compute_fee(application, (a_place(),) * 3, demo_rulebook(), DECIDED)
    assert amounts(fee) == ["86.40", "86.40", "86.40", "6.00"]
    assert fee.total == Decimal("265.20")


def test_a_single_charge_of_an_occupancy_is_due_once_whatever_the_days_and_scales() -> None:
    once = {"label": "Pose", "kinds": ["skip"], "unit": "piece", "per": "once", "rate": "30.00"}
    dearer = once | {"rate": "99.00"}
    scales = {date(2026, 1, 1): a_scale(once), MONDAY + timedelta(days=1): a_scale(dearer)}
    assert amounts(fee_of(kind=Kind.SKIP, rulebook=a_rulebook_with_scales(scales))) == ["30.00"]


# --- a period that spans two scales ------------------------------------------------------------


def two_scales(since: date) -> Rulebook:
    before = a_scale(PER_M2_DAY, PER_WEEK, PER_REQUEST, name="Tarif A")
    after = a_scale(
        PER_M2_DAY | {"rate": "2.00"}, PER_WEEK | {"rate": "20.00"}, PER_REQUEST | {"rate": "7.00"}, name="Tarif B"
    )
    return a_rulebook_with_scales({date(2026, 1, 1): before, since: after})


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (MONDAY, ["144.00", "7.00"]),  # five days at B
        (MONDAY + timedelta(days=1), ["17.28", "115.20", "6.00"]),  # one day at A, four at B
        (MONDAY + timedelta(days=4), ["69.12", "28.80", "6.00"]),
        (MONDAY + timedelta(days=5), ["86.40", "6.00"]),  # five days at A
    ],
)
def test_each_day_is_charged_at_the_scale_of_that_day(since: date, expected: list[str]) -> None:
    assert amounts(fee_of(rulebook=two_scales(since))) == expected


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (MONDAY, ["60.00", "7.00"]),  # three weeks at B
        (MONDAY + timedelta(days=1), ["10.00", "40.00", "6.00"]),  # the first week began at A
        (MONDAY + timedelta(days=7), ["10.00", "40.00", "6.00"]),
        (MONDAY + timedelta(days=8), ["20.00", "20.00", "6.00"]),
        (MONDAY + timedelta(days=14), ["20.00", "20.00", "6.00"]),
        (MONDAY + timedelta(days=15), ["30.00", "6.00"]),
    ],
)
def test_each_week_is_charged_at_the_scale_of_its_first_day(since: date, expected: list[str]) -> None:
    assert amounts(fee_of(kind=Kind.HOARDING, days=15, rulebook=two_scales(since))) == expected


def test_the_fee_names_each_scale_of_the_period() -> None:
    fee = fee_of(rulebook=two_scales(MONDAY + timedelta(days=2)))
    assert fee.tariff == "Tarif A, puis Tarif B"
    assert fee.total == sum(line.amount for line in fee.lines)


# --- no price is never a zero ------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Kind.CRANE, Kind.SITE_HUT, Kind.TRENCH])
def test_a_kind_without_a_line_has_no_price(kind: Kind) -> None:
    with pytest.raises(NoPrice) as error:
        fee_of(kind=kind)
    assert error.value.kind is kind


def test_a_kind_without_a_line_in_the_second_scale_has_no_price() -> None:
    scales = {date(2026, 1, 1): a_scale(PER_M2_DAY), MONDAY + timedelta(days=4): a_scale(PER_WEEK)}
    with pytest.raises(NoPrice):
        fee_of(days=5, rulebook=a_rulebook_with_scales(scales))
    assert fee_of(days=4, rulebook=a_rulebook_with_scales(scales)).total == Decimal("69.12")


def test_a_change_of_time_base_during_the_period_is_referred_and_never_guessed() -> None:
    weekly = PER_M2_DAY | {"per": "week"}
    scales = {date(2026, 1, 1): a_scale(weekly), MONDAY + timedelta(days=3): a_scale(PER_M2_DAY)}
    with pytest.raises(ChangingBase):
        fee_of(days=7, rulebook=a_rulebook_with_scales(scales))
    assert fee_of(days=3, rulebook=a_rulebook_with_scales(scales)).total > 0


@pytest.mark.parametrize("kind", sorted(Kind))
def test_every_kind_is_either_charged_more_than_nothing_or_has_no_price(kind: Kind) -> None:
    try:
        fee = fee_of(kind=kind)
    except NoPrice:
        assert kind in {Kind.CRANE, Kind.SITE_HUT, Kind.TRENCH}
    else:
        assert fee.lines[0].amount > 0


def test_a_kind_the_tariff_forgets_is_referred_without_a_fee() -> None:
    decision = decide(an_application(), some_facts(), a_rulebook(PER_WEEK, PER_REQUEST))
    assert isinstance(decision, Referred)
    assert decision.fee is None
    (ground,) = decision.grounds
    assert ground.rule == "PRICE"
    assert "(échafaudage)" in ground.message


@pytest.mark.parametrize("ends_after", [0, 4])
def test_an_abrogated_scale_refers_to_a_person(ends_after: int) -> None:
    ended = MONDAY + timedelta(days=ends_after)
    rulebook = a_rulebook_with_scales({date(2026, 1, 1): a_scale(PER_M2_DAY, PER_REQUEST), ended: None})
    decision = decide(an_application(), some_facts(), rulebook)
    assert isinstance(decision, Referred)
    assert [ground.rule for ground in decision.grounds] == ["PRICE"]
    assert decision.fee is None
    assert f"en vigueur le {ended.day} janvier 2027" in decision.grounds[0].message


def test_a_scale_abrogated_after_the_last_day_changes_nothing() -> None:
    ended = MONDAY + timedelta(days=5)
    rulebook = a_rulebook_with_scales({date(2026, 1, 1): a_scale(PER_M2_DAY, PER_REQUEST), ended: None})
    assert isinstance(decide(an_application(), some_facts(), rulebook), Granted)


def test_a_period_before_the_first_scale_has_no_price() -> None:
    rulebook = a_rulebook_with_scales({MONDAY + timedelta(days=1): a_scale(PER_M2_DAY)})
    with pytest.raises(NotInForce):
        fee_of(rulebook=rulebook)


# --- properties --------------------------------------------------------------------------------

unhurried = settings(deadline=None)
PRICED = sorted(set(Kind) - {Kind.CRANE, Kind.SITE_HUT, Kind.TRENCH})
AREAS = st.decimals(min_value="0.04", max_value="5000", places=2)
LENGTHS = st.none() | st.decimals(min_value="0.01", max_value="500", places=2)
DAYS = st.integers(min_value=1, max_value=60)
SCALE_DAYS = st.integers(min_value=0, max_value=40).map(lambda days: MONDAY + timedelta(days=days))


@st.composite
def occupied(draw: st.DrawFn) -> tuple[Any, PlaceFacts]:
    occupancy = an_occupancy(
        kind=draw(st.sampled_from(PRICED)),
        length_m=draw(LENGTHS),
        width_m=draw(LENGTHS),
        pieces=draw(st.integers(min_value=1, max_value=50)),
    )
    return occupancy, a_place(area_m2=draw(AREAS))


def fee_of_all(asked: list[tuple[Any, PlaceFacts]], days: int, rulebook: Rulebook) -> Fee:
    application = an_application(
        starts_on=MONDAY,
        ends_on=MONDAY + timedelta(days=days - 1),
        occupancies=tuple(occupancy for occupancy, _ in asked),
    )
    return compute_fee(application, tuple(place for _, place in asked), rulebook, DECIDED)


@unhurried
@given(asked=st.lists(occupied(), min_size=1, max_size=4), days=DAYS)
def test_the_total_is_the_sum_of_lines_that_are_whole_cents_and_never_negative(
    asked: list[tuple[Any, PlaceFacts]], days: int
) -> None:
    fee = fee_of_all(asked, days, demo_rulebook())
    assert fee.total == sum(line.amount for line in fee.lines)
    assert all(line.amount >= 0 and line.amount.as_tuple().exponent == -2 for line in fee.lines)
    assert all(abs(line.quantity * line.rate - line.amount) <= Decimal("0.005") for line in fee.lines)
    assert fee.total > Decimal("6.00")
    assert len(fee.lines) == len(asked) + 1


@unhurried
@given(asked=st.lists(occupied(), min_size=2, max_size=3), days=DAYS)
def test_the_order_of_the_occupancies_does_not_change_the_total(asked: list[tuple[Any, PlaceFacts]], days: int) -> None:
    totals = {fee_of_all(list(order), days, demo_rulebook()).total for order in permutations(asked)}
    assert len(totals) == 1


@unhurried
@given(asked=occupied(), days=DAYS, since=SCALE_DAYS)
def test_the_fee_never_falls_when_a_day_is_added(asked: tuple[Any, PlaceFacts], days: int, since: date) -> None:
    occupancy, place = asked
    for rulebook in (demo_rulebook(), two_scales(since)):
        kind = occupancy.kind if rulebook is demo_rulebook() else Kind.HOARDING
        pair = (occupancy.model_copy(update={"kind": kind}), place)
        assert fee_of_all([pair], days + 1, rulebook).total >= fee_of_all([pair], days, rulebook).total


@unhurried
@given(asked=occupied(), more=AREAS, days=DAYS)
def test_the_fee_never_falls_when_the_drawing_grows(asked: tuple[Any, PlaceFacts], more: Decimal, days: int) -> None:
    occupancy, place = asked
    larger = a_place(area_m2=place.footprint.area_m2 + more)
    before = fee_of_all([(occupancy, place)], days, demo_rulebook())
    assert fee_of_all([(occupancy, larger)], days, demo_rulebook()).total >= before.total


@unhurried
@given(asked=occupied(), days=DAYS, since=SCALE_DAYS)
def test_days_before_and_after_a_change_of_scale_add_up_to_the_period(
    asked: tuple[Any, PlaceFacts], days: int, since: date
) -> None:
    occupancy, place = asked
    pair = (occupancy.model_copy(update={"kind": Kind.SCAFFOLDING}), place)
    *by_day, _ = fee_of_all([pair], days, two_scales(since)).lines
    at_a = min(days, (since - MONDAY).days)
    area = billed_area_m2(occupancy, place.footprint.area_m2, TOLERANCE)
    at_b = days - at_a
    assert [line.quantity for line in by_day] == [n * area for n in (at_a, at_b) if n]
    assert [line.rate for line in by_day] == [Decimal(rate) for n, rate in ((at_a, "1.20"), (at_b, "2.00")) if n]


def test_a_scale_cites_its_own_text_on_each_line() -> None:
    fee = fee_of(rulebook=two_scales(MONDAY + timedelta(days=2)))
    assert all(line.citation == TEXT for line in fee.lines)


@pytest.mark.parametrize("places", [0, 1, 3])
def test_every_occupancy_needs_its_own_measure(places: int) -> None:
    application = an_application(occupancies=(an_occupancy(), an_occupancy()))
    assert compute_fee(application, (a_place(),) * 2, demo_rulebook(), DECIDED).total == Decimal("178.80")
    with pytest.raises(ValueError, match=r"zip\(\)"):
        compute_fee(application, (a_place(),) * places, demo_rulebook(), DECIDED)
