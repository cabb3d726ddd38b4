"""From what a person decides to the ruling that will be printed. Pure: what is frozen is all that is printed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from permits.domain.calendar import paris_day
from permits.domain.decision import Citation, Fee
from permits.domain.drafting import application_visa, cite_permit, fetched_from, kept_for
from permits.domain.establishment import Establishment, RegistryAnswer
from permits.domain.filing import Filed
from permits.domain.french import day_text
from permits.domain.limits import Assurance
from permits.domain.permit import Beneficiary, CitedAct, FetchedData, Permit
from permits.domain.rulebook import Rulebook
from permits.domain.ruling import FeeTerms, Motive, Ruling, RulingKind

RULING_TEMPLATE = "decision/1"
_BY_SIRET_ALONE = "Entreprise désignée par son SIRET"


@dataclass(frozen=True)
class RulingSubject:
    """What a ruling is about: the permit it ends, or the application it refuses.

    `asked_in` is the application that its visas cite, `rulebook_digest` the rules that referred what is refused.
    """

    beneficiary: Beneficiary
    application_id: str
    asked_in: str
    received_at: datetime
    worksite: str
    places: tuple[str, ...]
    starts_on: date
    ends_on: date
    fetched_data: tuple[FetchedData, ...]
    cites: CitedAct | None = None
    rulebook_digest: str | None = None
    fee: Fee | None = None
    due: Decimal | None = None


def subject_of_permit(permit: Permit, due: Decimal | None) -> RulingSubject:
    """Return the subject of a ruling that ends a permit, of which `due` stays to be paid; None, a person fixes it."""
    return RulingSubject(
        beneficiary=permit.beneficiary,
        application_id=permit.application_id,
        asked_in=permit.asked_in,
        received_at=permit.received_at,
        worksite=permit.worksite,
        places=_distinct(each.address for each in permit.occupancies),
        starts_on=permit.starts_on,
        ends_on=permit.ends_on,
        fetched_data=permit.fetched_data,
        cites=cite_permit(permit),
        fee=permit.fee,
        due=due,
    )


def subject_of_application(filed: Filed) -> RulingSubject:
    """Return the subject of a refusal."""
    application, answer = filed.filing.application, filed.facts.registry if filed.facts else None
    application_id = str(filed.filing.application_id)
    return RulingSubject(
        beneficiary=_applicant(application.siret, answer, filed.filing.assurance),
        application_id=application_id,
        asked_in=application_id,
        received_at=filed.filing.received_at,
        worksite=application.worksite,
        places=_distinct(each.place.address for each in application.occupancies),
        starts_on=application.starts_on,
        ends_on=application.ends_on,
        fetched_data=fetched_from(answer),
        rulebook_digest=filed.rulebook_digest,
    )


def _applicant(siret: str, answer: RegistryAnswer | None, assurance: Assurance) -> Beneficiary:
    """Name the applicant as the registry did; by the SIRET alone when that would tell a stranger what is protected.

    Anybody may type the SIRET of another: the refusal goes to who typed it.
    """
    known = answer if isinstance(answer, Establishment) else None
    if known is None or (known.partially_diffusible and assurance < Assurance.KEY_BOUND_TO_SIREN):
        return Beneficiary(name=_BY_SIRET_ALONE, siret=siret, address=(), protected=True)
    return Beneficiary(
        name=known.name or _BY_SIRET_ALONE,
        siret=siret,
        address=known.address,
        protected=known.partially_diffusible,
    )


def draft_ruling(
    kind: RulingKind,
    subject: RulingSubject,
    rulebook: Rulebook,
    *,
    motives: tuple[Motive, ...],
    hearing: str,
    effective_on: date | None,
    number: str,
    decided_at: datetime,
    verification_url: str,
    specimen: bool,
) -> Ruling:
    """Return the ruling that a person takes at `decided_at`. ValueError when nobody may sign that day."""
    signatory = rulebook.signatory_on(paris_day(decided_at))
    if signatory is None:
        raise ValueError("nobody may sign on that day")
    authority, is_refusal = rulebook.authority, kind is RulingKind.REFUSAL
    return Ruling(
        template=RULING_TEMPLATE,
        kind=kind,
        number=number,
        application_id=subject.application_id,
        received_at=subject.received_at,
        decided_at=decided_at,
        authority=authority.identity,
        signatory=signatory,
        beneficiary=subject.beneficiary,
        worksite=subject.worksite,
        places=subject.places,
        starts_on=subject.starts_on,
        ends_on=subject.ends_on,
        cites=subject.cites,
        effective_on=effective_on,
        visas=(*authority.ruling_visas, *_visas_of(subject)),
        motives=motives,
        hearing=hearing,
        fee_terms=_fee_terms(rulebook, subject),
        appeal=authority.appeal,
        algorithm_contact=authority.algorithm_contact if is_refusal else None,
        rulebook_digest=subject.rulebook_digest,
        fetched_data=subject.fetched_data,
        kept=kept_for(rulebook.retention),
        verification_url=verification_url,
        specimen=specimen,
    )


def _visas_of(subject: RulingSubject) -> tuple[Citation, ...]:
    asked, cited = application_visa(subject.received_at, subject.asked_in), subject.cites
    if cited is None:
        return (asked,)
    return asked, Citation(text=f"l’arrêté n° {cited.number} du {day_text(cited.decided_on)}")


def _fee_terms(rulebook: Rulebook, subject: RulingSubject) -> FeeTerms | None:
    terms, fee = rulebook.authority.ending_fee_terms, subject.fee
    if terms is None or fee is None:
        return None
    return FeeTerms(text=terms.text, citation=terms.cites, charged=fee.total, due=subject.due, currency=fee.currency)


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
