"""Days as the law counts them: calendar days in Europe/Paris, and working days."""

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Self
from zoneinfo import ZoneInfo

import holidays
from pydantic import Field, model_validator

from permits.domain.model import Misplaced, Value

PARIS = ZoneInfo("Europe/Paris")
_COUNTRIES = holidays.list_supported_countries(include_aliases=False)
_FRENCH_REGIONS = {
    None: "France métropolitaine, hors Alsace et Moselle",
    "57": "Moselle",
    "6AE": "Alsace",
    "971": "Guadeloupe",
    "972": "Martinique",
    "973": "Guyane",
    "974": "La Réunion",
    "976": "Mayotte",
    "BL": "Saint-Barthélemy",
    "MF": "Saint-Martin",
    "NC": "Nouvelle-Calédonie",
    "PF": "Polynésie française",
    "PM": "Saint-Pierre-et-Miquelon",
    "WF": "Wallis-et-Futuna",
}


def paris_day(instant: datetime) -> date:
    """Return the calendar day in Paris at an aware instant."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return instant.astimezone(PARIS).date()


class PublicHolidays(Value):
    """The public holidays of a country (ISO 3166-1), and of one of its regions where they differ.

    France: C. trav. art. L3133-1; Alsace and Moselle have two more (art. L3134-13), the overseas regions their own.
    """

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "FR"
    region: str | None = None

    @model_validator(mode="after")
    def _are_known(self) -> Self:
        regions = _COUNTRIES.get(self.country)
        if regions is None:
            raise Misplaced(f"les jours fériés de {self.country} ne sont pas connus", "country")
        if self.region is not None and self.region not in regions:
            told = ", ".join(region for region in regions if " " not in region) or "aucune"
            raise Misplaced(f"région inconnue ; connues : {told}", "region")
        return self

    @property
    def label(self) -> str:
        """Where they are, in French; outside France, the codes of the country and of its region."""
        if self.country != "FR":
            return " ".join(part for part in (self.country, self.region) if part)
        return _FRENCH_REGIONS.get(self.region, f"France, {self.region}")

    def hold(self, day: date) -> bool:
        """Tell whether a day is one of them."""
        return day in _public_holidays(self.country, self.region, day.year)

    def leave_working(self, day: date) -> bool:
        """Tell whether a day is a working day: Monday to Friday, but for public holidays."""
        return day.weekday() < 5 and not self.hold(day)

    def nth_working_day_after(self, day: date, count: int) -> date:
        """Return the `count`-th working day after `day`; `day` itself is not counted."""
        if count < 0:
            raise ValueError("count must not be negative")
        reached = day
        while count:
            reached += timedelta(days=1)
            count -= self.leave_working(reached)
        return reached


@lru_cache(maxsize=64)
def _public_holidays(country: str, region: str | None, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, subdiv=region, years=year))


def months_after(day: date, months: int) -> date:
    """Return the day with the same number `months` later, or the last day of that month when it has none."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    first_of_next = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + timedelta(days=day.day - 1), first_of_next - timedelta(days=1))
