"""A figure of the law through time: what holds on a day, since when, and by which text.

A dated value holds from its day until the next entry's; an abrogated entry ends it. A hole is our
fault, never a refusal: `NotInForce` says which figure is missing and on which day.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Generic, Self, TypeVar

from pydantic import Field, model_validator

from permits.domain.application import Day
from permits.domain.decision import Citation
from permits.domain.model import Misplaced, Value
from permits.domain.written import YesOrNo

T = TypeVar("T")


class NotInForce(Exception):
    """The rulebook holds no value of that name on that day."""

    def __init__(self, name: str, day: date) -> None:
        super().__init__(f"{name} has no value in force on {day.isoformat()}")
        self.name = name
        self.day = day


class Entry(Value, Generic[T]):
    """A value from a day on, with its text; `abrogated` ends the series."""

    value: T | None = None
    abrogated: YesOrNo = False
    cites: Citation

    @model_validator(mode="after")
    def _value_or_end(self) -> Self:
        if (self.value is None) != self.abrogated:
            raise ValueError("donnez value, ou abrogated: true, pas les deux")
        return self


class InForce(Value, Generic[T]):
    """The value that holds on a day, and the text behind it."""

    value: T
    citation: Citation
    since: date


class Dated(Value, Generic[T]):
    """One figure through time. `checked_on` is when a person last compared it with its text."""

    label: Annotated[str, Field(min_length=3)]
    unit: str
    checked_on: Day
    values: Annotated[Mapping[Day, Entry[T]], Field(min_length=1)]

    @model_validator(mode="after")
    def _has_no_hole(self) -> Self:
        for day in sorted(self.values)[:-1]:
            if self.values[day].abrogated:
                raise Misplaced("un trou dans le temps : ce qui est abrogé ne se reprend pas plus tard", "values", day)
        return self

    def on(self, day: date) -> InForce[T]:
        """Return what holds on `day`, or raise NotInForce."""
        since = max((start for start in self.values if start <= day), default=None)
        if since is None or (entry := self.values[since]).value is None:
            raise NotInForce(self.label, day)
        return InForce[T](value=entry.value, citation=entry.cites, since=since)
