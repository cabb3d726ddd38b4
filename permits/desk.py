"""What the walk needs from outside, as it sees it. Built in app.py; filled with fakes in tests."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol, Self
from uuid import UUID

from permits.domain.act import Act, ActKind, Notification
from permits.domain.calendar import paris_day
from permits.domain.decision import Decision
from permits.domain.establishment import FRESH_FOR, Audience, RegistryAnswer
from permits.domain.facts import Facts
from permits.domain.filing import Filed, Filing
from permits.domain.permit import MakePermit, Paper, Permit
from permits.domain.place import Footprint, GeocodedAddress, Polygon, StandingPermit
from permits.domain.rulebook import Rulebook
from permits.domain.ruling import MakeRuling, Ruling
from permits.domain.sealing import SealLevel


class Registry(Protocol):
    """The State's company registry."""

    @property
    def answers_given(self) -> int:
        """How many look-ups it answered so far, whatever it said."""

    def lookup(
        self, siret: str, *, audience: Audience = Audience.AUTHORITY, max_age: timedelta = FRESH_FOR
    ) -> RegistryAnswer:
        """Return what is known of this SIRET, asked at most `max_age` ago, or raise RegistryUnavailable."""

    def last_known(self, siret: str, *, audience: Audience) -> RegistryAnswer | None:
        """Return what was last known of this SIRET, however old: it may fill a form, and never grants."""


class Geocoder(Protocol):
    """Where an address is."""

    def locate(self, address: str, near: tuple[float, float] | None) -> GeocodedAddress | None:
        """Return where an address is, None when it is unknown, or raise GeocoderUnavailable."""


class Surveyor(Protocol):
    """From a drawing to metres."""

    def measure(self, polygon: Polygon, *, tolerance_m: Decimal, min_width_m: Decimal, margin_km: Decimal) -> Footprint:
        """Return the footprint in metres, or raise Unmeasurable."""

    def in_territory(self, footprint: Footprint) -> bool:
        """Tell whether the whole footprint lies in the authority's territory."""

    def zones_of(self, footprint: Footprint) -> tuple[str, ...]:
        """Return the ids of the zones that the footprint touches."""

    def distance_m(self, footprint: Footprint, longitude: float, latitude: float) -> Decimal:
        """Return the distance from a point to the footprint in metres."""


class Register(Protocol):
    """Our book."""

    def find_filed(self, client_id: UUID, idempotency_key: str) -> Filed | None:
        """Return what this client filed under this key."""

    def application(self, application_id: UUID, client_id: UUID | None = None) -> Filed | None:
        """Return one application; only the client's own when `client_id` is given."""

    def standing_permits(self, footprint: Footprint, filing: Filing) -> tuple[StandingPermit, ...]:
        """Return the live permits of other worksites on this footprint and these days."""

    def issuing_is_halted(self) -> bool:
        """Tell whether a person has suspended automatic issuing."""

    def record_waiting(self, filing: Filing, reason: str) -> Filed:
        """Record an application that waits for the registry, and why. Raises AlreadyFiled."""

    def record_decision(
        self,
        filing: Filing,
        facts: Facts,
        decision: Decision,
        *,
        rulebook_digest: str,
        decided_at: datetime,
        series: str,
        make_permit: MakePermit,
        kind: ActKind = ActKind.PERMIT,
        taken_by: str | None = None,
        waiting: bool = False,
    ) -> Filed:
        """Record a decision; reserve a number when granted.

        Raises AlreadyFiled, FootprintTaken, IssuingHalted or ActNotPossible.
        """

    def reserve_ruling(
        self, kind: ActKind, subject: Act | Filed, make_ruling: MakeRuling, *, series: str, taken_by: str, at: datetime
    ) -> Act:
        """Reserve the number of a ruling. Raises ActNotPossible."""

    def act(self, act_id: UUID) -> Act | None:
        """Return one act."""

    def act_by_number(self, number: str, client_id: UUID | None = None) -> Act | None:
        """Return the act of that number; only the client's own when `client_id` is given."""

    def reserved_before(self, instant: datetime, limit: int = 1000) -> Sequence[UUID]:
        """Return the acts reserved before an instant and still without a document, oldest first."""

    def is_extended(self, act_id: UUID) -> bool:
        """Tell whether an extension in hand or in force adds days to this act."""

    def is_being_changed(self, act_id: UUID) -> bool:
        """Tell whether an act that extends, replaces or ends this one waits for its seal."""

    def file(
        self,
        act_id: UUID,
        content: bytes,
        sha256: str,
        at: datetime,
        *,
        level: SealLevel = SealLevel.B_B,
        stamp_deferred: bool = False,
    ) -> Act:
        """Move a reserved act to issued; the first recorded document wins."""

    def annul(self, act_id: UUID, reason: str, by: str, at: datetime) -> Act:
        """Annul a reserved act that can't be sealed. Raises ActNotPossible."""

    def notify(self, act: Act, notification: Notification, by: str | None, at: datetime) -> bool:
        """Record when and how an act reached its holder; return False when that was recorded before."""


