"""The rules and rates in force are public, each with its text (CRPA art. L312-1-3)."""

from permits.domain.rules.titles import TITLES
from tests.domain.test_cases import SITUATIONS
from tests.web.conftest import Api


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
