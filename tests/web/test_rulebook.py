"""The rules and rates in force are public, each with its text (CRPA art. L312-1-3)."""

from collections.abc import Iterator
from html import unescape
from typing import Any

from permits.domain.rules.titles import RULES_TOLD
from tests.web.conftest import Api

CLAUSES = (
    "competences",
    "zones",
    "delegations",
    "prescriptions",
    "forbidden_periods",
    "endings",
    "retention",
)


def page_of(api: Api, **query: str) -> str:
    """Return the text of the page, its lines joined."""
    page = api.client.get("/reglement", params=query)
    assert page.status_code == 200
    return " ".join(unescape(page.text).split())


def sentences(told: dict[str, Any]) -> Iterator[str]:
    """Give every sentence that the JSON holds."""
    for rule in told["rules"]:
        yield from (rule["id"], rule["title"], rule["heard"], rule["otherwise"])
        yield from (citation["text"] for citation in rule["citations"])
    for entry in told["entries"]:
        yield from (entry["label"], *(entry["clauses"] or [entry["value"]]), entry["effect"] or "")
        yield entry["citation"]["text"]
    for part in CLAUSES:
        for clause in told[part]:
            yield from (clause["told"], clause["citation"]["text"] if clause["citation"] else "")
    for question in told["questions"]:
        yield from (question["asks"], *question["answers"].values(), question["cites"]["text"])
    yield from (told["digest"], told["public_holidays"], told["signatory"])


def test_anybody_reads_the_rules_and_rates_in_force(api: Api) -> None:
    told = api.client.get("/v1/rulebook").json()

    assert [rule["id"] for rule in told["rules"]] == list(RULES_TOLD)
    figures = {entry["id"]: entry for entry in told["entries"]}
    assert figures["footway_min_clear_width_m"]["value"] == "1,40 m"
    assert figures["tariff/1"]["value"] == "1,20 € par m² et par jour"
    assert figures["tariff/rounding"]["part"] == "term"
    assert all(entry["citation"]["text"] for entry in told["entries"])
    assert told["digest"] == api.office.desk.law.rulebook.digest
    assert any("1,40 m de large" in clause["told"] for clause in told["prescriptions"])
    assert "Saison d’été sur les quais" in told["forbidden_periods"][1]["told"]
    assert told["missing"] == []


def test_the_page_says_all_that_the_json_says(api: Api) -> None:
    page = page_of(api)
    said = list(sentences(api.client.get("/v1/rulebook").json()))

    assert len(said) > 200
    assert [each for each in said if each not in page] == []


def test_the_page_says_how_the_machine_decides(api: Api) -> None:
    page = page_of(api)

    for words in (
        "La machine ne refuse jamais",
        "Entendue seulement pendant une suspension.",
        "Sinon : toute demande est transmise à un agent.",
        "L. 311-3-1",
        "(texte non vérifié)",
        "Jours fériés : France métropolitaine, hors Alsace et Moselle.",
        "Signe ce jour : Maëlle Fictive",
    ):
        assert words in page
    assert 'href="/reglement"' in api.client.get("/").text


def test_a_day_before_the_rulebook_has_nothing_in_force_and_says_so(api: Api) -> None:
    told = api.client.get("/v1/rulebook", params={"on": "2025-12-31"}).json()
    page = page_of(api, on="2025-12-31")

    assert len(told["missing"]) == 16
    assert "N’ont pas de valeur ce jour" in page
    assert "Aucune n’est valable ce jour : toute demande est transmise à un agent." in page
