"""From a granted decision to the permit that will be printed. Pure: what is frozen is all that is printed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from permits.domain.application import Application, Occupancy
from permits.domain.calendar import paris_day
from permits.domain.decision import Citation, Granted
from permits.domain.establishment import Establishment, Evidence, Source
from permits.domain.facts import Facts
from permits.domain.filing import Filed
from permits.domain.french import day_text
from permits.domain.permit import Amendment, Beneficiary, CitedAct, DailyWindow, FetchedData, Permit, PermittedOccupancy
from permits.domain.place import PlaceFacts
from permits.domain.rulebook import Rulebook
from permits.domain.ruling import Motive, Ruling, RulingKind

TEMPLATE = "arrete/1"
RULING_TEMPLATE = "decision/1"

_SOURCES = {
    Source.API_ENTREPRISE: "API Entreprise (DINUM ; INSEE, greffes des tribunaux de commerce)",
    Source.RECHERCHE_ENTREPRISES: "API Recherche d’entreprises (DINUM ; INSEE, INPI)",
    Source.INSEE: "API Sirene (INSEE)",
}
_FETCHED = "dénomination, adresse et état de l’établissement, état de l’unité légale, inscription au registre"


def draft_permit(
    application: Application,
    facts: Facts,
    decision: Granted,
    rulebook: Rulebook,
    *,
    number: str,
    application_id: str,
    decided_at: datetime,
    verification_url: str,
    specimen: bool,
    amends: Amendment | None = None,
) -> Permit:
    """Return the permit of a granted application."""
    establishment, signatory = facts.registry, rulebook.signatory_on(paris_day(decided_at))
    if not isinstance(establishment, Establishment) or establishment.name is None or signatory is None:
        raise ValueError("a permit needs a named establishment and a signatory: the rules should have referred this")
    authority = rulebook.authority
    hours = application.daily_hours
    return Permit(
        template=TEMPLATE,
        number=number,
        amends=amends,
        application_id=application_id,
        received_at=facts.received_at,
        decided_at=decided_at,
        authority=authority.identity,
        signatory=signatory,
        beneficiary=Beneficiary(
            name=establishment.name,
            siret=establishment.siret,
            address=establishment.address,
            protected=establishment.partially_diffusible,
        ),
        payer_siret=application.payer_siret,
        worksite=application.worksite,
        urbanism_file=application.urbanism_file,
        insurance=application.insurance,
        starts_on=application.starts_on,
        ends_on=application.ends_on,
        daily_hours=DailyWindow(starts=hours.from_, ends=hours.to) if hours else None,
        occupancies=tuple(
            _permitted(occupancy, place) for occupancy, place in zip(application.occupancies, facts.places, strict=True)
        ),
        visas=(*authority.visas, application_visa(facts.received_at, application_id)),
        considerations=authority.considerations,
        prescriptions=decision.prescriptions,
        fee=decision.fee,
        payment_terms=authority.payment_terms,
        appeal=authority.appeal,
        algorithm_contact=authority.algorithm_contact,
        fetched_data=tuple(_fetched(evidence) for evidence in establishment.evidence),
        rulebook_digest=rulebook.digest,
        verification_url=verification_url,
        specimen=specimen,
    )


def application_visa(received_at: datetime, application_id: str) -> Citation:
    """Return the visa that names the application answered."""
    received = day_text(paris_day(received_at))
    return Citation(text=f"la demande n° {application_id} reçue par téléservice le {received}")


def _permitted(occupancy: Occupancy, place: PlaceFacts) -> PermittedOccupancy:
    return PermittedOccupancy(
        kind=occupancy.kind,
        label=occupancy.kind.label,
        address=occupancy.place.address,
        length_m=occupancy.length_m,
        width_m=occupancy.width_m,
        height_m=occupancy.height_m,
        pieces=occupancy.pieces,
        vehicle_tonnes=occupancy.vehicle_tonnes,
        footway_clear_width_m=occupancy.footway_clear_width_m,
        area_m2=place.footprint.area_m2,
        footprint=occupancy.place.footprint,
        ring_m=place.footprint.ring,
        crs=place.footprint.crs,
    )


def _fetched(evidence: Evidence) -> FetchedData:
    return FetchedData(
        source=_SOURCES[evidence.source],
        data=_FETCHED,
        fetched_at=evidence.fetched_at,
        source_updated_at=evidence.source_updated_at,
    )


@dataclass(frozen=True)
class RulingSubject:
    """What a ruling is about: the permit it ends, or the application it refuses."""

    beneficiary: Beneficiary
    application_id: str
    received_at: datetime
    worksite: str
    places: tuple[str, ...]
    starts_on: date
    ends_on: date
    cites: CitedAct | None = None


def cite_permit(permit: Permit) -> CitedAct:
    """Return how another act names this permit."""
    return CitedAct(number=permit.number, decided_on=paris_day(permit.decided_at))


def subject_of_permit(permit: Permit) -> RulingSubject:
    """Return the subject of a ruling that ends a permit."""
    return RulingSubject(
        beneficiary=permit.beneficiary,
        application_id=permit.application_id,
        received_at=permit.received_at,
        worksite=permit.worksite,
        places=_distinct(each.address for each in permit.occupancies),
        starts_on=permit.starts_on,
        ends_on=permit.ends_on,
        cites=cite_permit(permit),
    )


def subject_of_application(filed: Filed) -> RulingSubject:
    """Return the subject of a refusal; the applicant is named as the registry did, or by the SIRET alone."""
    application, answer = filed.filing.application, filed.facts.registry if filed.facts else None
    known = answer if isinstance(answer, Establishment) else None
    return RulingSubject(
        beneficiary=Beneficiary(
            name=(known.name if known else None) or "Entreprise désignée par son SIRET",
            siret=application.siret,
            address=known.address if known else (),
            protected=known.partially_diffusible if known else True,
        ),
        application_id=str(filed.filing.application_id),
        received_at=filed.filing.received_at,
        worksite=application.worksite,
        places=_distinct(each.place.address for each in application.occupancies),
        starts_on=application.starts_on,
        ends_on=application.ends_on,
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
    authority, cited = rulebook.authority, subject.cites
    named = Citation(text=f"l’arrêté n° {cited.number} du {day_text(cited.decided_on)}") if cited else None
    asked = application_visa(subject.received_at, subject.application_id)
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
        cites=cited,
        effective_on=effective_on,
        visas=(*authority.visas, asked, *((named,) if named else ())),
        motives=motives,
        hearing=hearing,
        appeal=authority.appeal,
        verification_url=verification_url,
        specimen=specimen,
    )


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
