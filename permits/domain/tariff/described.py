"""A line of the scale told in French, for who reads the rules rather than a bill."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from permits.domain.application import Kind
from permits.domain.french import measure, money
from permits.domain.questions import Question
from permits.domain.tariff.conditions import Range, When
from permits.domain.tariff.rates import Bands, Package, Packages, Priced, Tier
from permits.domain.tariff.scale import Adjustment, Item, Scale
from permits.domain.tariff.sentences import counted, period_name, unit_name


@dataclass(frozen=True)
class Words:
    """What the words of a scale stand for: its questions by id, the label of each zone, its currency."""

    questions: Mapping[str, Question]
    zones: Mapping[str, str]
    currency: str

    def money(self, amount: Decimal) -> str:
        return money(amount, self.currency)

    def of(self, by: str, name: str) -> str:
        """Return the label of a zone, or what an answer to a question means."""
        if by == "zone":
            return self.zones.get(name, name)
        return (self.questions[by].answers or {}).get(name, name)


_MEASURES = {
    "area_m2": "surface",
    "length_m": "longueur",
    "height_m": "hauteur",
    "vehicle_tonnes": "poids du véhicule",
    "pieces": "nombre",
    "parking_spaces": "places de stationnement prises",
    "days": "durée en jours",
    "days_ahead": "jours entre le dépôt et le début",
    "hours_per_day": "heures par jour",
}
_OF = {
    "each_occupancy": "de chaque occupation",
    "occupations": "des occupations, sans le dossier",
    "total": "du total, dossier compris",
}


def describe(item: Item, words: Words) -> str:
    """Return a line of the scale as a sentence: « 1,20 € par m² et par jour »."""
    unit = unit_name(item.unit, words.questions)
    for_each = f"{measure(item.rate_for)} {unit}" if item.rate_for != 1 else unit
    told = [_priced(item, words, for_each)]
    if item.rate_for_periods != 1:
        told[0] += f" pour {counted(Decimal(item.rate_for_periods), period_name(item))}, comptés un à un"
    elif item.packages is None and item.per != "once":
        told[0] += f" et par {period_name(item)}"
    told += [_packages(item.packages, words, for_each)] if item.packages else []
    told += [_tier(tier, words, for_each) for tier in item.tiers]
    told += _counting(item, unit, words)
    told += _time(item)
    told += _bounds(item, words)
    told += _whose(item)
    told += conditions(item.when, words)
    return " ; ".join(each for each in told if each)


def describe_adjustment(adjustment: Adjustment, scale: Scale, words: Words) -> str:
    """Return what follows the lines as a sentence."""
    whose = _OF[adjustment.of]
    if adjustment.items:
        labels = [item.label for item in scale.items if item.id in adjustment.items]
        whose += f" ({', '.join(labels)})"
    if adjustment.percent is not None:
        told = f"{_signed(adjustment.percent)} % {whose}"
    elif adjustment.amount is not None:
        told = f"{words.money(adjustment.amount)} ajoutés à la somme {whose}"
    elif adjustment.minimum is not None:
        told = f"minimum {whose} : {words.money(adjustment.minimum)}"
    elif adjustment.maximum is not None:
        told = f"maximum {whose} : {words.money(adjustment.maximum)}"
    else:
        assert adjustment.waived_below is not None
        told = f"rien n’est dû en dessous de {words.money(adjustment.waived_below)}, {whose}"
    return " ; ".join([told, *conditions(adjustment.when, words)])


def conditions(when: When, words: Words) -> list[str]:
    """Return each condition as a clause."""
    told = [f"en zone {' ou '.join(words.of('zone', zone) for zone in when.zone)}"] if when.zone else []
    for name, label in _MEASURES.items():
        bounds: Range | None = getattr(when, name)
        if bounds is not None:
            told.append(f"{label} {_range(bounds)}")
    told += [f"{words.questions[name].asks} {_range(bounds)}" for name, bounds in when.figures.items()]
    for name, answers in when.answers.items():
        meant = " ou ".join(words.of(name, answer) for answer in answers)
        told.append(f"{words.questions[name].asks} {meant}")
    if when.lane_closed is not None:
        told.append("une voie est fermée" if when.lane_closed else "aucune voie n’est fermée")
    if when.unauthorised is not None:
        told.append("occupation sans titre" if when.unauthorised else "occupation autorisée")
    return told


def _priced(priced: Priced, words: Words, unit: str) -> str:
    if priced.free:
        return "gratuit"
    if priced.rate is not None:
        return f"{words.money(priced.rate)} par {unit}"
    if priced.rates is not None:
        by = str(priced.rate_by)
        told = "zone" if by == "zone" else f"réponse à « {words.questions[by].asks} »"
        rates = ", ".join(f"{words.of(by, name)} {words.money(rate)}" for name, rate in priced.rates.items())
        return f"selon la {told}, {rates} par {unit}"
    return _bands(priced.bands, words, unit) if priced.bands else f"par {unit}"


def _bands(bands: Bands, words: Words, unit: str) -> str:
    how = {
        "whole": "toute la quantité au prix de sa tranche",
        "slices": "chaque tranche à son prix",
        "above": "le prix de sa tranche, et au-delà de la précédente",
    }[bands.method]
    steps = []
    for band in bands.steps:
        fixed = [words.money(band.fixed)] if band.fixed is not None else []
        rate = [f"{words.money(band.rate)} par {unit}"] if band.rate is not None else []
        upto = f"jusqu’à {measure(band.up_to)}" if band.up_to is not None else "au-delà"
        steps.append(f"{upto} : {' plus '.join(fixed + rate)}")
    return f"{', '.join(steps)} ({how})"


def _packages(packages: Packages, words: Words, unit: str) -> str:
    how = {
        "next": "le plus court forfait qui couvre la durée",
        "largest_first": "les plus longs forfaits d’abord",
        "cheapest": "la combinaison la moins chère",
    }[packages.method]
    return f"{' ; '.join(_package(each, words, unit) for each in packages.steps)} ({how})"


def _package(package: Package, words: Words, unit: str) -> str:
    return f"{counted(Decimal(package.days), 'jour')}, {_priced(package, words, unit)}"


def _tier(tier: Tier, words: Words, unit: str) -> str:
    upto = f"jusqu’à la {tier.up_to}ᵉ période" if tier.up_to is not None else "ensuite"
    price = f"× {measure(tier.times)}" if tier.times is not None else _priced(tier, words, unit)
    return f"{upto} : {price}"


def _whose(item: Item) -> list[str]:
    """Return the kinds that a line charges; what its label says already, or every kind, is not told."""
    labels = [kind.label for kind in item.kinds]
    told = [label for label in labels if label.casefold() != item.label.casefold()]
    return [f"pour {', '.join(labels)}"] if told and len(labels) < len(Kind) else []


def _counting(item: Item, unit: str, words: Words) -> list[str]:
    told = []
    if item.rounded_up_to is not None:
        told.append(f"quantité arrondie au multiple supérieur de {measure(item.rounded_up_to)} {unit}")
    if item.at_least is not None:
        told.append(f"au moins {measure(item.at_least)} {unit}")
    if item.at_most is not None:
        told.append(f"au plus {measure(item.at_most)} {unit}")
    if item.free_quantity is not None:
        told.append(f"{measure(item.free_quantity)} {unit} non comptés")
    for coefficient in item.coefficients:
        by = coefficient.by
        values = ", ".join(f"{words.of(by, name)} × {measure(value)}" for name, value in coefficient.values.items())
        told.append(f"coefficient : {values}")
    return told


def _time(item: Item) -> list[str]:
    told = []
    if item.begun == "exact":
        told.append("la dernière période au prorata de ses jours")
    elif item.begun == "calendar":
        told.append("par période du calendrier")
    if item.free_days is not None:
        told.append(f"{counted(Decimal(item.free_days), 'premier jour')} : gratuit")
    if item.extra_days:
        told.append(f"{item.extra_days:+d} jour{'s' * (abs(item.extra_days) > 1)} à la durée")
    if item.season is not None:
        told.append(f"chaque année du {_year_day(item.season.from_day)} au {_year_day(item.season.to_day)}")
    if item.at_least_periods is not None:
        told.append(f"au moins {item.at_least_periods} périodes")
    if item.at_most_periods is not None:
        told.append(f"au plus {item.at_most_periods} périodes")
    if item.progression is not None:
        growth = item.progression
        when = f"dès la {growth.from_period}ᵉ période et toutes les {growth.every} périodes"
        told.append(f"{when}, + {measure(growth.add)} fois le prix")
    return told


def _bounds(item: Item, words: Words) -> list[str]:
    bounds = (
        ("minimum par période", item.minimum_per_period),
        ("maximum par période", item.maximum_per_period),
        ("minimum", item.minimum),
        ("maximum", item.maximum),
    )
    return [f"{name} {words.money(amount)}" for name, amount in bounds if amount is not None]


def _range(bounds: Range) -> str:
    told = (
        ("de plus de", bounds.above),
        ("d’au moins", bounds.at_least),
        ("de moins de", bounds.below),
        ("d’au plus", bounds.up_to),
    )
    return " et ".join(f"{word} {measure(figure)}" for word, figure in told if figure is not None)


def _year_day(text: str) -> str:
    month, day = text.split("-")
    return f"{day}/{month}"


def _signed(value: Decimal) -> str:
    return ("+" if value > 0 else "") + measure(value.normalize() + 0)
