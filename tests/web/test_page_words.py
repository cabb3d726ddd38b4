"""What the page behind a code says is what the act says, in the same words and the same typography."""

import html
import re
from dataclasses import replace
from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest

from permits import acts
from permits.domain.act import Act
from permits.domain.french import MONTHS
from permits.domain.permit import Beneficiary, DailyWindow
from permits.web import pages
from tests.acting import (
    BREACH,
    BY,
    CHANGE,
    HEARING,
    ILLEGAL,
    MARKET,
    REASONS,
    extension_of,
    permit_of,
    referred,
    with_authority,
)
from tests.document.sample import occupancy, sample_permit
from tests.web.conftest import Api
from tests.web.test_public import at

NARROW, NO_BREAK = "\u202f", "\u00a0"
A_MONTH = "|".join(MONTHS)

FAULTS = {
    "a straight apostrophe": r"'",
    "no thin space before ; ! ?": rf"[^{NARROW}][;!?](?=\s)",
    "no unbreakable space before :": rf"[^{NO_BREAK}]:(?=\s)",
    "no unbreakable space inside « »": rf"«[^{NO_BREAK}]|[^{NO_BREAK}]»",
    "a space before a comma or a full stop": r"\s[,.](?=\s)",
    "a number that may leave its word": r"\b(?:n°|art\.|[LRD]\.) \S",
    "a date that may break": rf"\d(?:er)? (?:{A_MONTH})|(?:{A_MONTH}) \d",
    "a first of the month written as a number": rf"\b1\s(?:{A_MONTH})",
    "a unit that may leave its figure": r"\d (?:€|m²|m|t|h|jours?)\b",
    "a day or an hour as a machine writes it": r"\d{4}-\d\d-\d\d|\d\d:\d\d",
    "a SIRET in one block": r"\b\d{14}\b",
    "three dots": r"\.\.\.",
}  # fmt: skip


def text_of(page: str) -> str:
    """Return what a page says, without its code; a line of it is a line of its source."""
    body = re.sub(r"<(script|template|pre|code)\b.*?</\1>", "…", page.partition("<body>")[2], flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]*>", "", re.sub(r"<br>|</(?:dt|dd|th|td|p)>", "\n", body)))


def faults_in(text: str) -> dict[str, list[str]]:
    found = {name: [text[max(0, m.start() - 20) : m.end() + 20] for m in re.finditer(fault, text)]
             for name, fault in FAULTS.items()}  # fmt: skip
    return {name: places for name, places in found.items() if places}


