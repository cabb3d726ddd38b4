"""The page behind a QR code: what an act is worth on the day somebody looks, without anything it may not show."""

import re
from datetime import date, datetime
from typing import Any

import pytest

from permits import acts
from permits.document.errors import PrintError
from permits.domain.calendar import PARIS
from tests.acting import BREACH, BY, CHANGE, HEARING, ILLEGAL, MARKET, REASONS
from tests.fakes import SIRET, request_body
from tests.web.conftest import Api, plain
from tests.web.test_acts import abrogate, correct, issued, refuse, withdraw


@pytest.fixture(autouse=True)
def under_the_seal_of_a_city(api: Api) -> None:
    """What these tests issue is real, unless they say otherwise."""
    api.office.press.is_specimen = False


def page_of(api: Api, verification_url: str) -> str:
    """Return the page behind a code, its unbreakable spaces as plain ones."""
    response = api.client.get("/v/" + verification_url.rsplit("/", 1)[1])
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Robots-Tag"] == "noindex"
    return plain(response.text)


def standing_of(api: Api, verification_url: str) -> tuple[str, str]:
    """Return the state and the sentence that tells it."""
    _, _, after = page_of(api, verification_url).partition('data-band="')
    state, _, rest = after.partition('"')
    return state, re.sub("<[^>]*>", "", rest.partition('<p class="sentence">')[2].partition("</p>")[0])


def at(api: Api, day: date, hour: int = 12, minute: int = 0) -> None:
    """Move the clock to that time in Paris."""
    api.office.clock.now = datetime(day.year, day.month, day.day, hour, minute, tzinfo=PARIS)


BY_WHAT = "Permis abrogé par l’acte EXA-2026-000001 :"
LAST = f"{BY_WHAT} son dernier jour est le 13 janvier 2027."
OVER = f"{BY_WHAT} il n’autorise plus rien, son dernier jour était le 13 janvier 2027."


@pytest.mark.parametrize(
    ("day", "state", "words"),
    [
        (date(2027, 1, 13), "ending", LAST),
        (date(2027, 1, 14), "abrogated", OVER),
        (date(2027, 1, 20), "abrogated", OVER),
    ],
    ids=["on the eve", "on the day", "after its former end"],
)
def test_an_abrogated_permit_is_told_good_until_the_eve_and_bad_from_the_day(
    api: Api, day: date, state: str, words: str
) -> None:
    permit = issued(api)
    abrogate(api, permit["number"])
    at(api, day)

    assert standing_of(api, permit["verification_url"]) == (state, words)


def test_the_day_changes_at_midnight_in_paris(api: Api) -> None:
    permit = issued(api)
    abrogate(api, permit["number"])
    at(api, date(2027, 1, 13), 23, 59)
    assert standing_of(api, permit["verification_url"])[0] == "ending"
    api.office.clock.move(minutes=1)
    assert standing_of(api, permit["verification_url"])[0] == "abrogated"


def test_a_permit_abrogated_before_its_start_never_allowed_anything(api: Api) -> None:
    permit = issued(api)
    abrogate(api, permit["number"], 11)

    told = "Permis abrogé avant son début par l’acte EXA-2026-000001 : il n’autorise rien."
    assert standing_of(api, permit["verification_url"]) == ("abrogated", told)


@pytest.mark.parametrize(
    ("end", "state", "words"),
    [
        (withdraw, "withdrawn", "Permis retiré par l’acte EXA-2026-000001 : il est réputé n’avoir jamais existé."),
        (correct, "superseded", "Permis remplacé par le permis EX-2026-000002, qui seul fait foi."),
    ],
    ids=["withdrawn", "superseded"],
)
@pytest.mark.parametrize("day", [date(2026, 12, 2), date(2027, 1, 12), date(2027, 2, 1)])
def test_a_withdrawn_or_replaced_permit_is_bad_on_every_day(
    api: Api, end: Any, state: str, words: str, day: date
) -> None:
    permit = issued(api)
    end(api, permit["number"])
    at(api, day)

    assert standing_of(api, permit["verification_url"]) == (state, words)


def test_the_page_of_what_was_replaced_leads_to_what_replaces_it(api: Api) -> None:
    permit = issued(api)
    corrected = correct(api, permit["number"])
    page = page_of(api, permit["verification_url"])

    assert f'<a href="/v/{corrected.code}">Voir le permis <span class="number">{corrected.number}</span></a>' in page
    assert "Voir le permis" not in page_of(api, corrected.payload.verification_url)


def test_a_correction_is_a_permit_like_another(api: Api) -> None:
    corrected = correct(api, issued(api)["number"])
    at(api, date(2027, 1, 12))

    told = "Permis délivré, en vigueur jusqu’au 15 janvier 2027 inclus."
    assert standing_of(api, corrected.permit.verification_url) == ("in_force", told)


def test_an_annulled_number_allows_nothing(api: Api) -> None:
    api.office.press.broken = PrintError("encre")
    permit = issued(api)
    waiting = "Cet acte est en cours d’établissement : il n’est pas encore délivré."
    assert standing_of(api, permit["verification_url"]) == ("being_made", waiting)

    acts.annul(api.office.desk, permit["number"], "le document ne se compose pas", BY)
    told = "Ce numéro a été annulé : il n’autorise rien."
    assert standing_of(api, permit["verification_url"]) == ("annulled", told)
    assert "Empreinte" not in page_of(api, permit["verification_url"])


