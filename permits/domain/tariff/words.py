"""The words with which a scale is told in French: what its codes stand for, and when a line applies."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from permits.domain.french import listed, measure, money, ordinal
from permits.domain.questions import Question
from permits.domain.tariff.conditions import Range, When
from permits.domain.tariff.scale import Item
from permits.domain.tariff.sentences import counted, period_noun


@dataclass(frozen=True)
class Words:
    """What the words of a scale stand for: its questions by id, its zones by label, whose holidays, its currency."""

    questions: Mapping[str, Question]
    zones: Mapping[str, str]
    holidays: str
    currency: str

    def money(self, amount: Decimal) -> str:
        return money(amount, self.currency)

    def of(self, by: str, name: str) -> str:
        """Return the label of a zone, or what an answer to a question means."""
        if by == "zone":
            return self.zones.get(name, name)
        return (self.questions[by].answers or {}).get(name, name)

    def by(self, by: str) -> str:
        """Return what a price goes by."""
        return "la zone" if by == "zone" else f"la réponse à « {self.questions[by].asks} »"


_FEMININE = ("hour", "half_day", "week")


@dataclass(frozen=True)
class Periods:
    """The periods of a line in French, with their article and their agreement."""

    noun: str
    feminine: bool

    @classmethod
    def of(cls, item: Item) -> "Periods":
        if item.per is None or item.per == "once":
            return cls("période", feminine=True)
        if item.per == "year":
            return cls("année", feminine=True)
        return cls(period_noun(item), feminine=item.per in _FEMININE or not isinstance(item.per, str))

    def many(self, number: int) -> str:
        """« 3 mois »."""
        return counted(Decimal(number), self.noun)

    def to(self, number: int) -> str:
        """« au 3e mois », « à la 1re semaine »."""
        return f"{'à la' if self.feminine else 'au'} {self._nth(number)}"

    def from_(self, number: int) -> str:
        """« du 3e mois », « de la 1re semaine »."""
        return f"{self.since(number)} {self.noun}"

    def since(self, number: int) -> str:
        """« du 3e », « de la 3e », before the last one is named."""
        return f"{'de la' if self.feminine else 'du'} {ordinal(number, feminine=self.feminine)}"

    def the(self, number: int) -> str:
        """« le 3e mois », « la 1re semaine »."""
        return f"{'la' if self.feminine else 'le'} {self._nth(number)}"

    def each(self, number: int) -> str:
        """« chaque mois », « tous les 3 mois », « toutes les 2 semaines »."""
        if number == 1:
            return f"chaque {self.noun}"
        return f"{'toutes' if self.feminine else 'tous'} les {self.many(number)}"

    @property
    def last(self) -> str:
        """« le dernier mois », « la dernière semaine »."""
        return f"la dernière {self.noun}" if self.feminine else f"le dernier {self.noun}"

    def _nth(self, number: int) -> str:
        return f"{ordinal(number, feminine=self.feminine)} {self.noun}"


# What a condition measures, and in which unit.
_MEASURES = {
    "area_m2": ("pour une surface", "m²"),
    "length_m": ("pour une longueur", "m"),
    "height_m": ("pour une hauteur", "m"),
    "vehicle_tonnes": ("pour un véhicule", "t"),
    "pieces": ("pour un nombre", "unité"),
    "parking_spaces": ("pour la prise", "place de stationnement"),
    "days": ("pour une durée", "jour"),
    "days_ahead": ("pour un délai entre le dépôt et le début", "jour"),
    "working_days_ahead": ("pour un délai entre le dépôt et le début", "jour ouvré"),
    "hours_per_day": ("pour une présence quotidienne", "heure"),
}


def conditions(when: When, words: Words) -> list[str]:
    """Return the conditions as a clause, or none: « seulement en zone centre, pour une durée de plus de 7 jours »."""
    told = [f"en zone {listed([words.of('zone', zone) for zone in when.zone], 'ou')}"] if when.zone else []
    for name, (label, unit) in _MEASURES.items():
        bounds: Range | None = getattr(when, name)
        told += [f"{label} {_range(bounds, unit)}"] if bounds is not None else []
    for name, bounds in when.figures.items():
        figure = words.questions[name].figure
        told.append(f"si {words.by(name)} est {_range(bounds, figure.unit if figure else '')}")
    for name, answers in when.answers.items():
        meant = listed([f"« {words.of(name, answer)} »" for answer in answers], "ou")
        told.append(f"si {words.by(name)} est {meant}")
    if when.lane_closed is not None:
        told.append("si une voie est fermée" if when.lane_closed else "si aucune voie n’est fermée")
    if when.unauthorised is not None:
        told.append(f"pour une occupation {'constatée sans titre' if when.unauthorised else 'autorisée'}")
    return [f"seulement {listed(told)}"] if told else []


def _range(bounds: Range, unit: str) -> str:
    """« de plus de 7 jours et d’au plus 30 jours »."""
    told = (
        ("de plus de", bounds.above),
        ("d’au moins", bounds.at_least),
        ("de moins de", bounds.below),
        ("d’au plus", bounds.up_to),
    )
    return listed([f"{word} {counted(figure, unit)}" for word, figure in told if figure is not None])


def plain(figure: Decimal) -> str:
    """Write a figure without the zeros that say nothing: « 0,5 »."""
    return measure(figure.normalize() + 0)
