"""The register: what is written, in short transactions.

Writing order inside a transaction: what may wait or fail first (idempotency, exclusion), the
number's row lock and the audit chain last, so that locks are held for an instant.
"""

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from psycopg.errors import DeadlockDetected
from sqlalchemy import Engine, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session, col, select

from permits.domain.act import Act, ActNumber, ActState
from permits.domain.application import Application, Contact
from permits.domain.canonical import digest
from permits.domain.decision import Decision, Granted
from permits.domain.facts import Facts
from permits.domain.filing import AlreadyFiled, Filed, Filing, FootprintTaken
from permits.domain.permit import Permit
from permits.register import audit
from permits.register.catalogue import Catalogue, act_of, filed_of
from permits.register.queue import Queue
from permits.register.tables import ActRow, ApplicationRow, ContactRow, DocumentRow, FootprintRow

_NEXT_NUMBER = text(
    "INSERT INTO counter (authority, series, year, value) VALUES (:authority, :series, :year, 1)"
    " ON CONFLICT (authority, series, year) DO UPDATE SET value = counter.value + 1 RETURNING value"
)
_KEEP_RULEBOOK = text(
    "INSERT INTO rulebook (digest, authority, files, recorded_at)"
    " VALUES (:digest, :authority, CAST(:files AS jsonb), :at) ON CONFLICT (digest) DO NOTHING"
)


PermitMaker = Callable[[ActNumber, str], Permit]


