"""What is read back from the register."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field as PydanticField
from pydantic import TypeAdapter
from sqlalchemy import Engine, and_, func, literal_column, not_, or_, text
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from permits.domain.act import Act, ActKind, ActState, Channel, Notification
from permits.domain.application import Application, Contact
from permits.domain.decision import Decision
from permits.domain.facts import Facts
from permits.domain.filing import Filed, Filing
from permits.domain.limits import Assurance
from permits.domain.permit import Permit
from permits.domain.place import Footprint, PlaceFacts, StandingPermit
from permits.domain.ruling import Ruling
from permits.register.tables import (
    ActRow,
    ApplicationRow,
    ArchiveCopyRow,
    ContactRow,
    DocumentRow,
    EvidenceRow,
    NotificationRow,
    polygon_text,
)

_STANDING = text(
    # What is left of its days, when it was abrogated.
    "SELECT DISTINCT act.label, lower(f.period) AS starts_on, upper(f.period) - 1 AS ends_on"
    " FROM act_footprint f JOIN act ON act.id = f.act_id"
    " WHERE f.footprint_core && CAST(:core AS polygon) AND f.period && CAST(:period AS daterange)"
    " AND f.authority = :authority AND f.space = :space AND f.worksite_key <> :worksite_key AND f.live"
    " ORDER BY starts_on, act.label LIMIT 20"
)
# After an act, or one that it corrects: what extends it, what extends or corrects that, and so on.
_LATER = text(
    "WITH RECURSIVE version AS ("
    " SELECT id, kind, cites FROM act WHERE id = :id"
    " UNION ALL SELECT earlier.id, earlier.kind, earlier.cites"
    " FROM act earlier JOIN version ON version.kind = 'correction' AND earlier.id = version.cites"
    "), later AS ("
    " SELECT act.id FROM act JOIN version ON act.cites = version.id WHERE act.kind = 'extension'"
    " UNION ALL SELECT act.id FROM act JOIN later ON act.cites = later.id"
    " WHERE act.kind IN ('extension', 'correction')"
    ") SELECT id FROM later"
)
_IS_HALTED = text("SELECT issuing_is_halted(:authority)")

# Who gets an answer by an act: rulings that end a permit come later, and never answer an application.
_ANSWERS = tuple(kind for kind in ActKind if kind.answers)
_ALLOWING = tuple(kind for kind in ActKind if kind.allows)

# As the index act_by_day has it.
_DAYS = func.daterange(col(ActRow.starts_on), col(ActRow.ends_on), literal_column("'[]'"))

_Ending = aliased(ActRow)


@dataclass(frozen=True)
class PermitSearch:
    """Filters of a list of permits. `before` is the (year, number) the page starts after."""

    limit: int
    state: str | None = None
    siret: str | None = None
    on: date | None = None
    before: tuple[int, int] | None = None


@dataclass(frozen=True)
class FoundFile:
    """A file that the register knows by its SHA-256: the act it is of, as what, and the level of its seal (SealLevel).

    Only a delivered file is the act; an archive copy holds its bytes, and proves them longer. `extensions` are those
    that stand after the act (Catalogue.extensions).
    """

    act: Act
    role: Literal["delivered", "archive"]
    level: str
    extensions: tuple[Act, ...]


class Catalogue:
    """Reads of one authority's book. Every list has a limit and an order."""

    def __init__(self, engine: Engine, authority: str) -> None:
        self.engine = engine
        self.authority = authority

    def standing_permits(self, footprint: Footprint, filing: Filing) -> tuple[StandingPermit, ...]:
        """Return the live permits of other worksites on this footprint and these days, earliest first."""
        with Session(self.engine) as session:
            rows = session.execute(
                _STANDING,
                {
                    "core": polygon_text(footprint.core),
                    "period": f"[{filing.application.starts_on},{filing.application.ends_on}]",
                    "authority": self.authority,
                    "space": space_of(filing),
                    "worksite_key": filing.worksite_key,
                },
            ).all()
        return tuple(StandingPermit(number=r.label, starts_on=r.starts_on, ends_on=r.ends_on) for r in rows)

    def issuing_is_halted(self) -> bool:
        """Tell whether a person has suspended automatic issuing."""
        with Session(self.engine) as session:
            return bool(session.execute(_IS_HALTED, {"authority": self.authority}).scalar_one())

    def find_filed(self, client_id: UUID, idempotency_key: str) -> Filed | None:
        """Return what this client filed under this key, with its contact unless it was erased."""
        filed = self._one_application(
            col(ApplicationRow.client_id) == client_id, col(ApplicationRow.idempotency_key) == idempotency_key
        )
        if filed is None:
            return None
        with Session(self.engine) as session:
            kept = session.get(ContactRow, filed.filing.application_id)
        contact = Contact(email=kept.email, phone=kept.phone) if kept else Contact()
        return replace(filed, filing=replace(filed.filing, contact=contact))

    def application(self, application_id: UUID, client_id: UUID | None = None) -> Filed | None:
        """Return one application; only the client's own when `client_id` is given."""
        conditions = [col(ApplicationRow.id) == application_id]
        if client_id is not None:
            conditions.append(col(ApplicationRow.client_id) == client_id)
        return self._one_application(*conditions)

    def _one_application(self, *conditions: Any) -> Filed | None:
        query = (
            select(ApplicationRow, EvidenceRow)
            .outerjoin(EvidenceRow, col(EvidenceRow.application_id) == col(ApplicationRow.id))
            .where(col(ApplicationRow.authority) == self.authority, *conditions)
        )
        with Session(self.engine) as session:
            found = session.exec(query).first()
            if found is None:
                return None
            return filed_of(found[0], found[1], self._answer(session, found[0].id))

    def _answer(self, session: Session, application_id: UUID) -> Act | None:
        """Return the act that answers an application; a refusal that could not be sealed refused nothing."""
        refused_nothing = and_(col(ActRow.kind) == ActKind.REFUSAL, col(ActRow.state) == ActState.ANNULLED)
        return self._one_act(
            session,
            col(ActRow.application_id) == application_id,
            col(ActRow.kind).in_(_ANSWERS),
            not_(refused_nothing),
        )

    def act(self, act_id: UUID) -> Act | None:
        """Return one act by its id."""
        with Session(self.engine) as session:
            return self._one_act(session, col(ActRow.id) == act_id)

    def act_by_code(self, code: str) -> Act | None:
        """Return the act behind a verification code."""
        with Session(self.engine) as session:
            return self._one_act(session, col(ActRow.code) == code)

    def act_by_number(self, number: str, client_id: UUID | None = None) -> Act | None:
        """Return the act of that number; only the client's own when `client_id` is given."""
        conditions = [col(ActRow.label) == number]
        if client_id is not None:
            conditions.append(col(ActRow.client_id) == client_id)
        with Session(self.engine) as session:
            return self._one_act(session, *conditions)

    def is_extended(self, act_id: UUID) -> bool:
        """Tell whether an extension adds days to this act, or to the one it corrects; one cut short still does."""
        with Session(self.engine) as session:
            return bool(session.execute(text("SELECT act_is_extended(:id)"), {"id": act_id}).scalar_one())

    def extensions(self, act_id: UUID) -> tuple[Act, ...]:
        """Return the sealed acts that add days after this one, or after the one it corrects, earliest first.

        Of a corrected one, the last version; not one that was withdrawn, or abrogated before it began.
        """
        with Session(self.engine) as session:
            return self._extensions(session, act_id)

    def _extensions(self, session: Session, act_id: UUID) -> tuple[Act, ...]:
        later = [row.id for row in session.execute(_LATER, {"id": act_id})]
        if not later:
            return ()
        cut_short = and_(col(ActRow.state) == ActState.ABROGATED, col(ActRow.ended_on) > col(ActRow.starts_on))
        stands = or_(col(ActRow.state) == ActState.ISSUED, cut_short)
        found = session.exec(self._acts(col(ActRow.id).in_(later), stands).order_by(col(ActRow.starts_on)))
        return tuple(act_of(*row) for row in found)

    def is_being_changed(self, act_id: UUID) -> bool:
        """Tell whether an act that extends, replaces or ends this one waits for its seal."""
        in_hand = select(ActRow.id).where(col(ActRow.cites) == act_id, col(ActRow.state) == ActState.RESERVED)
        with Session(self.engine) as session:
            return session.exec(in_hand.limit(1)).first() is not None

    def _one_act(self, session: Session, *conditions: Any) -> Act | None:
        found = session.exec(self._acts(*conditions)).first()
        return act_of(*found) if found else None

    def _acts(self, *conditions: Any) -> Any:
        return (
            select(ActRow, _Ending.label, NotificationRow)
            .outerjoin(_Ending, col(_Ending.id) == col(ActRow.ended_by))
            .outerjoin(NotificationRow, col(NotificationRow.act_id) == col(ActRow.id))
            .where(col(ActRow.authority) == self.authority, *conditions)
        )

    def document(self, sha256: str) -> bytes:
        """Return the released bytes of that digest."""
        with Session(self.engine) as session:
            return session.get_one(DocumentRow, sha256).content

    def find_file(self, sha256: str) -> FoundFile | None:
        """Return what the register knows of a file by its SHA-256 (64 lower-case hexadecimal digits)."""
        with Session(self.engine) as session:
            delivered = self._one_act(session, col(ActRow.document_sha256) == sha256)
            if delivered is not None:
                level = session.exec(select(DocumentRow.level).where(col(DocumentRow.sha256) == sha256)).one()
                return FoundFile(delivered, "delivered", level, self._extensions(session, delivered.id))
            copied = select(ArchiveCopyRow.act_id, ArchiveCopyRow.level).where(col(ArchiveCopyRow.sha256) == sha256)
            for act_id, level in session.exec(copied):
                act = self._one_act(session, col(ActRow.id) == act_id)
                return FoundFile(act, "archive", level, self._extensions(session, act_id)) if act else None
        return None

    def permits(self, client_id: UUID, search: "PermitSearch") -> list[Act]:
        """Return one page of the client's permits, newest number first."""
        query = self._acts(col(ActRow.client_id) == client_id, col(ActRow.kind).in_(_ALLOWING))
        if search.state:
            query = query.where(col(ActRow.state) == search.state)
        if search.siret:
            query = query.where(col(ActRow.siret) == search.siret)
        if search.on:
            query = query.where(_DAYS.op("@>")(search.on))
        if search.before:
            year, number = search.before
            query = query.where(text("(act.year, act.number) < (:y, :n)").bindparams(y=year, n=number))
        query = query.order_by(col(ActRow.year).desc(), col(ActRow.number).desc()).limit(search.limit)
        with Session(self.engine) as session:
            return [act_of(*found) for found in session.exec(query).all()]

    def reserved_before(self, instant: datetime, limit: int = 1000) -> Sequence[UUID]:
        """Return the acts reserved before an instant and still without a document, oldest first."""
        query = (
            select(ActRow.id)
            .where(
                col(ActRow.authority) == self.authority,
                col(ActRow.state) == ActState.RESERVED,
                col(ActRow.reserved_at) < instant,
            )
            .order_by(col(ActRow.reserved_at))
            .limit(limit)
        )
        with Session(self.engine) as session:
            return session.exec(query).all()

    def overdue(self, instant: datetime, limit: int) -> tuple[int, list[str]]:
        """Return how many acts reserved before an instant have no document, and the numbers of the oldest."""
        query = (
            select(ActRow.label, func.count().over())
            .where(
                col(ActRow.authority) == self.authority,
                col(ActRow.state) == ActState.RESERVED,
                col(ActRow.reserved_at) < instant,
            )
            .order_by(col(ActRow.reserved_at), col(ActRow.label))
            .limit(limit)
        )
        with Session(self.engine) as session:
            rows = session.exec(query).all()
        return (rows[0][1] if rows else 0), [label for label, _ in rows]


