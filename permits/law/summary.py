"""What a rulebook says on a day: each figure with its text, for a person or a program to read."""

from datetime import date
from decimal import Decimal

from permits.domain.decision import Citation
from permits.domain.french import measure
from permits.domain.model import Value
from permits.domain.rulebook import Assurance, Dated, InForce, Limits, NotInForce, Rulebook
from permits.domain.tariff.described import describe, describe_adjustment
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


class Summary(Value):
    """All that is in force on a day; `missing` are the figures that are not."""

    authority: str
    digest: str
    day: date
    signatory: str | None
    entries: tuple[InForceEntry, ...]
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
                value=_value(held.value, limit.unit),
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
        entries=tuple(entries),
        missing=tuple(missing),
    )


def _scale_entries(rulebook: Rulebook, scale: InForce[Scale]) -> list[InForceEntry]:
    """Return the tariff, then each of its lines and of what follows them."""
    voted, questions = scale.value, {question.id: question for question in rulebook.questions}
    told = [(rulebook.tariff.label, voted.name, scale.citation)]
    told += [(each.label, describe(each, voted, questions), each.cites or scale.citation) for each in voted.items]
    told += [(each.label, describe_adjustment(each, voted, questions), each.cites) for each in voted.adjustments]
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


def _value(value: object, unit: str) -> str:
    if isinstance(value, tuple):
        return ", ".join(getattr(each, "label", str(each)) for each in value)
    if isinstance(value, Assurance):
        return value.code
    shown = measure(value) if isinstance(value, Decimal) else str(value)
    return f"{shown} {unit}".strip()
