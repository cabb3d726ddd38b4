"""How the arrêté writes numbers, money, days and punctuation: French typography, pure functions.

Spaces that may not break a line: U+202F (narrow) inside thousands and before ; ! ?, U+00A0
before : € and units, and inside « ».
"""

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from permits.domain.french import MONTHS, currency_sign, day_text, hour_text

PARIS = ZoneInfo("Europe/Paris")
NARROW = "\u202f"
NO_BREAK = "\u00a0"


def number(value: Decimal | int, decimals: int = 0) -> str:
    """Write a figure with at least `decimals` decimals, and every other that is not a final zero."""
    whole, _, fraction = f"{abs(value):f}".partition(".")
    fraction = fraction.rstrip("0").ljust(decimals, "0")
    thousands = f"{int(whole):,}".replace(",", NARROW)
    sign = "\u2212" if value < 0 else ""
    return sign + thousands + (f",{fraction}" if fraction else "")


def money(value: Decimal, currency: str = "EUR") -> str:
    """Write an amount: « 92,40 € »; never rounds."""
    return f"{number(value, 2)}{NO_BREAK}{currency_sign(currency)}"


def metres(value: Decimal) -> str:
    """Write a length: « 1,20 m »."""
    return f"{number(value, 2)}{NO_BREAK}m"


def square_metres(value: Decimal) -> str:
    """Write an area: « 9,60 m² »."""
    return f"{number(value, 2)}{NO_BREAK}m²"


def spaced_siret(siret: str) -> str:
    """Write a SIRET as people read it: « 732 829 320 00074 »."""
    return NO_BREAK.join((siret[:3], siret[3:6], siret[6:9], siret[9:]))


def long_date(day: date) -> str:
    """Write a day: « 1er janvier 2027 », never broken over two lines."""
    return day_text(day).replace(" ", NO_BREAK)


def eve(day: date) -> str:
    """Write the day before `day`: the last one before a change that takes effect on `day`."""
    return long_date(day - timedelta(days=1))


def paris_date(moment: datetime) -> str:
    """Write the calendar day in Paris of an instant that knows its zone."""
    return long_date(_in_paris(moment).date())


def paris_moment(moment: datetime) -> str:
    """Write an instant on the Paris clock: « 4 janvier 2027 à 9 h 05 »."""
    local = _in_paris(moment)
    return f"{long_date(local.date())} à {hour(local.time())}"


def _in_paris(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("an instant without a zone cannot be dated")
    return moment.astimezone(PARIS)


def hour(at: time) -> str:
    """Write a time of day: « 8 h », « 17 h 30 », never broken over two lines."""
    return hour_text(at).replace(" ", NO_BREAK)


def day_count(starts_on: date, ends_on: date) -> int:
    """Count calendar days, both ends included."""
    return (ends_on - starts_on).days + 1


def period(starts_on: date, ends_on: date) -> str:
    """Write a period, both ends included: « du 1er mars 2027 au 5 mars 2027 », « le 1er mars 2027 ».

    Both dates stay whole, so that neither can be misread when the sentence is quoted.
    """
    if starts_on == ends_on:
        return f"le {long_date(starts_on)}"
    return f"du {long_date(starts_on)} au {long_date(ends_on)}"


_UNITS = r"€|%|m²|m³|ml|mm|cm|km|m|t|kg|h|jours?|semaines?|mois|unités?"
# Not every one that Unicode calls so: a line separator that a stranger typed is shown, not taken for a space.
_SPACES = rf"[ \t\n{NO_BREAK}{NARROW}]+"
_TYPESETTING = (
    (re.compile(r"(?<=\w)'(?=\w)"), "\u2019"),
    (re.compile(rf"{_SPACES}([;!?])|(?<=[\w»)\]])([;!?])(?=\s|$)"), NARROW + r"\1\2"),
    (re.compile(rf"{_SPACES}:|(?<=[\w»)\]]):(?=\s)"), NO_BREAK + ":"),
    (re.compile(rf"{_SPACES}(?=[,.](?:\s|$))"), ""),
    (re.compile(rf"«(?:{_SPACES})?"), "«" + NO_BREAK),
    (re.compile(rf"(?:{_SPACES})?»"), NO_BREAK + "»"),
    (re.compile(rf"(?<=\d){_SPACES}(?=(?:{_UNITS})(?!\w))"), NO_BREAK),
    (re.compile(rf"\b(n°|art\.|[LRDA]\.){_SPACES}(?=[\w*])"), r"\1" + NO_BREAK),
    (re.compile(rf"(?<=\d)(er)?{_SPACES}({'|'.join(MONTHS)}){_SPACES}(?=\d)"), rf"\1{NO_BREAK}\2{NO_BREAK}"),
)


def typeset(text: str) -> str:
    """Return French prose with its apostrophes and unbreakable spaces; no visible word changes."""
    for pattern, replacement in _TYPESETTING:
        text = pattern.sub(replacement, text)
    return text


def capital(text: str) -> str:
    """Return `text` with a capital first letter, the rest as it is."""
    return text[:1].upper() + text[1:]


def short(text: str, limit: int) -> str:
    """Return `text` in at most `limit` characters, with « … » where it is cut."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def clause(text: str) -> str:
    """Return `text` typeset and without its final stop: the sentence around it goes on."""
    return typeset(text.rstrip(" ;."))


def visa(text: str) -> str:
    """Return what follows « Vu », however the rulebook wrote it."""
    return clause(re.sub(r"^Vu\s+", "", text))


# Words that begin a sentence without being a name: after « que » they lose their capital.
_OPENERS = (
    r"(?:[LDNSC]|Qu|Lorsqu|Puisqu)\u2019|(?:Les?|La|Des?|Du|Une?|Au|Aux|À|Ils?|Elles?|On|Ce|Cet|Cette|Ces|Cela|Son|Sa"
    r"|Ses|Leurs?|Aucune?|Nul|Nulle|Chaque|Plusieurs|Certaine?s|Tout|Toute|Tous|Toutes|Par|Pour|Dans|En|Sur|Sous|Sans"
    r"|Selon|Depuis|Dès|Après|Avant|Pendant|Entre|Malgré|Lors|Lorsque|Bien|Faute|Ni|Si"
    r"|Deux|Trois|Quatre|Cinq|Six|Sept|Huit|Neuf|Dix|Onze|Douze)\b"
)


def consideration(text: str) -> str:
    """Return what follows « Considérant », with « que » or « qu’ » when its author left it out.

    A sentence that begins with a common small word loses its capital; any other first word may be a name.
    """
    said = clause(re.sub(r"^Considérant\s+", "", text))
    if re.match(r"qu(e\b|\u2019)", said):
        return said
    if re.match(_OPENERS, said):
        said = said[:1].lower() + said[1:]
    return ("qu\u2019" if re.match(r"(?!onz)[aeiouyàâéèêëîïôùû]", said, re.IGNORECASE) else "que ") + said