class Sealed(Protocol):
    """A sealed document, the SHA-256 of its bytes, its seal's level, and whether a time stamp is still to come."""

    @property
    def content(self) -> bytes: ...

    @property
    def sha256(self) -> str: ...

    @property
    def level(self) -> SealLevel: ...

    @property
    def stamp_deferred(self) -> bool: ...


class Press(Protocol):
    """What prints, checks and seals."""

    @property
    def is_specimen(self) -> bool:
        """True while the seal is a demonstration one."""

    def start(self) -> None:
        """Start the workers."""

    def close(self) -> None:
        """Finish the documents in hand, and end the workers."""

    def slot(self) -> AbstractContextManager[None]:
        """Hold a place among the documents in hand; raises PressBusy or SealingStopped at once when there is none."""

    def print_and_lint(self, payload: Permit | Ruling, signed_code: str | None) -> Any:
        """Print the act and check the document; what is returned is all that `seal` accepts."""

    def print_sign(self, permit: Permit, paper: Paper, signed_code: str) -> bytes:
        """Return the sign to post on site as a PDF."""

    def seal(self, linted: Any) -> Sealed:
        """Seal what was checked, and verify the seal before release."""


class CodeSigner(Protocol):
    """Signs what a QR code says, for whoever checks it without a network."""

    def sign(self, permit: Permit) -> str:
        """Return the compact JWS of what the code says of this permit."""


@dataclass(frozen=True)
class Law:
    """The rulebook in force, the files it was read from, and the measuring that goes with it."""

    rulebook: Rulebook
    files: Mapping[str, str]
    surveyor: Surveyor


class RulebookUnreadable(Exception):
    """A rulebook that was kept can't be read any more, or was altered; in French."""


class Laws(Protocol):
    """The rulebooks of the authority, through time."""

    def on(self, day: date) -> Law:
        """Return the law in force on a day, in Paris. Raises RulebookUnreadable."""

    def rulebook(self, digest: str) -> Rulebook:
        """Return a rulebook that decided something. Raises RulebookUnreadable."""


@dataclass(frozen=True)
class Desk:
    """Everything the walk needs from outside. `law` is the one in force on the day it was asked for with `on`."""

    clock: Callable[[], datetime]
    registry: Registry
    geocoder: Geocoder
    laws: Laws
    law: Law
    register: Register
    press: Press
    codes: CodeSigner
    public_url: str

    def on(self, day: date) -> Self:
        """Return this desk under the law in force on a day: one law for the whole of a decision."""
        law = self.laws.on(day)
        return self if law is self.law else replace(self, law=law)

    def today(self) -> Self:
        """Return this desk under the law in force now."""
        return self.on(paris_day(self.clock()))
