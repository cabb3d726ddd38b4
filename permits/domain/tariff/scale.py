"""A scale of charges as a city votes it: what each line counts, over which time, at which price, and what follows.

Figures only: the arithmetic is in permits.domain.tariff.fee, the words are explained in docs/rulebook.md.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, field_validator, model_validator

from permits.domain.application import Kind, Word
from permits.domain.decision import Citation
from permits.domain.model import Misplaced, Value
from permits.domain.season import Season
from permits.domain.tariff.conditions import When, is_about_an_occupancy
from permits.domain.tariff.rates import (
    Block,
    Coefficient,
    Count,
    Packages,
    Price,
    Priced,
    Progression,
    Step,
    Tier,
)
from permits.domain.written import EXACT, WHOLE

Label = Annotated[str, Field(min_length=3, max_length=200)]

# What a line may count without asking anything more.
UNITS = ("m2", "m", "m2_three_sides", "m2_four_sides", "piece", "parking_space", "occupancy", "request")

EveryKind = Literal["all"] | tuple[Kind, ...]


def _every_kind(given: object) -> object:
    """Read the word « all » as every kind there is."""
    return tuple(Kind) if given == "all" else given


# The tags stand in the place of what pydantic finds wrong: in brackets, they are not told.
Per = Annotated[
    Annotated[Literal["hour", "half_day", "day", "week", "month", "quarter", "year", "once"], Tag("[word]")]
    | Annotated[Block, Tag("[block]")],
    Discriminator(lambda given: "[block]" if isinstance(given, Mapping | Block) else "[word]"),
]

DaysCounted = Literal["all", "working", "weekdays", "mondays_to_saturdays", "sundays_and_holidays", "not_working"]
_OF_A_DAY = ("day", "half_day", "hour")


_OF_SEVERAL_PERIODS = {
    "at_least_periods",
    "at_most_periods",
    "begun",
    "days_counted",
    "extra_days",
    "free_days",
    "maximum_per_period",
    "minimum_per_period",
    "progression",
    "rate_for_periods",
    "tiers",
    "tiers_method",
}
_OF_A_WHOLE = {"minimum", "maximum", "at_least_periods", "at_most_periods"}
# Words that packages of days leave without a sense.
_OF_PERIODS = _OF_SEVERAL_PERIODS - {"extra_days", "free_days"} | {"per", "season"}
_OF_A_REQUEST = {"id", "label", "nature", "when", "unit", "per", "rate", "rate_by", "rates", "free", "cites"}


class Item(Priced):
    """One line of the scale: a price for a quantity, over a time.

    `nature` penalty and deposit are lines of their own; a deposit is given back, and is not in the total.
    """

    id: Word | None = None
    label: Label
    nature: Literal["charge", "penalty", "deposit"] = "charge"
    kinds: Annotated[tuple[Kind, ...], BeforeValidator(_every_kind, json_schema_input_type=EveryKind)] = ()
    when: When = When()
    season: Season | None = None

    unit: str
    rounded_up_to: Step | None = None
    rate_for: Step = Decimal(1)
    free_quantity: Price | None = None
    at_least: Price | None = None
    at_most: Price | None = None

    rate_for_periods: Annotated[int, Field(ge=1, le=366), WHOLE] = 1
    per: Per | None = None
    begun: Literal["due", "exact", "thirtieths", "calendar"] = "due"
    days_counted: DaysCounted = "all"
    free_days: Count | None = None
    extra_days: Annotated[int, Field(ge=-1, le=30), WHOLE] = 0
    at_least_periods: Count | None = None
    at_most_periods: Count | None = None

    coefficients: tuple[Coefficient, ...] = ()
    tiers: tuple[Tier, ...] = ()
    tiers_method: Literal["each", "whole"] = "each"
    progression: Progression | None = None
    packages: Packages | None = None

    minimum_per_period: Price | None = None
    maximum_per_period: Price | None = None
    minimum: Price | None = None
    maximum: Price | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.unit == "request" and (word := next(iter(sorted(self.model_fields_set - _OF_A_REQUEST)), None)):
            raise Misplaced(f"une ligne par dossier (request) n’a pas de {word}", word)
        if self.unit == "request" and is_about_an_occupancy(self.when):
            raise ValueError("une ligne par dossier (request) n’a pas de condition de zone ni de mesure")
        if self.free_quantity is not None and self.cites is None:
            raise ValueError("une quantité gratuite (free_quantity) cite son texte : ajoutez cites")
        if self.free_days is not None and (self.cites is None or self.per == "once" or self.free):
            raise ValueError("des jours gratuits (free_days) citent leur texte (cites), et demandent une durée payante")
        if self.unit != "request" and not self.kinds:
            raise ValueError("donnez kinds : les types d’occupation que la ligne vise, ou all")
        if self.unit == "request" and self.per not in (None, "once"):
            raise ValueError("une ligne par dossier (request) est due une fois : per: once")
        return self

    @model_validator(mode="after")
    def _has_one_price(self) -> Self:
        given = self.prices() + ["packages"] * (self.packages is not None)
        if self.tiers and not given and all(tier.times is None for tier in self.tiers):
            given = ["tiers"]
        if len(given) != 1:
            raise ValueError("une ligne a un prix, et un seul : rate, rates, bands, packages, tiers ou free")
        if self.packages is not None and (word := next(iter(sorted(self.model_fields_set & _OF_PERIODS)), None)):
            raise Misplaced(f"des forfaits (packages) comptent des jours : ôtez {word}", word)
        if self.per == "once" and (word := next(iter(sorted(self.model_fields_set & _OF_SEVERAL_PERIODS)), None)):
            raise Misplaced(f"ce qui est dû une fois (once) ne se compte pas : ôtez {word}", word)
        if self.season is not None and (word := next(iter(sorted(self.model_fields_set & _OF_A_WHOLE)), None)):
            raise Misplaced(f"une saison n’a pas de {word} à elle : mettez-le dans adjustments", word)
        if self.tiers and self.prices() and all(tier.prices() for tier in self.tiers):
            raise ValueError(f"chaque palier a son prix : ôtez {self.prices()[0]}, qui ne sert à rien")
        if self.packages is None and self.per is None:
            raise ValueError("donnez per : hour, half_day, day, week, month, quarter, year, once ou {days: N}")
        if self.free and (self.tiers or self.progression or self.minimum or self.maximum):
            raise ValueError("une ligne gratuite n’a ni paliers, ni progression, ni minimum, ni maximum")
        return self

    @model_validator(mode="after")
    def _counts_time_in_one_way(self) -> Self:
        if self.days_counted != "all" and self.per not in _OF_A_DAY:
            raise ValueError("days_counted ne vaut que pour per: day, half_day ou hour")
        if self.begun != "due" and self.per in (None, "once", *_OF_A_DAY):
            raise ValueError("begun ne vaut que pour une période de plusieurs jours")
        if self.begun == "thirtieths" and self.per != "month":
            raise ValueError("begun: thirtieths demande per: month")
        if self.begun == "calendar" and isinstance(self.per, Block):
            raise ValueError("un bloc de jours n’a pas de calendrier : begun: due ou exact")
        if "tiers_method" in self.model_fields_set and not self.tiers:
            raise ValueError("tiers_method demande des paliers : tiers")
        if self.tiers and self.progression:
            raise ValueError("des paliers (tiers) ou une progression, pas les deux")
        bounds = [tier.up_to for tier in self.tiers]
        if any(bound is None for bound in bounds[:-1]) or (bounds and bounds[-1] is not None):
            raise ValueError("chaque palier a son up_to, sauf le dernier, qui vaut pour la suite")
        known = [bound for bound in bounds if bound is not None]
        if known != sorted(set(known)):
            raise ValueError("les paliers se suivent par up_to croissants")
        return self

    @field_validator("coefficients")
    @classmethod
    def _multiply_once_each(cls, coefficients: tuple[Coefficient, ...]) -> tuple[Coefficient, ...]:
        seen = [each.by for each in coefficients]
        for position, by in enumerate(seen):
            if by in seen[:position]:
                raise Misplaced(f"il y a déjà un coefficient par {by}", position, "by")
        return coefficients

    @model_validator(mode="after")
    def _bounds_are_in_order(self) -> Self:
        pairs = (
            ("at_least", self.at_least, self.at_most),
            ("minimum", self.minimum, self.maximum),
            ("minimum_per_period", self.minimum_per_period, self.maximum_per_period),
            ("at_least_periods", self.at_least_periods, self.at_most_periods),
        )
        for name, low, high in pairs:
            if low is not None and high is not None and high < low:
                raise ValueError(f"{name} est plus grand que la borne haute")
        return self

    def questions(self) -> Iterator[tuple[str, Iterable[str]]]:
        """Give each question that the line rests on, with the answers that it knows."""
        yield from self.when.answers.items()
        packages = self.packages.steps if self.packages else ()
        for priced in (self, *self.tiers, *packages):
            if priced.rate_by not in (None, "zone") and priced.rates is not None:
                yield str(priced.rate_by), priced.rates
        yield from ((each.by, each.values) for each in self.coefficients if each.by != "zone")

    @property
    def base(self) -> tuple[str, ...]:
        """How time is counted: what two lines share whose days can be added up."""
        return (str(self.per), self.begun, self.days_counted, str(self.free_days or 0))

    @property
    def is_priced_as_a_whole(self) -> bool:
        """True when the price of a day depends on how many others there are, however far."""
        return bool(
            self.packages
            or (self.tiers and self.tiers_method == "whole")
            or self.at_least_periods
            or self.at_most_periods
            or self.extra_days
            or self.minimum
            or self.maximum
            or self.begun in ("exact", "thirtieths")
        )


class Adjustment(Value):
    """What follows the lines, in the order written: a percentage, an amount, a minimum, a maximum, or nothing due.

    `of` each_occupancy takes the lines of each occupancy in turn, occupations those of all of them, total those of the
    file as well, and penalties. `kinds` narrows it to some occupancies, `items` to some lines. A percentage is of what
    the previous adjustments left, or of the `lines` themselves.
    """

    label: Label
    of: Literal["each_occupancy", "occupations", "total"]
    kinds: tuple[Kind, ...] = ()
    items: Annotated[tuple[Word, ...], Field(min_length=1)] = ()
    when: When = When()
    percent: Annotated[Decimal, Field(ge=-100, le=10000, max_digits=9, decimal_places=4), EXACT] | None = None
    basis: Literal["previous", "lines"] = "previous"
    amount: Annotated[Decimal, Field(max_digits=12, decimal_places=4), EXACT] | None = None
    minimum: Price | None = None
    maximum: Price | None = None
    waived_below: Price | None = None
    nature: Literal["adjustment", "penalty"] = "adjustment"
    cites: Citation

    @model_validator(mode="after")
    def _does_one_thing(self) -> Self:
        ways = (self.percent, self.amount, self.minimum, self.maximum, self.waived_below)
        if sum(way is not None for way in ways) != 1:
            raise ValueError("un ajustement fait une chose : percent, amount, minimum, maximum ou waived_below")
        if self.percent == 0 or self.amount == 0:
            raise ValueError("un ajustement de zéro ne change rien")
        if self.of != "each_occupancy" and (self.kinds or is_about_an_occupancy(self.when)):
            raise ValueError("des types, une condition de lieu ou de mesure demandent of: each_occupancy")
        if "basis" in self.model_fields_set and self.percent is None:
            raise Misplaced("basis ne vaut que pour un pourcentage (percent)", "basis")
        return self


class Rounding(Value):
    """The stages at which amounts are rounded, each to a multiple of its step; a stage that is not named is exact."""

    mode: Literal["half_up", "up", "down"] = "half_up"
    rate: Step | None = None
    line: Step | None = None
    total: Step | None = None

    @model_validator(mode="after")
    def _ends_in_cents(self) -> Self:
        if self.line is None and self.total is None:
            raise ValueError("dites où arrondir : line, total, ou les deux")
        last = self.total or self.line
        if last is not None and (last % Decimal("0.01") or 100 % last):
            raise ValueError("la dernière étape arrondit au centime, ou à ce qui divise cent : 0.05, 0.50, 10…")
        return self


class Scale(Value):
    """A whole scale, as voted: its lines, what follows them, and how a change during a period is counted.

    `when_replaced`: what a period is charged once a later scale is in force. `each_period`: each day, or each week,
    month… at the scale of its first day. `first_day`, `decision_day`: everything at the scale of that day.
    `extensions`: an extension costs the fee of the `whole` period less what was due, or that of its own days `alone`.
    """

    name: Label
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "EUR"
    rounding: Rounding
    when_replaced: Literal["each_period", "first_day", "decision_day"]
    extensions: Literal["whole", "alone"] = "whole"
    # Highest first: at a corner of two zones, the higher one counts.
    zone_order: tuple[str, ...] = ()
    items: Annotated[tuple[Item, ...], Field(min_length=1, max_length=1000)]
    adjustments: Annotated[tuple[Adjustment, ...], Field(max_length=100)] = ()

    @field_validator("zone_order")
    @classmethod
    def _ranks_each_zone_once(cls, order: tuple[str, ...]) -> tuple[str, ...]:
        for position, zone in enumerate(order):
            if zone in order[:position]:
                raise Misplaced(f"donné deux fois : {zone}", position)
            if zone == "territory":
                raise Misplaced("territory est le prix hors de ces zones : il ne se classe pas", position)
        return order

    @model_validator(mode="after")
    def _names_known_things(self) -> Self:
        seen: set[str] = set()
        for position, item in enumerate(self.items):
            if item.id in seen:
                raise Misplaced(f"donné deux fois : {item.id}", "items", position, "id")
            seen |= {item.id} if item.id else set()
            priced = (item, *item.tiers, *(item.packages.steps if item.packages else ()))
            named = {*item.when.zone, *(zone for each in priced if each.rate_by == "zone" for zone in each.rates or ())}
            named |= {zone for each in item.coefficients if each.by == "zone" for zone in each.values}
            if unknown := sorted(named - {*self.zone_order, "territory"}):
                raise Misplaced(f"zone absente de zone_order : {', '.join(unknown)}", "items", position)
        for position, adjustment in enumerate(self.adjustments):
            if unknown := sorted(set(adjustment.items) - seen):
                raise Misplaced(f"aucune ligne n’a pour id {', '.join(unknown)}", "adjustments", position, "items")
        return self

    @property
    def follows(self) -> tuple[Any, ...]:
        """What follows the lines, whatever its texts: what two scales share whose lines can be added up."""
        told = (each.model_dump(exclude={"label", "cites"}) for each in self.adjustments)
        return (self.rounding.total, self.rounding.mode, *told)
