"""How long what can be erased is kept: months, from a day in Paris, with the text or the choice behind them.

Acts and the audit chain are not there: they are kept for ever, and hold nothing that must be erased.
"""

from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import Field

from permits.domain.calendar import months_after
from permits.domain.decision import Citation, Verification
from permits.domain.model import Value
from permits.domain.written import WHOLE

Months = Annotated[int, Field(ge=1, le=120), WHOLE]
# A permit may be withdrawn for four months (CRPA art. L242-1) and contested for two: its file is kept for as long.
MonthsOfFile = Annotated[int, Field(ge=4, le=120), WHOLE]

# Logs of data exchanged between administrations are kept for 36 months (CRPA art. R. 114-9-7): never less.
MonthsOfTraces = Annotated[int, Field(ge=36, le=120), WHOLE]


class Period(Value):
    """A number of months and where it comes from. What it covers is due from the day it ends."""

    months: Months
    cites: Citation

    def last_day_over(self, today: date) -> date:
        """Return the last day whose period has ended on `today`: what counts from it, or from before it, is due."""
        day = months_after(today, -self.months)
        # The ends of two months may fall on one day: 28 to 31 January, one month, all end on 28 February.
        while months_after(day + timedelta(days=1), self.months) <= today:
            day += timedelta(days=1)
        return day


class FilePeriod(Period):
    """Counted from the last day of a file: that of its permits, or of the last act taken on it if later."""

    months: MonthsOfFile
    counted_from: Literal["end_of_file"] = "end_of_file"


class EventPeriod(Period):
    """Counted from the day of each event."""

    counted_from: Literal["event"] = "event"


class TracePeriod(EventPeriod):
    """Counted from the day of each exchange with a registry, and never shorter than the law's."""

    months: MonthsOfTraces


class AccountPeriod(Period):
    """Counted from the day an account's key was revoked."""

    counted_from: Literal["revocation"] = "revocation"


class Retention(Value):
    """One period a table that can be erased."""

    application_contact: FilePeriod
    application_evidence: FilePeriod
    registry_access: TracePeriod
    access_log: EventPeriod
    client: AccountPeriod


_TRACES = Citation(
    text="article R. 114-9-7 du code des relations entre le public et l’administration",
    url="https://www.legifrance.gouv.fr/codes/article_lc/LEGIARTI000047543820",
    verification=Verification.TEXT_READ,
)
_OURS = Citation(text="durée du logiciel, faute d’un choix de l’autorité (retention.yaml)")

# For a rulebook that says nothing of it, as those stored before it could.
DEFAULT_RETENTION = Retention(
    application_contact=FilePeriod(months=12, cites=_OURS),
    application_evidence=FilePeriod(months=12, cites=_OURS),
    registry_access=TracePeriod(months=36, cites=_TRACES),
    access_log=EventPeriod(months=36, cites=_OURS),
    client=AccountPeriod(months=12, cites=_OURS),
)
