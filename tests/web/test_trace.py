"""How a decision was taken is told to whoever holds its code (CRPA art. R311-3-1-2), and whom it must not name."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from permits import acts
from permits.domain.act import Act
from permits.domain.dated import Entry
from permits.domain.retention import DEFAULT_RETENTION
from permits.register.purge import purge
from tests.acting import BREACH, BY, CHANGE, HEARING, MARKET, REASONS, with_rulebook
from tests.domain.builders import TEXT, a_rulebook_with_scales, a_scale
from tests.fakes import SIRET, FakeOffice, open_establishment, request_body
from tests.web.conftest import Api, plain

COMPANY = {"legal_form": "5710"}
IDENTITY = (SIRET, SIRET[:9], "ECHAFAUDAGES DU MODELE", "12 RUE DES EXEMPLES")
DEPOSIT = {
    "label": "Caution",
    "nature": "deposit",
    "kinds": ["scaffolding"],
    "unit": "occupancy",
    "per": "once",
    "rate": "300.00",
    "cites": {"text": "Délibération, art. 9 (fictif)"},
}
CHARGE = {"label": "Échafaudage", "kinds": ["scaffolding"], "unit": "m2", "per": "day", "rate": "1.20"}


@pytest.fixture
def office(office: FakeOffice) -> FakeOffice:
    """A city that asks for a deposit, and for a wider footway from 5 December 2026."""
    law = office.desk.law.rulebook
    footway = law.limits.footway_min_clear_width_m
    wider = {**footway.values, date(2026, 12, 5): Entry[Decimal](value=Decimal("1.55"), cites=TEXT)}
    limits = {"footway_min_clear_width_m": footway.model_copy(update={"values": wider})}
    scales = a_rulebook_with_scales({date(2026, 1, 1): a_scale(CHARGE, DEPOSIT)})
    with_rulebook(office, limits=law.limits.model_copy(update=limits), tariff=scales.tariff)
    return office


def registered(api: Api, siret: str = SIRET, **changes: Any) -> None:
    """Have the registry know the applicant as told."""
    api.office.registry.answers[SIRET] = open_establishment(siret, api.office.clock(), **changes)


def granted(api: Api, **changes: Any) -> dict[str, Any]:
    answer = api.post(request_body() | changes)
    assert answer.status_code == 201
    permit: dict[str, Any] = answer.json()["permit"]
    return permit


def refused(api: Api) -> Act:
    asked = api.post(request_body("04-parking-and-lane-referred")).json()
    filed = api.office.register.application(UUID(asked["id"]))
    assert filed is not None
    return acts.refuse(api.office.desk, filed, (MARKET,), HEARING, BY)


def page_at(api: Api, verification_url: str) -> str:
    """Return the page of a trace, its unbreakable spaces as plain ones."""
    page = api.client.get(f"/v/{verification_url.rsplit('/', 1)[1]}/trace")
    assert page.status_code == 200
    assert page.headers["X-Robots-Tag"] == "noindex" and page.headers["Cache-Control"] == "no-store"
    return plain(page.text)


def trace_of(api: Api, number: str) -> dict[str, Any]:
    answer = api.get(f"/v1/acts/{number}/trace")
    assert answer.status_code == 200
    trace: dict[str, Any] = answer.json()
    return trace


def erase(api: Api) -> int:
    """Erase what is due once the file is long over; return how many answers of the registry that was."""
    api.office.clock.move(days=700)
    return purge(api.office.register.engine, "exemple", DEFAULT_RETENTION, api.office.clock())["application_evidence"]


# --- what it tells -----------------------------------------------------------------------------


def test_a_permit_tells_its_holder_the_trace_of_its_decision(api: Api) -> None:
    permit = granted(api)
    trace = api.get(f"/v1/permits/{permit['number']}/trace").json()

    assert trace == trace_of(api, permit["number"])
    assert trace["number"] == permit["number"]
    assert (trace["decided_by"], trace["figures_on"]) == ("machine", "2026-12-01")
    assert trace["part_of_the_machine"].startswith("Décision entièrement automatique")
    asked = next(each for each in trace["data"] if each["label"] == "Établissement")
    assert asked["source"].startswith("API Entreprise") and asked["at"]
    operations = {each["rule"]: each for each in trace["operations"]}
    assert (operations["FOOTWAY-MIN"]["measured"], operations["FOOTWAY-MIN"]["limit"]) == ("1.6", "1.40")
    assert all(each["citation"]["text"] and each["title"] for each in trace["operations"])
    assert trace["fee"]["total"] == permit["fee_total"]
    assert trace["rulebook"] == api.office.desk.law.rulebook.digest and trace["rules_version"]


def test_the_data_are_those_that_the_rules_and_the_fee_rest_on(api: Api) -> None:
    body = request_body() | {"answers": {"association": "non"}}
    number = api.post(body).json()["permit"]["number"]
    told = {each["label"]: each["value"] for each in trace_of(api, number)["data"]}

    assert told["Horaires"] == "de 8 h à 18 h"
    assert told["Autorisation d’urbanisme"] == "numéro donné"
    assert told["Payeur"] == "le bénéficiaire"
    assert "0 place de stationnement prise" in told["Occupation 1"]
    assert told["Zones touchées, occupation 1"] == "aucune"
    asked = "La demande est-elle faite par une association qui concourt à un intérêt général, sans but lucratif ?"
    assert told[f"« {asked} »"] == "une entreprise, ou un autre demandeur"


def test_whoever_holds_the_code_reads_the_trace_as_a_page(api: Api) -> None:
    permit = granted(api)
    page = page_at(api, permit["verification_url"])

    assert "Décision entièrement automatique" in page
    assert "14,4 m² × 5 jours × 1,20 €" in page
    code = permit["verification_url"].rsplit("/", 1)[1]
    assert f"{code}/trace" in api.client.get(f"/v/{code}").text
    assert api.client.get("/v/nobody/trace").status_code == 404


def test_each_line_of_the_fee_has_its_text_and_deposits_are_apart(api: Api) -> None:
    permit = granted(api)
    _, _, fee = page_at(api, permit["verification_url"]).partition("Calcul de la redevance")
    charged, _, deposits = fee.partition("Dépôts de garantie")

    assert TEXT.text in charged and "86,40 €" in charged and "300,00 €" not in charged
    assert "Caution" in deposits and "300,00 €" in deposits and "Délibération, art. 9 (fictif)" in deposits
    assert permit["fee_total"] == "86.40"


def test_another_client_is_told_nothing(api: Api) -> None:
    number = granted(api)["number"]
    headers = {"Authorization": f"Bearer {api.another_key('999990021')}"}
    for path in ("permits", "acts"):
        assert api.client.get(f"/v1/{path}/{number}/trace", headers=headers).status_code == 404
        assert api.client.get(f"/v1/{path}/{number}/trace").status_code == 401


# --- who took the act --------------------------------------------------------------------------


def test_a_correction_is_said_to_be_taken_by_a_person_with_the_figures_of_the_day_first_decided(api: Api) -> None:
    number = granted(api)["number"]
    api.office.clock.move(days=9)
    corrected = acts.correct(api.office.desk, number, CHANGE, REASONS, BY)
    trace = trace_of(api, corrected.number)

    assert (trace["decided_by"], trace["decided_at"][:10]) == ("person", "2026-12-10")
    assert f"corrige une erreur matérielle du permis {number}" in trace["part_of_the_machine"]
    assert "entièrement automatique" not in page_at(api, corrected.permit.verification_url)
    shown = {each["id"]: each["value"] for each in trace["parameters"]}
    heard = {each["rule"]: each["limit"] for each in trace["operations"]}
    assert (trace["figures_on"], shown["footway_min_clear_width_m"]) == ("2026-12-01", "1,40 m")
    assert heard["FOOTWAY-MIN"] == "1.40"


def test_a_permit_of_another_day_is_told_with_the_figures_of_that_day(api: Api) -> None:
    api.office.clock.move(days=9)
    trace = trace_of(api, granted(api)["number"])

    shown = {each["id"]: each["value"] for each in trace["parameters"]}
    assert (trace["figures_on"], shown["footway_min_clear_width_m"]) == ("2026-12-10", "1,55 m")


def test_a_refusal_is_said_to_be_taken_by_a_person_and_tells_every_ground(api: Api) -> None:
    refusal = refused(api)
    trace, page = trace_of(api, refusal.number), page_at(api, refusal.payload.verification_url)

    assert (trace["decided_by"], trace["number"]) == ("person", refusal.number)
    assert trace["part_of_the_machine"].startswith("Décision prise par une personne")
    grounds = [each["rule"] for each in trace["operations"] if each["outcome"] == "refer"]
    assert {"PARKING-USED", "LANE-CLOSED"} <= set(grounds)
    assert page.count("Transmise :") == len(grounds)
    assert f"{refusal.code}/trace" in api.client.get(f"/v/{refusal.code}").text


def test_an_act_in_which_the_machine_has_no_part_has_no_trace(api: Api) -> None:
    number = granted(api)["number"]
    abrogation = acts.abrogate(api.office.desk, number, BREACH, date(2027, 1, 14), BY)

    assert api.client.get(f"/v/{abrogation.code}/trace").status_code == 404
    assert api.get(f"/v1/acts/{abrogation.number}/trace").status_code == 404
    assert "/trace" not in api.client.get(f"/v/{abrogation.code}").text


# --- whom it does not name ---------------------------------------------------------------------

PROTECTED = {
    "a company that asked for discretion": {"legal_form": "5710", "partially_diffusible": True},
    "a sole trader": {"legal_form": "1000"},
    "a sole trader who asked for discretion": {"legal_form": "1000", "partially_diffusible": True},
    "nobody knows what kind of company": {"legal_form": None},
}


@pytest.mark.parametrize("answer", PROTECTED.values(), ids=PROTECTED.keys())
def test_who_is_protected_is_identified_by_no_trace_before_or_after_erasure(api: Api, answer: dict[str, Any]) -> None:
    registered(api, **answer)
    permit = granted(api)
    before = page_at(api, permit["verification_url"]), str(trace_of(api, permit["number"]))
    erased = erase(api)
    after = page_at(api, permit["verification_url"]), str(trace_of(api, permit["number"]))

    assert erased == (answer["legal_form"] != "5710")
    for told in (*before, *after):
        assert not [each for each in IDENTITY if each in told]
    assert "L’établissement (SIRET non publié) est ouvert au registre Sirene." in before[0]


def test_a_company_is_named_before_and_after_the_purge(api: Api) -> None:
    registered(api, **COMPANY)
    permit = granted(api)
    before = page_at(api, permit["verification_url"])
    assert erase(api) == 0

    assert before == page_at(api, permit["verification_url"])
    assert f"L’établissement {SIRET} est ouvert au registre Sirene." in before
    assert {"SIRET", "Nom"} <= {each["label"] for each in trace_of(api, permit["number"])["data"]}
    assert all(each in before for each in IDENTITY[:3])


def test_who_pays_and_the_name_of_the_worksite_are_not_repeated(api: Api) -> None:
    registered(api, **COMPANY)
    permit = granted(api, worksite="Façade de Mme Zqnom", payer_siret=SIRET[:9] + "00016")
    for told in (page_at(api, permit["verification_url"]), str(trace_of(api, permit["number"]))):
        assert "Zqnom" not in told and SIRET[:9] + "00016" not in told and SIRET in told


@pytest.mark.parametrize("answer", [COMPANY, {"legal_form": "1000"}], ids=["a company", "a sole trader"])
def test_a_refusal_names_nobody(api: Api, answer: dict[str, Any]) -> None:
    registered(api, **answer)
    refusal = refused(api)
    public = api.client.get(f"/v/{refusal.code}").text
    for told in (public, page_at(api, refusal.payload.verification_url), str(trace_of(api, refusal.number))):
        assert not [each for each in IDENTITY if each in told]


def test_a_number_that_the_registry_has_merged_is_told_in_no_refusal(api: Api) -> None:
    merged = SIRET[:9] + "00099"
    registered(api, merged, asked_siret=SIRET)
    refusal = refused(api)
    told = trace_of(api, refusal.number)

    doubts = next(each for each in told["operations"] if each["rule"] == "SIRET-CERTAIN")
    assert "a fusionné ce SIRET avec (SIRET non publié)" in doubts["message"]
    for text in (str(told), page_at(api, refusal.payload.verification_url)):
        assert merged not in text and SIRET[:9] not in text


def test_the_page_of_a_protected_permit_tells_neither_name_nor_number(api: Api) -> None:
    registered(api, legal_form="5710", partially_diffusible=True)
    code = granted(api)["verification_url"].rsplit("/", 1)[1]
    page = api.client.get(f"/v/{code}").text

    assert "Données protégées" in page
    assert not [each for each in IDENTITY if each in page]


def test_a_trace_outlives_the_registry_s_answer_with_all_that_is_still_held(api: Api) -> None:
    registered(api, legal_form="1000")
    number = granted(api)["number"]
    before = trace_of(api, number)
    assert erase(api) == 1
    after = trace_of(api, number)

    told = {each["label"]: each["value"] for each in after["data"]}
    assert "Établissement" not in told and told["Registre des entreprises"].startswith("réponse effacée")
    assert told["Surface dessinée, occupation 1"] == "14,40 m²"
    for part in ("operations", "fee", "parameters", "figures_on", "part_of_the_machine"):
        assert after[part] == before[part]
