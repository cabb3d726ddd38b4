"""The permit as it is frozen: everything the arrêté prints, and nothing it may not hold.

The payload is recorded with its number before anything is printed; the document is made from it alone.
It holds no e-mail, phone or birth data.
"""

from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from permits.domain.application import Insurance, Kind
from permits.domain.arms import Arms
from permits.domain.decision import Citation, Fee, Prescription
from permits.domain.model import Value
from permits.domain.place import Metres, Polygon

PAYLOAD_SCHEMA: Literal["permis-de-stationnement/1"] = "permis-de-stationnement/1"


class Paper(StrEnum):
    """What a sign is printed on (ISO 216)."""

    A4 = "a4"
    A3 = "a3"


class PressBusy(Exception):
    """Too many documents are in hand; ask again after `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many documents in hand, ask again in {retry_after} s")
        self.retry_after = retry_after


class SealingStopped(Exception):
    """No act can be sealed now: no number is given. `reason` is a French sentence; ask again after `retry_after` s."""

    def __init__(self, reason: str, retry_after: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class Beneficiary(Value):
    """Who may occupy the street: legal name, SIRET and address, from the State's registry.

    `protected` data is never shown in public (partial diffusion).
    """

    name: str
    siret: str
    address: tuple[str, ...]
    protected: bool


class PermittedOccupancy(Value):
    """One thing allowed on the street. Lengths in metres, as declared; `area_m2` is the drawn area."""

    kind: Kind
    label: str
    address: str
    length_m: Decimal | None
    width_m: Decimal | None
    height_m: Decimal | None
    pieces: int
    vehicle_tonnes: Decimal | None
    footway_clear_width_m: Decimal | None
    area_m2: Decimal
    footprint: Polygon
    ring_m: tuple[Metres, ...]
    crs: str


class IssuingAuthority(Value):
    """Who takes the act, and how to reach it. `arms` is an SVG; None for the emblem of the page."""

    id: str
    name: str
    article_name: str
    fictional: bool
    place: str
    service: str
    postal_address: tuple[str, ...]
    email: str
    phone: str
    data_protection_contact: str
    arms: Arms | None = None


class Signatory(Value):
    """The author of the act (CRPA art. L212-1, L212-2): first name, name, quality, service and delegation."""

    first_name: str
    name: str
    quality: str
    service: str
    delegation: str


class Appeal(Value):
    """Where the act can be contested (CJA art. R421-1, CRPA art. L410-1)."""

    authority: str
    court: str
    court_address: str


class FetchedData(Value):
    """Data obtained from another administration, told to the applicant (CRPA art. L114-8)."""

    source: str
    data: str
    fetched_at: datetime
    source_updated_at: datetime | None


class KeptFor(Value):
    """For how many months what can be erased of a file is kept, told to the applicant (GDPR art. 13).

    The contact and the registry's answer about a natural person count from the end of the file, the
    traces of calls to the registry and of readings from the day of each.
    """

    contact_months: int
    registry_answer_months: int
    registry_traces_months: int
    reading_traces_months: int


class DailyWindow(Value):
    """Hours of the day during which the street may be occupied."""

    starts: time
    ends: time


class CitedAct(Value):
    """An act that another one names: its number and the day it was taken."""

    number: str
    decided_on: date


class Amendment(Value):
    """How a permit follows an earlier one: it adds days to it, or it replaces it to correct a clerical error.

    `reasons` say what is corrected; empty for an extension.
    """

    kind: Literal["extension", "correction"]
    cites: CitedAct
    reasons: tuple[str, ...] = ()


class Permit(Value):
    """A permis de stationnement, ready to be printed. Days are inclusive calendar days in Europe/Paris.

    `answers` is the application that somebody filed, when it is not `application_id`: a correction is made
    by a person, and still answers the application of the permit it replaces. `kept` is None in what was
    frozen before it was told.
    """

    payload_schema: Literal["permis-de-stationnement/1"] = PAYLOAD_SCHEMA
    template: str
    number: str
    amends: Amendment | None = None
    application_id: str
    answers: str | None = None
    received_at: datetime
    decided_at: datetime
    authority: IssuingAuthority
    signatory: Signatory
    beneficiary: Beneficiary
    payer_siret: str | None
    worksite: str
    urbanism_file: str | None
    insurance: Insurance | None
    starts_on: date
    ends_on: date
    daily_hours: DailyWindow | None
    occupancies: tuple[PermittedOccupancy, ...]
    visas: tuple[Citation, ...]
    considerations: tuple[str, ...]
    prescriptions: tuple[Prescription, ...]
    fee: Fee
    payment_terms: str
    appeal: Appeal
    algorithm_contact: str
    fetched_data: tuple[FetchedData, ...]
    kept: KeptFor | None = None
    rulebook_digest: str
    verification_url: str
    specimen: bool

    @property
    def asked_in(self) -> str:
        """The application that somebody filed, which the visas cite."""
        return self.answers or self.application_id


# From a number and a verification code to what is frozen.
MakePermit = Callable[[str, str], Permit]