def page_with(api: Api, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> str:
    """Return what the page of a permit says, whose payload is that of the sample, changed as told."""
    act = replace(permit_of(api.office), payload=sample_permit(**changes))
    monkeypatch.setattr(api.office.register, "act_by_code", lambda code: act)
    return text_of(api.client.get(f"/v/{act.code}").text)


def test_each_figure_of_the_act_is_on_its_page(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    said = page_with(
        api,
        monkeypatch,
        occupancies=(
            occupancy(label="benne", pieces=2, vehicle_tonnes=Decimal("19"), height_m=None),
            occupancy(length_m=Decimal("8.5"), width_m=None, height_m=Decimal("9.5"), footway_clear_width_m=None),
            occupancy(label="clôture", length_m=None, width_m=None, height_m=None, area_m2=Decimal("1234.5")),
        ),
        daily_hours=DailyWindow(starts=time(7, 30), ends=time(19)),
        starts_on=date(2027, 3, 1),
        ends_on=date(2027, 3, 1),
        beneficiary=Beneficiary(name="BENNES DE L'OUEST", siret="73282932000074", address=(), protected=False),
    ).replace(NO_BREAK, " ")

    for words in (
        "Benne × 2, véhicule de 19 t\n",
        "longueur 8,50 m, hauteur 9,50 m (",
        f"selon le plan (1{NARROW}234,50 m²)",
        "Le 1er mars 2027, de 7 h 30 à 19 h\n",
        "BENNES DE L’OUEST\nSIRET 732 829 320 00074\n",
    ):
        assert words in said


def test_a_permit_without_hours_says_day_and_night(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "jour et nuit" in page_with(api, monkeypatch, daily_hours=None)


def codes(api: Api) -> dict[str, Act]:
    """Return an act of each state on 17 January 2027, when the first of them is extended."""
    office, desk = api.office, api.office.desk
    office.press.is_specimen = False
    extended = permit_of(office)
    found = {"extended": extended, "extension": extension_of(office, extended, date(2027, 1, 20))}
    found["not yet"] = permit_of(office, starts_on="2027-02-01", ends_on="2027-02-05")
    withdrawn = permit_of(office, starts_on="2027-02-08", ends_on="2027-02-12")
    found |= {"withdrawn": withdrawn, "withdrawal": acts.withdraw(desk, withdrawn.number, ILLEGAL, BY)}
    ending = permit_of(office, starts_on="2027-01-25", ends_on="2027-01-29")
    found |= {"ending": ending, "abrogation": acts.abrogate(desk, ending.number, BREACH, date(2027, 1, 27), BY)}
    replaced = permit_of(office, starts_on="2027-02-15", ends_on="2027-02-19")
    found |= {"replaced": replaced, "correction": acts.correct(desk, replaced.number, CHANGE, REASONS, BY)}
    found["refusal"] = acts.refuse(desk, referred(office), (MARKET,), HEARING, BY)
    office.press.is_specimen = True
    found["specimen"] = permit_of(office, starts_on="2027-03-01", ends_on="2027-03-01")
    return found


def test_every_page_of_verification_is_well_set(api: Api) -> None:
    found = codes(api)
    paths = {name: f"/v/{act.code}" for name, act in found.items()}
    paths["a trace"] = f"/v/{found['extension'].code}/trace"
    at(api, date(2027, 1, 17))
    others = ("/v/unknown", "/verifier", "/patrouille", "/", "/reglement", "/problemes/place_too_far")
    for name, path in (paths | {path: path for path in others}).items():
        assert faults_in(text_of(api.client.get(path).text)) == {}, name


def test_the_sentences_of_a_file_are_well_set(api: Api) -> None:
    for act in codes(api).values():
        found: Any = api.client.get(f"/v1/documents/{act.document_sha256}").json()
        assert faults_in(f"{found['title']}\n{found['word']}\n{found['sentence']}\n") == {}


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ("l'acte", "a straight apostrophe"),
        ("fin ; suite", "no thin space before ; ! ?"),
        ("fin: suite", "no unbreakable space before :"),
        ("fin : suite", "no unbreakable space before :"),
        ("« mot »", "no unbreakable space inside « »"),
        ("fin , suite", "a space before a comma or a full stop"),
        ("n° 12", "a number that may leave its word"),
        ("le 3 mars", "a date that may break"),
        ("le 1\u00a0mars", "a first of the month written as a number"),
        ("12 m", "a unit that may leave its figure"),
        ("07:30", "a day or an hour as a machine writes it"),
        ("73282932000074", "a SIRET in one block"),
        ("etc...", "three dots"),
    ],
)
def test_each_fault_is_seen(wrong: str, fault: str) -> None:
    assert fault in faults_in(f"{wrong}\n")


def test_what_is_quoted_as_code_is_not_typeset(api: Api) -> None:
    assert "Authorization: Bearer" in api.client.get("/").text


def test_another_authority_than_a_commune_is_called_by_its_own_name(api: Api) -> None:
    identity = api.office.desk.law.rulebook.authority.identity
    named = identity.model_copy(update={"name": "Métropole d'Exemple", "article_name": "la métropole d'Exemple"})
    with_authority(api.office, identity=named)
    api.client.app.state.context = replace(api.client.app.state.context, desk=api.office.desk)  # type: ignore[attr-defined]

    unknown = text_of(api.client.get("/v/unknown").text)
    assert "Aucun acte délivré par la métropole d’Exemple ne porte ce code." in unknown
    for template in pages.TEMPLATES.glob("*.html"):
        assert "commune" not in template.read_text(), template.name