def test_an_unsealed_abrogation_changes_nothing_on_the_permit_s_page(api: Api) -> None:
    permit = issued(api)
    at(api, date(2027, 1, 11))
    before = standing_of(api, permit["verification_url"])
    api.office.press.broken = PrintError("encre")
    stuck = acts.abrogate(api.office.desk, permit["number"], BREACH, date(2027, 1, 12), BY)
    at(api, date(2027, 1, 12))

    assert before[0] == "in_force"
    assert standing_of(api, permit["verification_url"]) == before
    told = "Cet acte est en cours d’établissement : il n’est pas encore délivré."
    assert standing_of(api, stuck.payload.verification_url) == ("being_made", told)


@pytest.mark.parametrize(
    ("end", "title", "about", "effect"),
    [
        (abrogate, "Abrogation", "permis EX-2026-000001 du 1er décembre 2026", "à compter du 14 janvier 2027"),
        (withdraw, "Retrait", "permis EX-2026-000001 du 1er décembre 2026", None),
    ],
    ids=["abrogation", "withdrawal"],
)
def test_a_ruling_has_a_page_that_names_the_permit_it_ends(
    api: Api, end: Any, title: str, about: str, effect: str | None
) -> None:
    ender = end(api, issued(api)["number"])
    page = page_of(api, ender.payload.verification_url)

    told = "Acte délivré. Il n’autorise aucune occupation."
    assert standing_of(api, ender.payload.verification_url) == ("ruling", told)
    assert title in page and ender.number in page and about in page
    assert ender.document_sha256 in page
    assert "SPÉCIMEN" not in page
    assert ("<dt>Effet</dt>" in page) == (effect is not None)
    assert effect is None or effect in page


def test_the_page_of_a_ruling_shows_neither_its_motives_nor_who_it_is_about(api: Api) -> None:
    _, refusal = refuse(api)
    withdrawal = acts.withdraw(api.office.desk, issued(api)["number"], ILLEGAL, BY)

    for ruling in (refusal, withdrawal):
        page = page_of(api, ruling.payload.verification_url)
        for words in (MARKET.fact, *ILLEGAL.facts, HEARING, SIRET, "ECHAFAUDAGES", BY, *REASONS, CHANGE["worksite"]):
            assert words not in page
        assert ruling.number in page


TRIAL = "Spécimen : il n’autorise rien. Dans cet essai, permis "
NOTICE = "SPÉCIMEN : acte d’essai, sans effet."


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2027, 1, 10), "délivré ; il prend effet le 11 janvier 2027."),
        (date(2027, 1, 11), "délivré, en vigueur jusqu’au 15 janvier 2027 inclus."),
        (date(2027, 1, 16), "délivré ; il a pris fin le 15 janvier 2027."),
    ],
    ids=["before", "during", "after"],
)
def test_a_specimen_is_never_good_on_any_day(api: Api, day: date, words: str) -> None:
    api.office.press.is_specimen = True
    permit = issued(api)
    # As in a city where the sandbox is sealed like the rest: what the act says of itself is what counts.
    api.office.press.is_specimen = False
    at(api, day)

    assert standing_of(api, permit["verification_url"]) == ("specimen", TRIAL + words)
    page = page_of(api, permit["verification_url"])
    assert NOTICE in page and "cachet" not in page


def test_a_real_permit_is_good_on_the_same_day(api: Api) -> None:
    """The control of the test above."""
    permit = issued(api)
    at(api, date(2027, 1, 11))

    told = "Permis délivré, en vigueur jusqu’au 15 janvier 2027 inclus."
    assert standing_of(api, permit["verification_url"]) == ("in_force", told)
    assert "SPÉCIMEN" not in page_of(api, permit["verification_url"])


def test_a_specimen_that_was_ended_stays_bad_and_its_ruling_has_no_effect(api: Api) -> None:
    api.office.press.is_specimen = True
    permit = issued(api)
    ender = withdraw(api, permit["number"])

    undone = "retiré par l’acte EXA-2026-000001 : il est réputé n’avoir jamais existé."
    assert standing_of(api, permit["verification_url"]) == ("withdrawn", TRIAL + undone)
    nothing = "Spécimen : il n’a aucun effet. Dans cet essai, acte délivré. Il n’autorise aucune occupation."
    assert standing_of(api, ender.payload.verification_url) == ("specimen", nothing)
    assert NOTICE in page_of(api, ender.payload.verification_url)


def test_the_public_page_tells_the_state_on_the_day_it_is_read(api: Api) -> None:
    answer = api.post().json()
    url = answer["permit"]["verification_url"]
    before = page_of(api, url)
    assert "prend effet le 11 janvier 2027" in before
    assert "ECHAFAUDAGES DU MODELE" in before
    assert answer["permit"]["document_sha256"] in before

    api.office.clock.now = api.office.clock.now.replace(year=2027, month=1, day=15, hour=22, minute=59)
    assert "en vigueur jusqu’au 15 janvier 2027 inclus" in page_of(api, url)
    api.office.clock.move(minutes=1)
    assert "a pris fin le 15 janvier 2027" in page_of(api, url)


def test_the_public_page_holds_no_contact(api: Api) -> None:
    answer = api.post().json()
    page = api.client.get("/v/" + answer["permit"]["verification_url"].rsplit("/", 1)[1]).text

    assert request_body()["contact"]["email"] not in page
    assert request_body()["contact"]["phone"] not in page


def test_an_unknown_code_is_never_called_authentic(api: Api) -> None:
    response = api.client.get("/v/" + "x" * 22)

    assert response.status_code == 404
    assert "authentique" not in response.text and "délivré par ce service" in response.text


def test_markup_in_an_application_is_text_on_the_page(api: Api) -> None:
    body = request_body()
    body["occupancies"][0]["place"]["address"] = "<script>alert(1)</script>"
    answer = api.post(body).json()
    page = api.client.get("/v/" + answer["permit"]["verification_url"].rsplit("/", 1)[1]).text

    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
