"""What an application may hold: nothing unknown, nothing invisible, nothing out of bounds."""

import unicodedata
from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from permits.domain.application import Application, Contact, DailyHours, FiledApplication, Kind, Occupancy
from permits.domain.canonical import canonical_json
from permits.domain.model import PlainText
from permits.domain.place import Polygon
from tests.domain.builders import FOOTPRINT, PLACE, a_filed_application, an_application, an_occupancy

TEXT: TypeAdapter[str] = TypeAdapter(PlainText)


def as_json(application: Application) -> dict[str, Any]:
    return application.model_dump(mode="json")


def refusal_of(kind: type[Application], body: dict[str, Any]) -> tuple[Any, ...]:
    """The place of the one thing refused in `body`."""
    with pytest.raises(ValidationError) as error:
        kind.model_validate(body)
    found, *echoes = error.value.errors()
    # A fault in the only occupancy makes pydantic add that there is none.
    assert all(echo["type"] == "too_short" and echo["loc"] == ("occupancies",) for echo in echoes)
    return found["loc"]


# --- unknown keys ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        (),
        ("occupancies", 0),
        ("occupancies", 0, "place"),
        ("occupancies", 0, "place", "footprint"),
        ("insurance",),
        ("daily_hours",),
        ("contact",),
    ],
)
def test_an_unknown_key_is_refused_wherever_it_is(path: tuple[str | int, ...]) -> None:
    body = as_json(a_filed_application())
    assert FiledApplication.model_validate(body) == a_filed_application()
    inner: Any = body
    for step in path:
        inner = inner[step]
    inner["unknown"] = 1
    assert refusal_of(FiledApplication, body) == (*path, "unknown")


@pytest.mark.parametrize("missing", ["siret", "worksite", "starts_on", "ends_on", "occupancies"])
def test_what_is_needed_is_asked_for(missing: str) -> None:
    body = as_json(an_application())
    del body[missing]
    assert refusal_of(Application, body) == (missing,)


@pytest.mark.parametrize("missing", ["kind", "place", "anchored_in_ground", "parking_spaces_taken", "lane_closed"])
def test_what_decides_of_the_kind_of_act_is_never_assumed(missing: str) -> None:
    body = as_json(an_application())
    del body["occupancies"][0][missing]
    assert refusal_of(Application, body) == ("occupancies", 0, missing)


# --- text --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "character",
    [
        *("\x00", "\x07", "\x1b", "\x7f", "\x80", "\x9f"),  # controls
        *("\u202a", "\u202d", "\u202e", "\u2066", "\u2067", "\u2069", "\u200e", "\u200f", "\u061c"),  # direction
        *("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u180e"),  # zero width
        *("\U000e0001", "\U000e0041"),  # tags
        *("\ue000", "\U000f0000"),  # private use
        *("\ud800", "\udfff"),  # lone surrogates
        *("\u0378", "\uffff"),  # unassigned
        *("\u034f", "\u115f", "\u1160", "\u17b4", "\u180b", "\u2800", "\u3164", "\ufe0f", "\uffa0", "\U000e0100"),
    ],
    ids=lambda character: f"U+{ord(character):04X}",
)
def test_a_character_that_nobody_sees_is_refused(character: str) -> None:
    for text in (f"rue{character}du Four", f"{character}rue", f"rue{character}", character * 3):
        with pytest.raises(ValidationError, match=f"caractère interdit U\\+{ord(character):04X}"):
            TEXT.validate_python(text)


