"""What the API answers, as models: the contract of openapi.yaml."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from permits.domain.act import Act, ActKind, ActState, Notification
from permits.domain.application import Day
from permits.domain.calendar import months_after, paris_day
from permits.domain.decision import Decision, Fee, Finding, Prescription, Referred
from permits.domain.establishment import Establishment, Evidence, RegistryAnswer, Verdict, verdict_of
from permits.domain.filing import Filed
from permits.domain.permit import Permit
from permits.domain.rulebook import Rulebook
from permits.domain.ruling import Ruling


class EvidenceView(BaseModel):
    """What one source said, in a word and in French, and when; null words for an answer kept before they were noted."""

    source: str
    said: str | None
    said_in_french: str | None
    fetched_at: datetime
    source_updated_at: datetime | None
    request_id: str | None
    sha256: str

    @classmethod
    def of(cls, evidence: Evidence) -> "EvidenceView":
        return cls(
            source=evidence.source,
            said=evidence.said,
            said_in_french=evidence.told,
            fetched_at=evidence.fetched_at,
            source_updated_at=evidence.source_updated_at,
            request_id=evidence.request_id,
            sha256=evidence.sha256,
        )


class UnheardView(BaseModel):
    """A source that said nothing when it was needed, and why in a technical word."""

    source: str
    at: datetime
    reason: str


class EstablishmentView(BaseModel):
    """One establishment. `name` and `address` are empty when the company asked for partial diffusion.

    `siret` differs from `asked_siret` when Insee merged a duplicate. `verdict` is what all the sources come
    to together: `disputed`, with `disagreement`, when two of them can't both be right.
    """

    siret: str
    asked_siret: str
    verdict: Verdict
    disagreement: str | None
    siren: str
    name: str | None
    address: list[str]
    is_open: bool
    closed_on: date | None
    unit_is_active: bool
    unit_ceased_on: date | None
    standing: str
    standing_since: date | None
    partially_diffusible: bool
    evidence: list[EvidenceView]
    unheard: list[UnheardView]

    @classmethod
    def of(cls, answer: RegistryAnswer | None) -> "EstablishmentView | None":
        """Return what may be shown to a caller: never the protected data of a partially diffusible company."""
        if not isinstance(answer, Establishment):
            return None
        hidden = answer.partially_diffusible
        return cls(
            siret=answer.siret,
            asked_siret=answer.asked_siret,
            verdict=verdict_of(answer),
            disagreement=answer.disagreement,
            siren=answer.siren,
            name=None if hidden else answer.name,
            address=[] if hidden else list(answer.address),
            is_open=answer.is_open,
            closed_on=answer.closed_on,
            unit_is_active=answer.unit_is_active,
            unit_ceased_on=answer.unit_ceased_on,
            standing=answer.standing,
            standing_since=answer.standing_since,
            partially_diffusible=hidden,
            evidence=[EvidenceView.of(evidence) for evidence in answer.evidence],
            unheard=[UnheardView(source=each.source, at=each.at, reason=each.reason) for each in answer.unheard],
        )


class ConsultationView(EstablishmentView):
    """One establishment, and how old what is known of it is.

    `is_fresh` is false while no registry answers: this was known before, may fill a form, and decides nothing.
    """

    asked_at: datetime
    age_seconds: int
    is_fresh: bool


class RulebookView(BaseModel):
    """Which rules decided."""

    authority: str
    digest: str


class DecisionView(BaseModel):
    """Every finding, the grounds among them, and the conditions."""

    findings: list[Finding]
    grounds: list[Finding] = Field(description="Constats qui demandent l’examen d’un agent ; vide si accordé")
    prescriptions: list[Prescription]
    rulebook: RulebookView

    @classmethod
    def of(cls, decision: Decision, authority: str, digest: str) -> "DecisionView":
        return cls(
            findings=list(decision.findings),
            grounds=list(decision.grounds) if isinstance(decision, Referred) else [],
            prescriptions=list(decision.prescriptions),
            rulebook=RulebookView(authority=authority, digest=digest),
        )


class ExtensionRequest(BaseModel):
    """The last day of the extension, which begins the day after the permit's end."""

    model_config = ConfigDict(extra="forbid")

    ends_on: Day


def _cited(payload: Permit | Ruling) -> str | None:
    cited = payload.cites if isinstance(payload, Ruling) else payload.amends.cites if payload.amends else None
    return cited.number if cited else None


class ActView(BaseModel):
    """An act of any kind as it stands now. The document exists once it has been issued.

    `effective_on` is the first day that the permit abrogated by this act no longer covers. `ended_on`, `ended_by` and
    `annulled_because` tell what became of this act itself.
    """

    number: str
    kind: ActKind
    state: ActState
    cites: str | None = Field(description="Numéro de l’acte prolongé, remplacé ou terminé par celui-ci")
    effective_on: date | None
    decided_at: datetime
    issued_at: datetime | None
    ended_on: date | None
    ended_by: str | None
    annulled_because: str | None
    notification: Notification | None
    document_url: str | None
    document_sha256: str | None
    verification_url: str

    @classmethod
    def of(cls, act: Act, base_url: str) -> "ActView":
        payload = act.payload
        return cls(
            number=act.number,
            kind=act.kind,
            state=act.state,
            cites=_cited(payload),
            effective_on=payload.effective_on if isinstance(payload, Ruling) else None,
            decided_at=payload.decided_at,
            issued_at=act.issued_at,
            ended_on=act.ended_on,
            ended_by=act.ended_by,
            annulled_because=act.annulled_because,
            notification=act.notification,
            document_url=f"{base_url}/v1/acts/{act.number}/document" if act.document_sha256 else None,
            document_sha256=act.document_sha256,
            verification_url=payload.verification_url,
        )


