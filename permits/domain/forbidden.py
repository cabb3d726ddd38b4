"""Days on which nothing may stand in a part of the territory: once, every year, every week, or by a calendar."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from permits.domain.application import Day, Kind
from permits.domain.calendar import PublicHolidays
from permits.domain.decision import Citation
from permits.domain.model import Misplaced, Value
from permits.domain.season import Season
from permits.domain.written import YesOrNo

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Span(Value):
    """Days from one to another, both included."""

    from_day: Day
    to_day: Day

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.to_day < self.from_day:
            raise ValueError("to_day précède from_day")
        return self

    def holds(self, day: date) -> bool:
        return self.from_day <= day <= self.to_day


class Calendar(Value):
    """Days that somebody else publishes, such as school holidays; known from a day to another, both included."""

    id: str
    label: str
    known: Span
    days: Annotated[tuple[Span, ...], Field(min_length=1, max_length=500)]
    cites: Citation

    @model_validator(mode="after")
    def _knows_its_days(self) -> Self:
        for position, span in enumerate(self.days):
            if not (self.known.holds(span.from_day) and self.known.holds(span.to_day)):
                raise Misplaced("ces jours sortent de known, les jours que le calendrier connaît", "days", position)
        return self

    def holds(self, day: date) -> bool | None:
        """Tell whether a day is one of them, None when the calendar doesn't reach it."""
        return any(span.holds(day) for span in self.days) if self.known.holds(day) else None


class ForbiddenPeriod(Value):
    """Days on which nothing may stand in a zone; `kinds` empty forbids every kind."""

    id: str
    label: str
    zone: str
    kinds: tuple[Kind, ...] = ()
    from_day: Day | None = None
    to_day: Day | None = None
    each_year: Season | None = None
    each_week: tuple[Weekday, ...] = ()
    public_holidays: YesOrNo = False
    calendar: str | None = None
    cites: Citation

    @model_validator(mode="after")
    def _names_its_days_in_one_way(self) -> Self:
        if (self.from_day is None) != (self.to_day is None):
            raise ValueError("from_day va avec to_day")
        ways = (self.from_day is not None, self.each_year, self.each_week, self.public_holidays, self.calendar)
        if sum(bool(way) for way in ways) != 1:
            raise ValueError(
                "donnez les jours d’une façon : from_day et to_day, each_year, each_week, public_holidays ou calendar"
            )
        if self.from_day and self.to_day and self.to_day < self.from_day:
            raise ValueError("to_day précède from_day")
        return self

    def holds(self, day: date, calendars: tuple[Calendar, ...], public_holidays: PublicHolidays) -> bool | None:
        """Tell whether a day is forbidden, None when its calendar doesn't reach that far."""
        if self.from_day and self.to_day:
            return self.from_day <= day <= self.to_day
        if self.each_year:
            return self.each_year.holds(day)
        if self.each_week:
            return _WEEKDAYS[day.weekday()] in self.each_week
        if self.public_holidays:
            return public_holidays.hold(day)
        return next(calendar for calendar in calendars if calendar.id == self.calendar).holds(day)
