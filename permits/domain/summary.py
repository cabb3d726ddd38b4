"""What a rulebook says on a day: each rule, figure and line of the scale with its text, for a person or a program.

Published for everybody (CRPA art. L312-1-3).
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Literal

from permits.domain import clauses
from permits.domain.clauses import Clause
from permits.domain.dated import Dated, InForce, NotInForce
from permits.domain.decision import Citation
from permits.domain.limits import Limits, value_text
from permits.domain.model import Value
from permits.domain.questions import Question
from permits.domain.rulebook import Rulebook
from permits.domain.rules import rules_version_on
from permits.domain.rules.titles import LIMITS_TOLD, RULES_TOLD, Told
from permits.domain.tariff.described import describe, describe_adjustment
from permits.domain.tariff.scale import Scale
from permits.domain.tariff.terms import terms_of
from permits.domain.tariff.words import Words


class InForceEntry(Value):
    """One thing in force: its name in the rulebook, its label, its value in French, its text and since when.

    `part` tells limits from the tariff as a whole, its terms, its lines, and what follows them (adjustments). `effect`
    is what a limit does; `clauses` are the parts of `value`, where it has several.
    """

    id: str
    part: Literal["limit", "tariff", "term", "line", "adjustment"]
    label: str
    value: str
    clauses: tuple[str, ...] = ()
    effect: str | None = None
    unit: str | None = None
    since: date | None = None
    checked_on: date | None = None
    citation: Citation


class Rule(Value):
    """One rule: its stable name, what it looks at, when it is heard, and what follows when it is not content.

    `limits` are the entries that it compares with, `citations` the texts behind it, those of its limits included.
    """

    id: str
    title: str
    heard: str
    otherwise: str
    limits: tuple[str, ...]
    citations: tuple[Citation, ...]


class Summary(Value):
    """All that is in force on a day; `missing` are the figures that are not. `rules_version` names their logic.

    `signatory` is who signs on that day. Days are calendar days in Paris, first and last included; `public_holidays`
    tells where they are.
    """

    authority: str
    digest: str
    day: date
    signatory: str | None
    public_holidays: str
    rules_version: date
    rules: tuple[Rule, ...]
    entries: tuple[InForceEntry, ...]
    competences: tuple[Clause, ...]
    zones: tuple[Clause, ...]
    delegations: tuple[Clause, ...]
    prescriptions: tuple[Clause, ...]
    forbidden_periods: tuple[Clause, ...]
    endings: tuple[Clause, ...]
    retention: tuple[Clause, ...]
    questions: tuple[Question, ...]
    missing: tuple[str, ...]


def in_force_on(rulebook: Rulebook, day: date) -> Summary:
    """Return what holds on `day`: rules, limits, the tariff with its lines, and all that is told beside them."""
    entries = list(_limits(rulebook, day))
    known = {entry.id for entry in entries}
    missing = [getattr(rulebook.limits, name).label for name in Limits.model_fields if name not in known]
    try:
        entries += _scale_entries(rulebook, rulebook.tariff.on(day))
    except NotInForce:
        missing.append(rulebook.tariff.label)
    signatory = rulebook.signatory_on(day)
    return Summary(
        authority=rulebook.authority.identity.name,
        digest=rulebook.digest,
        day=day,
        signatory=f"{signatory.first_name} {signatory.name}, {signatory.quality}" if signatory else None,
        public_holidays=rulebook.authority.public_holidays.label,
        rules_version=rules_version_on(day),
        rules=tuple(_rules(rulebook, {entry.id: entry.citation for entry in entries})),
        entries=tuple(entries),
        competences=tuple(clauses.competences(rulebook)),
        zones=tuple(clauses.zones(rulebook)),
        delegations=tuple(clauses.delegations(rulebook)),
        prescriptions=tuple(clauses.prescriptions(rulebook, day)),
        forbidden_periods=tuple(clauses.forbidden_periods(rulebook)),
        endings=tuple(clauses.endings(rulebook)),
        retention=tuple(clauses.retention(rulebook)),
        questions=rulebook.questions,
        missing=tuple(missing),
    )


def _rules(rulebook: Rulebook, of_limits: dict[str, Citation]) -> Iterator[Rule]:
    """Give every rule; two of them rest on what a city may leave out, and are then never heard."""
    optional = {
        "ROAD-CLASS": tuple(each.cites for each in rulebook.authority.competences),
        "FREE": tuple(each.cites for each in rulebook.questions if each.cites is not None and each.answers is not None),
    }
    for name, told in RULES_TOLD.items():
        unused = name in optional and not optional[name]
        texts = (*_texts(name, told, rulebook), *optional.get(name, ()))
        texts += tuple(of_limits[limit] for limit in told.limits if limit in of_limits)
        yield Rule(
            id=name,
            title=told.title,
            heard="jamais : ce règlement n’en dit rien" if unused else told.heard,
            otherwise=told.otherwise,
            limits=told.limits,
            citations=tuple(text for position, text in enumerate(texts) if text not in texts[:position]),
        )


def _texts(name: str, told: Told, rulebook: Rulebook) -> tuple[Citation, ...]:
    return tuple(text for text in (rulebook.rules.get(name), told.text) if text is not None)


def _limits(rulebook: Rulebook, day: date) -> Iterator[InForceEntry]:
    for name in Limits.model_fields:
        limit: Dated[object] = getattr(rulebook.limits, name)
        try:
            held = limit.on(day)
        except NotInForce:
            continue
        effect = LIMITS_TOLD[name]
        if name == "notice_working_days":
            holidays = rulebook.authority.public_holidays.label
            effect += f" ; jours ouvrés : du lundi au vendredi, hors jours fériés ({holidays})"
        yield InForceEntry(
            id=name,
            part="limit",
            label=limit.label,
            value=value_text(held.value, limit.unit),
            effect=effect,
            unit=limit.unit,
            since=held.since,
            checked_on=limit.checked_on,
            citation=held.citation,
        )


def _scale_entries(rulebook: Rulebook, scale: InForce[Scale]) -> Iterator[InForceEntry]:
    """Give the tariff, what holds for all its lines, each of them, and what follows them in the order written."""
    voted = scale.value
    words = Words(
        questions={question.id: question for question in rulebook.questions},
        zones={zone.id: zone.label for zone in rulebook.zones} | {Rulebook.TERRITORY: "hors de ces zones"},
        holidays=rulebook.authority.public_holidays.label,
        currency=voted.currency,
    )

    def entry(
        part: Literal["tariff", "term", "line", "adjustment"],
        name: str,
        label: str,
        told: Sequence[str],
        cites: Citation | None = None,
    ) -> InForceEntry:
        return InForceEntry(
            id=name,
            part=part,
            label=label,
            value=" ; ".join(told),
            clauses=tuple(told) if len(told) > 1 else (),
            since=scale.since,
            checked_on=rulebook.tariff.checked_on,
            citation=cites or scale.citation,
        )

    yield entry("tariff", "tariff", rulebook.tariff.label, [voted.name])
    for term in terms_of(voted, words):
        yield entry("term", f"tariff/{term.id}", term.label, [term.told])
    for position, item in enumerate(voted.items, 1):
        yield entry("line", f"tariff/{position}", item.label, describe(item, words), item.cites)
    for position, each in enumerate(voted.adjustments, len(voted.items) + 1):
        told = describe_adjustment(each, voted, words)
        yield entry("adjustment", f"tariff/{position}", each.label, told, each.cites)
