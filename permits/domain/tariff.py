"""The fee: quantity × duration × rate, line by line, in exact decimals (CGCT art. L2213-6, CG3P art. L2125-1)."""

import math
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby

from permits.domain.application import Application, Kind, Occupancy
from permits.domain.decision import Fee, FeeLine
from permits.domain.place import PlaceFacts
from permits.domain.rulebook import InForce, Rulebook, Scale, TariffItem

CENT = Decimal("0.01")


class NoPrice(Exception):
    """The scale in force has no line for this kind: the fee can't be told, and is never zero by default."""

    def __init__(self, kind: Kind, scale: str) -> None:
        super().__init__(f"{scale} has no line for {kind}")
        self.kind = kind
        self.scale = scale


class ChangingBase(Exception):
    """The scales of the period count this kind on different time bases: what is due across the change is not told."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(f"{kind} changes its time base during the period")
        self.kind = kind


def dimensions_agree(occupancy: Occupancy, place: PlaceFacts, rulebook: Rulebook, day: date) -> bool:
    """Tell whether length × width × pieces is within the rulebook's tolerance of the drawn area.

    A declared area that would be billed as nothing agrees with no drawing.
    """
    declared = declared_area_m2(occupancy)
    if declared is None or declared < CENT:
        return False
    limits = rulebook.limits
    drawn = place.footprint.area_m2
    relative = drawn * limits.dimensions_tolerance_percent.on(day).value / 100
    return abs(declared - drawn) <= max(relative, limits.dimensions_tolerance_m2.on(day).value)


def declared_area_m2(occupancy: Occupancy) -> Decimal | None:
    """Return length × width × pieces in m², None when a dimension is not declared."""
    if occupancy.length_m is None or occupancy.width_m is None:
        return None
    return occupancy.length_m * occupancy.width_m * occupancy.pieces


def billed_area_m2(occupancy: Occupancy, place: PlaceFacts, rulebook: Rulebook, day: date) -> Decimal:
    """Return the declared area where it agrees with the drawing, else the drawn one, to 0.01 m²."""
    declared = declared_area_m2(occupancy)
    if declared is not None and dimensions_agree(occupancy, place, rulebook, day):
        return declared.quantize(CENT, ROUND_HALF_UP)
    return place.footprint.area_m2


def compute_fee(application: Application, places: tuple[PlaceFacts, ...], rulebook: Rulebook, day: date) -> Fee:
    """Return the fee of the whole period.

    Each day (or week begun) is charged at the scale in force on its first day. Raises NoPrice,
    ChangingBase, or NotInForce when no scale covers a day.
    """
    lines = [
        line
        for occupancy, place in zip(application.occupancies, places, strict=True)
        for line in _occupancy_lines(application, occupancy, place, rulebook, day)
    ]
    first = rulebook.tariff.on(application.starts_on)
    lines += [_line(item, first, Decimal(1), 1) for item in first.value.items if item.unit == "request"]
    return Fee(total=sum((line.amount for line in lines), Decimal("0.00")), lines=tuple(lines), tariff=first.value.name)


def _occupancy_lines(
    application: Application, occupancy: Occupancy, place: PlaceFacts, rulebook: Rulebook, day: date
) -> Iterator[FeeLine]:
    area = billed_area_m2(occupancy, place, rulebook, day)
    days = [(rulebook.tariff.on(d), d) for d in application.each_day()]
    bases = {_time_bases(scale, occupancy.kind) for scale, _ in groupby(days, key=lambda pair: pair[0])}
    if len(bases - {()}) > 1:
        raise ChangingBase(occupancy.kind)
    for scale, group in groupby(days, key=lambda pair: pair[0]):
        span = [d for _, d in group]
        items = [item for item in scale.value.items if occupancy.kind in item.kinds]
        if not items:
            raise NoPrice(occupancy.kind, scale.value.name)
        for item in items:
            quantity = Decimal(occupancy.pieces) if item.unit == "piece" else area
            if item.started_unit:
                quantity = Decimal(math.ceil(quantity))
            count = _charged_units(item, application.starts_on, span)
            if count:
                yield _line(item, scale, quantity, count)


def _time_bases(scale: InForce[Scale], kind: Kind) -> tuple[str, ...]:
    return tuple(sorted(item.per for item in scale.value.items if kind in item.kinds))


def _charged_units(item: TariffItem, starts_on: date, span: list[date]) -> int:
    """Count the days, or the weeks and single charges, whose first day lies in `span`."""
    if item.per == "day":
        return len(span)
    if item.per == "once":
        return int(span[0] == starts_on)
    return sum((d - starts_on) % timedelta(days=7) == timedelta(0) for d in span)


_UNIT_NAMES = {"m2": "m²", "piece": "unité", "request": "dossier"}
_PER_NAMES = {"day": "jour", "week": "semaine commencée", "once": ""}


def _line(item: TariffItem, scale: InForce[Scale], quantity: Decimal, count: int) -> FeeLine:
    per = _PER_NAMES[item.per]
    unit = _UNIT_NAMES[item.unit] + (f" × {per}" if per else "")
    total_quantity = quantity * count
    detail = f" ({_plain(quantity)} {_UNIT_NAMES[item.unit]} × {count} {_plural(per, count)})" if per else ""
    return FeeLine(
        label=item.label + detail,
        quantity=total_quantity,
        unit=unit,
        rate=item.rate,
        amount=(total_quantity * item.rate).quantize(CENT, ROUND_HALF_UP),
        citation=scale.citation,
    )


def _plain(value: Decimal) -> str:
    text = f"{value.normalize():f}"
    return text.replace(".", ",")


def _plural(words: str, count: int) -> str:
    return words if count < 2 else " ".join(word + "s" for word in words.split())
