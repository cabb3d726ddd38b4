"""A scale is told wholly and in plain French: whatever a line says, whoever reads the rules reads it."""

from dataclasses import replace
from typing import Any

import pytest

from permits.domain.calendar import PublicHolidays
from permits.domain.questions import Question
from permits.domain.tariff.conditions import When
from permits.domain.tariff.described import describe, describe_adjustment
from permits.domain.tariff.scale import Adjustment, Item, Scale
from permits.domain.tariff.terms import terms_of
from permits.domain.tariff.words import Words, conditions
from tests.domain.builders import TEXT, a_scale

CITES = TEXT.model_dump(mode="json")
QUESTIONS = (
    Question.model_validate(
        {"id": "qui", "asks": "Qui demande ?", "answers": {"firme": "une firme", "autre": "autre"}}
    ),
    Question.model_validate({"id": "voies", "asks": "Combien de voies ?", "figure": {"unit": "voie", "at_most": "6"}}),
)
WORDS = Words(
    questions={question.id: question for question in QUESTIONS},
    zones={"centre": "centre-ville", "quais": "quais", "territory": "hors de ces zones"},
    holidays=PublicHolidays(region="57").label,
    currency="EUR",
)


def item(**changes: Any) -> dict[str, Any]:
    """A line of 1 € per square metre and day of scaffolding, changed; None takes a word away."""
    values = {"label": "Ligne", "kinds": ["scaffolding"], "unit": "m2", "per": "day", "rate": "1.00"} | changes
    return {name: value for name, value in values.items() if value is not None}


def told(**changes: Any) -> str:
    return " ; ".join(describe(Item.model_validate(item(**changes)), WORDS))


def adjusted(**changes: Any) -> str:
    adjustment = Adjustment.model_validate({"label": "Remise", "of": "occupations", "cites": CITES} | changes)
    return " ; ".join(describe_adjustment(adjustment, a_scale(item(id="a", label="Ligne A")), WORDS))