class Register(Catalogue):
    """The book of one authority: its reads, and the few transactions that write it."""

    def __init__(self, engine: Engine, authority: str, queue: Queue) -> None:
        super().__init__(engine, authority)
        self.queue = queue

    def keep_rulebook(self, rulebook_digest: str, files: Mapping[str, str], at: datetime) -> None:
        """Keep the files of a rulebook for ever, so that what it decided can be decided again."""
        with self._transaction() as session:
            session.execute(
                _KEEP_RULEBOOK,
                {"digest": rulebook_digest, "authority": self.authority, "files": json.dumps(dict(files)), "at": at},
            )

    def record_waiting(self, filing: Filing, retry_at: datetime) -> Filed:
        """Record an application that waits for the company registry, and the job that will decide it."""
        with self._transaction() as session:
            row = self._application(filing, outcome="awaiting_registry")
            self._insert(session, row, filing.contact)
            self.queue.decide_later(session, filing.application_id, retry_at)
            audit.append(session, self.authority, "received", filing.received_at, {"application": str(row.id)})
        return filed_of(row, None)

    def record_decision(
        self,
        filing: Filing,
        facts: Facts,
        decision: Decision,
        *,
        rulebook_digest: str,
        series: str,
        decided_at: datetime,
        make_permit: PermitMaker,
        waiting: bool = False,
    ) -> Filed:
        """Record a decision and, when granted, reserve the next number with its frozen payload.

        `waiting` decides an application recorded before. Raises AlreadyFiled or FootprintTaken, and
        then nothing is written.
        """
        with self._transaction() as session:
            decided: dict[str, Any] = {
                "outcome": decision.outcome,
                "facts": facts.model_dump(mode="json"),
                "decision": decision.model_dump(mode="json"),
                "rulebook_digest": rulebook_digest,
                "decided_at": decided_at,
            }
            row = self._decide_waiting(session, filing, decided) if waiting else None
            if row is None:
                row = self._application(filing, **decided)
                self._insert(session, row, filing.contact)
            act = None
            if isinstance(decision, Granted):
                act = self._reserve(session, filing, facts, series, decided_at, make_permit)
            entry = {"application": str(row.id), "rulebook": rulebook_digest, "decision_sha256": digest(decision)}
            if act is not None:
                entry |= {"act": act.label, "payload_sha256": act.payload_sha256}
            audit.append(session, self.authority, decision.outcome, decided_at, entry)
        return filed_of(row, act)

    def file(self, act_id: UUID, content: bytes, sha256: str, at: datetime) -> Act:
        """Move a reserved act to issued with its document; the first recorded document wins.

        Returns the act as it stands: when somebody else filed it first, `content` is forgotten.
        """
        with self._transaction() as session:
            act = session.exec(select(ActRow).where(col(ActRow.id) == act_id).with_for_update()).one()
            if act.state != ActState.RESERVED:
                return act_of(act)
            session.add(DocumentRow(sha256=sha256, content=content, stored_at=at))
            session.flush()
            act.state, act.issued_at, act.document_sha256 = ActState.ISSUED, at, sha256
            session.add(act)
            session.flush()
            audit.append(session, self.authority, "issued", at, {"act": act.label, "document_sha256": sha256})
        return act_of(act)

    def _reserve(
        self,
        session: Session,
        filing: Filing,
        facts: Facts,
        series: str,
        decided_at: datetime,
        make_permit: PermitMaker,
    ) -> ActRow:
        act_id, application = uuid4(), filing.application
        period = _period(application)
        for index, place in enumerate(facts.places):
            session.add(
                FootprintRow(
                    act_id=act_id,
                    occupancy=index,
                    authority=self.authority,
                    footprint_core=place.footprint.core,
                    period=period,
                    worksite_key=filing.worksite_key,
                    state=ActState.RESERVED,
                )
            )
        _flush(session)
        self.queue.finish_later(session, act_id, decided_at + timedelta(seconds=60))
        code = secrets.token_urlsafe(16)
        year = facts.decided_on.year
        value = session.execute(
            _NEXT_NUMBER, {"authority": self.authority, "series": series, "year": year}
        ).scalar_one()
        number = ActNumber(authority=self.authority, series=series, year=year, value=value)
        permit = make_permit(number, code)
        payload = permit.model_dump(mode="json")
        act = ActRow(
            id=act_id,
            authority=self.authority,
            series=series,
            year=year,
            number=value,
            label=str(number),
            application_id=filing.application_id,
            client_id=filing.client_id,
            state=ActState.RESERVED,
            code=code,
            siret=permit.beneficiary.siret,
            starts_on=permit.starts_on,
            ends_on=permit.ends_on,
            fee_total=permit.fee.total,
            payload=payload,
            payload_sha256=digest(payload),
            reserved_at=decided_at,
        )
        session.add(act)
        session.flush()
        return act

    def _application(self, filing: Filing, **decided: Any) -> ApplicationRow:
        return ApplicationRow(
            id=filing.application_id,
            authority=self.authority,
            client_id=filing.client_id,
            idempotency_key=filing.idempotency_key,
            body_sha256=filing.body_sha256,
            received_at=filing.received_at,
            siret=filing.application.siret,
            worksite_key=filing.worksite_key,
            assurance=filing.assurance,
            payer_assurance=filing.payer_assurance,
            body=filing.application.model_dump(mode="json"),
            **decided,
        )

    def _insert(self, session: Session, row: ApplicationRow, contact: Contact) -> None:
        session.add(row)
        _flush(session)
        if contact.email or contact.phone:
            session.add(ContactRow(application_id=row.id, email=contact.email, phone=contact.phone))
            session.flush()

    def _decide_waiting(self, session: Session, filing: Filing, decided: dict[str, Any]) -> ApplicationRow:
        query = select(ApplicationRow).where(col(ApplicationRow.id) == filing.application_id).with_for_update()
        row = session.exec(query).one()
        if row.outcome != "awaiting_registry":
            raise AlreadyFiled
        for name, value in decided.items():
            setattr(row, name, value)
        session.add(row)
        session.flush()
        return row

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session


def _period(application: Application) -> Range[date]:
    return Range(application.starts_on, application.ends_on + timedelta(days=1), bounds="[)")


def _flush(session: Session) -> None:
    """Write now, and name the constraint that said no."""
    try:
        session.flush()
    except OperationalError as error:
        # Two applications with several crossing footprints may wait for each other: one of them looks again.
        if isinstance(error.orig, DeadlockDetected):
            raise FootprintTaken from error
        raise
    except IntegrityError as error:
        constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
        if constraint == "no_double_booking":
            raise FootprintTaken from error
        if constraint == "application_client_id_idempotency_key_key":
            raise AlreadyFiled from error
        raise
