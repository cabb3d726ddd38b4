"""docs/rules.md says of every rule whether it works, is a prescription, or is not there yet and why."""

import re
from pathlib import Path

from permits.domain.rulebook import CITED_RULES
from tests.domain.builders import demo_rulebook
from tests.domain.test_cases import SITUATIONS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rules.md"


def rows() -> list[dict[str, str]]:
    """The rows of the two tables."""
    names = ("id", "rule", "value", "source", "state", "reason")
    cells = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")
    ]
    return [dict(zip(names, each, strict=True)) | {"id": each[0].strip("`")} for each in cells]


def ids_in_state(word: str) -> set[str]:
    return {row["id"] for row in rows() if word in row["state"].split(" et ")}


def test_each_rule_has_one_row() -> None:
    ids = [row["id"] for row in rows()]
    assert len(ids) == len(set(ids)) > 40
    assert all(re.fullmatch(r"[A-Z]+(-[A-Z]+)*", each) for each in ids)


def test_the_rules_said_to_work_are_those_that_the_code_hears() -> None:
    heard = {finding.rule for situation in SITUATIONS for finding in situation.decision().findings}
    assert ids_in_state("règle") == heard
    assert heard > CITED_RULES


def test_the_prescriptions_are_those_of_the_demo_rulebook() -> None:
    assert ids_in_state("prescription") == {rule.id for rule in demo_rulebook().prescriptions}


def test_what_is_not_there_says_why_or_where_it_is() -> None:
    known = ids_in_state("règle") | ids_in_state("prescription")
    for row in rows():
        if row["id"] in known:
            continue
        joined = re.fullmatch(r"réunie à `([A-Z-]+)`", row["state"])
        assert joined or row["state"] in {"à venir", "non repris"}, row["id"]
        if joined:
            assert joined[1] in known, row["id"]
        else:
            assert len(row["reason"]) > 15, row["id"]


def test_each_row_tells_how_far_its_source_was_checked() -> None:
    for row in rows():
        assert re.search(r"\[[VSKAF]\]", row["source"]), row["id"]


def test_what_is_told_as_read_is_not_marked_otherwise_in_the_rulebook() -> None:
    sources = {row["id"]: row["source"] for row in rows()}
    for rule, citation in demo_rulebook().rules.items():
        marks = {"text_read": "[V]", "secondary_source": "[S]", "unverified": "[F]"}
        if rule != "DATES-FUTURE":  # a choice of the project, [A], which the demo puts in its own règlement
            assert marks[citation.verification] in sources[rule], rule