@pytest.mark.parametrize(
    "text",
    [
        "façade 12 rue de l’Œuvre",
        "DP 029 019 26 00123",
        "12 bis, quai d'Aiguillon – 2e étage (côté n° 5) : « ravalement » 50 % & 3 €",
        "Straße Łódź Ñandú Kərimov 東京 Ελλάδα улица",
        "¼ · × ² ½",
    ],
)
def test_text_that_everybody_sees_is_kept_as_it_is(text: str) -> None:
    assert TEXT.validate_python(text) == text


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("rue E\u0301glise", "rue Église"),  # NFC
        ("  rue   du\tFour ", "rue du Four"),
        ("rue\u00a0du\u202fFour", "rue du Four"),
        ("rue\ndu\r\nFour", "rue du Four"),  # one line
        ("rue\u2028du\u2029Four\x85gris", "rue du Four gris"),
        ("\u212b", "Å"),  # the Ångström sign
    ],
)
def test_text_is_kept_on_one_line_in_one_form(written: str, kept: str) -> None:
    assert TEXT.validate_python(written) == kept


@given(st.text(max_size=60))
def test_accepted_text_is_normal_stable_and_visible(text: str) -> None:
    try:
        kept = TEXT.validate_python(text)
    except ValidationError:
        return
    assert kept == unicodedata.normalize("NFC", kept) == TEXT.validate_python(kept)
    assert all(unicodedata.category(each)[0] not in "C" for each in kept)
    assert kept == " ".join(kept.split())


@pytest.mark.parametrize("worksite", ["", "  ", "ab", "  a  ", "\u3164" * 3, "x" * 201])
def test_a_worksite_has_3_to_200_visible_characters(worksite: str) -> None:
    assert refusal_of(Application, as_json(an_application()) | {"worksite": worksite}) == ("worksite",)


def test_the_length_of_a_worksite_is_that_of_what_is_kept() -> None:
    assert an_application(worksite="   " + "x" * 200 + "   ").worksite == "x" * 200
    assert an_application(worksite="e\u0301" * 200).worksite == "é" * 200
    assert an_application(worksite="abc").worksite == "abc"


@pytest.mark.parametrize(
    ("path", "least", "most"),
    [
        (("urbanism_file",), 3, 40),
        (("insurance", "insurer"), 2, 100),
        (("insurance", "policy"), 1, 60),
        (("occupancies", 0, "place", "address"), 3, 200),
        (("worksite",), 3, 200),
    ],
)
def test_each_text_is_held_in_its_lengths(path: tuple[str | int, ...], least: int, most: int) -> None:
    for length, accepted in [(least - 1, False), (least, True), (most, True), (most + 1, False)]:
        body = as_json(an_application())
        inner: Any = body
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = "é" * length
        if accepted:
            assert "é" * length in canonical_json(Application.model_validate(body))
        else:
            assert refusal_of(Application, body) == path


# --- SIRET -------------------------------------------------------------------------------------


def test_a_siret_may_be_written_with_spaces() -> None:
    assert an_application(siret="999 990 013 00024").siret == "99999001300024"
    assert an_application(payer_siret="999 990 021 00019").payer_siret == "99999002100019"


@pytest.mark.parametrize("field", ["siret", "payer_siret"])
@pytest.mark.parametrize("written", ["0" * 14, "9999900130002", "99999001300024X"])
def test_a_siret_of_another_shape_is_refused(field: str, written: str) -> None:
    assert refusal_of(Application, as_json(an_application()) | {field: written}) == (field,)


# --- occupancies and figures -------------------------------------------------------------------


@pytest.mark.parametrize(("count", "accepted"), [(0, False), (1, True), (10, True), (11, False)])
def test_one_to_ten_occupancies_are_asked_for_at_once(count: int, accepted: bool) -> None:
    body = as_json(an_application()) | {"occupancies": [an_occupancy().model_dump(mode="json")] * count}
    if accepted:
        assert len(Application.model_validate(body).occupancies) == count
    else:
        assert refusal_of(Application, body) == ("occupancies",)


