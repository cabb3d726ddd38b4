"""Keeps the request files of examples/ usable: their dates are moved to days to come."""

from datetime import date, timedelta
from typing import Any


def with_coming_dates(body: dict[str, Any], today: date) -> dict[str, Any]:
    """Return the request moved to the first same weekday at least two weeks after `today`, of the same length."""
    starts_on, ends_on = date.fromisoformat(body["starts_on"]), date.fromisoformat(body["ends_on"])
    earliest = today + timedelta(days=14)
    moved = earliest + (starts_on - earliest) % timedelta(days=7)
    return body | {"starts_on": moved.isoformat(), "ends_on": (moved + (ends_on - starts_on)).isoformat()}
