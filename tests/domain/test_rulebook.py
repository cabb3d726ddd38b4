"""Figures through time, who signs, and what happens where the rulebook says nothing."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from pydantic import ValidationError

from permits.domain.authority import AuthorityFile, Delegation
from permits.domain.dated import Dated, Entry, NotInForce
from permits.domain.decide import decide
from permits.domain.forbidden import ForbiddenPeriod
from permits.domain.limits import Assurance, Limits, limit_values
from permits.domain.permit import Signatory
from permits.domain.rulebook import PrescriptionRule, Rulebook, Zone
from permits.domain.tariff.scale import Item
from tests.domain.builders import TEXT, a_scale, an_application, demo_rulebook, some_facts

FIRST, SECOND, END = date(2026, 1, 1), date(2027, 7, 1), date(2029, 1, 1)
OTHER_TEXT = TEXT.model_copy(update={"text": "Un autre texte (fictif)"})


def a_figure() -> Dated[Decimal]:
    values = {
        SECOND: Entry[Decimal](value=Decimal("1.60"), cites=OTHER_TEXT),
        FIRST: Entry[Decimal](value=Decimal("1.40"), cites=TEXT),
        END: Entry[Decimal](abrogated=True, cites=TEXT),
    }
    return Dated[Decimal](label="Largeur", unit="m", checked_on=FIRST, values=values)


@pytest.mark.parametrize(
    ("day", "value", "since"),
    [
        (FIRST, "1.40", FIRST),
        (SECOND - timedelta(days=1), "1.40", FIRST),
        (SECOND, "1.60", SECOND),
        (END - timedelta(days=1), "1.60", SECOND),
    ],
)
def test_a_figure_holds_from_its_day_until_the_next_one(day: date, value: str, since: date) -> None:
    held = a_figure().on(day)
    assert (held.value, held.since) == (Decimal(value), since)
    assert held.citation == (TEXT if since == FIRST else OTHER_TEXT)


@pytest.mark.parametrize("day", [FIRST - timedelta(days=1), END, END + timedelta(days=3650)])
def test_before_the_first_day_and_once_abrogated_there_is_no_figure(day: date) -> None:
    with pytest.raises(NotInForce, match=f"Largeur has no value in force on {day}") as error:
        a_figure().on(day)
    assert (error.value.name, error.value.day) == ("Largeur", day)


@pytest.mark.parametrize(("value", "abrogated"), [(None, False), (Decimal("1.40"), True)])
def test_an_entry_is_either_a_value_or_an_end(value: Decimal | None, abrogated: bool) -> None:
    with pytest.raises(ValidationError, match="donnez value, ou abrogated"):
        Entry[Decimal](value=value, abrogated=abrogated, cites=TEXT)


def test_zero_is_a_value() -> None:
    assert Entry[Decimal](value=Decimal(0), cites=TEXT).value == 0


def test_a_hole_in_the_rulebook_is_never_a_decision() -> None:
    before = some_facts(received_on=date(2025, 12, 31), decided_on=date(2025, 12, 31))
    with pytest.raises(NotInForce):
        decide(an_application(), before, demo_rulebook())


@pytest.mark.parametrize("limit", sorted(set(Limits.model_fields)))
def test_each_limit_that_is_missing_stops_the_decision(limit: str) -> None:
    figure = getattr(demo_rulebook().limits, limit)
    later = figure.model_copy(update={"values": {date(2030, 1, 1): next(iter(figure.values.values()))}})
    limits = demo_rulebook().limits.model_copy(update={limit: later})
    with pytest.raises(NotInForce, match=figure.label):
        decide(an_application(), some_facts(), demo_rulebook().model_copy(update={"limits": limits}))


def test_the_law_is_that_of_the_day_of_decision() -> None:
    notice = demo_rulebook().limits.notice_working_days
    longer = Entry[int](value=200, cites=TEXT)
    values = {**notice.values, date(2026, 12, 22): longer}
    limits = demo_rulebook().limits.model_copy(
        update={"notice_working_days": notice.model_copy(update={"values": values})}
    )
    rulebook = demo_rulebook().model_copy(update={"limits": limits})
    outcome = {
        day: decide(an_application(), some_facts(decided_on=date(2026, 12, day)), rulebook).outcome for day in (21, 22)
    }
    assert outcome == {21: "granted", 22: "referred"}


def test_every_limit_in_force_is_told_by_its_name() -> None:
    values = limit_values(demo_rulebook().limits, date(2026, 12, 21))
    assert values.keys() == Limits.model_fields.keys()
    assert values["footway_min_clear_width_m"] == Decimal("1.40")
    assert values["applicant_assurance_threshold"] is Assurance.CONFIRMED_EMAIL


def test_assurance_grows_from_nothing_to_a_key() -> None:
    assert [level.code for level in sorted(Assurance)] == [
        "none",
        "confirmed_email",
        "proconnect_siret",
        "key_bound_to_siren",
    ]


def delegations(*spans: tuple[str, str | None, str]) -> Rulebook:
    base = demo_rulebook().authority.signatories[0].signatory
    signatories = tuple(
        Delegation(
            from_day=date.fromisoformat(start),
            to_day=date.fromisoformat(end) if end else None,
            signatory=base.model_copy(update={"name": name}),
        )
        for start, end, name in spans
    )
    authority = demo_rulebook().authority.model_copy(update={"signatories": signatories})
    return demo_rulebook().model_copy(update={"authority": authority})


@pytest.mark.parametrize(
    ("day", "name"),
    [
        ("2025-12-31", None),
        ("2026-01-01", "Un"),
        ("2026-06-30", "Un"),
        ("2026-07-01", None),
        ("2026-08-31", None),
        ("2026-09-01", "Deux"),
        ("2060-01-01", "Deux"),
    ],
)
def test_who_signs_depends_on_the_day_both_ends_included(day: str, name: str | None) -> None:
    rulebook = delegations(("2026-01-01", "2026-06-30", "Un"), ("2026-09-01", None, "Deux"))
    signatory: Signatory | None = rulebook.signatory_on(date.fromisoformat(day))
    assert (signatory.name if signatory else None) == name


@pytest.mark.parametrize(
    "wrong",
    [
        {"unit": "request", "per": "once", "kinds": ["skip"]},
        {"unit": "piece", "per": "day", "kinds": []},
        {"unit": "request", "per": "day", "kinds": []},
        {"unit": "piece", "per": "fortnight", "kinds": ["skip"]},
        {"unit": "piece", "per": "day", "kinds": ["skip"], "free": True},
        {"unit": "piece", "kinds": ["skip"], "per": None},
        {"unit": "piece", "per": "day", "kinds": ["skip"], "rate": None},
        {"unit": "piece", "per": "day", "kinds": ["skip"], "rate": "0"},
        {"unit": "piece", "per": "day", "kinds": ["terrasse"]},
        {"unit": "piece", "per": "day", "kinds": ["skip"], "rate": "-0.01"},
        {"unit": "piece", "per": "day", "kinds": ["skip"], "rate": "0.00001"},
        {"unit": "piece", "per": "day", "kinds": ["skip"], "rate": "100000000.0001"},
    ],
)
def test_a_line_of_the_tariff_is_consistent(wrong: dict[str, object]) -> None:
    right = {"label": "Benne", "unit": "piece", "per": "day", "kinds": ["skip"], "rate": "14.5000"}
    assert Item.model_validate(right).rate == Decimal("14.5")
    assert Item.model_validate(right | {"rate": "999999.9999"}).rate == Decimal("999999.9999")
    with pytest.raises(ValidationError):
        Item.model_validate(right | wrong)


def test_a_forbidden_period_ends_on_its_first_day_or_later() -> None:
    day = date(2027, 7, 10)
    one_day = ForbiddenPeriod(id="x", label="x", zone="marche", from_day=day, to_day=day, cites=TEXT)
    assert one_day.from_day == one_day.to_day
    with pytest.raises(ValidationError, match="to_day précède from_day"):
        ForbiddenPeriod(id="x", label="x", zone="marche", from_day=day, to_day=day - timedelta(days=1), cites=TEXT)


@pytest.mark.parametrize(
    "text",
    [
        "{largeur} m",
        "{automatic_kinds}",
        "{applicant_assurance_threshold}",
        "{} m",
        "{0} m",
        "{footway_min_clear_width_m.real} m",
        "{footway_min_clear_width_m!r} m",
        "{footway_min_clear_width_m:>9} m",
        "{footway_min_clear_width_m m",
        "footway_min_clear_width_m} m",
    ],
)
def test_a_prescription_names_known_figures_and_computes_nothing(text: str) -> None:
    assert PrescriptionRule(id="x", text="{footway_min_clear_width_m} m", cites=TEXT).id == "x"
    with pytest.raises(ValidationError):
        PrescriptionRule(id="x", text=text, cites=TEXT)


def test_a_figure_has_a_label_and_may_be_zero() -> None:
    limits = demo_rulebook().limits.model_dump()
    limits["notice_working_days"]["values"] = {FIRST: {"value": 0, "cites": TEXT}}
    limits["footprint_tolerance_m"]["values"] = {FIRST: {"value": "0", "cites": TEXT}}
    limits["notice_working_days"]["label"] = "Délai"[:3]
    read = Limits.model_validate(limits)
    assert read.notice_working_days.on(FIRST).value == 0
    assert read.footprint_tolerance_m.on(FIRST).value == 0
    limits["notice_working_days"]["label"] = "Dé"
    with pytest.raises(ValidationError, match="at least 3 characters"):
        Limits.model_validate(limits)


@pytest.mark.parametrize("field", ["visas", "considerations"])
def test_an_authority_gives_at_least_one_text_and_one_reason(field: str) -> None:
    authority = demo_rulebook().authority.model_dump()
    AuthorityFile.model_validate(authority | {field: authority[field][:1]})
    with pytest.raises(ValidationError, match=field):
        AuthorityFile.model_validate(authority | {field: ()})


@pytest.mark.parametrize("series", [{"refusals": "R"}, {"abrogations": "AB"}, {"sandbox": "SB"}], ids=str)
def test_an_authority_that_numbers_rulings_gives_the_texts_they_cite(series: dict[str, str]) -> None:
    series = {name: prefix * 2 for name, prefix in series.items()} | {"permits": "EX"}
    authority = demo_rulebook().authority.model_dump() | {"series": series}
    assert AuthorityFile.model_validate(authority).ruling_visas
    with pytest.raises(ValidationError, match="il manque ruling_visas"):
        AuthorityFile.model_validate(authority | {"ruling_visas": ()})
    AuthorityFile.model_validate(authority | {"ruling_visas": (), "series": {"permits": "EX"}})


def test_an_authority_that_ends_permits_says_what_becomes_of_the_fee() -> None:
    authority = demo_rulebook().authority.model_dump()
    with pytest.raises(ValidationError, match="il manque ending_fee_terms"):
        AuthorityFile.model_validate(authority | {"ending_fee_terms": None})
    AuthorityFile.model_validate(authority | {"ending_fee_terms": None, "endings": ()})


def test_a_scale_has_at_least_one_line() -> None:
    with pytest.raises(ValidationError, match="items"):
        a_scale()


def test_what_was_stored_of_an_assurance_keeps_its_meaning() -> None:
    assert {level.code: int(level) for level in Assurance} == {
        "none": 0,
        "confirmed_email": 1,
        "proconnect_siret": 2,
        "key_bound_to_siren": 3,
    }


def test_a_zone_is_closed() -> None:
    ring = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 0.0))
    assert Zone(id="x", label="x", ring=ring).ring == ring
    with pytest.raises(ValidationError, match="la zone x n’est pas fermée"):
        Zone(id="x", label="x", ring=(*ring[:-1], (0.0, 0.1)))
    with pytest.raises(ValidationError, match="finite"):
        Zone(id="x", label="x", ring=(*ring[:-2], (float("nan"), 0.0), (0.0, 0.0)))
