"""When a line of the scale applies: bounds of figures, zones, answers, and what the street undergoes."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from permits.domain.application import Word
from permits.domain.model import Value
from permits.domain.written import ExactDecimal, YesOrNo


class Range(Value):
    """Bounds of a figure: `above` and `below` exclude the bound, `at_least` and `up_to` include it."""

    above: ExactDecimal | None = None
    at_least: ExactDecimal | None = None
    below: ExactDecimal | None = None
    up_to: ExactDecimal | None = None

    @model_validator(mode="after")
    def _bounds_something(self) -> Self:
        if None not in (self.above, self.at_least) or None not in (self.below, self.up_to):
            raise ValueError("une seule borne de chaque côté : above ou at_least, below ou up_to")
        low = self.above if self.above is not None else self.at_least
        high = self.below if self.below is not None else self.up_to
        if low is None and high is None:
            raise ValueError("donnez au moins une borne : above, at_least, below ou up_to")
        if low is not None and high is not None and high < low:
            raise ValueError("la borne haute est plus petite que la borne basse")
        one_is_out = self.above is not None or self.below is not None
        if high is not None and one_is_out and (high == low or (self.below is not None and high <= 0)):
            raise ValueError("aucun chiffre n’est entre ces bornes")
        return self

    def holds(self, figure: Decimal) -> bool:
        return (
            (self.above is None or figure > self.above)
            and (self.at_least is None or figure >= self.at_least)
            and (self.below is None or figure < self.below)
            and (self.up_to is None or figure <= self.up_to)
        )


class When(Value):
    """What must be true for a line or an adjustment to apply; every condition given must hold."""

    zone: Annotated[tuple[str, ...], Field(min_length=1)] = ()
    answers: Mapping[Word, Annotated[tuple[Word, ...], Field(min_length=1)]] = Field(default_factory=dict)
    area_m2: Range | None = None
    length_m: Range | None = None
    height_m: Range | None = None
    vehicle_tonnes: Range | None = None
    pieces: Range | None = None
    parking_spaces: Range | None = None
    days: Range | None = None
    days_ahead: Range | None = None
    working_days_ahead: Range | None = None
    hours_per_day: Range | None = None
    figures: Mapping[Word, Range] = Field(default_factory=dict)
    lane_closed: YesOrNo | None = None
    unauthorised: YesOrNo | None = None


# The conditions that are bounds of a figure of the application.
MEASURES = (
    "days",
    "days_ahead",
    "working_days_ahead",
    "hours_per_day",
    "pieces",
    "parking_spaces",
    "area_m2",
    "length_m",
    "height_m",
    "vehicle_tonnes",
)

# What is told of one occupancy, and so has no sense for a whole application.
OF_AN_OCCUPANCY = (
    "zone",
    "area_m2",
    "length_m",
    "height_m",
    "vehicle_tonnes",
    "pieces",
    "parking_spaces",
    "lane_closed",
)


def is_about_an_occupancy(when: When) -> bool:
    """Tell whether a condition looks at one occupancy. Answers may be about either: the rulebook knows."""
    return any(getattr(when, name) not in (None, ()) for name in OF_AN_OCCUPANCY)
