"""What a rulebook would say otherwise of days gone by: a vote adds a value from its day on, and erases none."""

from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

from permits.domain.dated import Dated
from permits.domain.limits import Limits
from permits.domain.rulebook import Rulebook


class Rewritten(NamedTuple):
    """An entry that is not what it was: its file (the tariff's folder), the label of its value, and its day."""

    file: str
    label: str
    day: date


def rewritten(in_force: Rulebook, proposed: Rulebook, effective_on: date) -> Iterator[Rewritten]:
    """Give each entry from before `effective_on` that is changed, added or left out by what is to take effect then."""
    for name in Limits.model_fields:
        before, after = getattr(in_force.limits, name), getattr(proposed.limits, name)
        for day in _days(before, after, effective_on):
            yield Rewritten(f"limits/{name}.yaml", after.label, day)
    for day in _days(in_force.tariff, proposed.tariff, effective_on):
        yield Rewritten("tariffs/", proposed.tariff.label, day)


def _days(before: Dated[Any], after: Dated[Any], effective_on: date) -> list[date]:
    days = sorted(before.values.keys() | after.values.keys())
    return [day for day in days if day < effective_on and before.values.get(day) != after.values.get(day)]