_DECISION: TypeAdapter[Decision] = TypeAdapter(Decision)
_PLACES: TypeAdapter[tuple[PlaceFacts, ...]] = TypeAdapter(tuple[PlaceFacts, ...])
_PAYLOAD: TypeAdapter[Permit | Ruling] = TypeAdapter(
    Annotated[Permit | Ruling, PydanticField(discriminator="payload_schema")]
)


def act_of(row: ActRow, ended_by: str | None, notified: NotificationRow | None) -> Act:
    """Return what a row of the act table says, with the number of the act that ended it and its notification."""
    return Act(
        id=row.id,
        kind=ActKind(row.kind),
        number=row.label,
        state=ActState(row.state),
        code=row.code,
        payload=_PAYLOAD.validate_python(row.payload),
        application_id=row.application_id,
        client_id=row.client_id,
        reserved_at=row.reserved_at,
        issued_at=row.issued_at,
        document_sha256=row.document_sha256,
        cites=row.cites,
        ended_on=row.ended_on,
        ended_by=ended_by,
        annulled_because=row.annulled_because,
        notification=_notification(notified) if notified else None,
    )


def _notification(row: NotificationRow) -> Notification:
    return Notification(notified_on=row.notified_on, channel=Channel(row.channel), proof=row.proof)


