"""What a scale names elsewhere in the rulebook: zones, questions, and who is asked them."""

from collections.abc import Iterable, Iterator, Mapping

from permits.domain.questions import Question
from permits.domain.tariff.conditions import When
from permits.domain.tariff.scale import UNITS, Adjustment, Item, Scale

# What is wrong, in French, and where in the scale.
Fault = tuple[str, tuple[object, ...]]
Questions = Mapping[str, Question]


def scale_faults(scale: Scale, zones: set[str], questions: Questions) -> Iterator[Fault]:
    """Tell which words of a scale name no zone, no question, no answer to it, or a question that nobody is asked."""
    for position, zone in enumerate(scale.zone_order):
        if zone not in zones:
            yield f"aucune zone ne s’appelle {zone}", ("zone_order", position)
    for position, item in enumerate(scale.items):
        yield from ((fault, ("items", position, *where)) for fault, where in _item_faults(item, questions))
    for position, adjustment in enumerate(scale.adjustments):
        yield from (
            (fault, ("adjustments", position, *where)) for fault, where in _adjustment_faults(adjustment, questions)
        )


def _item_faults(item: Item, questions: Questions) -> Iterator[Fault]:
    figures = {name for name, question in questions.items() if question.figure is not None}
    if item.unit not in UNITS and item.unit not in figures:
        yield f"unité inconnue : {item.unit} ; connues : {', '.join((*UNITS, *sorted(figures)))}", ("unit",)
    yield from _figure_faults(item.when, questions)
    for name, answers in item.questions():
        yield from ((fault, ()) for fault in _answer_faults(name, answers, questions))
    names = {*(name for name, _ in item.questions()), *item.when.figures, item.unit} & questions.keys()
    for question in (questions[name] for name in sorted(names)):
        if item.unit == "request" and question.about != "application":
            yield f"une ligne par dossier (request) ne repose pas sur {question.id}, posée pour chaque occupation", ()
        others = [kind.value for kind in item.kinds if question.kinds and kind not in question.kinds]
        if others and question.if_silent is None:
            yield f"la question {question.id} ne se pose pas pour {', '.join(others)} : personne n’y répondrait", ()


def _adjustment_faults(adjustment: Adjustment, questions: Questions) -> Iterator[Fault]:
    yield from _figure_faults(adjustment.when, questions)
    for name, answers in adjustment.when.answers.items():
        yield from ((fault, ("when", "answers")) for fault in _answer_faults(name, answers, questions))
    asked = (questions[name] for name in (*adjustment.when.figures, *adjustment.when.answers))
    if adjustment.of != "each_occupancy" and any(question.about != "application" for question in asked):
        yield "une question sur l’occupation demande of: each_occupancy", ("of",)


def _figure_faults(when: When, questions: Questions) -> Iterator[Fault]:
    for name in when.figures:
        if name not in questions or questions[name].figure is None:
            yield f"aucune question qui attend un nombre ne s’appelle {name}", ("when", "figures", name)


def _answer_faults(name: str, answers: Iterable[str], questions: Questions) -> Iterator[str]:
    known = questions[name].answers if name in questions else None
    if known is None:
        yield f"aucune question à choix ne s’appelle {name} (questions.yaml)"
    elif unknown := sorted(set(answers) - known.keys()):
        yield f"la question {name} n’a pas pour réponse {', '.join(unknown)}"
