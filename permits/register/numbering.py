"""The next number of a series, given with its frozen payload in one statement (`give_number` in migrations/).

Everything is prepared before: two marks stand in the payload and in the audit entry for the number and
for the digest of the numbered payload, and the database writes them in. The COMMIT is in the same message:
PostgreSQL alone holds the number's lock, and a web process that is slow or stopped never does.
"""

import secrets
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg import ClientCursor
from psycopg.errors import Error as DatabaseError
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from permits.domain.act import Act, ActKind, ActState
from permits.domain.canonical import canonical_json
from permits.domain.filing import ActNotPossible, IssuingHalted
from permits.domain.permit import Permit
from permits.domain.ruling import Ruling
from permits.register.audit import instant_text

_GIVE = (
    "SELECT given_label, audit_position FROM give_number("
    "%(authority)s, %(series)s, %(year)s, %(act_id)s, %(kind)s, %(cites)s, %(taken_by)s, %(application_id)s,"
    " %(client_id)s, %(code)s, %(siret)s, %(starts_on)s, %(ends_on)s, %(fee_total)s, %(payload)s, %(at)s, %(event)s,"
    " %(entry)s, %(number_mark)s, %(payload_mark)s); COMMIT"
)
# What give_number and the triggers behind it refuse, by SQLSTATE; told in French to whoever asked.
_NOT_POSSIBLE = {
    "PX002": "cet acte n’est plus en vigueur, ou un autre acte qui le modifie est en cours",
    "PX003": "cet acte est prolongé : mettez d’abord fin à sa prolongation tout entière",
    "PX004": "cet acte a plus de quatre mois : il ne peut plus être retiré (CRPA art. L. 242-1)",
    "PX005": "une abrogation ne vaut que pour les jours à venir, jusqu’à la fin de l’acte",
}


def mark() -> str:
    """Return a word that no text holds by chance, to stand for what is not known yet."""
    return f"@{secrets.token_hex(16)}@"


@dataclass(frozen=True)
class Draft:
    """An act ready but for its number; `payload.number` is `number_mark`."""

    id: UUID
    authority: str
    series: str
    year: int
    kind: ActKind
    cites: UUID | None
    taken_by: str | None
    application_id: UUID
    client_id: UUID
    code: str
    payload: Permit | Ruling
    number_mark: str
    at: datetime

    @property
    def days(self) -> tuple[date, date]:
        return self.payload.starts_on, self.payload.ends_on

    @property
    def fee_total(self) -> Decimal:
        return self.payload.fee.total if isinstance(self.payload, Permit) else Decimal("0.00")


def give_number(session: Session, draft: Draft, event: str, entry: dict[str, Any]) -> tuple[Act, int]:
    """Record the draft under the next number of its series, with its audit entry, and commit the transaction.

    Returns the reserved act and the position of its entry. Raises IssuingHalted, or ActNotPossible when
    what the draft cites can't be changed (any more); then nothing of the transaction remains.
    """
    payload_mark = mark()
    told = {
        "act": draft.number_mark,
        "id": str(draft.id),
        "kind": draft.kind,
        "by": draft.taken_by,
        "payload_sha256": payload_mark,
    }
    values = {
        "authority": draft.authority,
        "series": draft.series,
        "year": draft.year,
        "act_id": draft.id,
        "kind": draft.kind,
        "cites": draft.cites,
        "taken_by": draft.taken_by,
        "application_id": draft.application_id,
        "client_id": draft.client_id,
        "code": draft.code,
        "siret": draft.payload.beneficiary.siret,
        "starts_on": draft.days[0],
        "ends_on": draft.days[1],
        "fee_total": draft.fee_total,
        "payload": canonical_json(draft.payload),
        "at": instant_text(draft.at),
        "event": event,
        "entry": canonical_json(entry | told),
        "number_mark": draft.number_mark,
        "payload_mark": payload_mark,
    }
    session.flush()
    driver: Any = session.connection().connection.driver_connection
    try:
        # Two statements in one message need their values written in; a pipeline would send two messages.
        with ClientCursor(driver) as cursor:
            given = cursor.execute(_GIVE, values).fetchone()
    except DatabaseError as error:
        raise _refusal(error, driver.closed) from error
    assert given is not None
    label, position = given
    return _reserved(draft, label), position


def _reserved(draft: Draft, number: str) -> Act:
    return Act(
        id=draft.id,
        kind=draft.kind,
        number=number,
        state=ActState.RESERVED,
        code=draft.code,
        payload=draft.payload.model_copy(update={"number": number}),
        application_id=draft.application_id,
        client_id=draft.client_id,
        reserved_at=draft.at,
        issued_at=None,
        document_sha256=None,
        cites=draft.cites,
    )


def _refusal(error: DatabaseError, is_lost: bool) -> Exception:
    """Return what the walk understands, else the error as the rest of the register tells it."""
    if error.sqlstate == "PX001":
        return IssuingHalted()
    if error.sqlstate in _NOT_POSSIBLE:
        return ActNotPossible(_NOT_POSSIBLE[error.sqlstate])
    return DBAPIError.instance("give_number", None, error, DatabaseError, True, is_lost)
