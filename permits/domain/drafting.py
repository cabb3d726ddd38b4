"""From a granted decision to the permit that will be printed. Pure: what is frozen is all that is printed."""

from datetime import datetime

from permits.domain.application import Application, Occupancy
from permits.domain.calendar import paris_day
from permits.domain.decision import Citation, Granted
from permits.domain.establishment import Establishment, Evidence, RegistryAnswer, Verdict
from permits.domain.facts import Facts
from permits.domain.french import day_text
from permits.domain.permit import (
    Amendment,
    Beneficiary,
    CitedAct,
    DailyWindow,
    FetchedData,
    KeptFor,
    Permit,
    PermittedOccupancy,
)
from permits.domain.place import PlaceFacts
from permits.domain.retention import Retention
from permits.domain.rulebook import Rulebook

TEMPLATE = "arrete/1"

_STANDING = "état de l’établissement, état de l’unité légale, inscription au registre"
_NAMED = f"dénomination, adresse et {_STANDING}"
_EXISTENCE = "existence de l’établissement au registre"


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
    answers: str | None = None,
) -> Permit:
    """Return the permit of a granted application; `answers` is the one that was filed, when this is its correction."""
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
        answers=answers,
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
        visas=(*authority.visas, application_visa(facts.received_at, answers or application_id)),
        considerations=authority.considerations,
        prescriptions=decision.prescriptions,
        fee=decision.fee,
        payment_terms=authority.payment_terms,
        appeal=authority.appeal,
        algorithm_contact=authority.algorithm_contact,
        fetched_data=fetched_from(establishment),
        kept=kept_for(rulebook.retention),
        rulebook_digest=rulebook.digest,
        verification_url=verification_url,
        specimen=specimen,
    )


def cite_permit(permit: Permit) -> CitedAct:
    """Return how another act names this permit."""
    return CitedAct(number=permit.number, decided_on=paris_day(permit.decided_at))


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


def fetched_from(answer: RegistryAnswer | None) -> tuple[FetchedData, ...]:
    """Return which data came from another administration, source by source (CRPA art. L114-8); never the data."""
    evidence = answer.evidence if answer else ()
    return tuple(_fetched(each, _data_told_by(answer, each)) for each in evidence)


def _data_told_by(answer: RegistryAnswer | None, evidence: Evidence) -> str:
    if not isinstance(answer, Establishment) or evidence.said == Verdict.NOT_FOUND:
        return _EXISTENCE
    return _STANDING if answer.name is None else _NAMED


def kept_for(retention: Retention) -> KeptFor:
    """Return the periods that an act tells its reader."""
    return KeptFor(
        contact_months=retention.application_contact.months,
        registry_answer_months=retention.application_evidence.months,
        registry_traces_months=retention.registry_access.months,
        reading_traces_months=retention.access_log.months,
    )


def _fetched(evidence: Evidence, data: str) -> FetchedData:
    return FetchedData(
        source=evidence.source.label,
        data=data,
        fetched_at=evidence.fetched_at,
        source_updated_at=evidence.source_updated_at,
    )
