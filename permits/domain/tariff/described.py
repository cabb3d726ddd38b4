"""A line of the scale told in French, wholly, for who reads the rules rather than a bill."""

from decimal import Decimal

from permits.domain.application import Kind
from permits.domain.french import listed, year_day_text
from permits.domain.tariff.described_prices import price
from permits.domain.tariff.rates import Block
from permits.domain.tariff.scale import Adjustment, Item, Scale
from permits.domain.tariff.sentences import counted, unit_name
from permits.domain.tariff.words import Periods, Words, conditions, plain

_OF = {
    "each_occupancy": "la somme de chaque occupation",
    "occupations": "la somme des occupations, dossier non compris",
    "total": "le total, dossier compris",
}
_NATURES = {"charge": "", "deposit": "dépôt de garantie, rendu, hors du total : ", "penalty": "pénalité : "}


def describe(item: Item, words: Words) -> list[str]:
    """Return a line of the scale as clauses, its price first: « 1,20 € par m² et par jour »."""
    first, *told = price(item, words)
    told = [_NATURES[item.nature] + first, *told]
    if not item.free:
        told += _quantity(item, words)
        told += _days(item, words)
        told += _bounds(item, words)
    return [*told, *_season(item), *_whose(item), *conditions(item.when, words)]


def describe_adjustment(adjustment: Adjustment, scale: Scale, words: Words) -> list[str]:
    """Return what follows the lines as clauses: what it changes, then when."""
    whose = _OF[adjustment.of]
    if adjustment.items:
        labels = [item.label for item in scale.items if item.id in adjustment.items]
        whose += f" (seulement : {', '.join(labels)})"
    elif adjustment.of != "total" and any(item.nature == "penalty" for item in scale.items):
        whose += ", pénalités non comprises"
    if adjustment.kinds:
        whose += f", pour : {listed([kind.label for kind in adjustment.kinds])}"
    nature = "majoration, à titre de pénalité, sur " if adjustment.nature == "penalty" else ""
    return [f"{nature}{whose} : {_change(adjustment, words)}", *conditions(adjustment.when, words)]


def _change(adjustment: Adjustment, words: Words) -> str:
    if adjustment.percent == -100:
        return "rien n’est dû"
    if adjustment.percent is not None:
        of = ", compté sur les lignes mêmes" if adjustment.basis == "lines" else ""
        return f"{plain(abs(adjustment.percent))} % en {'plus' if adjustment.percent > 0 else 'moins'}{of}"
    if adjustment.amount is not None:
        way = "en plus" if adjustment.amount > 0 else "en moins, sans passer sous zéro"
        return f"{words.money(abs(adjustment.amount))} {way}"
    if adjustment.minimum is not None:
        return f"au moins {words.money(adjustment.minimum)}"
    if adjustment.maximum is not None:
        return f"au plus {words.money(adjustment.maximum)}"
    assert adjustment.waived_below is not None
    return f"rien n’est dû en dessous de {words.money(adjustment.waived_below)}"


def _quantity(item: Item, words: Words) -> list[str]:
    unit, told = unit_name(item.unit, words.questions), []
    sides = {"m2_three_sides": "longueur + 2 largeurs", "m2_four_sides": "2 longueurs + 2 largeurs"}
    if item.unit in sides:
        told.append(f"pourtour : ({sides[item.unit]}) × hauteur")
    if item.rounded_up_to == 1:
        told.append("quantité arrondie à l’entier supérieur")
    elif item.rounded_up_to is not None:
        told.append(f"quantité arrondie au multiple supérieur de {counted(item.rounded_up_to, unit)}")
    if item.at_least is not None:
        told.append(f"quantité comptée : au moins {counted(item.at_least, unit)}")
    if item.at_most is not None:
        told.append(f"quantité comptée : au plus {counted(item.at_most, unit)}")
    if item.free_quantity is not None:
        told.append(f"franchise : {counted(item.free_quantity, unit)}")
    return told


def _days(item: Item, words: Words) -> list[str]:
    """Tell which days are counted, and in which periods."""
    told, periods = [_begun(item), _counted(item, words)], Periods.of(item)
    if item.free_days is not None:
        first = "le premier jour est gratuit" if item.free_days == 1 else f"les {item.free_days} premiers jours"
        told.append(first if item.free_days == 1 else f"{first} sont gratuits")
        told.append("la durée se compte à partir du jour suivant")
    if item.extra_days:
        way = "de plus que la durée" if item.extra_days > 0 else "de moins que la durée, un au moins"
        told.append(f"compté {counted(Decimal(abs(item.extra_days)), 'jour')} {way}")
    if item.at_least_periods is not None:
        told.append(f"durée comptée : au moins {periods.many(item.at_least_periods)}")
    if item.at_most_periods is not None:
        told.append(f"durée comptée : au plus {periods.many(item.at_most_periods)}")
    return [each for each in told if each]


def _begun(item: Item) -> str:
    if item.per == "hour":
        return "chaque heure commencée de chaque jour est due"
    if item.per == "half_day":
        return "une demi-journée finit à 13 h au plus tard ou commence à 12 h au plus tôt, sinon le jour en compte deux"
    if item.begun == "exact":
        return f"{Periods.of(item).last} au prorata de ses jours"
    if item.begun == "thirtieths":
        return f"{Periods.of(item).last} par trentièmes, un par jour"
    if item.begun == "calendar":
        return "comptés par le calendrier : tout ce qui est touché est dû"
    return "toute période commencée est due" if isinstance(item.per, Block) else ""


def _counted(item: Item, words: Words) -> str:
    return {
        "all": "",
        "working": f"jours comptés : du lundi au vendredi, hors jours fériés ({words.holidays})",
        "weekdays": "jours comptés : du lundi au vendredi, jours fériés compris",
        "mondays_to_saturdays": f"jours comptés : du lundi au samedi, hors jours fériés ({words.holidays})",
        "sundays_and_holidays": f"jours comptés : dimanches et jours fériés ({words.holidays})",
        "not_working": f"jours comptés : samedis, dimanches et jours fériés ({words.holidays})",
    }[item.days_counted]


def _bounds(item: Item, words: Words) -> list[str]:
    each = f"par {Periods.of(item).noun}"
    bounds = (
        (f"minimum {each}", item.minimum_per_period),
        (f"maximum {each}", item.maximum_per_period),
        ("minimum par occupation", item.minimum),
        ("maximum par occupation", item.maximum),
    )
    return [f"{name} : {words.money(amount)}" for name, amount in bounds if amount is not None]


def _season(item: Item) -> list[str]:
    if item.season is None:
        return []
    what = "les jours" if item.per in ("hour", "half_day", "day") else "les périodes dont le premier jour est"
    return [f"seulement {what} du {year_day_text(item.season.from_day)} au {year_day_text(item.season.to_day)}"]


def _whose(item: Item) -> list[str]:
    """Return the kinds that a line charges; what its label says already is not told."""
    labels = [kind.label for kind in item.kinds]
    if len(labels) == len(Kind):
        return ["pour tous les types d’occupation"]
    told = [label for label in labels if label.casefold() != item.label.casefold()]
    return [f"pour : {listed(labels)}"] if told else []
