"""The tables of the register, as migrations/ make them.

What must hold whoever writes (numbers, exclusion, frozen columns, allowed moves) is in the database
itself; see migrations/versions.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Identity, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY, DATERANGE, JSONB, Range
from sqlalchemy.types import UserDefinedType
from sqlmodel import Field, SQLModel


class PolygonType(UserDefinedType[list[tuple[float, float]]]):
    """PostgreSQL's own polygon, as a list of points."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "POLYGON"

    def bind_processor(self, dialect: Any) -> Any:
        return lambda ring: None if ring is None else polygon_text(ring)


def polygon_text(ring: Any) -> str:
    """Write a closed ring as PostgreSQL reads a polygon (which closes itself)."""
    return "(" + ",".join(f"({x},{y})" for x, y in ring[:-1]) + ")"


def _instant() -> Any:
    return Column(DateTime(timezone=True), nullable=False)


def _optional_instant() -> Any:
    return Column(DateTime(timezone=True), nullable=True)


class ClientRow(SQLModel, table=True):
    """Who may call the API. `sirens` are the companies this key was handed to; all is blank once erased."""

    __tablename__ = "client"

    id: UUID = Field(primary_key=True)
    authority: str
    name: str
    key_id: str = Field(unique=True)
    key_sha256: str
    sirens: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    sandbox: bool = False
    created_at: datetime = Field(sa_column=_instant())
    revoked_at: datetime | None = Field(default=None, sa_column=_optional_instant())
    erased_at: datetime | None = Field(default=None, sa_column=_optional_instant())


class RulebookRow(SQLModel, table=True):
    """The files of a rulebook, kept for ever under their digest."""

    __tablename__ = "rulebook"

    digest: str = Field(primary_key=True)
    authority: str
    files: dict[str, str] = Field(sa_column=Column(JSONB, nullable=False))
    recorded_at: datetime = Field(sa_column=_instant())


class ApplicationRow(SQLModel, table=True):
    """One application, what was established, and what was decided. The registry's answer is in EvidenceRow.

    `amends` is the act that it asks to extend or corrects.
    """

    __tablename__ = "application"

    id: UUID = Field(primary_key=True)
    authority: str
    client_id: UUID
    idempotency_key: str
    body_sha256: str
    received_at: datetime = Field(sa_column=_instant())
    outcome: str
    siret: str
    worksite_key: str
    assurance: int
    payer_assurance: int
    body: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    facts: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    decision: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    rulebook_digest: str | None = None
    decided_at: datetime | None = Field(default=None, sa_column=_optional_instant())
    amends: UUID | None = None
    sandbox: bool = False


class EvidenceRow(SQLModel, table=True):
    """What the State's registry said of the applicant: apart, so that it can be erased."""

    __tablename__ = "application_evidence"

    application_id: UUID = Field(primary_key=True)
    answer: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    about_a_person: bool
    asked_at: datetime = Field(sa_column=_instant())


class ContactRow(SQLModel, table=True):
    """How to reach an applicant: apart, so that it can be erased."""

    __tablename__ = "application_contact"

    application_id: UUID = Field(primary_key=True)
    email: str | None = None
    phone: str | None = None


class ActRow(SQLModel, table=True):
    """A numbered act: its frozen payload, its state, and the digest of its only document."""

    __tablename__ = "act"

    id: UUID = Field(primary_key=True)
    authority: str
    series: str
    year: int
    number: int
    label: str
    application_id: UUID
    client_id: UUID
    state: str
    code: str = Field(unique=True)
    siret: str
    starts_on: date
    ends_on: date
    fee_total: Decimal
    payload: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    payload_sha256: str
    reserved_at: datetime = Field(sa_column=_instant())
    issued_at: datetime | None = Field(default=None, sa_column=_optional_instant())
    document_sha256: str | None = None
    kind: str
    cites: UUID | None = None
    taken_by: str | None = None
    ended_on: date | None = None
    ended_by: UUID | None = None
    annulled_because: str | None = None


class NotificationRow(SQLModel, table=True):
    """When and how an act reached its holder."""

    __tablename__ = "act_notification"

    act_id: UUID = Field(primary_key=True)
    notified_on: date
    channel: str
    proof: str
    recorded_by: str | None = None
    recorded_at: datetime = Field(sa_column=_instant())


