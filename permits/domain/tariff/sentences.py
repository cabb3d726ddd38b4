"""How a line of the fee is told in French: what was counted, for how long, at which price."""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from permits.domain.french import measure, money
from permits.domain.questions import Question
from permits.domain.tariff.measures import Subject
from permits.domain.tariff.prices import Charge
from permits.domain.tariff.rates import Block, Package
from permits.domain.tariff.scale import Item
from permits.domain.tariff.time import Period

_UNIT_NAMES = {
    "m2": "m²",
    "m": "m",
    "m2_three_sides": "m²",
    "m2_four_sides": "m²",
    "piece": "unité",
    "parking_space": "place de stationnement",
    "occupancy": "occupation",
    "request": "dossier",
}
_PER_NAMES = {
    "hour": "heure",
    "half_day": "demi-journée",
    "day": "jour",
    "week": "semaine",
    "month": "mois",
    "quarter": "trimestre",
    "year": "an",
}
# Of days: an hour and a half-day are those of a day that is counted.
_COUNTED = {"working": "ouvré", "mondays_to_saturdays": "ouvrable"}
_NOT_WORKED = {"sundays_and_holidays": " de dimanche ou férié", "not_working": " de fin de semaine ou férié"}
_OF_THE_CALENDAR = {
    "week": "semaine civile",
    "month": "mois civil",
    "quarter": "trimestre civil",
    "year": "année civile",
}
# A period begun is due: how that is said of each, feminine or not.
_FEMININE = {"week": "e", "month": "", "quarter": "", "year": ""}
_INVARIABLE = {"m²", "m", "mois", "t"}


class Price(NamedTuple):
    """A rate, its coefficient, and what is applied once that is rounded."""

    rate: Decimal
    times: Decimal
    applied: Decimal


def explain(item: Item, subject: Subject, charge: Charge, span: list[Period], package: Package | None) -> str:
    """Return what is multiplied: « 15 m² (14,4 m² arrondis) × 3 mois »."""
    told = charge.what if charge.fixed else _quantity(item, subject, charge)
    duration = _packages(package, len(span)) if package else _duration(item, span)
    return " × ".join(part for part in (told, duration) if part) or "forfait"


def priced(counted: str, price: Price, divided_by: Decimal, currency: str) -> str:
    """Return what is counted with its price: « 15 m² × 16,62 € × 1,1 », or « … × 18,28 € (16,62 € × 1,1, arrondi) »."""
    if not price.rate:
        return f"{counted} : gratuit"
    told = money(price.rate, currency)
    if price.times != 1:
        told += f" × {measure(price.times.normalize() + 0)}"
    if price.applied != price.rate * price.times:
        told = f"{money(price.applied, currency)} ({told}, arrondi)"
    divisor = f" ÷ {measure(divided_by.normalize() + 0)}" if divided_by != 1 else ""
    return f"{counted} × {told}{divisor}"


def unit_of(item: Item, subject: Subject, charge: Charge, span: list[Period]) -> str:
    """Return what the quantity of a line is counted in: « m² × jour »."""
    unit = "forfait" if charge.fixed or item.packages else unit_name(item.unit, subject.questions)
    if item.packages or item.per == "once":
        return unit
    if span[0].out_of > 1:
        return f"{unit} × jour"
    return f"{unit} × {period_name(item)}"


def unit_name(unit: str, questions: Mapping[str, Question]) -> str:
    """Return the French name of a unit: a built-in one, or that of the figure that a question asks."""
    if unit in _UNIT_NAMES:
        return _UNIT_NAMES[unit]
    figure = questions[unit].figure
    return figure.unit if figure else unit


def period_name(item: Item) -> str:
    """Return the French name of the periods that a line counts."""
    if isinstance(item.per, Block):
        return period_noun(item)
    if item.begun == "calendar":
        return _OF_THE_CALENDAR[str(item.per)]
    name = period_noun(item)
    if item.days_counted in _NOT_WORKED:
        return f"{name}{_NOT_WORKED[item.days_counted]}"
    if item.days_counted in _COUNTED:
        name += f" {_COUNTED[item.days_counted]}{'e' * (item.per != 'day')}"
    elif item.begun == "due" and item.per in _FEMININE:
        name += f" commencé{_FEMININE[str(item.per)]}"
    return name


def period_noun(item: Item) -> str:
    """Return the same, whichever days count and whether it is due once begun."""
    return f"période de {item.per.days} jours" if isinstance(item.per, Block) else _PER_NAMES[str(item.per)]


def _quantity(item: Item, subject: Subject, charge: Charge) -> str:
    unit = unit_name(item.unit, subject.questions)
    told = counted(charge.quantity, unit)
    exact = subject.counted(item.unit)
    free = f", {measure(item.free_quantity)} gratuits" if item.free_quantity is not None else ""
    rounded = item.rounded_up_to is not None or item.at_least is not None or item.at_most is not None
    return f"{told} (pour {counted(exact, unit)}{free})" if (rounded or free) and exact != charge.quantity else told


def _duration(item: Item, span: list[Period]) -> str:
    parts, out_of = sum(period.parts for period in span), span[0].out_of
    if item.per == "once":
        return ""
    if out_of > 1:
        return counted(Decimal(parts), "jour")
    return counted(Decimal(parts), period_name(item))


def _packages(package: Package, number: int) -> str:
    run = f"{package.days} jour{'s' * (package.days > 1)}"
    return f"{counted(Decimal(number), 'forfait')} de {run}"


def counted(number: Decimal, name: str) -> str:
    """Write so many of something: « 3 places de stationnement »."""
    told = measure(number.normalize() + 0)
    if number < 2:
        return f"{told} {name}"
    return f"{told} {_plural(name)}"


def _plural(name: str) -> str:
    first, of, rest = name.partition(" de ")
    return " ".join(word if word in _INVARIABLE else f"{word}s" for word in first.split(" ")) + of + rest
