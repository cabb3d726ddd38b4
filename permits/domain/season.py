"""Days that come back every year."""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field

from permits.domain.model import Value


def _day_of_year(text: str) -> str:
    try:
        date.fromisoformat(f"2024-{text}")
    except ValueError:
        raise ValueError("un jour de l’année s’écrit MM-JJ, par exemple 07-14") from None
    return text


YearDay = Annotated[str, Field(pattern=r"^\d{2}-\d{2}$"), AfterValidator(_day_of_year)]


class Season(Value):
    """Days of every year, both ends included; it may go over New Year."""

    from_day: YearDay
    to_day: YearDay

    def holds(self, day: date) -> bool:
        told = f"{day:%m-%d}"
        if self.from_day <= self.to_day:
            return self.from_day <= told <= self.to_day
        return told >= self.from_day or told <= self.to_day