FREE = {"free": True, "cites": CITES}
BANDS = [{"up_to": "20", "fixed": "65"}, {"up_to": "50", "fixed": "65", "rate": "2"}, {"fixed": "98", "rate": "0.20"}]
NEXT = "le plus court forfait qui couvre la durée ; sans lui, autant du plus long qu’il en tient, puis le reste"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ({}, "1,00 € par m² et par jour"),
        ({"unit": "request", "kinds": None, "per": "once"}, "1,00 € par dossier"),
        ({"unit": "occupancy", "per": "once"}, "1,00 € par occupation, une fois"),
        ({"unit": "m", "per": "week"}, "1,00 € par m de longueur et par semaine commencée"),
        (
            {"rate_for": "10", "per": {"days": 14}},
            "1,00 € par 10 m² et par période de 14 jours ; toute période commencée est due",
        ),
        ({"per": "month", "rate_for_periods": 12}, "1,00 € par m² pour 12 mois, comptés par mois commencé"),
        ({"rate": None} | FREE, "gratuit"),
        ({"nature": "deposit", "per": "once"}, "dépôt de garantie, rendu, hors du total : 1,00 € par m², une fois"),
        ({"nature": "penalty"}, "pénalité : 1,00 € par m² et par jour"),
        (
            {"rate": None, "rate_by": "zone", "rates": {"centre": "3", "territory": "1"}},
            "selon la zone : centre-ville 3,00 €, hors de ces zones 1,00 €, par m² et par jour",
        ),
        (
            {"rate": None, "rate_by": "qui", "rates": {"firme": "3"}},
            "selon la réponse à « Qui demande ? » : une firme 3,00 €, par m² et par jour",
        ),
        (
            {"rate": None, "bands": {"method": "above", "steps": BANDS}},
            "jusqu’à 20 m² : 65,00 € par jour, "
            "de plus de 20 à 50 m² : 65,00 € par jour plus 2,00 € par m² et par jour, "
            "au-delà de 50 m² : 98,00 € par jour plus 0,20 € par m² et par jour ; "
            "le prix de la tranche atteinte, et son prix par unité pour ce qui dépasse la tranche d’avant",
        ),
        (
            {"rate": None, "bands": {"method": "whole", "steps": BANDS[:1]}},
            "jusqu’à 20 m² : 65,00 € par jour ; au-delà de la dernière tranche, un agent fixe la redevance",
        ),
        (
            {
                "rate": None,
                "per": None,
                "unit": "occupancy",
                "packages": {"method": "next", "steps": [{"days": 1, "rate": "9"}, {"days": 7} | FREE]},
            },
            "forfait de 1 jour : 9,00 € par occupation ; forfait de 7 jours : gratuit [Texte de l’essai (fictif)] ; "
            + NEXT,
        ),
        (
            {"tiers": [{"up_to": 1} | FREE, {"up_to": 30, "times": "1"}, {"times": "2"}]},
            "1,00 € par m² et par jour ; le 1er jour : gratuit [Texte de l’essai (fictif)], "
            "du 2e au 30e jour : le prix, à partir du 31e jour : 2 fois le prix",
        ),
        (
            {"per": "week", "rate": None, "tiers": [{"up_to": 2, "rate": "3"}, {"rate": "2"}]},
            "jusqu’à la 2e semaine : 3,00 € par m² et par semaine commencée, "
            "à partir de la 3e semaine : 2,00 € par m² et par semaine commencée",
        ),
        (
            {
                "tiers_method": "whole",
                "tiers": [{"up_to": 1, "times": "3"}, {"up_to": 9, "times": "2"}, {"times": "1"}],
            },
            "1,00 € par m² et par jour ; pour 1 jour : 3 fois le prix, de 2 à 9 jours : 2 fois le prix, "
            "à partir de 10 jours : le prix ; toute la durée au prix du palier atteint",
        ),
        (
            {"per": "week", "progression": {"from_period": 1, "every": 1, "add": "0.1"}},
            "1,00 € par m² et par semaine commencée ; à partir de la 1re semaine, puis chaque semaine, "
            "le prix augmente de 10 % du prix de départ",
        ),
        (
            {"per": "month", "progression": {"from_period": 4, "every": 3, "add": "0.25"}},
            "1,00 € par m² et par mois commencé ; à partir du 4e mois, puis tous les 3 mois, "
            "le prix augmente de 25 % du prix de départ",
        ),
        (
            {"coefficients": [{"by": "zone", "values": {"centre": "1.50", "territory": "1"}}]},
            "1,00 € par m² et par jour ; prix multiplié selon la zone : centre-ville × 1,5, hors de ces zones × 1",
        ),
        (
            {"rounded_up_to": "1", "at_least": "1", "at_most": "50", "free_quantity": "2", "cites": CITES},
            "1,00 € par m² et par jour ; quantité arrondie à l’entier supérieur ; quantité comptée : au moins 1 m² ; "
            "quantité comptée : au plus 50 m² ; franchise : 2 m²",
        ),
        (
            {"unit": "piece", "rounded_up_to": "10"},
            "1,00 € par unité et par jour ; quantité arrondie au multiple supérieur de 10 unités",
        ),
        (
            {"unit": "m2_four_sides"},
            "1,00 € par m² de pourtour et par jour ; pourtour : (2 longueurs + 2 largeurs) × hauteur",
        ),
        (
            {"at_least_periods": 1, "at_most_periods": 30},
            "1,00 € par m² et par jour ; durée comptée : au moins 1 jour ; durée comptée : au plus 30 jours",
        ),
        (
            {"free_days": 1, "cites": CITES},
            "1,00 € par m² et par jour ; le premier jour est gratuit ; la durée se compte à partir du jour suivant",
        ),
        (
            {"free_days": 3, "cites": CITES},
            "1,00 € par m² et par jour ; les 3 premiers jours sont gratuits ; "
            "la durée se compte à partir du jour suivant",
        ),
        ({"extra_days": 1}, "1,00 € par m² et par jour ; compté 1 jour de plus que la durée"),
        ({"extra_days": -1}, "1,00 € par m² et par jour ; compté 1 jour de moins que la durée, un au moins"),
        (
            {"days_counted": "working"},
            "1,00 € par m² et par jour ouvré ; jours comptés : du lundi au vendredi, hors jours fériés (Moselle)",
        ),
        (
            {"days_counted": "weekdays"},
            "1,00 € par m² et par jour ; jours comptés : du lundi au vendredi, jours fériés compris",
        ),
        (
            {"days_counted": "mondays_to_saturdays"},
            "1,00 € par m² et par jour ouvrable ; jours comptés : du lundi au samedi, hors jours fériés (Moselle)",
        ),
        ({"per": "hour"}, "1,00 € par m² et par heure ; chaque heure commencée de chaque jour est due"),
        (
            {"per": "week", "begun": "exact"},
            "1,00 € par m² et par semaine ; la dernière semaine au prorata de ses jours",
        ),
        (
            {"per": "month", "begun": "thirtieths"},
            "1,00 € par m² et par mois ; le dernier mois par trentièmes, un par jour",
        ),
        (
            {"per": "week", "begun": "calendar"},
            "1,00 € par m² et par semaine civile ; comptés par le calendrier : tout ce qui est touché est dû",
        ),
        (
            {"days_counted": "sundays_and_holidays"},
            "1,00 € par m² et par jour de dimanche ou férié ; jours comptés : dimanches et jours fériés (Moselle)",
        ),
        ({"per": "year", "begun": "exact"}, "1,00 € par m² et par an ; la dernière année au prorata de ses jours"),
        (
            {"minimum": "10", "maximum": "99", "minimum_per_period": "2", "maximum_per_period": "9"},
            "1,00 € par m² et par jour ; minimum par jour : 2,00 € ; maximum par jour : 9,00 € ; "
            "minimum par occupation : 10,00 € ; maximum par occupation : 99,00 €",
        ),
        (
            {"season": {"from_day": "06-01", "to_day": "09-15"}},
            "1,00 € par m² et par jour ; seulement les jours du 1er juin au 15 septembre",
        ),
    ],
)
def test_a_line_of_the_scale_is_told_wholly(line: dict[str, Any], sentence: str) -> None:
    """The label and the kind are the same word here, so that the kind is not told again."""
    assert told(label="Échafaudage", **line) == sentence


