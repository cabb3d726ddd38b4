"""A worksite that was extended: whoever scans the first sign, or checks the first file, is told of the other act."""

import hashlib
import re
from datetime import date
from typing import Any

import pytest

from permits import acts
from permits.document.errors import PrintError
from permits.domain.act import Act
from tests.acting import BREACH, BY, CHANGE, ILLEGAL, REASONS, extension_of, permit_of
from tests.web.conftest import Api, plain
from tests.web.test_public import at, page_of, standing_of

# The first permit runs from 11 to 15 January 2027, its extension to the 20th, that one's own to the 25th.
DURING, EXTENDED, EXTENDED_AGAIN, OVER = (date(2027, 1, day) for day in (12, 17, 22, 26))
ENDED = "Permis délivré ; il a pris fin le 15 janvier 2027"
UNTIL_20 = "Prolongé par le permis EX-2026-000002 jusqu’au 20 janvier 2027 inclus"


@pytest.fixture(autouse=True)
def under_the_seal_of_a_city(api: Api) -> None:
    api.office.press.is_specimen = False


def extended(api: Api) -> tuple[Act, Act]:
    """Return a permit and its extension."""
    permit = permit_of(api.office)
    return permit, extension_of(api.office, permit, date(2027, 1, 20))


def told(api: Api, act: Act, day: date) -> tuple[str, str]:
    """Return what the act's page says on a day, once what is said of its file was found to be the same."""
    at(api, day)
    standing, sentence = standing_of(api, act.permit.verification_url)
    digest = hashlib.sha256(api.office.register.document(act.document_sha256 or "")).hexdigest()
    verdict: Any = api.client.get(f"/v1/documents/{digest}").json()
    assert (verdict["role"], verdict["standing"], plain(verdict["sentence"])) == ("delivered", standing, sentence)
    named = re.search(r"EX-\d{4}-\d+", sentence)
    assert verdict["extended_by"] == (named and named[0])
    return standing, sentence


def leads_to(api: Api, act: Act, other: Act) -> bool:
    return f'href="/v/{other.code}"' in page_of(api, act.payload.verification_url)


def test_the_first_permit_says_that_it_is_extended_once_its_days_are_over(api: Api) -> None:
    permit, extension = extended(api)

    running = f"Permis délivré, en vigueur jusqu’au 15 janvier 2027 inclus. {UNTIL_20}."
    assert told(api, permit, DURING) == ("in_force", running)
    over = f"{UNTIL_20} ; ses propres jours ont pris fin le 15 janvier 2027."
    assert told(api, permit, EXTENDED) == ("extended", over)
    assert leads_to(api, permit, extension)
    assert told(api, extension, EXTENDED)[0] == "in_force"
    after = f"{ENDED}, et sa prolongation EX-2026-000002 le 20 janvier 2027."
    assert told(api, permit, OVER) == ("expired", after)


def test_a_permit_that_nobody_extended_is_expired(api: Api) -> None:
    """The control of all the others."""
    assert told(api, permit_of(api.office), EXTENDED) == ("expired", f"{ENDED}.")


def test_what_follows_an_act_names_it_and_leads_to_it(api: Api) -> None:
    permit, extension = extended(api)
    corrected = acts.correct(api.office.desk, extension.number, CHANGE, REASONS, BY)

    first = page_of(api, extension.payload.verification_url)
    assert "<dt>Prolonge</dt>" in first and "EX-2026-000001</span> du 1er décembre 2026</a>" in first
    assert leads_to(api, extension, permit)
    second = page_of(api, corrected.payload.verification_url)
    assert "<dt>Remplace</dt>" in second and "EX-2026-000002</span> du 1er décembre 2026</a>" in second
    assert leads_to(api, corrected, extension)
    none = page_of(api, permit.payload.verification_url)
    assert "<dt>Prolonge</dt>" not in none and "<dt>Remplace</dt>" not in none


