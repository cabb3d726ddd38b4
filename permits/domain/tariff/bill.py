"""The lines of a fee as they are written down, and what follows them: percentages, minimums, rounding."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import NamedTuple

from permits.domain.dated import InForce
from permits.domain.decision import Citation, Fee, FeeLine, LineNature
from permits.domain.facts import ExtendedPermit
from permits.domain.french import measure, money
from permits.domain.tariff.measures import Subject
from permits.domain.tariff.scale import Adjustment, Item, Rounding, Scale
from permits.domain.tariff.sentences import Price, priced
from permits.domain.tariff.unknown import CostsLess, RoundsToNothing

_ONE, _ZERO, _CENT = Decimal(1), Decimal(0), Decimal("0.01")
# A line that the scale doesn't round is written to the millionth, so that lines still add up.
FINEST = Decimal("0.000001")
_MODES = {"half_up": ROUND_HALF_UP, "up": ROUND_CEILING, "down": ROUND_FLOOR}


class Draft(NamedTuple):
    """A line before its amount: quantity × rate × times ÷ divided_by; `explanation` tells the quantity."""

    label: str
    nature: LineNature
    quantity: Decimal
    unit: str
    rate: Decimal
    times: Decimal
    divided_by: Decimal
    explanation: str
    citation: Citation
    rounding: Rounding


@dataclass
class Entry:
    """A line of the scale as written down, and what adjustments leave of it: they share their changes among lines."""

    line: FeeLine
    item: str | None
    of_the_file: bool
    left: Fraction

    @property
    def occupancy(self) -> int | None:
        return self.line.occupancy


class Bill:
    """Writes lines down: those of each scale of the period, and what follows them under that of the first day."""

    def __init__(self, scales: Sequence[InForce[Scale]]) -> None:
        self._scale = scales[0]
        self._names = dict.fromkeys(scale.value.name for scale in scales)
        self._entries: list[Entry] = []
        self._lines: list[FeeLine] = []
        self._deposits: list[FeeLine] = []

    def add(self, draft: Draft, item: Item, subject: Subject) -> Decimal:
        """Write a line of the scale; return its amount."""
        price = Price(draft.rate, draft.times, _rate(draft))
        told = priced(draft.explanation, price, draft.divided_by, self._scale.value.currency)
        line = _line(draft._replace(explanation=told), subject.index)
        self._write(line, item)
        return line.amount

    def _write(self, line: FeeLine, item: Item) -> None:
        if line.nature == "deposit":
            self._deposits.append(line)
        else:
            self._lines.append(line)
            self._entries.append(Entry(line, item.id, item.unit == "request", Fraction(line.amount)))

    def add_item(self, drafts: Sequence[Draft], item: Item, subject: Subject) -> None:
        """Write the lines that one line of the scale gives for an occupancy, within its minimum and maximum."""
        amount = sum((self.add(draft, item, subject) for draft in drafts), _ZERO)
        bound = max(amount, item.minimum or amount)
        bound = min(bound, item.maximum or bound)
        if drafts and bound != amount:
            raised = bound > amount
            label = f"{item.label} : {'minimum' if raised else 'maximum'}"
            told = self._from_to(amount, bound)
            nature: LineNature = "deposit" if item.nature == "deposit" else "adjustment"
            line = self._fixed(label, nature, bound - amount, told, drafts[0].citation, subject.index)
            self._write(line, item)

    def adjust(self, adjustment: Adjustment, subjects: Sequence[Subject], file: Subject) -> None:
        """Write what an adjustment changes: for each occupancy in turn, or at once."""
        order = self._scale.value.zone_order
        concerned = [each for each in self._entries if not adjustment.items or each.item in adjustment.items]
        if adjustment.of != "total" and not adjustment.items:
            concerned = [each for each in concerned if each.line.nature != "penalty"]
        if adjustment.of != "each_occupancy":
            found = [each for each in concerned if adjustment.of == "total" or not each.of_the_file]
            if found and file.matches(adjustment.when, order):
                self._adjust(adjustment, file, found)
            return
        for subject in subjects:
            found = [each for each in concerned if each.occupancy == subject.index]
            of_this_kind = not adjustment.kinds or subject.kind in adjustment.kinds
            if found and of_this_kind and subject.matches(adjustment.when, order):
                self._adjust(adjustment, subject, found)

    def fee(self, extended: ExtendedPermit | None) -> Fee:
        """Return the fee, its total rounded as the scale says, less what was due for the permit that is extended."""
        rounding = self._scale.value.rounding
        lines = list(self._lines)
        exact = sum((line.amount for line in lines), _ZERO)
        total = _rounded(exact, rounding.total, rounding.mode) if rounding.total else exact
        if not total and (exact or any(_vanished(line) for line in lines)):
            raise RoundsToNothing
        if total != exact:
            told = self._from_to(exact, total)
            lines.append(self._fixed("Arrondi du total", "rounding", total - exact, told, self._scale.citation, None))
        if extended is not None:
            label, told = (
                f"Déjà dû pour le permis {extended.number}",
                f"de {self._money(total)} pour la période entière",
            )
            lines.append(self._fixed(label, "credit", -extended.due, told, self._scale.citation, None))
            total -= extended.due
            if total < 0:
                raise CostsLess(extended.number)
        return Fee(
            currency=self._scale.value.currency,
            total=total.quantize(_CENT),
            lines=tuple(lines),
            deposits=tuple(self._deposits),
            tariff=", puis ".join(self._names),
        )

    def _adjust(self, adjustment: Adjustment, subject: Subject, concerned: list[Entry]) -> None:
        """Write the difference that `adjustment` makes to the sum of these lines, if any."""
        left = sum((each.left for each in concerned), Fraction(0))
        rounding = self._scale.value.rounding
        # Shares need not end: what is left of some lines is rounded as a line is.
        base = _rounded(Decimal(left.numerator) / left.denominator, rounding.line or FINEST, "half_up")
        if not base:
            return
        if adjustment.basis == "lines":
            base = sum((each.line.amount for each in concerned), _ZERO)
        nature: LineNature = adjustment.nature
        if adjustment.percent is not None:
            line = _line(
                Draft(
                    label=adjustment.label,
                    nature=nature,
                    quantity=base,
                    unit="%",
                    rate=adjustment.percent,
                    times=_ONE,
                    divided_by=Decimal(100),
                    explanation=f"{measure(adjustment.percent.normalize() + 0)} % de {self._money(base)}",
                    citation=adjustment.cites,
                    rounding=rounding,
                ),
                subject.index,
            )
        else:
            change = _change(adjustment, base)
            if not change:
                return
            told = self._from_to(base, base + change)
            line = self._fixed(adjustment.label, nature, change, told, adjustment.cites, subject.index)
        self._lines.append(line)
        for each in concerned:
            each.left += Fraction(line.amount) * each.left / left

    def _money(self, amount: Decimal) -> str:
        return money(amount, self._scale.value.currency)

    def _from_to(self, before: Decimal, after: Decimal) -> str:
        return f"de {self._money(before)} à {self._money(after)}"

    def _fixed(
        self, label: str, nature: LineNature, amount: Decimal, told: str, cites: Citation, occupancy: int | None
    ) -> FeeLine:
        draft = Draft(
            label=label,
            nature=nature,
            quantity=_ONE,
            unit="forfait",
            rate=amount,
            times=_ONE,
            divided_by=_ONE,
            explanation=told,
            citation=cites,
            rounding=Rounding(total=_CENT),
        )
        return _line(draft, occupancy)


def _change(adjustment: Adjustment, base: Decimal) -> Decimal:
    """Return by how much a sum changes."""
    if adjustment.amount is not None:
        return max(adjustment.amount, -base)
    if adjustment.minimum is not None:
        return max(adjustment.minimum - base, _ZERO)
    if adjustment.maximum is not None:
        return min(adjustment.maximum - base, _ZERO)
    assert adjustment.waived_below is not None
    return -base if base < adjustment.waived_below else _ZERO


def _vanished(line: FeeLine) -> bool:
    """Tell whether a price came to nothing by rounding alone."""
    return bool(line.nature == "charge" and line.rate and line.quantity and not line.amount)


def _rate(draft: Draft) -> Decimal:
    """Return the rate with its coefficient, rounded where the scale rounds it."""
    rounding, rate = draft.rounding, draft.rate * draft.times
    if rounding.rate is not None and draft.times != 1:
        return _rounded(rate, rounding.rate, rounding.mode)
    return rate


def _line(draft: Draft, occupancy: int | None) -> FeeLine:
    rounding, rate = draft.rounding, _rate(draft)
    step = rounding.line or FINEST
    amount = _rounded(draft.quantity * rate / draft.divided_by, step, rounding.mode)
    return FeeLine(
        label=draft.label,
        nature=draft.nature,
        occupancy=occupancy,
        quantity=draft.quantity,
        unit=draft.unit,
        rate=rate,
        divided_by=draft.divided_by,
        amount=amount,
        rounding=f"{rounding.mode} {step}",
        explanation=draft.explanation,
        citation=draft.citation,
    )


def _rounded(amount: Decimal, step: Decimal, mode: str) -> Decimal:
    """Return the multiple of `step` nearest to `amount`; a half goes away from zero."""
    multiple = (amount / step).quantize(_ONE, _MODES[mode]) * step
    in_cents = multiple.quantize(_CENT)
    return in_cents if in_cents == multiple else multiple
