"""What a scale names in the rest of the rulebook: a question that exists, of the right sort, and asked of who pays."""

from typing import Any

import pytest

from permits.domain.tariff.references import scale_faults
from tests.domain.test_scale import QUESTIONS, adjustment, item, rulebook

KNOWN = {question.id: question for question in QUESTIONS}
OF_CRANES = {"cran": KNOWN["gene"].model_copy(update={"id": "cran", "kinds": ("crane",)})}
REQUEST = {"label": "Dossier", "kinds": None, "unit": "request", "per": "once"}


def faults(*items: dict[str, Any], adjustments: tuple[dict[str, Any], ...] = ()) -> list[str]:
    scale = next(iter(rulebook(*items, adjustments=adjustments).tariff.values.values())).value
    assert scale is not None
    return [fault for fault, _ in scale_faults(scale, {"a", "b", "territory"}, KNOWN | OF_CRANES)]


@pytest.mark.parametrize(
    "line",
    [
        item(),
        item(unit="voies"),
        item(when={"answers": {"gene": ["totale"], "qui": ["entreprise"]}, "figures": {"voies": {"above": "2"}}}),
        item(kinds=["crane"], when={"answers": {"cran": ["totale"]}}),
        item(**REQUEST, when={"answers": {"qui": ["entreprise"]}}),
        item(**REQUEST, rate=None, rate_by="qui", rates={"entreprise": "2"}),
    ],
)
def test_nothing_is_told_of_a_line_whose_questions_are_asked_of_whom_it_charges(line: dict[str, Any]) -> None:
    assert faults(line) == []


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (item(unit="gene"), "unité inconnue : gene ; connues : m2,"),
        (item(when={"answers": {"autre": ["x"]}}), "aucune question à choix ne s’appelle autre"),
        (item(when={"answers": {"voies": ["x"]}}), "aucune question à choix ne s’appelle voies"),
        (item(when={"answers": {"gene": ["enorme"]}}), "la question gene n’a pas pour réponse enorme"),
        (item(when={"figures": {"gene": {"above": "1"}}}), "aucune question qui attend un nombre ne s’appelle gene"),
        (item(when={"answers": {"cran": ["totale"]}}), "la question cran ne se pose pas pour scaffolding"),
        (item(coefficients=[{"by": "cran", "values": {"totale": "2"}}]), "ne se pose pas pour scaffolding"),
        (
            item(**REQUEST, when={"answers": {"gene": ["totale"]}}),
            "ne repose pas sur gene, posée pour chaque occupation",
        ),
        (item(**REQUEST, when={"figures": {"voies": {"above": "1"}}}), "ne repose pas sur voies"),
    ],
)
def test_a_question_that_nobody_could_answer_is_told(line: dict[str, Any], fault: str) -> None:
    (told,) = faults(line)
    assert fault in told


@pytest.mark.parametrize(
    "when", [{"figures": {"voies": {"above": "1"}}}, {"answers": {"gene": ["totale"]}}, {"answers": {"badge": ["oui"]}}]
)
def test_a_question_about_an_occupancy_adjusts_one_occupancy_at_a_time(when: dict[str, Any]) -> None:
    (told,) = faults(item(), adjustments=(adjustment(percent="-10", when=when),))
    assert told == "une question sur l’occupation demande of: each_occupancy"
    assert faults(item(), adjustments=(adjustment(of="each_occupancy", percent="-10", when=when),)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"coefficients": [{"by": "qui", "values": {"entreprise": "2"}}]},
        {"minimum": "10"},
        {"tiers": [{"up_to": 1, "times": "1"}, {"times": "2"}]},
        {"at_least": "2"},
        {"season": {"from_day": "06-01", "to_day": "09-15"}},
        {"kinds": ["crane"]},
        {"rate": None, "per": None, "packages": {"method": "next", "steps": [{"days": 3, "rate": "1"}]}},
    ],
)
def test_a_line_for_the_file_has_one_plain_price(changes: dict[str, Any]) -> None:
    rulebook(item(**REQUEST))
    with pytest.raises(ValueError, match=r"une ligne par dossier \(request\) n’a pas de|des forfaits"):
        rulebook(item(**(REQUEST | changes)))
