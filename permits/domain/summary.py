"""What a rulebook says on a day: each figure with its text, for a person or a program to read."""

from collections.abc import Iterator, Mapping
from datetime import date

from permits.domain.dated import Dated, InForce, NotInForce
from permits.domain.decision import Citation
from permits.domain.forbidden import ForbiddenPeriod
from permits.domain.french import MONTHS, day_text
from permits.domain.limits import Limits, figure_texts, value_text
from permits.domain.model import Value
from permits.domain.questions import Question
from permits.domain.rulebook import Rulebook
from permits.domain.rules import rules_version_on
from permits.domain.rules.titles import TITLES
from permits.domain.tariff.described import Words, describe, describe_adjustment
from permits.domain.tariff.scale import Scale


class InForceEntry(Value):
    """One thing in force: its name in the rulebook, its label, its value in French, its text and since when."""

    id: str
    label: str
    value: str
    unit: str | None = None
    since: date | None = None
    checked_on: date | None = None
    citation: Citation


class Rule(Value):
    """One rule that is heard: its stable name, what it looks at, and the text behind it where it has no figure."""

    id: str
    title: str
    citation: Citation | None


class Clause(Value):
    """A condition written on permits, or days on which nothing may stand: told in French, with its text."""

    id: str
    told: str
    citation: Citation


class Summary(Value):
    """All that is in force on a day; `missing` are the figures that are not. `rules_version` names their logic."""

    authority: str
    digest: str
    day: date
    signatory: str | None
    rules_version: date
    rules: tuple[Rule, ...]
    entries: tuple[InForceEntry, ...]
    prescriptions: tuple[Clause, ...]
    forbidden_periods: tuple[Clause, ...]
    questions: tuple[Question, ...]
    missing: tuple[str, ...]


def in_force_on(rulebook: Rulebook, day: date) -> Summary:
    """Return what holds on `day`: the limits, the tariff, its lines and what follows them."""
    entries, missing = [], []
    for name in Limits.model_fields:
        limit: Dated[object] = getattr(rulebook.limits, name)
        try:
            held = limit.on(day)
        except NotInForce:
            missing.append(limit.label)
            continue
        entries.append(
            InForceEntry(
                id=name,
                label=limit.label,
                value=value_text(held.value, limit.unit),
                unit=limit.unit,
                since=held.since,
                checked_on=limit.checked_on,
                citation=held.citation,
            )
        )
    try:
        scale = rulebook.tariff.on(day)
    except NotInForce:
        missing.append(rulebook.tariff.label)
    else:
        entries += _scale_entries(rulebook, scale)
    signatory = rulebook.signatory_on(day)
    return Summary(
        authority=rulebook.authority.identity.name,
        digest=rulebook.digest,
        day=day,
        signatory=f"{signatory.first_name} {signatory.name}, {signatory.quality}" if signatory else None,
        rules_version=rules_version_on(day),
        rules=tuple(Rule(id=name, title=title, citation=rulebook.rules.get(name)) for name, title in TITLES.items()),
        entries=tuple(entries),
        prescriptions=tuple(_prescriptions(rulebook, day)),
        forbidden_periods=tuple(_forbidden(rulebook)),
        questions=rulebook.questions,
        missing=tuple(missing),
    )


def _scale_entries(rulebook: Rulebook, scale: InForce[Scale]) -> list[InForceEntry]:
    """Return the tariff, then each of its lines and of what follows them."""
    voted = scale.value
    words = Words(
        questions={question.id: question for question in rulebook.questions},
        zones={zone.id: zone.label for zone in rulebook.zones} | {Rulebook.TERRITORY: "hors de ces zones"},
        currency=voted.currency,
    )
    told = [(rulebook.tariff.label, voted.name, scale.citation)]
    told += [(each.label, describe(each, words), each.cites or scale.citation) for each in voted.items]
    told += [(each.label, describe_adjustment(each, voted, words), each.cites) for each in voted.adjustments]
    return [
        InForceEntry(
            id=f"tariff/{position}" if position else "tariff",
            label=label,
            value=value,
            since=scale.since,
            checked_on=rulebook.tariff.checked_on,
            citation=citation,
        )
        for position, (label, value, citation) in enumerate(told)
    ]


def _prescriptions(rulebook: Rulebook, day: date) -> Iterator[Clause]:
    """The conditions, with the figures in force; one whose figure is not is told as it is written."""
    try:
        figures = figure_texts(rulebook.limits, day)
    except NotInForce:
        figures = {name: f"{{{name}}}" for name in Limits.model_fields}
    for rule in rulebook.prescriptions:
        kinds = f" ({', '.join(kind.label for kind in rule.kinds)})" if rule.kinds else ""
        yield Clause(id=rule.id, told=rule.text.format_map(figures) + kinds, citation=rule.cites)


def _forbidden(rulebook: Rulebook) -> Iterator[Clause]:
    zones = {zone.id: zone.label for zone in rulebook.zones}
    calendars = {calendar.id: calendar.label for calendar in rulebook.calendars}
    for period in rulebook.forbidden_periods:
        where = "toute la commune" if period.zone == rulebook.TERRITORY else zones[period.zone]
        what = f", {', '.join(kind.label for kind in period.kinds)}" if period.kinds else ""
        told = f"{period.label}, {where}{what} : {_days(period, calendars)}"
        yield Clause(id=period.id, told=told, citation=period.cites)


def _days(period: ForbiddenPeriod, calendars: Mapping[str, str]) -> str:
    if period.from_day and period.to_day:
        return f"du {day_text(period.from_day)} au {day_text(period.to_day)}"
    if period.each_year:
        return f"chaque année du {_year_day(period.each_year.from_day)} au {_year_day(period.each_year.to_day)}"
    if period.each_week:
        return f"chaque {', '.join(_WEEKDAYS[day] for day in period.each_week)}"
    return "jours fériés" if period.public_holidays else calendars[period.calendar or ""]


def _year_day(text: str) -> str:
    month, day = text.split("-")
    return f"{int(day)} {MONTHS[int(month) - 1]}"


_WEEKDAYS = {
    "monday": "lundi",
    "tuesday": "mardi",
    "wednesday": "mercredi",
    "thursday": "jeudi",
    "friday": "vendredi",
    "saturday": "samedi",
    "sunday": "dimanche",
}