@pytest.mark.parametrize(
    ("field", "accepted", "refused"),
    [
        ("length_m", ["0.01", "500", 12, 1.2, None], ["0", "-1", "500.01", "1.234", "NaN", "Infinity", "12,5", True]),
        ("width_m", ["0.01", "500"], ["0", "-0.01", "500.01", "0.001"]),
        ("height_m", ["0.01", "500"], ["0", "-0.01", "500.01", "0.001"]),
        ("pieces", [1, 50], [0, -1, 51, 1.5, None, "deux", "2", True]),
        ("vehicle_tonnes", ["0.01", "3.5", "199.99", "200", None], ["0", "-3.5", "200.01", "3.555"]),
        ("footway_clear_width_m", ["0", "1.40", "100", None], ["-0.01", "100.01", "1.405"]),
        ("parking_spaces_taken", [0, 100], [-1, 101, 0.5, None, "1", True]),
        ("anchored_in_ground", [True, False], [None, "peut-être", "non", 0]),
        ("lane_closed", [True, False], [None, "peut-être", "non", 0]),
        ("kind", ["scaffolding", "trench"], ["terrasse", "", None, "Scaffolding"]),
    ],
)
def test_each_figure_is_held_in_its_bounds(field: str, accepted: list[Any], refused: list[Any]) -> None:
    body = an_occupancy().model_dump(mode="json")
    for value in accepted:
        assert getattr(Occupancy.model_validate(body | {field: value}), field) is not ...
    for value in refused:
        with pytest.raises(ValidationError) as error:
            Occupancy.model_validate(body | {field: value})
        assert [found["loc"] for found in error.value.errors()] == [(field,)], value


def test_a_json_number_keeps_the_figures_that_were_written() -> None:
    occupancy = Occupancy.model_validate_json(an_occupancy().model_dump_json().replace('"1.2"', "1.2"))
    assert occupancy.width_m == Decimal("1.2")


# --- days and hours ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written", ["2027-02-29", "2027-13-01", "11/01/2027", "2027-1-1", "demain", 1799625600, "1799625600", None, True]
)
def test_a_day_that_does_not_exist_is_refused(written: Any) -> None:
    assert refusal_of(Application, as_json(an_application()) | {"starts_on": written}) == ("starts_on",)


@pytest.mark.parametrize("written", ["2027-01-11T00:00:00", "2027-01-11T00:00:00Z", "2027-01-11T00:00:00+05:00"])
def test_an_instant_is_not_a_day(written: str) -> None:
    assert refusal_of(Application, as_json(an_application()) | {"ends_on": written}) == ("ends_on",)


@pytest.mark.parametrize(("ends_on", "days"), [(date(2027, 1, 11), 1), (date(2027, 1, 12), 2), (date(2027, 2, 10), 31)])
def test_both_ends_of_a_period_are_counted(ends_on: date, days: int) -> None:
    application = an_application(ends_on=ends_on)
    assert application.days == days == len(application.each_day())
    assert application.each_day()[0] == date(2027, 1, 11)
    assert application.each_day()[-1] == ends_on


def test_hours_are_written_from_and_to() -> None:
    hours = DailyHours.model_validate({"from": "08:00", "to": "18:30"})
    assert (hours.from_, hours.to) == (time(8), time(18, 30))
    assert hours.model_dump(mode="json") == {"from": "08:00:00", "to": "18:30:00"}


@pytest.mark.parametrize(("start", "end"), [("18:00", "08:00"), ("08:00", "08:00"), ("24:00", "08:00"), ("8h", "18h")])
def test_hours_are_in_order(start: str, end: str) -> None:
    with pytest.raises(ValidationError):
        DailyHours.model_validate({"from": start, "to": end})


@pytest.mark.parametrize(
    ("start", "end"), [("08:00Z", "18:00"), ("08:00", "18:00+02:00"), ("08:00Z", "18:00Z"), (28800, "18:00")]
)
def test_hours_are_those_of_paris_and_name_no_other_zone(start: Any, end: Any) -> None:
    with pytest.raises(ValidationError, match="heure de Paris"):
        DailyHours.model_validate({"from": start, "to": end})


# --- coordinates -------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), "NaN", "Infinity", None])
def test_a_coordinate_is_a_finite_number(value: Any) -> None:
    body = as_json(an_application())
    body["occupancies"][0]["place"]["footprint"]["coordinates"][0][1][0] = value
    where = ("occupancies", 0, "place", "footprint", "coordinates", 0, 1, 0)
    assert refusal_of(Application, body) == where


