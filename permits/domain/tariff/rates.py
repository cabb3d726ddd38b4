"""How a line of the scale is priced: by rate, class, band, tier, package, or free by a text.

The arithmetic is in permits.domain.tariff.prices and permits.domain.tariff.fee.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from permits.domain.application import Word
from permits.domain.decision import Citation
from permits.domain.model import Value
from permits.domain.written import EXACT, WHOLE, YesOrNo

# A rate or an amount of the scale: positive, for nothing is free by a figure (CG3P art. L2125-1).
Price = Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=4), EXACT]
Figure = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=4), EXACT]
Step = Annotated[Decimal, Field(gt=0, le=1000, max_digits=8, decimal_places=4), EXACT]
Count = Annotated[int, Field(ge=1, le=3660), WHOLE]


class Band(Value):
    """Part of the quantities, up to and with `up_to`: a fixed price, a price for each unit, or both."""

    up_to: Price | None = None
    fixed: Price | None = None
    rate: Price | None = None

    @model_validator(mode="after")
    def _has_a_price(self) -> Self:
        if self.fixed is None and self.rate is None:
            raise ValueError("une tranche a un prix : fixed, rate, ou les deux")
        return self


class Bands(Value):
    """Prices by quantity.

    `whole`: the rate of the band where the quantity falls is that of the whole quantity. `slices`: each slice of the
    quantity has its own rate, and the bands below are added up. `above`: the fixed price of the band where the
    quantity falls, and its rate for what is above the band below.
    """

    method: Literal["whole", "slices", "above"]
    steps: Annotated[tuple[Band, ...], Field(min_length=1, max_length=50)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        bounds = [band.up_to for band in self.steps]
        known = [bound for bound in bounds[:-1] if bound is not None]
        if len(known) < len(bounds) - 1:
            raise ValueError("seule la dernière tranche peut se passer de up_to")
        last = bounds[-1]
        if self.method == "above" and any(band.fixed is None for band in self.steps[1:]):
            raise ValueError(
                "above demande un fixed à chaque tranche après la première : ce qui précède se paie par lui"
            )
        if any(high <= low for low, high in zip(known, [*known[1:], *([] if last is None else [last])], strict=False)):
            raise ValueError("les tranches se suivent par up_to croissants")
        return self


class Priced(Value):
    """A price: one rate, rates by class, bands of quantity, or nothing at all by virtue of a text."""

    rate: Price | None = None
    rate_by: Word | None = None
    rates: Annotated[Mapping[str, Price], Field(min_length=1)] | None = None
    bands: Bands | None = None
    free: YesOrNo = False
    cites: Citation | None = None

    def prices(self) -> list[str]:
        """Return which ways of giving a price are used."""
        given = {"rate": self.rate, "rates": self.rates, "bands": self.bands, "free": self.free or None}
        return [name for name, value in given.items() if value is not None]

    @model_validator(mode="after")
    def _is_cited_when_free(self) -> Self:
        if self.free and self.cites is None:
            raise ValueError("une gratuité cite son texte : ajoutez cites (CG3P art. L. 2125-1)")
        if (self.rate_by is None) != (self.rates is None):
            raise ValueError("rates va avec rate_by : zone, ou le nom d’une question")
        return self


class Tier(Priced):
    """The price of the first periods, up to and with the `up_to`-th; or `times` the rate of the line."""

    up_to: Count | None = None
    times: Figure | None = None

    @model_validator(mode="after")
    def _has_one_price(self) -> Self:
        if len(self.prices()) + (self.times is not None) != 1:
            raise ValueError("un palier a un prix, et un seul : rate, rates, bands, times ou free")
        if self.times == 0:
            raise ValueError("un palier gratuit s’écrit free: true, avec son texte")
        return self


class Progression(Value):
    """The rate grows by `add` times itself at the `from_period`-th period, and again every `every` periods."""

    from_period: Count
    every: Count
    add: Annotated[Decimal, Field(gt=0, le=10, max_digits=6, decimal_places=4), EXACT]


class Coefficient(Value):
    """What multiplies the rate, by zone or by the answer to a question."""

    by: Word
    values: Annotated[Mapping[str, Annotated[Decimal, Field(gt=0, le=1000, max_digits=8), EXACT]], Field(min_length=1)]


class Package(Priced):
    """The price of a run of consecutive days."""

    days: Count

    @model_validator(mode="after")
    def _has_one_price(self) -> Self:
        if len(self.prices()) != 1:
            raise ValueError("un forfait a un prix, et un seul : rate, rates, bands ou free")
        return self


class Packages(Value):
    """Prices of runs of days.

    `next`: the shortest package that covers the period; longer ones are filled with the longest package, then the
    rest. `largest_first`: as many of the longest as fit, then of the next, and the shortest for what is left.
    `cheapest`: the combination that costs least.
    """

    method: Literal["next", "largest_first", "cheapest"]
    steps: Annotated[tuple[Package, ...], Field(min_length=1, max_length=50)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        days = [package.days for package in self.steps]
        if days != sorted(set(days)):
            raise ValueError("les forfaits se suivent par nombre de jours croissant")
        return self


class Block(Value):
    """A period of so many consecutive days."""

    days: Annotated[int, Field(ge=2, le=366), WHOLE]
