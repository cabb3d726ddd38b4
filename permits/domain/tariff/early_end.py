"""What is still due of a fee when its permit ends before its term, as the rulebook says."""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from permits.domain.application import Application
from permits.domain.authority import EndingFeeTerms
from permits.domain.dated import NotInForce
from permits.domain.decision import Fee
from permits.domain.facts import Facts
from permits.domain.rulebook import Rulebook
from permits.domain.rules import PRICING
from permits.domain.tariff.unknown import FeeUnknown

_CENT = Decimal("0.01")


def due_after_abrogation(
    terms: EndingFeeTerms, fee: Fee, application: Application, facts: Facts | None, rulebook: Rulebook, ends: date
) -> Decimal | None:
    """Return what stays due of a permit that covers no day from `ends` on, under the rulebook that priced it.

    None when that can't be computed any more: a person fixes it.
    """
    if terms.abrogation == "kept":
        return fee.total
    days = (ends - application.starts_on).days
    if days <= 0:
        return _of_the_file(fee)
    if terms.abrogation == "pro_rata":
        by_day = (fee.total - _of_the_file(fee)) * days / application.days
        return _of_the_file(fee) + by_day.quantize(_CENT, ROUND_HALF_UP)
    if facts is None:
        return None
    shorter = application.model_copy(update={"ends_on": ends - timedelta(days=1)})
    try:
        again = PRICING.on(facts.decided_on)(
            shorter,
            facts.places,
            rulebook,
            facts.decided_on,
            received_on=facts.received_on,
            extends=facts.extends,
        )
    except (FeeUnknown, NotInForce):
        return None
    # A shorter period that would cost more is not charged more.
    return min(again.total, fee.total)


def due_after_withdrawal(terms: EndingFeeTerms, fee: Fee) -> Decimal:
    """Return what stays due of a permit that is undone from its start."""
    return {"kept": fee.total, "file_only": _of_the_file(fee), "nothing": Decimal("0.00")}[terms.withdrawal]


def _of_the_file(fee: Fee) -> Decimal:
    """Return what was charged for the file itself, which is due once it was examined; never more than the fee.

    An extension that costs the whole period less what was due has no file of its own: it was charged with the first.
    """
    if any(line.nature == "credit" for line in fee.lines):
        return Decimal("0.00")
    charged = sum(
        (line.amount for line in fee.lines if line.occupancy is None and line.nature == "charge"), Decimal("0.00")
    )
    return min(charged, fee.total)