@pytest.mark.parametrize("position", [[-3.879], [], [-3.879, 48.374, 12.0]])
def test_a_position_is_a_longitude_and_a_latitude(position: list[float]) -> None:
    body = as_json(an_application())
    body["occupancies"][0]["place"]["footprint"]["coordinates"][0][1] = position
    with pytest.raises(ValidationError):
        Application.model_validate(body)


@pytest.mark.parametrize(("points", "accepted"), [(3, False), (4, True), (500, True), (501, False)])
def test_a_ring_has_4_to_500_positions(points: int, accepted: bool) -> None:
    body = as_json(an_application())
    body["occupancies"][0]["place"]["footprint"]["coordinates"] = [[[-3.879, 48.374]] * points]
    if accepted:
        assert Application.model_validate(body).occupancies[0].kind is Kind.SCAFFOLDING
    else:
        assert refusal_of(Application, body)[-2:] == ("coordinates", 0)


@pytest.mark.parametrize(("rings", "accepted"), [(0, False), (1, True), (10, True), (11, False)])
def test_a_polygon_has_1_to_10_rings(rings: int, accepted: bool) -> None:
    ring = FOOTPRINT.coordinates[0]
    if accepted:
        assert len(Polygon(type="Polygon", coordinates=[ring] * rings).coordinates) == rings
    else:
        with pytest.raises(ValidationError):
            Polygon(type="Polygon", coordinates=[ring] * rings)


@pytest.mark.parametrize("kind", ["MultiPolygon", "Point", "polygon", None])
def test_a_footprint_is_a_polygon(kind: Any) -> None:
    body = as_json(an_application())
    body["occupancies"][0]["place"]["footprint"]["type"] = kind
    assert refusal_of(Application, body)[-1] == "type"


# --- contact -----------------------------------------------------------------------------------


def test_the_contact_never_enters_the_application() -> None:
    filed = a_filed_application(contact={"email": "marie@modele.example", "phone": "+33 6 00 00 00 01"})
    kept = filed.without_contact()
    assert type(kept) is Application
    assert kept == an_application()
    assert "marie" in canonical_json(filed)
    assert "contact" in canonical_json(filed)
    for private in ("marie", "modele.example", "+33 6 00 00 00 01", "contact"):
        assert private not in canonical_json(kept)


def test_an_application_does_not_take_a_contact() -> None:
    assert refusal_of(Application, as_json(a_filed_application())) == ("contact",)


@pytest.mark.parametrize(
    ("contact", "accepted"),
    [
        ({}, True),
        ({"email": None, "phone": None}, True),
        ({"email": "marie@modele.fr"}, True),
        ({"phone": "+33 (0)2-99.00.00.01"}, True),
        ({"email": "marie"}, False),
        ({"email": "marie@modele.fr\nBcc: tous@modele.fr"}, False),
        ({"phone": "appelez-moi"}, False),
        ({"phone": "02 99\n"}, False),
        ({"phone": "12345"}, False),
    ],
)
def test_a_contact_is_an_address_and_a_number(contact: dict[str, Any], accepted: bool) -> None:
    if accepted:
        assert Contact.model_validate(contact).model_dump(exclude_none=True).keys() <= contact.keys()
    else:
        with pytest.raises(ValidationError):
            Contact.model_validate(contact)


# --- values ------------------------------------------------------------------------------------


def test_a_value_never_changes() -> None:
    application = an_application()
    with pytest.raises(ValidationError):
        application.siret = "99999002100019"  # type: ignore[misc]


def test_an_application_survives_json() -> None:
    application = an_application(
        payer_siret="99999002100019", occupancies=(an_occupancy(), an_occupancy(kind=Kind.SKIP, place=PLACE, pieces=2))
    )
    assert Application.model_validate_json(application.model_dump_json()) == application
