"""The register: what is written, in short transactions.

Writing order inside a transaction: what may wait or fail first (idempotency, exclusion), the audit
chain and the number last, so that their locks are held for an instant.
"""

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from psycopg.errors import DeadlockDetected
from sqlalchemy import Engine, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session, col, select

from permits.domain.act import ENDS, Act, ActKind, ActState, Notification
from permits.domain.application import Application, Contact
from permits.domain.calendar import paris_day
from permits.domain.canonical import digest
from permits.domain.decision import Decision, Granted
from permits.domain.establishment import RegistryAnswer
from permits.domain.facts import Facts
from permits.domain.filing import ActNotPossible, AlreadyFiled, Filed, Filing, FootprintTaken
from permits.domain.permit import MakePermit
from permits.domain.ruling import MakeRuling
from permits.domain.sealing import SealLevel
from permits.failpoint import reach
from permits.register import audit
from permits.register.catalogue import Catalogue, filed_of, space_of
from permits.register.digests import application_digest, notification_digest
from permits.register.floor import Floor
from permits.register.numbering import Draft, give_number, mark
from permits.register.queue import Queue
from permits.register.tables import (
    ActRow,
    ApplicationRow,
    ContactRow,
    DocumentRow,
    EvidenceRow,
    FootprintRow,
    NotificationRow,
)
from permits.register.waiting import leave_line, wait_in_line

_KEEP_RULEBOOK = text(
    "INSERT INTO rulebook (digest, authority, files, recorded_at)"
    " VALUES (:digest, :authority, CAST(:files AS jsonb), :at) ON CONFLICT (digest) DO NOTHING"
)
# A crash between number and document is repaired by a job after this time, or by the next start.
_FINISH_AFTER = timedelta(seconds=60)

_POSITION = "audit_position"