class PermitView(BaseModel):
    """A permit as it stands now. The document exists once it has been issued.

    `cites` is the permit that it extends or replaces. `ended_on` is the first day that an abrogated permit no
    longer covers; `ended_by` the act that ended or replaced it; `annulled_because` why its number could not be sealed.
    """

    number: str
    kind: ActKind
    state: ActState
    cites: str | None
    siret: str
    worksite: str
    starts_on: date
    ends_on: date
    fee_total: Decimal
    decided_at: datetime
    issued_at: datetime | None
    ended_on: date | None
    ended_by: str | None
    annulled_because: str | None
    notification: Notification | None
    document_url: str | None
    document_sha256: str | None
    verification_url: str

    @classmethod
    def of(cls, act: Act, base_url: str) -> "PermitView":
        issued = act.document_sha256 is not None
        return cls(
            number=act.number,
            kind=act.kind,
            state=act.state,
            cites=_cited(act.payload),
            siret=act.permit.beneficiary.siret,
            worksite=act.permit.worksite,
            starts_on=act.permit.starts_on,
            ends_on=act.permit.ends_on,
            fee_total=act.permit.fee.total,
            decided_at=act.permit.decided_at,
            issued_at=act.issued_at,
            ended_on=act.ended_on,
            ended_by=act.ended_by,
            annulled_because=act.annulled_because,
            notification=act.notification,
            document_url=f"{base_url}/v1/permits/{act.number}/document" if issued else None,
            document_sha256=act.document_sha256,
            verification_url=act.permit.verification_url,
        )


class PermitPage(BaseModel):
    """One page of permits, newest number first; `next` is the address of the following page."""

    permits: list[PermitView]
    next: str | None


class Contacts(BaseModel):
    """How to reach the service in charge."""

    email: str
    phone: str
    postal_address: list[str]


class Acknowledgement(BaseModel):
    """Acknowledgement of receipt (CRPA art. R112-11-1): who is in charge, and what silence means."""

    service: str
    contact: Contacts
    silence_means: Literal["rejection"] = "rejection"
    silence_on: date
    appeal: str

    @classmethod
    def of(cls, received_at: datetime, rulebook: Rulebook) -> "Acknowledgement":
        identity, appeal = rulebook.authority.identity, rulebook.authority.appeal
        day = paris_day(received_at)
        return cls(
            service=identity.service,
            contact=Contacts(email=identity.email, phone=identity.phone, postal_address=list(identity.postal_address)),
            silence_on=months_after(day, rulebook.limits.silence_months.on(day).value),
            appeal=(
                "Un refus, même né du silence, peut être contesté dans les deux mois : recours gracieux auprès de "
                f"{appeal.authority}, examiné par un agent, ou recours devant le {appeal.court} ({appeal.court_address}"
                ", www.telerecours.fr)."
            ),
        )


class ApplicationView(BaseModel):
    """An application as it stands now.

    `amends` is the permit that it asks to extend, or corrects. `permit` is null unless granted; `refusal` unless an
    agent refused it. `acknowledgement` is there until a sealed act answers: silence still counts.
    """

    id: UUID
    received_at: datetime
    outcome: Literal["granted", "referred", "awaiting_registry"]
    amends: str | None
    establishment: EstablishmentView | None
    decision: DecisionView | None
    fee: Fee | None
    permit: PermitView | None
    refusal: ActView | None
    acknowledgement: Acknowledgement | None

    @classmethod
    def of(cls, filed: Filed, amends: Act | None, rulebook: Rulebook, base_url: str) -> "ApplicationView":
        decision, digest = filed.decision, filed.rulebook_digest
        # Neither a number that waits for its seal nor an annulled one answers anybody.
        is_answered = filed.act is not None and filed.act.document_sha256 is not None
        permit = filed.act if filed.act and filed.act.kind.allows else None
        refusal = filed.act if filed.act and not filed.act.kind.allows else None
        return cls(
            id=filed.filing.application_id,
            received_at=filed.filing.received_at,
            outcome=filed.outcome,
            amends=amends.number if amends else None,
            establishment=EstablishmentView.of(filed.facts.registry if filed.facts else None),
            decision=DecisionView.of(decision, rulebook.authority.identity.id, digest) if decision and digest else None,
            fee=decision.fee if decision else None,
            permit=PermitView.of(permit, base_url) if permit else None,
            refusal=ActView.of(refusal, base_url) if refusal else None,
            acknowledgement=None if is_answered else Acknowledgement.of(filed.filing.received_at, rulebook),
        )


class PreviewView(BaseModel):
    """What filing would answer now; nothing is stored."""

    outcome: Literal["granted", "referred"]
    establishment: EstablishmentView | None
    decision: DecisionView
    fee: Fee | None
