"""The fee: what each line of the scale counts, then what follows them, in exact decimals.

CGCT art. L2213-6, CG3P art. L2125-1. Every line adds up by itself: quantity × rate ÷ divisor, rounded where the scale
says. The total is the sum of the lines.
"""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from permits.domain.application import Application
from permits.domain.dated import Dated, InForce
from permits.domain.decision import Citation, Fee
from permits.domain.facts import ExtendedPermit
from permits.domain.french import day_text
from permits.domain.place import PlaceFacts
from permits.domain.rulebook import Rulebook
from permits.domain.tariff.bill import Bill, Draft
from permits.domain.tariff.measures import Subject, tolerance_on
from permits.domain.tariff.prices import Charge, charges, coefficient, within_bounds
from permits.domain.tariff.rates import Package, Packages, Priced, Tier
from permits.domain.tariff.scale import Item, Scale
from permits.domain.tariff.sentences import counted, explain, unit_name, unit_of
from permits.domain.tariff.time import Period, first_days, free_days, next_packages, package_days, periods
from permits.domain.tariff.unknown import ChangingBase, NoPrice

_ONE = Decimal(1)


class Part(NamedTuple):
    """A scale, and the days of the period that it rules."""

    scale: InForce[Scale]
    first_day: date
    last_day: date

    def rules(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day


def compute_fee(
    application: Application,
    places: tuple[PlaceFacts, ...],
    rulebook: Rulebook,
    decided_on: date,
    *,
    received_on: date | None = None,
    extends: ExtendedPermit | None = None,
    unauthorised: bool = False,
) -> Fee:
    """Return the fee of the whole period. Raises FeeUnknown, or NotInForce when no scale covers a day.

    `received_on` is the day of filing, that of the decision when it is not given. `extends` is the permit that the
    application asks to extend.
    """
    received_on, tolerance = received_on or decided_on, tolerance_on(rulebook.limits, decided_on)
    if extends is not None:
        whole = application.model_copy(update={"starts_on": extends.starts_on})
        if rulebook.tariff.on(whole.starts_on).value.extensions == "whole":
            application, received_on = whole, extends.received_on
            decided_on = extends.decided_on or decided_on
        else:
            extends = None
    parts = parts_of(application, rulebook.tariff, decided_on)
    questions = {question.id: question for question in rulebook.questions}
    bill = Bill([part.scale for part in parts])
    holidays = rulebook.authority.public_holidays
    subjects = [
        Subject(application, questions, tolerance, received_on, holidays, unauthorised, occupancy, place, index)
        for index, (occupancy, place) in enumerate(zip(application.occupancies, places, strict=True))
    ]
    for subject in subjects:
        _charge_occupancy(bill, subject, parts)
    file = Subject(application, questions, tolerance, received_on, holidays, unauthorised)
    scale = parts[0].scale
    if any(part.scale.value.follows != scale.value.follows for part in parts):
        raise ChangingBase(None)
    for item in scale.value.items:
        if item.unit == "request" and file.matches(item.when, ()):
            for charge in charges(item, item, file, _ONE, scale.value):
                bill.add(_draft(item, file, scale, [Period(application.starts_on)], charge), item, file)
    for adjustment in scale.value.adjustments:
        bill.adjust(adjustment, subjects, file)
    return bill.fee(extends)


def parts_of(application: Application, tariff: Dated[Scale], decided_on: date) -> list[Part]:
    """Return the scales that rule the period, as the one of its first day says. Raises NotInForce."""
    first = tariff.on(application.starts_on)
    later = sorted(day for day in tariff.values if application.starts_on < day <= application.ends_on)
    for day in later:
        tariff.on(day)  # a day without a tariff is a person's to price, whatever the policy
    if first.value.when_replaced == "decision_day":
        return [Part(tariff.on(decided_on), date.min, date.max)]
    if first.value.when_replaced == "first_day" or not later:
        return [Part(first, date.min, date.max)]
    starts, ends = [date.min, *later], [*(date.fromordinal(day.toordinal() - 1) for day in later), date.max]
    scales = [first, *(tariff.on(day) for day in later)]
    return [Part(*each) for each in zip(scales, starts, ends, strict=True)]


def _charge_occupancy(bill: Bill, subject: Subject, parts: list[Part]) -> None:
    chosen = [(part, _items_for(subject, part.scale.value)) for part in parts]
    if len(parts) > 1:
        bases = {(part.scale.value.currency, *sorted(item.base for item in items)) for part, items in chosen}
        if len(bases) > 1 or any(item.is_priced_as_a_whole for _, items in chosen for item in items):
            raise ChangingBase(subject.kind)
    charges_something = False
    for part, items in chosen:
        for item in items:
            free = free_days(item, subject.application)
            if free and part.rules(subject.application.starts_on):
                bill.add(_free_days_draft(item, subject, part.scale, free), item, subject)
            drafts = list(_lines(item, subject, part))
            bill.add_item(drafts, item, subject)
            charges_something |= item.nature != "deposit" and bool(drafts or free)
    if not charges_something:
        raise NoPrice(subject.kind, parts[0].scale.value.name, "rien n’y est compté (ni jour, ni quantité)")


def _items_for(subject: Subject, scale: Scale) -> list[Item]:
    """Return the lines that charge this occupancy; NoPrice when a day of it would be charged by none."""
    items = [
        item for item in scale.items if subject.kind in item.kinds and subject.matches(item.when, scale.zone_order)
    ]
    charging = [item for item in items if item.nature != "deposit"]
    if not charging:
        raise NoPrice(subject.kind, scale.name)
    if (day := _day_out_of_season(charging, subject.application)) is not None:
        raise NoPrice(subject.kind, scale.name, f"aucune ligne ne compte le {day_text(day)}")
    return items


def _day_out_of_season(items: list[Item], application: Application) -> date | None:
    """Return the first day that lies in no period of any of these lines that begins in its season."""
    if any(item.season is None for item in items):
        return None
    begun = [(item.season, first_days(item, application)) for item in items if item.season]
    for day in application.each_day():
        reached = ((season, days[: bisect_right(days, day)]) for season, days in begun)
        # Before the first of its days, a line has free ones.
        if not any(not days or season.holds(days[-1]) for season, days in reached):
            return day
    return None


def _lines(item: Item, subject: Subject, part: Part) -> Iterator[Draft]:
    quantity = subject.quantity(item)
    if not quantity and item.free_quantity is not None and part.rules(subject.application.starts_on):
        yield _free_quantity_draft(item, subject, part.scale)
    if item.packages is not None:
        yield from _package_lines(item.packages, item, subject, quantity, part.scale)
        return
    whole = periods(item, subject.application, subject.public_holidays)
    runs = groupby(
        (
            (_step(item, nth, len(whole)), period)
            for nth, period in enumerate(whole, 1)
            if part.rules(period.first_day) and (item.season is None or item.season.holds(period.first_day))
        ),
        key=lambda pair: (pair[0], pair[1].out_of),
    )
    for (step, _), run in runs:
        span = [period for _, period in run]
        priced, times = _price(item, step)
        times *= coefficient(item, subject, part.scale.value)
        asked = charges(priced, item, subject, quantity, part.scale.value)
        if not priced.free and asked and (bounded := within_bounds(asked, item, times)):
            asked, times = bounded, _ONE
        for charge in asked:
            yield _draft(item, subject, part.scale, span, charge, times=times, cites=priced.cites)


def _package_lines(
    packages: Packages, item: Item, subject: Subject, quantity: Decimal, scale: InForce[Scale]
) -> Iterator[Draft]:
    first_day = subject.application.starts_on
    times = coefficient(item, subject, scale.value)
    for package, run in groupby(_packages(packages, item, subject, quantity, scale.value)):
        span = [Period(first_day) for _ in run]
        for charge in charges(package, item, subject, quantity, scale.value):
            yield _draft(item, subject, scale, span, charge, times=times, package=package, cites=package.cites)


def _free_days_draft(item: Item, subject: Subject, scale: InForce[Scale], days: int) -> Draft:
    unit = f"{unit_name(item.unit, subject.questions)} × jour"
    return _free_draft(item, scale, subject.quantity(item) * days, unit, counted(Decimal(days), "premier jour"))


def _free_quantity_draft(item: Item, subject: Subject, scale: InForce[Scale]) -> Draft:
    unit, found = unit_name(item.unit, subject.questions), subject.counted(item.unit)
    return _free_draft(item, scale, found, unit, counted(found, unit))


def _free_draft(item: Item, scale: InForce[Scale], quantity: Decimal, unit: str, explanation: str) -> Draft:
    """Return the line that tells what is free by the text of a line."""
    return Draft(
        label=item.label,
        nature=item.nature,
        quantity=quantity,
        unit=unit,
        rate=Decimal(0),
        times=_ONE,
        divided_by=_ONE,
        explanation=explanation,
        citation=item.cites or scale.citation,
        rounding=scale.value.rounding,
    )


def _step(item: Item, nth: int, total: int) -> Tier | Decimal:
    """Return the tier of the nth period, or the coefficient of its rate."""
    if item.tiers:
        reached = total if item.tiers_method == "whole" else nth
        return next(tier for tier in item.tiers if tier.up_to is None or reached <= tier.up_to)
    growth = item.progression
    if growth is None or nth < growth.from_period:
        return _ONE
    return 1 + growth.add * (1 + (nth - growth.from_period) // growth.every)


def _price(item: Item, step: Tier | Decimal) -> tuple[Priced, Decimal]:
    """Return where the price is read, and by what it is multiplied."""
    if isinstance(step, Decimal):
        return item, step
    return (step, _ONE) if step.times is None else (item, step.times)


def _packages(packages: Packages, item: Item, subject: Subject, quantity: Decimal, scale: Scale) -> list[Package]:
    days = package_days(item, subject.application)
    if packages.method != "cheapest":
        return next_packages(packages, days)
    costs = [
        sum((each.amount / (1 if each.fixed else item.rate_for) for each in asked), Decimal(0))
        for asked in (charges(package, item, subject, quantity, scale) for package in packages.steps)
    ]
    # The least cost of covering so many days, and the package that comes last in it.
    best: list[tuple[Decimal, int]] = [(Decimal(0), -1)]
    for covered in range(1, days + 1):
        best.append(
            min(
                (best[max(covered - package.days, 0)][0] + cost, position)
                for position, (package, cost) in enumerate(zip(packages.steps, costs, strict=True))
            )
        )
    chosen, left = [], days
    while left > 0:
        position = best[left][1]
        chosen.append(position)
        left -= packages.steps[position].days
    return [packages.steps[position] for position in sorted(chosen, reverse=True)]


def _draft(
    item: Item,
    subject: Subject,
    scale: InForce[Scale],
    span: list[Period],
    charge: Charge,
    *,
    times: Decimal = _ONE,
    package: Package | None = None,
    cites: Citation | None = None,
) -> Draft:
    parts, out_of = sum(period.parts for period in span), span[0].out_of
    return Draft(
        label=item.label,
        nature=item.nature,
        quantity=charge.quantity * parts,
        unit=unit_of(item, subject, charge, span),
        rate=charge.rate,
        times=times,
        divided_by=(_ONE if charge.fixed else item.rate_for * item.rate_for_periods) * out_of,
        explanation=explain(item, subject, charge, span, package),
        citation=cites or item.cites or scale.citation,
        rounding=scale.value.rounding,
    )