class Register(Catalogue):
    """The book of one authority: its reads, and the few transactions that write it."""

    def __init__(self, engine: Engine, authority: str, queue: Queue) -> None:
        super().__init__(engine, authority)
        self.queue = queue
        self.floor = Floor(authority)

    def keep_rulebook(self, rulebook_digest: str, files: Mapping[str, str], at: datetime) -> None:
        """Keep the files of a rulebook for ever, so that what it decided can be decided again."""
        with self._transaction() as session:
            session.execute(
                _KEEP_RULEBOOK,
                {"digest": rulebook_digest, "authority": self.authority, "files": json.dumps(dict(files)), "at": at},
            )

    def record_waiting(self, filing: Filing, reason: str) -> Filed:
        """Record an application that waits for the company registry, with its place in the queue.

        `reason` is technical: it tells nothing of a person. Raises AlreadyFiled.
        """
        with self._transaction() as session:
            row = self._application(filing, outcome="awaiting_registry")
            self._insert(session, row, filing.contact)
            wait_in_line(session, self.authority, filing.application_id, filing.received_at, reason)
            entry = {"application": str(row.id), "application_sha256": application_digest(row)}
            self._audit(session, "received", filing.received_at, entry)
        return filed_of(row, None, None)

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
        """Record a decision and, when granted, reserve the next number of the series with its frozen payload.

        `taken_by` is None for the machine. `waiting` decides an application recorded before. Raises
        AlreadyFiled, FootprintTaken, IssuingHalted or ActNotPossible, and then nothing is written.
        """
        told = facts.model_dump(mode="json")
        answer = told.pop("registry")
        decided = {
            "outcome": decision.outcome,
            "facts": told,
            "decision": decision.model_dump(mode="json"),
            "rulebook_digest": rulebook_digest,
            "decided_at": decided_at,
        }
        with self._transaction() as session:
            reach("recording_begun")
            row = self._decide_waiting(session, filing, decided) if waiting else None
            if row is None:
                row = self._application(filing, **decided)
                self._insert(session, row, filing.contact)
            evidence = _evidence(row.id, facts.registry, answer, decided_at)
            session.add(evidence)
            session.flush()
            reach("application_inserted")
            entry = {
                "application": str(row.id),
                "application_sha256": application_digest(row),
                "facts_sha256": digest(told),
                "evidence_sha256": digest(answer),
                "decision_sha256": digest(row.decision or {}),
                "rulebook": rulebook_digest,
            }
            act = None
            if isinstance(decision, Granted):
                draft = self._draft(filing, decided_at, series, make_permit, kind, taken_by)
                act = self._reserve_permit(session, filing, facts, draft, entry)
            else:
                self._audit(session, decision.outcome, decided_at, entry)
        return filed_of(row, evidence, act)

    def reserve_ruling(
        self, kind: ActKind, subject: Act | Filed, make_ruling: MakeRuling, *, series: str, taken_by: str, at: datetime
    ) -> Act:
        """Reserve the number of a refusal (of a referred application), an abrogation or a withdrawal (of a permit).

        Raises ActNotPossible when the subject has been answered or ended already, or can't be.
        """
        cited = subject if isinstance(subject, Act) else None
        application_id = subject.application_id if isinstance(subject, Act) else subject.filing.application_id
        client_id = subject.client_id if isinstance(subject, Act) else subject.filing.client_id
        number, code = mark(), secrets.token_urlsafe(16)
        draft = Draft(
            id=uuid4(),
            authority=self.authority,
            series=series,
            year=paris_day(at).year,
            kind=kind,
            cites=cited.id if cited else None,
            taken_by=taken_by,
            application_id=application_id,
            client_id=client_id,
            code=code,
            payload=make_ruling(number, code),
            number_mark=number,
            at=at,
        )
        entry = {"application": str(application_id), "by": taken_by}
        if cited:
            entry["cites"] = cited.number
        with self._transaction() as session, _one_answer_only():
            self.queue.finish_later(session, draft.id, at + _FINISH_AFTER)
            act, position = give_number(session, draft, "reserved", entry)
            _saw(session, position)
        return act

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
        """Move a reserved act to issued with its document; the first recorded document wins.

        An act that ends or replaces another does so in the same transaction. Returns the act as it
        stands: when somebody else filed it first, `content` is forgotten.
        """
        with self._transaction() as session:
            row = session.exec(select(ActRow).where(col(ActRow.id) == act_id).with_for_update()).one()
            reach("filing_begun")
            if row.state == ActState.RESERVED:
                sealed: dict[str, Any] = {"level": level, "stamp_deferred": stamp_deferred}
                session.add(DocumentRow(sha256=sha256, content=content, stored_at=at, **sealed))
                session.flush()
                reach("document_stored")
                ended = ENDS.get(ActKind(row.kind))
                if ended is not None:
                    # The chain, then the act that ends: give_number locks them in this order too.
                    audit.lock(session, self.authority)
                row.state, row.issued_at, row.document_sha256 = ActState.ISSUED, at, sha256
                session.add(row)
                session.flush()
                self._audit(session, "issued", at, {"act": row.label, "document_sha256": sha256} | sealed)
                if ended is not None:
                    label = session.exec(select(ActRow.label).where(col(ActRow.id) == row.cites)).one()
                    self._audit(session, ended, at, {"act": label, "by_act": row.label})
                reach("act_issued")
        return self._present(act_id)

    def annul(self, act_id: UUID, reason: str, by: str, at: datetime) -> Act:
        """Annul a reserved act that can't be sealed: its number stays, with the reason. Raises ActNotPossible."""
        with self._transaction() as session:
            row = session.exec(select(ActRow).where(col(ActRow.id) == act_id).with_for_update()).one()
            if row.state != ActState.RESERVED:
                raise ActNotPossible(f"seul un numéro réservé s’annule, et {row.label} ne l’est plus")
            row.state, row.annulled_because = ActState.ANNULLED, reason
            session.add(row)
            session.flush()
            told = {"act": row.label, "reason_sha256": digest({"reason": reason}), "by": by}
            self._audit(session, "annulled", at, told)
        return self._present(act_id)

    def notify(self, act: Act, notification: Notification, by: str | None, at: datetime) -> bool:
        """Record when and how an act reached its holder; return False when that was recorded before."""
        row = NotificationRow(
            act_id=act.id,
            notified_on=notification.notified_on,
            channel=notification.channel,
            proof=notification.proof,
            recorded_by=by,
            recorded_at=at,
        )
        try:
            with self._transaction() as session:
                session.add(row)
                session.flush()
                told = {"act": act.number, "notification_sha256": notification_digest(row)}
                self._audit(session, "notified", at, told)
        except IntegrityError as error:
            if _constraint(error) != "act_notification_pkey":
                raise
            return False
        return True

    def _draft(
        self,
        filing: Filing,
        at: datetime,
        series: str,
        make_permit: MakePermit,
        kind: ActKind,
        taken_by: str | None,
    ) -> Draft:
        number, code = mark(), secrets.token_urlsafe(16)
        return Draft(
            id=uuid4(),
            authority=self.authority,
            series=series,
            year=paris_day(at).year,
            kind=kind,
            cites=filing.amends,
            taken_by=taken_by,
            application_id=filing.application_id,
            client_id=filing.client_id,
            code=code,
            payload=make_permit(number, code),
            number_mark=number,
            at=at,
        )

    def _reserve_permit(
        self, session: Session, filing: Filing, facts: Facts, draft: Draft, entry: dict[str, Any]
    ) -> Act:
        period = _period(filing.application)
        for index, place in enumerate(facts.places):
            session.add(
                FootprintRow(
                    act_id=draft.id,
                    occupancy=index,
                    authority=self.authority,
                    footprint_core=place.footprint.core,
                    period=period,
                    worksite_key=filing.worksite_key,
                    space=space_of(filing),
                )
            )
        _flush(session)
        reach("footprints_taken")
        self.queue.finish_later(session, draft.id, draft.at + _FINISH_AFTER)
        reach("job_enqueued")
        with _one_answer_only():
            act, position = give_number(session, draft, "granted", entry)
        _saw(session, position)
        reach("number_given")
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
            amends=filing.amends,
            sandbox=filing.sandbox,
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
        leave_line(session, filing.application_id)
        return row

    def _audit(self, session: Session, event: str, at: datetime, entry: dict[str, Any]) -> None:
        _saw(session, audit.append(session, self.authority, event, at, entry))

    def _present(self, act_id: UUID) -> Act:
        act = self.act(act_id)
        assert act is not None
        return act

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        with Session(self.engine, expire_on_commit=False) as session:
            with session.begin():
                self.floor.check(session)
                yield session
            # Only what is committed is known.
            self.floor.raise_to(session.info.get(_POSITION, 0))


