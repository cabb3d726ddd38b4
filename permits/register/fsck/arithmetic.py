"""What a frozen payload must say of itself, computed again from the payload alone."""

from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

_CENT = Decimal("0.01")


def fee_faults(fee: dict[str, Any]) -> Iterator[str]:
    """Tell, in French, what does not add up: each line is quantity × rate to the cent, half up; the total their sum."""
    amounts = []
    for position, line in enumerate(fee["lines"], 1):
        quantity, rate, amount = Decimal(line["quantity"]), Decimal(line["rate"]), Decimal(line["amount"])
        expected = (quantity * rate).quantize(_CENT, ROUND_HALF_UP)
        if amount != expected:
            yield f"la ligne {position} dit {amount} € au lieu de {expected} €"
        if min(quantity, rate, amount) < 0:
            yield f"la ligne {position} est négative"
        amounts.append(amount)
    if not amounts:
        yield "aucune ligne ne dit d’où vient la redevance"
    if Decimal(fee["total"]) != sum(amounts):
        yield f"le total dit {fee['total']} € au lieu de {sum(amounts)} €"


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