def test_the_kinds_are_told_where_the_label_does_not_say_them() -> None:
    assert told().endswith(" ; pour : échafaudage")
    assert told(kinds=["scaffolding", "skip", "crane"]).endswith(" ; pour : échafaudage, benne et grue")
    assert told(kinds="all").endswith(" ; pour tous les types d’occupation")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"percent": "-100"}, "la somme des occupations, dossier non compris : rien n’est dû"),
        ({"percent": "-20"}, "la somme des occupations, dossier non compris : 20 % en moins"),
        ({"percent": "50", "of": "total"}, "le total, dossier compris : 50 % en plus"),
        (
            {"percent": "100", "nature": "penalty"},
            "majoration, à titre de pénalité, sur la somme des occupations, dossier non compris : 100 % en plus",
        ),
        ({"amount": "5", "of": "each_occupancy"}, "la somme de chaque occupation : 5,00 € en plus"),
        ({"amount": "-5", "of": "total"}, "le total, dossier compris : 5,00 € en moins, sans passer sous zéro"),
        ({"minimum": "22", "of": "total"}, "le total, dossier compris : au moins 22,00 €"),
        ({"maximum": "22", "of": "total"}, "le total, dossier compris : au plus 22,00 €"),
        ({"waived_below": "15", "of": "total"}, "le total, dossier compris : rien n’est dû en dessous de 15,00 €"),
        (
            {"percent": "10", "items": ["a"], "of": "each_occupancy"},
            "la somme de chaque occupation (seulement : Ligne A) : 10 % en plus",
        ),
        (
            {"percent": "10", "basis": "lines", "kinds": ["skip"], "of": "each_occupancy"},
            "la somme de chaque occupation, pour : benne : 10 % en plus, compté sur les lignes mêmes",
        ),
    ],
)
def test_what_follows_the_lines_is_told_with_what_it_changes(change: dict[str, Any], sentence: str) -> None:
    assert adjusted(**change) == sentence