def _saw(session: Session, position: int) -> None:
    """Note in the transaction how far it brings the chain."""
    session.info[_POSITION] = position


def _evidence(
    application_id: UUID, answer: RegistryAnswer, dumped: dict[str, Any], decided_at: datetime
) -> EvidenceRow:
    return EvidenceRow(
        application_id=application_id,
        answer=dumped,
        about_a_person=answer.is_about_a_person,
        asked_at=min((each.fetched_at for each in answer.evidence), default=decided_at),
    )


def _period(application: Application) -> Range[date]:
    return Range(application.starts_on, application.ends_on + timedelta(days=1), bounds="[)")


@contextmanager
def _one_answer_only() -> Iterator[None]:
    """Tell in French that an application is answered, and an act changed, once."""
    try:
        yield
    except IntegrityError as error:
        if _constraint(error) in ("act_answers_once", "act_changed_once", "act_extended_once"):
            raise ActNotPossible("un autre acte y a déjà répondu, ou l’a déjà modifié") from error
        raise


def _constraint(error: IntegrityError) -> str | None:
    return getattr(getattr(error.orig, "diag", None), "constraint_name", None)


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
        if _constraint(error) == "no_double_booking":
            raise FootprintTaken from error
        if _constraint(error) == "application_client_id_idempotency_key_key":
            raise AlreadyFiled from error
        raise
