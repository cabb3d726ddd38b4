"""What a scale says of all its lines at once, told in French: rounding, its replacement, extensions, its zones."""

from typing import NamedTuple

from permits.domain.french import listed
from permits.domain.tariff.scale import Scale
from permits.domain.tariff.words import Words

_MODES = {"half_up": "au plus proche, la moitié vers le haut", "up": "vers le haut", "down": "vers le bas"}
_WHEN_REPLACED = {
    "each_period": "chaque jour, semaine ou mois est compté au barème de son premier jour",
    "first_day": "tout est compté au barème du premier jour d’occupation",
    "decision_day": "tout est compté au barème du jour de la décision",
}
_EXTENSIONS = {
    "whole": "une prolongation coûte la redevance de la période entière, moins ce qui est déjà dû",
    "alone": "une prolongation coûte la redevance de ses propres jours, comme une nouvelle demande",
}


class Term(NamedTuple):
    """One thing that holds for the whole scale: its name, its label, and a sentence."""

    id: str
    label: str
    told: str


def terms_of(scale: Scale, words: Words) -> list[Term]:
    """Return what holds for every line of a scale."""
    replaced = f"quand un autre barème entre en vigueur pendant l’occupation, {_WHEN_REPLACED[scale.when_replaced]}"
    told = [
        Term("rounding", "Arrondi", _rounding(scale, words)),
        Term("when_replaced", "Changement de barème", replaced),
        Term("extensions", "Prolongations", _EXTENSIONS[scale.extensions]),
    ]
    if scale.zone_order:
        zones = ", puis ".join(words.of("zone", zone) for zone in scale.zone_order)
        order = f"une emprise sur plusieurs zones paie pour la première où elle entre, dans cet ordre : {zones}"
        told.append(Term("zone_order", "Ordre des zones", order))
    return told


def _rounding(scale: Scale, words: Words) -> str:
    """Tell each stage in the order of the calculation; a stage that is not named is exact."""
    rounding, rate = scale.rounding, "le prix multiplié par son coefficient"
    stages = ((rate, rounding.rate), ("chaque ligne", rounding.line), ("le total", rounding.total))
    rounded = [f"{what} à {words.money(step)} près" for what, step in stages if step is not None]
    exact = [what for what, step in stages[:2] if step is None and (what != rate or _multiplies(scale))]
    left = f" ; sans arrondi : {listed(exact)}" if exact else ""
    return f"{', puis '.join(rounded)} ({_MODES[rounding.mode]}){left}"


def _multiplies(scale: Scale) -> bool:
    """Tell whether a price of the scale is ever multiplied."""
    return any(
        item.coefficients or item.progression or any(tier.times is not None for tier in item.tiers)
        for item in scale.items
    )
