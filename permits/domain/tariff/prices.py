"""What one period costs for a quantity: by rate, by class, or by bands."""

from decimal import Decimal
from typing import NamedTuple

from permits.domain.french import measure
from permits.domain.tariff.measures import Subject
from permits.domain.tariff.rates import Band, Bands, Priced
from permits.domain.tariff.scale import Item, Scale
from permits.domain.tariff.unknown import NoPrice

_ONE = Decimal(1)


class Charge(NamedTuple):
    """So many units at a rate; `fixed` when the price doesn't depend on the quantity, and then what it is."""

    quantity: Decimal
    rate: Decimal
    fixed: bool = False
    what: str = ""

    @property
    def amount(self) -> Decimal:
        return self.quantity * self.rate


def charges(priced: Priced, item: Item, subject: Subject, quantity: Decimal, scale: Scale) -> list[Charge]:
    """Return what a price asks for `quantity` units; empty when nothing is counted. Raises NoPrice or NotDeclared."""
    if priced.free:
        return [Charge(quantity, Decimal(0))]
    if not quantity:
        return []
    if priced.rate is not None:
        return [Charge(quantity, priced.rate)]
    if priced.rates is not None:
        return [Charge(quantity, _rate_of_class(priced, subject, scale))]
    assert priced.bands is not None
    return _banded(priced.bands, quantity, subject, scale)


def coefficient(item: Item, subject: Subject, scale: Scale) -> Decimal:
    """Return what multiplies the rates of a line. Raises NoPrice or NotDeclared."""
    product = _ONE
    for each in item.coefficients:
        found = subject.zone(scale.zone_order) if each.by == "zone" else subject.answer(each.by)
        if found not in each.values:
            raise NoPrice(subject.kind, scale.name, f"« {found} » n’y a pas de coefficient")
        product *= each.values[found]
    return product


def within_bounds(found: list[Charge], item: Item, times: Decimal) -> list[Charge] | None:
    """Return the one charge that a minimum or a maximum of each period puts in the place of these, None for neither."""
    low, high = item.minimum_per_period, item.maximum_per_period
    amount = sum(
        (c.amount * times / (1 if c.fixed else item.rate_for * item.rate_for_periods) for c in found), Decimal(0)
    )
    if low is not None and amount < low:
        return [Charge(_ONE, low, fixed=True, what="minimum par période")]
    if high is not None and amount > high:
        return [Charge(_ONE, high, fixed=True, what="maximum par période")]
    return None


def _rate_of_class(priced: Priced, subject: Subject, scale: Scale) -> Decimal:
    assert priced.rates is not None and priced.rate_by is not None
    by_zone = priced.rate_by == "zone"
    found = subject.zone(scale.zone_order) if by_zone else subject.answer(priced.rate_by)
    if found not in priced.rates:
        raise NoPrice(subject.kind, scale.name, f"« {found} » n’y a pas de prix")
    return priced.rates[found]


def _banded(bands: Bands, quantity: Decimal, subject: Subject, scale: Scale) -> list[Charge]:
    lowers = [Decimal(0), *(band.up_to for band in bands.steps if band.up_to is not None)]
    reached = next((n for n, b in enumerate(bands.steps) if b.up_to is None or quantity <= b.up_to), None)
    if reached is None:
        raise NoPrice(subject.kind, scale.name, "la quantité dépasse la dernière tranche")
    if bands.method == "slices":
        found = []
        for lower, band in zip(lowers, bands.steps[: reached + 1], strict=False):
            found += _of_band(band, lower, min(quantity, band.up_to or quantity) - lower)
        return found
    counted = quantity if bands.method == "whole" else quantity - lowers[reached]
    return _of_band(bands.steps[reached], lowers[reached], counted)


def _of_band(band: Band, lower: Decimal, counted: Decimal) -> list[Charge]:
    what = f"tranche jusqu’à {measure(band.up_to)}" if band.up_to else f"tranche au-delà de {measure(lower)}"
    fixed = [Charge(_ONE, band.fixed, fixed=True, what=what)] if band.fixed is not None else []
    by_unit = [Charge(counted, band.rate)] if band.rate is not None and counted else []
    return fixed + by_unit
