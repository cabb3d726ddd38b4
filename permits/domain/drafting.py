"""From a granted decision to the permit that will be printed. Pure: what is frozen is all that is printed."""

from datetime import datetime

from permits.domain.act import ActNumber
from permits.domain.application import Application, Occupancy
from permits.domain.calendar import paris_day
from permits.domain.decision import Citation, Granted
from permits.domain.establishment import Establishment, Evidence, Source
from permits.domain.facts import Facts
from permits.domain.french import day_text
from permits.domain.permit import Beneficiary, DailyWindow, FetchedData, Permit, PermittedOccupancy
from permits.domain.place import PlaceFacts
from permits.domain.rulebook import Rulebook

TEMPLATE = "arrete/1"

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
    number: ActNumber,
    application_id: str,
    decided_at: datetime,
    verification_url: str,
    specimen: bool,
) -> Permit:
    """Return the permit of a granted application."""
    establishment, signatory = facts.registry, rulebook.signatory_on(facts.decided_on)
    if not isinstance(establishment, Establishment) or establishment.name is None or signatory is None:
        raise ValueError("a permit needs a named establishment and a signatory: the rules should have referred this")
    authority = rulebook.authority
    hours = application.daily_hours
    return Permit(
        template=TEMPLATE,
        number=str(number),
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
        visas=(*authority.visas, _application_visa(facts, application_id)),
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


def _application_visa(facts: Facts, application_id: str) -> Citation:
    received = day_text(paris_day(facts.received_at))
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
