"""What a frozen payload must say of itself, computed again from the payload alone."""

from collections.abc import Iterator
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

_ONE = Decimal(1)
_MODES = {"half_up": ROUND_HALF_UP, "up": ROUND_CEILING, "down": ROUND_FLOOR}
_CORRECTING = ("adjustment", "rounding", "credit")


def fee_faults(fee: dict[str, Any]) -> Iterator[str]:
    """Tell, in French, what does not add up: each line is quantity × rate ÷ divisor, rounded as it says.

    The total is the sum of the lines, and is not negative; only what corrects other lines may be.
    """
    for position, line in enumerate([*fee["lines"], *fee["deposits"]], 1):
        quantity, rate, amount = Decimal(line["quantity"]), Decimal(line["rate"]), Decimal(line["amount"])
        mode, step = line["rounding"].split(" ")
        exact = quantity * rate / Decimal(line["divided_by"])
        expected = (exact / Decimal(step)).quantize(_ONE, _MODES[mode]) * Decimal(step)
        if amount != expected:
            yield f"la ligne {position} dit {amount} au lieu de {expected}"
        if line["nature"] not in _CORRECTING and min(quantity, rate, amount) < 0:
            yield f"la ligne {position} est négative"
    if not fee["lines"]:
        yield "aucune ligne ne dit d’où vient la redevance"
    total, told = sum(Decimal(line["amount"]) for line in fee["lines"]), Decimal(fee["total"])
    if told != total:
        yield f"le total dit {told} au lieu de {total}"
    if told < 0:
        yield "le total est négatif"


def days_of(payload: dict[str, Any]) -> tuple[date, date]:
    """Return the first and the last day of a payload, both included."""
    return date.fromisoformat(payload["starts_on"]), date.fromisoformat(payload["ends_on"])


def kind_of(payload: dict[str, Any]) -> str:
    """Return the kind of act that a payload is printed as."""
    if payload["payload_schema"].startswith("decision/"):
        return str(payload["kind"])
    return str(payload["amends"]["kind"]) if payload["amends"] else "permit"


def cited_by(payload: dict[str, Any]) -> str | None:
    """Return the number of the act that a payload extends, replaces or ends."""
    holder = payload if payload["payload_schema"].startswith("decision/") else payload["amends"]
    cited = holder and holder["cites"]
    return str(cited["number"]) if cited else None
