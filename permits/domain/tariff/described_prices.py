"""The price of a line told in French: by rate, by zone or answer, by bands, packages, tiers, and how it grows."""

from dataclasses import dataclass
from decimal import Decimal

from permits.domain.tariff.rates import Bands, Packages, Priced, Tier
from permits.domain.tariff.scale import Item
from permits.domain.tariff.sentences import counted, period_name, unit_name
from permits.domain.tariff.words import Periods, Words, plain

_BANDS = {
    "whole": "toute la quantité au prix de sa tranche",
    "slices": "chaque tranche à son prix, et leur somme",
    "above": "le prix de la tranche atteinte, et son prix par unité pour ce qui dépasse la tranche d’avant",
}
_PACKAGES = {
    "next": "le plus court forfait qui couvre la durée ; sans lui, autant du plus long qu’il en tient, puis le reste",
    "largest_first": "autant des plus longs forfaits qu’il en tient, puis des suivants, et le plus court pour le reste",
    "cheapest": "la combinaison de forfaits qui coûte le moins",
}


@dataclass(frozen=True)
class Each:
    """What a price is for: « par m² et par jour », a price that no quantity multiplies: « par jour », and the unit."""

    unit: str
    period: str
    name: str


def price(item: Item, words: Words) -> list[str]:
    """Return the price of a line as clauses; the first is the price itself."""
    each, told = _each(item, words), []
    if item.prices():
        told.append(_priced(item, words, each))
    if item.packages is not None:
        told += _packages(item.packages, words, each)
    if item.tiers:
        told += _tiers(item, words, each)
    told += _band_notes(item)
    for coefficient in item.coefficients:
        by = coefficient.by
        values = ", ".join(f"{words.of(by, name)} × {plain(value)}" for name, value in coefficient.values.items())
        told.append(f"prix multiplié selon {words.by(by)} : {values}")
    if item.progression is not None:
        growth, periods = item.progression, Periods.of(item)
        told.append(
            f"à partir {periods.from_(growth.from_period)}, puis {periods.each(growth.every)}, "
            f"le prix augmente de {plain(growth.add * 100)} % du prix de départ"
        )
    return told


def _each(item: Item, words: Words) -> Each:
    name = unit_name(item.unit, words.questions)
    many = f"par {plain(item.rate_for)} {_plural(name)}" if item.rate_for != 1 else f"par {_long(item, name)}"
    if item.packages is not None or item.unit == "request":
        return Each(many, "", name)
    if item.per == "once":
        return Each(f"{many}, une fois", "une fois", name)
    period = f"par {period_name(item)}"
    if item.rate_for_periods != 1:
        span = f"pour {Periods.of(item).many(item.rate_for_periods)}, comptés {period}"
        return Each(f"{many} {span}", period, name)
    return Each(f"{many} et {period}", period, name)


def _long(item: Item, unit: str) -> str:
    """Return a unit with what it measures, where its symbol alone does not say it."""
    measured = {"m": "de longueur", "m2_three_sides": "de pourtour", "m2_four_sides": "de pourtour"}
    return f"{unit} {measured[item.unit]}" if item.unit in measured else unit


def _plural(unit: str) -> str:
    return counted(Decimal(2), unit).removeprefix("2 ")


def _priced(priced: Priced, words: Words, each: Each) -> str:
    if priced.free:
        return "gratuit"
    if priced.rate is not None:
        return f"{words.money(priced.rate)} {each.unit}"
    if priced.rates is not None:
        by = str(priced.rate_by)
        rates = ", ".join(f"{words.of(by, name)} {words.money(rate)}" for name, rate in priced.rates.items())
        return f"selon {words.by(by)} : {rates}, {each.unit}"
    assert priced.bands is not None
    return _bands(priced.bands, words, each)


def _bands(bands: Bands, words: Words, each: Each) -> str:
    steps, below = [], None
    for band in bands.steps:
        fixed = [f"{words.money(band.fixed)} {each.period}".strip()] if band.fixed is not None else []
        rate = [f"{words.money(band.rate)} {each.unit}"] if band.rate is not None else []
        if band.up_to is None:
            reach = f"au-delà de {counted(below, each.name)} : " if below is not None else ""
        elif below is None:
            reach = f"jusqu’à {counted(band.up_to, each.name)} : "
        else:
            reach = f"de plus de {plain(below)} à {counted(band.up_to, each.name)} : "
        below = band.up_to
        steps.append(f"{reach}{' plus '.join(fixed + rate)}")
    return ", ".join(steps)


def _band_notes(item: Item) -> list[str]:
    """Tell how bands are counted, once for all those of a line; beyond the last of them, a person fixes the fee."""
    priced = (item, *item.tiers, *(item.packages.steps if item.packages else ()))
    every = [each.bands for each in priced if each.bands is not None]
    notes = [_BANDS[bands.method] for bands in every if len(bands.steps) > 1]
    notes += ["au-delà de la dernière tranche, un agent fixe la redevance" for b in every if b.steps[-1].up_to]
    return list(dict.fromkeys(notes))


def _packages(packages: Packages, words: Words, each: Each) -> list[str]:
    steps = [
        f"forfait de {counted(Decimal(package.days), 'jour')} : {_priced(package, words, each)}{_text(package)}"
        for package in packages.steps
    ]
    return [*steps, _PACKAGES[packages.method]]


def _tiers(item: Item, words: Words, each: Each) -> list[str]:
    """Tell each tier by the rank of its periods, or by how many there are when that one tier is the price of all."""
    periods, whole = Periods.of(item), item.tiers_method == "whole"
    told, first = [], 1
    for tier in item.tiers:
        reach = _reach_of_all(first, tier.up_to, periods) if whole else _reach(first, tier.up_to, periods)
        told.append(f"{reach} : {_tier(tier, words, each)}")
        first = (tier.up_to or 0) + 1
    return [", ".join(told), *(["toute la durée au prix du palier atteint"] if whole else [])]


def _reach(first: int, last: int | None, periods: Periods) -> str:
    if last is None:
        return f"à partir {periods.from_(first)}"
    if first == last:
        return periods.the(first)
    return f"{'jusqu’' if first == 1 else f'{periods.since(first)} '}{periods.to(last)}"


def _reach_of_all(first: int, last: int | None, periods: Periods) -> str:
    if last is None:
        return f"à partir de {periods.many(first)}"
    if first == last:
        return f"pour {periods.many(first)}"
    return f"{'jusqu’' if first == 1 else f'de {first} '}à {periods.many(last)}"


def _tier(tier: Tier, words: Words, each: Each) -> str:
    if tier.times is None:
        return f"{_priced(tier, words, each)}{_text(tier)}"
    return "le prix" if tier.times == 1 else f"{plain(tier.times)} fois le prix"


def _text(priced: Priced) -> str:
    """Return the text of a tier or of a package that has its own."""
    return f" [{priced.cites.text}]" if priced.cites else ""