def filed_of(row: ApplicationRow, evidence: EvidenceRow | None, act: Act | None) -> Filed:
    """Return what a row of the application table says, with its act. The contact is not read back."""
    kept = row.facts or {}
    facts = Facts.model_validate(kept | {"registry": evidence.answer}) if kept and evidence else None
    return Filed(
        filing=Filing(
            application_id=row.id,
            client_id=row.client_id,
            idempotency_key=row.idempotency_key,
            body_sha256=row.body_sha256,
            application=Application.model_validate(row.body),
            contact=Contact(),
            received_at=row.received_at,
            assurance=Assurance(row.assurance),
            payer_assurance=Assurance(row.payer_assurance),
            worksite_key=row.worksite_key,
            amends=row.amends,
            sandbox=row.sandbox,
        ),
        outcome=row.outcome,
        facts=facts,
        decision=None if row.decision is None else _DECISION.validate_python(row.decision),
        rulebook_digest=row.rulebook_digest,
        decided_at=row.decided_at,
        act=act,
        decided_on=date.fromisoformat(kept["decided_on"]) if kept else None,
        places=facts.places if facts else _PLACES.validate_python(kept.get("places", ())),
    )


def space_of(filing: Filing) -> str:
    """Return the space in which a filing takes its place: the street, or the partners' sandbox."""
    return "sandbox" if filing.sandbox else "street"
