"""An application as filed, and as it stands in the book: what the walk and the register pass to each other."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from permits.domain.act import Act
from permits.domain.application import Application, Contact, FiledApplication
from permits.domain.canonical import digest
from permits.domain.decision import Decision
from permits.domain.facts import Facts
from permits.domain.limits import Assurance
from permits.domain.place import PlaceFacts
from permits.domain.siret import siren_of


class FootprintTaken(Exception):
    """Another worksite's permit was recorded there in the meantime."""


class AlreadyFiled(Exception):
    """This client has already used this idempotency key, or this application is already decided."""


class IssuingHalted(Exception):
    """Automatic issuing was suspended by a person: nothing is granted."""


class ActNotPossible(Exception):
    """This act can't be taken (any more); says why, in French."""


@dataclass(frozen=True)
class Filing:
    """Who files what, under which key, and what is known of who they are.

    `worksite_key` is what may overlap itself: the company and the name of its worksite, whatever its
    case. `amends` is the act that this application asks to extend, or corrects. What is filed with a
    `sandbox` key takes its numbers and its place apart from the real ones.
    """

    application_id: UUID
    client_id: UUID
    idempotency_key: str
    body_sha256: str
    application: Application
    contact: Contact
    received_at: datetime
    assurance: Assurance
    payer_assurance: Assurance
    worksite_key: str
    amends: UUID | None = None
    sandbox: bool = False


def filing_of(
    filed: Application,
    *,
    application_id: UUID,
    client_id: UUID,
    key: str,
    assurance: Assurance,
    payer: Assurance,
    at: datetime,
    sandbox: bool = False,
) -> Filing:
    """Return what arrives to be recorded; the contact, if it came with one, is kept apart from the application."""
    application, contact = filed, Contact()
    if isinstance(filed, FiledApplication):
        application, contact = filed.without_contact(), filed.contact
    return Filing(
        application_id=application_id,
        client_id=client_id,
        idempotency_key=key,
        body_sha256=body_digest(application.model_dump(mode="json"), contact),
        application=application,
        contact=contact,
        received_at=at,
        assurance=assurance,
        payer_assurance=payer,
        worksite_key=worksite_key(filed),
        sandbox=sandbox,
    )


def body_digest(body: dict[str, Any], contact: Contact) -> str:
    """Return the digest of what was asked, and of whether a contact came with it.

    Not of the contact itself: a digest kept for ever would confirm whoever guesses a telephone number.
    """
    return digest({"body": body, "with_contact": contact != Contact()})


def worksite_key(application: Application) -> str:
    """Return the key of a worksite that a first permit opens."""
    return f"{siren_of(application.siret)}/{application.worksite.casefold()}"


@dataclass(frozen=True)
class Filed:
    """A recorded application as it stands now, with the permit or the refusal that answered it.

    `facts` and `decision` are None while it waits for the registry; `facts` also once the registry's
    answer has been erased. `decided_on`, the day whose law was heard, and `places` outlive it.
    """

    filing: Filing
    outcome: str
    facts: Facts | None
    decision: Decision | None
    rulebook_digest: str | None
    decided_at: datetime | None
    act: Act | None
    decided_on: date | None = None
    places: tuple[PlaceFacts, ...] = ()
