"""Logic that changes with time: a decision is taken, and taken again years later, by the logic of its day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

Logic = TypeVar("Logic")

# The day of the first version of every rule.
FIRST_VERSION = date(2026, 11, 23)


@dataclass(frozen=True)
class Variants(Generic[Logic]):
    """A rule and what it became: each later one holds from its day on, the first has always held.

    A rule that has decided is never edited: what it becomes is written beside it, with its day.
    """

    first: Logic
    later: tuple[tuple[date, Logic], ...] = ()

    def on(self, day: date) -> Logic:
        """Return the one that holds for a decision of that day."""
        return next((logic for since, logic in reversed(self.later) if since <= day), self.first)


def version_on(day: date, every: Iterable[Variants[Any]]) -> date:
    """Return the day since which all of these are what they are on `day`."""
    return max((since for each in every for since, _ in each.later if since <= day), default=FIRST_VERSION)