def test_penalties_are_said_to_be_left_out_where_there_are_some() -> None:
    discount = Adjustment.model_validate({"label": "Remise", "of": "occupations", "percent": "-20", "cites": CITES})
    scale = a_scale(item(), item(label="Pénalité", nature="penalty"))
    (told, *_) = describe_adjustment(discount, scale, WORDS)
    assert told == "la somme des occupations, dossier non compris, pénalités non comprises : 20 % en moins"


@pytest.mark.parametrize(
    ("when", "clause"),
    [
        ({"zone": ["centre", "quais"]}, "seulement en zone centre-ville ou quais"),
        ({"days": {"above": "7", "up_to": "30"}}, "seulement pour une durée de plus de 7 jours et d’au plus 30 jours"),
        ({"area_m2": {"at_least": "1.5"}}, "seulement pour une surface d’au moins 1,5 m²"),
        ({"vehicle_tonnes": {"below": "3.5"}}, "seulement pour un véhicule de moins de 3,5 t"),
        ({"parking_spaces": {"above": "2"}}, "seulement pour la prise de plus de 2 places de stationnement"),
        (
            {"figures": {"voies": {"above": "1"}}},
            "seulement si la réponse à « Combien de voies ? » est de plus de 1 voie",
        ),
        (
            {"answers": {"qui": ["firme", "autre"]}, "lane_closed": True},
            "seulement si la réponse à « Qui demande ? » est « une firme » ou « autre » et si une voie est fermée",
        ),
        ({"unauthorised": True}, "seulement pour une occupation constatée sans titre"),
    ],
)
def test_a_condition_is_told_as_a_clause(when: dict[str, Any], clause: str) -> None:
    assert conditions(When.model_validate(when), WORDS) == [clause]


# --- nothing that is written stays untold ------------------------------------------------------

# For each word of a line, a line that has it, and the same without it.
_WEEK, _TIERS = {"per": "week"}, [{"up_to": 2, "times": "2"}, {"times": "1"}]
ITEM_WORDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "rate": ({}, {"rate": "2"}),
    "rate_by": (
        {"rate": None, "rate_by": "zone", "rates": {"centre": "1"}},
        {"rate": None, "rate_by": "qui", "rates": {"firme": "1"}},
    ),
    "rates": (
        {"rate": None, "rate_by": "zone", "rates": {"centre": "1"}},
        {"rate": None, "rate_by": "zone", "rates": {"centre": "2"}},
    ),
    "bands": ({}, {"rate": None, "bands": {"method": "slices", "steps": BANDS}}),
    "free": ({"cites": CITES}, {"rate": None} | FREE),
    "nature": ({}, {"nature": "deposit"}),
    "kinds": ({}, {"kinds": ["skip"]}),
    "when": ({}, {"when": {"lane_closed": True}}),
    "season": ({}, {"season": {"from_day": "06-01", "to_day": "09-15"}}),
    "unit": ({}, {"unit": "piece"}),
    "rounded_up_to": ({}, {"rounded_up_to": "5"}),
    "rate_for": ({}, {"rate_for": "10"}),
    "free_quantity": ({"cites": CITES}, {"cites": CITES, "free_quantity": "2"}),
    "at_least": ({}, {"at_least": "5"}),
    "at_most": ({}, {"at_most": "5"}),
    "rate_for_periods": ({}, {"rate_for_periods": 30}),
    "per": ({}, _WEEK),
    "begun": (_WEEK, _WEEK | {"begun": "calendar"}),
    "days_counted": ({}, {"days_counted": "weekdays"}),
    "free_days": ({"cites": CITES}, {"cites": CITES, "free_days": 2}),
    "extra_days": ({}, {"extra_days": 1}),
    "at_least_periods": ({}, {"at_least_periods": 2}),
    "at_most_periods": ({}, {"at_most_periods": 2}),
    "coefficients": ({}, {"coefficients": [{"by": "zone", "values": {"centre": "2"}}]}),
    "tiers": ({}, {"tiers": _TIERS}),
    "tiers_method": ({"tiers": _TIERS}, {"tiers": _TIERS, "tiers_method": "whole"}),
    "progression": ({}, {"progression": {"from_period": 2, "every": 1, "add": "0.1"}}),
    "packages": (
        {"rate": None, "per": None, "packages": {"method": "next", "steps": [{"days": 3, "rate": "1"}]}},
        {"rate": None, "per": None, "packages": {"method": "cheapest", "steps": [{"days": 3, "rate": "1"}]}},
    ),
    "minimum_per_period": ({}, {"minimum_per_period": "3"}),
    "maximum_per_period": ({}, {"maximum_per_period": "3"}),
    "minimum": ({}, {"minimum": "3"}),
    "maximum": ({}, {"maximum": "3"}),
}
# Shown beside the sentence: the label and the text. An id only names the line to adjustments.
BESIDE = {"id", "label", "cites"}


