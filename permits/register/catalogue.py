"""What is read back from the register."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Engine, text
from sqlmodel import Session, col, select

from permits.domain.act import Act, ActState
from permits.domain.application import Application, Contact
from permits.domain.decision import Decision
from permits.domain.facts import Facts
from permits.domain.filing import Filed, Filing
from permits.domain.permit import Permit
from permits.domain.place import Footprint, StandingPermit
from permits.domain.rulebook import Assurance
from permits.register.tables import ActRow, ApplicationRow, DocumentRow, polygon_text

_STANDING = text(
    "SELECT DISTINCT act.label, act.starts_on, act.ends_on FROM act_footprint f JOIN act ON act.id = f.act_id"
    " WHERE f.footprint_core && CAST(:core AS polygon) AND f.period && CAST(:period AS daterange)"
    " AND f.authority = :authority AND f.worksite_key <> :worksite_key AND f.state IN ('reserved', 'issued')"
    " ORDER BY act.starts_on, act.label LIMIT 20"
)


@dataclass(frozen=True)
class PermitSearch:
    """Filters of a list of permits. `before` is the (year, number) the page starts after."""

    limit: int
    state: str | None = None
    siret: str | None = None
    on: date | None = None
    before: tuple[int, int] | None = None


class Catalogue:
    """Reads of one authority's book. Every list has a limit and an order."""

    def __init__(self, engine: Engine, authority: str) -> None:
        self.engine = engine
        self.authority = authority

    def standing_permits(
        self, footprint: Footprint, application: Application, worksite_key: str
    ) -> tuple[StandingPermit, ...]:
        """Return the live permits of other worksites on this footprint and these days, earliest first."""
        with Session(self.engine) as session:
            rows = session.execute(
                _STANDING,
                {
                    "core": polygon_text(footprint.core),
                    "period": f"[{application.starts_on},{application.ends_on}]",
                    "authority": self.authority,
                    "worksite_key": worksite_key,
                },
            ).all()
        return tuple(StandingPermit(number=r.label, starts_on=r.starts_on, ends_on=r.ends_on) for r in rows)

    def find_filed(self, client_id: UUID, idempotency_key: str) -> Filed | None:
        """Return what this client filed under this key."""
        return self._one_application(
            col(ApplicationRow.client_id) == client_id, col(ApplicationRow.idempotency_key) == idempotency_key
        )

    def application(self, application_id: UUID, client_id: UUID | None = None) -> Filed | None:
        """Return one application; only the client's own when `client_id` is given."""
        conditions = [col(ApplicationRow.id) == application_id]
        if client_id is not None:
            conditions.append(col(ApplicationRow.client_id) == client_id)
        return self._one_application(*conditions)

    def _one_application(self, *conditions: Any) -> Filed | None:
        query = (
            select(ApplicationRow, ActRow)
            .outerjoin(ActRow, col(ActRow.application_id) == col(ApplicationRow.id))
            .where(col(ApplicationRow.authority) == self.authority, *conditions)
        )
        with Session(self.engine) as session:
            found = session.exec(query).first()
        return filed_of(found[0], found[1]) if found else None

    def act(self, act_id: UUID) -> Act | None:
        """Return one act by its id."""
        with Session(self.engine) as session:
            row = session.get(ActRow, act_id)
        return act_of(row) if row else None

    def act_by_code(self, code: str) -> Act | None:
        """Return the act behind a verification code."""
        with Session(self.engine) as session:
            row = session.exec(select(ActRow).where(col(ActRow.code) == code)).first()
        return act_of(row) if row else None

    def act_by_number(self, label: str, client_id: UUID) -> Act | None:
        """Return the client's act of that number."""
        query = select(ActRow).where(
            col(ActRow.authority) == self.authority, col(ActRow.label) == label, col(ActRow.client_id) == client_id
        )
        with Session(self.engine) as session:
            row = session.exec(query).first()
        return act_of(row) if row else None

    def document(self, sha256: str) -> bytes:
        """Return the released bytes of that digest."""
        with Session(self.engine) as session:
            return session.get_one(DocumentRow, sha256).content

    def permits(self, client_id: UUID, search: "PermitSearch") -> list[Act]:
        """Return one page of the client's permits, newest number first."""
        query = select(ActRow).where(col(ActRow.authority) == self.authority, col(ActRow.client_id) == client_id)
        if search.state:
            query = query.where(col(ActRow.state) == search.state)
        if search.siret:
            query = query.where(col(ActRow.siret) == search.siret)
        if search.on:
            query = query.where(col(ActRow.starts_on) <= search.on, col(ActRow.ends_on) >= search.on)
        if search.before:
            year, number = search.before
            query = query.where(text("(act.year, act.number) < (:y, :n)").bindparams(y=year, n=number))
        query = query.order_by(col(ActRow.year).desc(), col(ActRow.number).desc()).limit(search.limit)
        with Session(self.engine) as session:
            return [act_of(row) for row in session.exec(query).all()]

    def reserved_before(self, instant: datetime, limit: int = 1000) -> Sequence[UUID]:
        """Return the acts reserved before an instant and still without a document, oldest first."""
        query = (
            select(ActRow.id)
            .where(col(ActRow.state) == ActState.RESERVED, col(ActRow.reserved_at) < instant)
            .order_by(col(ActRow.reserved_at))
            .limit(limit)
        )
        with Session(self.engine) as session:
            return session.exec(query).all()

    def waiting(self, limit: int = 1000) -> Sequence[UUID]:
        """Return the applications that wait for the registry, in order of arrival."""
        query = (
            select(ApplicationRow.id)
            .where(col(ApplicationRow.authority) == self.authority, col(ApplicationRow.outcome) == "awaiting_registry")
            .order_by(col(ApplicationRow.received_at), col(ApplicationRow.id))
            .limit(limit)
        )
        with Session(self.engine) as session:
            return session.exec(query).all()


_DECISION: TypeAdapter[Decision] = TypeAdapter(Decision)


def act_of(row: ActRow) -> Act:
    """Return what a row of the act table says."""
    return Act(
        id=row.id,
        number=row.label,
        state=ActState(row.state),
        code=row.code,
        permit=Permit.model_validate(row.payload),
        reserved_at=row.reserved_at,
        issued_at=row.issued_at,
        document_sha256=row.document_sha256,
    )


def filed_of(row: ApplicationRow, act: ActRow | None) -> Filed:
    """Return what a row of the application table says, with its act. The contact is not read back."""
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
        ),
        outcome=row.outcome,
        facts=None if row.facts is None else Facts.model_validate(row.facts),
        decision=None if row.decision is None else _DECISION.validate_python(row.decision),
        rulebook_digest=row.rulebook_digest,
        decided_at=row.decided_at,
        act=act_of(act) if act else None,
    )