class FootprintRow(SQLModel, table=True):
    """One footprint taken by an act, under the exclusion constraint while it is live.

    The sandbox occupies a space of its own: what a partner tries never blocks the street.
    """

    __tablename__ = "act_footprint"

    act_id: UUID = Field(primary_key=True)
    occupancy: int = Field(primary_key=True)
    authority: str
    footprint_core: Any = Field(sa_column=Column(PolygonType(), nullable=False))
    period: Range[date] = Field(sa_column=Column(DATERANGE, nullable=False))
    worksite_key: str
    space: str
    live: bool = True

    model_config = {"arbitrary_types_allowed": True}


class DocumentRow(SQLModel, table=True):
    """A released document, under the SHA-256 of its bytes. `stamp_deferred` when it should have had a time stamp."""

    __tablename__ = "document"

    sha256: str = Field(primary_key=True)
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    stored_at: datetime = Field(sa_column=_instant())
    level: str = "B-B"
    stamp_deferred: bool = False


class ArchiveCopyRow(SQLModel, table=True):
    """A file made later from a delivered one, to prove it longer: `made_from` is the SHA-256 of what it continues."""

    __tablename__ = "archive_copy"

    sha256: str = Field(primary_key=True)
    act_id: UUID
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    level: str
    made_from: str
    made_at: datetime = Field(sa_column=_instant())
    renew_before: datetime | None = Field(default=None, sa_column=_optional_instant())


class SealCertificateRow(SQLModel, table=True):
    """A certificate that sealed here (DER), and the chain above it (PEM)."""

    __tablename__ = "seal_certificate"

    authority: str = Field(primary_key=True)
    sha256: str = Field(primary_key=True)
    certificate: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    chain: str
    first_used_at: datetime = Field(sa_column=_instant())


class CodeKeyRow(SQLModel, table=True):
    """A public key (JWK, RFC 7517) that verifies the QR codes signed here."""

    __tablename__ = "code_key"

    authority: str = Field(primary_key=True)
    kid: str = Field(primary_key=True)
    public_key: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    first_used_at: datetime = Field(sa_column=_instant())


class SwitchRow(SQLModel, table=True):
    """One turn of the switch that suspends automatic issuing; the last one holds."""

    __tablename__ = "issuing_switch"

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    authority: str
    halted: bool
    reason: str
    turned_by: str
    turned_at: datetime = Field(sa_column=_instant())


class SourceSwitchRow(SQLModel, table=True):
    """One turn of the switch of a registry's source; the last one of each source holds."""

    __tablename__ = "registry_switch"

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    authority: str
    source: str
    off: bool
    reason: str
    turned_by: str
    turned_at: datetime = Field(sa_column=_instant())


class WaitRow(SQLModel, table=True):
    """The place in the queue of an application that waits for the registry."""

    __tablename__ = "registry_wait"

    application_id: UUID = Field(primary_key=True)
    authority: str
    since: datetime = Field(sa_column=_instant())
    retry_at: datetime = Field(sa_column=_instant())
    tries: int = 0
    reason: str


class RulebookStepRow(SQLModel, table=True):
    """One step by which a rulebook comes into force: adopted, proposed or published."""

    __tablename__ = "rulebook_step"

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    authority: str
    step: str
    digest: str
    effective_on: date
    taken_by: str
    taken_at: datetime = Field(sa_column=_instant())


class AuditRow(SQLModel, table=True):
    """One transition, chained by hash to the one before it in the same authority."""

    __tablename__ = "audit_entry"

    authority: str = Field(primary_key=True)
    position: int = Field(sa_column=Column(BigInteger, primary_key=True))
    at: datetime = Field(sa_column=_instant())
    event: str
    entry: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    previous_sha256: str
    sha256: str


class RegistryAccessRow(SQLModel, table=True):
    """The trace of one exchange with a registry of the State: written before it, completed by what came back.

    `about` is the application or the act it was made for; `outcome` is None while, or because, nobody
    knows what came back.
    """

    __tablename__ = "registry_access"

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    authority: str
    at: datetime = Field(sa_column=_instant())
    source: str
    siret: str
    purpose: str
    about: UUID | None = None
    client_id: UUID | None = None
    request_id: UUID | None = None
    outcome: str | None = None


class AccessLogRow(SQLModel, table=True):
    """One reading of the book by a client; `subject` is an application's id or an act's number."""

    __tablename__ = "access_log"

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    authority: str
    at: datetime = Field(sa_column=_instant())
    client_id: UUID
    request_id: UUID
    what: str
    subject: str | None = None