def test_every_word_of_a_line_is_looked_at() -> None:
    assert ITEM_WORDS.keys() == Item.model_fields.keys() - BESIDE


@pytest.mark.parametrize("word", ITEM_WORDS)
def test_a_line_that_says_something_else_is_told_otherwise(word: str) -> None:
    one, other = ITEM_WORDS[word]
    assert told(**one) != told(**other)


def test_every_condition_is_told() -> None:
    given: dict[str, Any] = {
        name: {"above": "1"} for name in When.model_fields if name not in ("zone", "answers", "figures")
    }
    given |= {"lane_closed": True, "unauthorised": True, "zone": ["centre"]}
    given |= {"answers": {"qui": ["firme"]}, "figures": {"voies": {"above": "1"}}}
    assert given.keys() == When.model_fields.keys()
    (clause,) = conditions(When.model_validate(given), WORDS)
    for name in given:
        without = When.model_validate({key: value for key, value in given.items() if key != name})
        assert conditions(without, WORDS) != [clause], name


# --- what holds for the whole scale ------------------------------------------------------------


def terms(**changes: Any) -> dict[str, str]:
    return {term.id: term.told for term in terms_of(a_scale(item(**changes.pop("line", {})), **changes), WORDS)}


@pytest.mark.parametrize(
    ("rounding", "line", "sentence"),
    [
        ({"line": "0.01"}, {}, "chaque ligne à 0,01 € près (au plus proche, la moitié vers le haut)"),
        (
            {"mode": "down", "total": "0.50"},
            {"tiers": _TIERS},
            "le total à 0,50 € près (vers le bas) ; "
            "sans arrondi : le prix multiplié par son coefficient et chaque ligne",
        ),
        (
            {"mode": "up", "rate": "0.01", "line": "0.01", "total": "1"},
            {},
            "le prix multiplié par son coefficient à 0,01 € près, puis chaque ligne à 0,01 € près, "
            "puis le total à 1,00 € près (vers le haut)",
        ),
    ],
)
def test_each_stage_of_the_rounding_is_told_and_what_is_exact(
    rounding: dict[str, str], line: dict[str, Any], sentence: str
) -> None:
    assert terms(rounding=rounding, line=line)["rounding"] == sentence


def test_what_a_replaced_scale_an_extension_and_a_corner_cost_is_told() -> None:
    told = {
        policy: terms(when_replaced=policy)["when_replaced"] for policy in ("each_period", "first_day", "decision_day")
    }
    assert len(set(told.values())) == 3
    assert told["first_day"].endswith("tout est compté au barème du premier jour d’occupation")
    assert terms()["extensions"].endswith("de la période entière, moins ce qui est déjà dû")
    assert terms(extensions="alone")["extensions"].endswith("ses propres jours, comme une nouvelle demande")
    assert "zone_order" not in terms()
    assert terms(zone_order=["quais", "centre"])["zone_order"].endswith("dans cet ordre : quais, puis centre-ville")


def test_every_word_of_a_scale_is_told_somewhere() -> None:
    beside = {"name", "currency", "items", "adjustments"}
    assert Scale.model_fields.keys() - beside == terms(zone_order=["quais"]).keys()


def test_amounts_are_told_in_the_currency_of_the_scale() -> None:
    in_pounds = replace(WORDS, currency="GBP")
    assert describe(Item.model_validate(item()), in_pounds)[0] == "1,00 £ par m² et par jour"
