"""How days and figures are written in French sentences."""

from collections.abc import Sequence
from datetime import date, time
from decimal import Decimal

MONTHS = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)


def day_text(day: date) -> str:
    """Write a day: « 1er janvier 2027 »."""
    return f"{year_day_text(f'{day:%m-%d}')} {day.year}"


def year_day_text(text: str) -> str:
    """Write a day of every year, given as MM-DD: « 1er janvier »."""
    month, day = (int(part) for part in text.split("-"))
    return f"{ordinal(1) if day == 1 else day} {MONTHS[month - 1]}"


def ordinal(number: int, *, feminine: bool = False) -> str:
    """Write a rank: « 1er », « 1re », « 2e »."""
    if number == 1:
        return "1re" if feminine else "1er"
    return f"{number}e"


def listed(words: Sequence[str], last: str = "et") -> str:
    """Write words one after another: « a, b et c »."""
    *first, end = words
    return f"{', '.join(first)} {last} {end}" if first else end


def hour_text(at: time) -> str:
    """Write a time of day: « 8 h », « 17 h 30 »."""
    return f"{at.hour} h {at.minute:02d}" if at.minute else f"{at.hour} h"


def measure(value: Decimal) -> str:
    """Write a figure with its decimal comma, as many decimals as given."""
    return f"{value:f}".replace(".", ",")


_CURRENCIES = {"EUR": "€", "GBP": "£"}


def currency_sign(currency: str) -> str:
    """Return how a currency (ISO 4217) is written after an amount."""
    return _CURRENCIES.get(currency, currency)


def money(value: Decimal, currency: str = "EUR") -> str:
    """Write an amount with two decimals at least, all of those that count, and its currency."""
    in_cents = value.quantize(Decimal("0.01"))
    shown = in_cents if in_cents == value else value.normalize()
    return f"{measure(shown)} {currency_sign(currency)}"
