"""The rules and rates are public, and so is how each decision was taken, to whoever holds its code."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from permits.domain.rules.titles import TITLES
from tests.domain.test_cases import SITUATIONS
from tests.fakes import SIRET, open_establishment
from tests.web.conftest import Api


def granted(api: Api) -> dict[str, Any]:
    answer = api.post()
    assert answer.status_code == 201
    permit: dict[str, Any] = answer.json()["permit"]
    return permit


def test_every_rule_that_is_heard_has_its_title() -> None:
    heard = {finding.rule for situation in SITUATIONS for finding in situation.decision().findings}
    assert heard == TITLES.keys()


def test_anybody_reads_the_rules_and_rates_in_force(api: Api) -> None:
    told = api.client.get("/v1/rulebook").json()

    assert [rule["id"] for rule in told["rules"]] == list(TITLES)
    figures = {entry["id"]: entry for entry in told["entries"]}
    assert figures["footway_min_clear_width_m"]["value"] == "1,40 m"
    assert figures["tariff/1"]["value"] == "1,20 € par m² et par jour"
    assert all(entry["citation"]["text"] for entry in told["entries"])
    assert told["digest"] == api.office.desk.law.rulebook.digest
    assert any("1,40 m de large" in clause["told"] for clause in told["prescriptions"])
    assert "Saison d’été sur les quais" in told["forbidden_periods"][1]["told"]
    assert told["missing"] == []


def test_a_day_before_the_rulebook_has_nothing_in_force_and_says_so(api: Api) -> None:
    told = api.client.get("/v1/rulebook", params={"on": "2025-12-31"}).json()
    assert len(told["missing"]) == 16
    page = api.client.get("/reglement", params={"on": "2025-12-31"})
    assert page.status_code == 200 and "N’ont pas de valeur ce jour" in page.text


def test_the_page_says_the_same_and_how_the_machine_decides(api: Api) -> None:
    page = api.client.get("/reglement")

    assert page.status_code == 200
    for words in (
        "La machine ne refuse",
        "Les piétons gardent un passage libre",
        "1,20 € par m² et par jour",
        "Arrêté du 15 janvier 2007, art. 1",
        "L. 311-3-1",
        api.office.desk.law.rulebook.digest,
    ):
        assert words in page.text
    assert 'href="/reglement"' in api.client.get("/").text


def test_a_permit_tells_its_holder_the_trace_of_its_decision(api: Api) -> None:
    permit = granted(api)
    trace = api.get(f"/v1/permits/{permit['number']}/trace").json()

    assert trace["number"] == permit["number"]
    assert trace["part_of_the_machine"].startswith("Décision entièrement automatique")
    assert {"SIRET", "Établissement", "Surface dessinée, occupation 1"} <= {each["label"] for each in trace["data"]}
    asked = next(each for each in trace["data"] if each["label"] == "Établissement")
    assert asked["source"].startswith("API Entreprise") and asked["at"]
    operations = {each["rule"]: each for each in trace["operations"]}
    assert (operations["FOOTWAY-MIN"]["measured"], operations["FOOTWAY-MIN"]["limit"]) == ("1.6", "1.40")
    assert all(each["citation"]["text"] and each["title"] for each in trace["operations"])
    assert {"footway_min_clear_width_m", "notice_working_days"} <= {each["id"] for each in trace["parameters"]}
    assert trace["fee"]["total"] == permit["fee_total"]
    assert trace["rulebook"] == api.office.desk.law.rulebook.digest and trace["rules_version"]


def test_another_client_is_told_nothing(api: Api) -> None:
    number = granted(api)["number"]
    headers = {"Authorization": f"Bearer {api.another_key('999990021')}"}
    assert api.client.get(f"/v1/permits/{number}/trace", headers=headers).status_code == 404
    assert api.client.get(f"/v1/permits/{number}/trace").status_code == 401


def test_whoever_holds_the_code_reads_the_trace_as_a_page(api: Api) -> None:
    code = granted(api)["verification_url"].rsplit("/", 1)[1]
    page = api.client.get(f"/v/{code}/trace")

    assert page.status_code == 200
    assert "Décision entièrement automatique" in page.text
    assert "14,4 m² × 5 jours × 1,20 €" in page.text
    assert page.headers["X-Robots-Tag"] == "noindex"
    assert f"{code}/trace" in api.client.get(f"/v/{code}").text
    assert api.client.get("/v/nobody/trace").status_code == 404


def test_what_the_registry_protects_is_in_no_trace(api: Api) -> None:
    answer = open_establishment(SIRET, api.office.clock(), partially_diffusible=True, name="MADAME PROTÉGÉE")
    api.office.registry.answers[SIRET] = answer
    permit = granted(api)
    page = api.client.get(f"/v/{permit['verification_url'].rsplit('/', 1)[1]}/trace")

    assert "PROTÉGÉE" not in page.text
    assert "PROTÉGÉE" not in api.get(f"/v1/permits/{permit['number']}/trace").text


def test_a_trace_outlives_the_registry_s_answer(api: Api) -> None:
    number = granted(api)["number"]
    with api.office.register.engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("DELETE FROM application_evidence"))
    trace = api.get(f"/v1/permits/{number}/trace").json()

    assert "Établissement" not in {each["label"] for each in trace["data"]}
    assert trace["operations"] and trace["fee"]
    assert trace["decided_at"][:10] == (api.office.clock() + timedelta(0)).date().isoformat()
