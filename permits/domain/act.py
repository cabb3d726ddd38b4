"""What is numbered and sealed: its kind, its state, its number, and the moves it may make.

The database enforces the same moves (migrations/); this is where they are told to people.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from permits.domain.model import Value
from permits.domain.permit import Permit
from permits.domain.ruling import Ruling


class ActKind(StrEnum):
    """What an act does."""

    PERMIT = "permit"
    EXTENSION = "extension"
    CORRECTION = "correction"
    REFUSAL = "refusal"
    ABROGATION = "abrogation"
    WITHDRAWAL = "withdrawal"

    @property
    def allows(self) -> bool:
        """True for an act that lets somebody occupy the street."""
        return self in (ActKind.PERMIT, ActKind.EXTENSION, ActKind.CORRECTION)

    @property
    def answers(self) -> bool:
        """True for an act that answers an application, and so rests on what the machine made of it."""
        return self.allows or self is ActKind.REFUSAL


class ActState(StrEnum):
    """Where an act stands in its life. That a permit has expired is told by its last day, never stored."""

    RESERVED = "reserved"
    ISSUED = "issued"
    ANNULLED = "annulled"  # from reserved only: the number could not be sealed
    ABROGATED = "abrogated"  # ended for the future, from `ended_on`
    WITHDRAWN = "withdrawn"  # undone from its start (CRPA art. L242-1)
    SUPERSEDED = "superseded"  # replaced by a correction


# What a sealed act makes of the act it cites; the other kinds leave it as it is.
ENDS = {
    ActKind.ABROGATION: ActState.ABROGATED,
    ActKind.WITHDRAWAL: ActState.WITHDRAWN,
    ActKind.CORRECTION: ActState.SUPERSEDED,
}


def first_day_to_abrogate(starts_on: date, today: date) -> date:
    """Return the first day from which a permit can be abrogated today.

    Its holder can't be bound before being told (CRPA art. L221-8): of a permit that runs, today goes on.
    """
    return today + timedelta(days=starts_on <= today)


class Channel(StrEnum):
    """How an act was notified (CRPA art. L221-8)."""

    ONLINE = "online"  # fetched by its holder in the téléservice
    REGISTERED_EMAIL = "registered_email"  # with prior express consent (CRPA art. L112-15)
    REGISTERED_LETTER = "registered_letter"
    HAND_DELIVERY = "hand_delivery"


class Notification(Value):
    """When and how an act reached its holder: it opens the appeal delay (CJA art. R421-1)."""

    notified_on: date
    channel: Channel
    proof: str


@dataclass(frozen=True)
class Act:
    """A numbered act as it stands now; `payload` is frozen.

    `cites` is the act it extends, replaces or ends. `ended_on` is the first day that an abrogated act
    no longer covers; `ended_by` the number of the act that ended or replaced it.
    """

    id: UUID
    kind: ActKind
    number: str
    state: ActState
    code: str
    payload: Permit | Ruling
    application_id: UUID
    client_id: UUID
    reserved_at: datetime
    issued_at: datetime | None
    document_sha256: str | None
    cites: UUID | None = None
    ended_on: date | None = None
    ended_by: str | None = None
    annulled_because: str | None = None
    notification: Notification | None = None

    @property
    def permit(self) -> Permit:
        """The payload of an act that allows; TypeError for a ruling."""
        if not isinstance(self.payload, Permit):
            raise TypeError(f"{self.number} is a {self.kind}, not a permit")
        return self.payload

    @property
    def last_day(self) -> date:
        """The last day that an act that allows covers; before its first one when it was abrogated before it began."""
        return self.permit.ends_on if self.ended_on is None else self.ended_on - timedelta(days=1)

    def is_past_its_day(self, today: date) -> bool:
        """Tell whether this is an abrogation that would take effect on days already begun, were it sealed today."""
        payload = self.payload
        if self.kind is not ActKind.ABROGATION or not isinstance(payload, Ruling) or payload.effective_on is None:
            return False
        return payload.effective_on < first_day_to_abrogate(payload.starts_on, today)

    def is_to_come(self, day: date) -> bool:
        """Tell whether this act still lets its holder occupy the street on `day` (in Paris) or on a later one."""
        if not self.kind.allows or self.state not in (ActState.ISSUED, ActState.ABROGATED):
            return False
        return max(day, self.permit.starts_on) <= self.last_day

    def is_in_force(self, day: date) -> bool:
        """Tell whether this act lets its holder occupy the street on `day` (in Paris)."""
        if not self.kind.allows or self.state not in (ActState.ISSUED, ActState.ABROGATED):
            return False
        return self.permit.starts_on <= day <= self.last_day
