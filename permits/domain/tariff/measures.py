"""What a scale counts of one occupancy: its area, its lengths, its pieces, and what was answered."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cached_property, partial
from operator import is_

from permits.domain.application import Application, Kind, Occupancy
from permits.domain.calendar import PublicHolidays
from permits.domain.limits import Limits
from permits.domain.place import PlaceFacts
from permits.domain.questions import Question
from permits.domain.tariff.conditions import MEASURES, Range, When
from permits.domain.tariff.scale import Item
from permits.domain.tariff.unknown import FeeUnknown, NotConfirmed, NotDeclared

CENT = Decimal("0.01")
_ONE = Decimal(1)
_MEASURES = {
    "length_m": "la longueur",
    "width_m": "la largeur",
    "height_m": "la hauteur",
    "vehicle_tonnes": "le poids du véhicule",
}


@dataclass(frozen=True)
class Tolerance:
    """How far declared dimensions may be from the drawing: the wider of the two."""

    percent: Decimal
    m2: Decimal


def tolerance_on(limits: Limits, day: date) -> Tolerance:
    """Return the tolerance in force on a day."""
    return Tolerance(limits.dimensions_tolerance_percent.on(day).value, limits.dimensions_tolerance_m2.on(day).value)


def declared_area_m2(occupancy: Occupancy) -> Decimal | None:
    """Return length × width × pieces in m², None when a dimension is not declared."""
    if occupancy.length_m is None or occupancy.width_m is None:
        return None
    return occupancy.length_m * occupancy.width_m * occupancy.pieces


def dimensions_agree(occupancy: Occupancy, drawn_m2: Decimal, tolerance: Tolerance) -> bool:
    """Tell whether length × width × pieces is within the tolerance of the drawn area.

    A declared area that would be billed as nothing agrees with no drawing.
    """
    declared = declared_area_m2(occupancy)
    if declared is None or declared < CENT:
        return False
    return abs(declared - drawn_m2) <= max(drawn_m2 * tolerance.percent / 100, tolerance.m2)


def billed_area_m2(occupancy: Occupancy, drawn_m2: Decimal, tolerance: Tolerance) -> Decimal:
    """Return the declared area where it agrees with the drawing, else the drawn one, to 0.01 m²."""
    declared = declared_area_m2(occupancy)
    if declared is not None and dimensions_agree(occupancy, drawn_m2, tolerance):
        return declared.quantize(CENT, ROUND_HALF_UP)
    return drawn_m2


@dataclass(frozen=True)
class Subject:
    """What is charged: one occupancy in its place, or the whole file when `occupancy` is None."""

    application: Application
    questions: Mapping[str, Question]
    tolerance: Tolerance
    received_on: date
    public_holidays: PublicHolidays
    unauthorised: bool = False
    occupancy: Occupancy | None = None
    place: PlaceFacts | None = None
    index: int | None = None

    @property
    def kind(self) -> Kind | None:
        return self.occupancy.kind if self.occupancy else None

    @cached_property
    def answers(self) -> Mapping[str, str]:
        silent = {name: question.if_silent for name, question in self.questions.items() if question.if_silent}
        return {**silent, **self.application.answers, **(self.occupancy.answers if self.occupancy else {})}

    def answer(self, question: str) -> str:
        """Return what was answered, or raise NotDeclared."""
        if question not in self.answers:
            raise NotDeclared(f"« {self.questions[question].asks} »", self.kind)
        return self.answers[question]

    def figure(self, question: str) -> Decimal:
        """Return the figure that was answered, or raise NotDeclared."""
        try:
            return Decimal(self.answer(question))
        except InvalidOperation:
            raise NotDeclared(f"« {self.questions[question].asks} »", self.kind) from None

    def zone(self, order: tuple[str, ...]) -> str:
        """Return the highest of the zones that the footprint touches, `territory` where there is none."""
        touched = self.place.zones if self.place else ()
        return next((zone for zone in order if zone in touched), "territory")

    def matches(self, when: When, order: tuple[str, ...]) -> bool:
        """Tell whether every condition holds; raise NotDeclared when that rests on something nobody said.

        What is known decides first: nobody has to answer for a line that is not theirs.
        """
        unknown: FeeUnknown | None = None
        for holds in self._conditions(when, order):
            try:
                if not holds():
                    return False
            except FeeUnknown as error:
                unknown = unknown or error
        if unknown is not None:
            raise unknown
        return True

    def _conditions(self, when: When, order: tuple[str, ...]) -> Iterator[Callable[[], bool]]:
        """Give each condition, to be looked at in turn."""
        if when.zone:
            yield lambda: self.zone(order) in when.zone
        if when.unauthorised is not None:
            yield lambda: when.unauthorised is self.unauthorised
        if when.lane_closed is not None and self.occupancy is not None:
            yield partial(is_, when.lane_closed, self.occupancy.lane_closed)
        for name in MEASURES:
            bounds: Range | None = getattr(when, name)
            if bounds is not None:
                yield partial(self._is_within, bounds, name)
        for question, allowed in when.answers.items():
            yield partial(self._is_answered, question, allowed)
        for question, bounds in when.figures.items():
            yield partial(self._is_figured, question, bounds)
        for question in (*when.answers, *when.figures):
            yield partial(self._is_asked, question)

    def _is_within(self, bounds: Range, name: str) -> bool:
        return bounds.holds(self._figure(name))

    def _is_answered(self, question: str, allowed: tuple[str, ...]) -> bool:
        return self.answer(question) in allowed

    def _is_asked(self, question: str) -> bool:
        """Tell whether a question is asked of this kind: of another it is not unknown, there is nothing to say."""
        kinds = self.questions[question].kinds
        return self.kind is None or not kinds or self.kind in kinds or question in self.answers

    def _is_figured(self, question: str, bounds: Range) -> bool:
        return bounds.holds(self.figure(question))

    def quantity(self, item: Item) -> Decimal:
        """Return how many units `item` charges: less what is free, rounded up, within bounds."""
        counted = self.counted(item.unit)
        if item.free_quantity is not None:
            counted = max(counted - item.free_quantity, Decimal(0))
            if not counted:
                return counted
        if item.rounded_up_to is not None:
            counted = (counted / item.rounded_up_to).quantize(_ONE, ROUND_CEILING) * item.rounded_up_to
        if item.at_least is not None:
            counted = max(counted, item.at_least)
        if item.at_most is not None:
            counted = min(counted, item.at_most)
        return counted

    def _figure(self, name: str) -> Decimal:
        if name == "days":
            return Decimal(self.application.days)
        if name == "hours_per_day":
            hours = self.application.daily_hours
            return Decimal(24) if hours is None else Decimal(hours.minutes) / 60
        if name == "days_ahead":
            return Decimal((self.application.starts_on - self.received_on).days)
        if name == "working_days_ahead":
            ahead = range(1, (self.application.starts_on - self.received_on).days + 1)
            days = (self.received_on + timedelta(days=n) for n in ahead)
            return Decimal(sum(map(self.public_holidays.leave_working, days)))
        occupancy = self._occupied()
        if name == "area_m2":
            return self.area_m2
        if name == "parking_spaces":
            return Decimal(occupancy.parking_spaces_taken)
        told: Decimal | int | None = getattr(occupancy, name)
        if told is None:
            raise NotDeclared(_MEASURES[name], occupancy.kind)
        if name == "length_m":
            self._check_drawn(occupancy)
        return Decimal(told)

    def _check_drawn(self, occupancy: Occupancy) -> None:
        """A declared length counts where the drawing bears the dimensions out; NotConfirmed elsewhere."""
        if self.place is None or not dimensions_agree(occupancy, self.place.footprint.area_m2, self.tolerance):
            raise NotConfirmed(occupancy.kind)

    def counted(self, unit: str) -> Decimal:
        """Return how many of a unit there are, before rounding. Raises NotDeclared or NotConfirmed."""
        if unit in ("request", "occupancy"):
            return _ONE
        occupancy = self._occupied()
        if unit == "m2":
            return self.area_m2
        if unit == "piece":
            return Decimal(occupancy.pieces)
        if unit == "parking_space":
            return Decimal(occupancy.parking_spaces_taken)
        if unit in ("m", "m2_three_sides", "m2_four_sides"):
            return self._along(unit) * occupancy.pieces
        return self.figure(unit)

    def _along(self, unit: str) -> Decimal:
        """Return the length, or the upright area, of one piece: only where the drawing bears the dimensions out."""
        length, width = self._figure("length_m"), self._figure("width_m")
        if unit == "m":
            return length
        around = length + 2 * width if unit == "m2_three_sides" else 2 * (length + width)
        return around * self._figure("height_m")

    @cached_property
    def area_m2(self) -> Decimal:
        """The area billed."""
        assert self.place is not None
        return billed_area_m2(self._occupied(), self.place.footprint.area_m2, self.tolerance)

    def _occupied(self) -> Occupancy:
        assert self.occupancy is not None
        return self.occupancy