def test_an_extension_of_an_extension_is_told_on_the_days_that_it_adds(api: Api) -> None:
    permit, extension = extended(api)
    again = extension_of(api.office, extension, date(2027, 1, 25))

    assert told(api, permit, EXTENDED)[1].startswith(UNTIL_20)
    for act in (permit, extension):
        standing, sentence = told(api, act, EXTENDED_AGAIN)
        assert standing == "extended"
        assert sentence.startswith("Prolongé par le permis EX-2026-000003 jusqu’au 25 janvier 2027 inclus")
        assert leads_to(api, act, again)
    assert told(api, permit, OVER) == ("expired", f"{ENDED}, et sa prolongation EX-2026-000003 le 25 janvier 2027.")


def test_an_extension_that_was_withdrawn_extends_nothing(api: Api) -> None:
    permit, extension = extended(api)
    acts.withdraw(api.office.desk, extension.number, ILLEGAL, BY)

    assert told(api, permit, EXTENDED) == ("expired", f"{ENDED}.")
    assert not leads_to(api, permit, extension)


def test_an_extension_abrogated_before_it_began_extends_nothing(api: Api) -> None:
    permit, extension = extended(api)
    acts.abrogate(api.office.desk, extension.number, BREACH, date(2027, 1, 16), BY)

    assert told(api, permit, EXTENDED) == ("expired", f"{ENDED}.")


def test_an_extension_cut_short_extends_until_its_own_end(api: Api) -> None:
    permit, extension = extended(api)
    acts.abrogate(api.office.desk, extension.number, BREACH, date(2027, 1, 18), BY)

    standing, sentence = told(api, permit, EXTENDED)
    assert standing == "extended" and "EX-2026-000002 jusqu’au 17 janvier 2027 inclus" in sentence
    after = f"{ENDED}, et sa prolongation EX-2026-000002 le 17 janvier 2027."
    assert told(api, permit, date(2027, 1, 18)) == ("expired", after)


def test_an_extension_that_waits_for_its_seal_extends_nothing_yet(api: Api) -> None:
    permit = permit_of(api.office)
    api.office.press.broken = PrintError("encre")
    extension_of(api.office, permit, date(2027, 1, 20))

    assert told(api, permit, EXTENDED) == ("expired", f"{ENDED}.")


def test_the_correction_of_an_extension_is_what_extends(api: Api) -> None:
    permit, extension = extended(api)
    corrected = acts.correct(api.office.desk, extension.number, CHANGE, REASONS, BY)

    standing, sentence = told(api, permit, EXTENDED)
    assert standing == "extended" and "Prolongé par le permis EX-2026-000003" in sentence
    assert leads_to(api, permit, corrected) and not leads_to(api, permit, extension)


def test_the_extension_of_a_corrected_extension_is_told_on_the_first_permit_s_page(api: Api) -> None:
    permit, extension = extended(api)
    corrected = acts.correct(api.office.desk, extension.number, CHANGE, REASONS, BY)
    again = extension_of(api.office, corrected, date(2027, 1, 25))

    assert told(api, permit, EXTENDED_AGAIN)[0] == "extended"
    assert leads_to(api, permit, again)


def test_a_corrected_permit_keeps_the_extension_of_the_one_it_replaces(api: Api) -> None:
    permit, extension = extended(api)
    corrected = acts.correct(api.office.desk, permit.number, CHANGE, REASONS, BY)

    assert told(api, corrected, EXTENDED)[0] == "extended"
    assert leads_to(api, corrected, extension)
    at(api, EXTENDED)
    replaced = ("superseded", "Permis remplacé par le permis EX-2026-000003, qui seul fait foi.")
    assert standing_of(api, permit.permit.verification_url) == replaced


def test_an_extended_specimen_allows_nothing(api: Api) -> None:
    api.office.press.is_specimen = True
    permit, _ = extended(api)

    standing, sentence = told(api, permit, EXTENDED)
    assert standing == "specimen" and sentence.startswith("Spécimen : il n’autorise rien.")
