"""The walk of an application: gather, decide, record, print, seal, file.

The number and the frozen payload are committed before anything is printed; the seal is made outside
any lock; what a crash interrupts is finished from the record by `finish_act`.
"""

import logging
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from permits.desk import Desk, Law
from permits.domain.act import Act, ActKind, ActState
from permits.domain.admissibility import Inadmissible, check_answers, check_dates, check_registry_answer
from permits.domain.application import Application, Contact
from permits.domain.calendar import paris_day
from permits.domain.decide import decide
from permits.domain.decision import Decision, Granted
from permits.domain.drafting import cite_permit, draft_permit
from permits.domain.establishment import (
    FRESH_FOR,
    Establishment,
    NotFound,
    RegistryAnswer,
    RegistryUnavailable,
    Standing,
)
from permits.domain.facts import ExtendedPermit, Facts
from permits.domain.filing import ActNotPossible, AlreadyFiled, Filed, Filing, FootprintTaken, IssuingHalted
from permits.domain.permit import Amendment, MakePermit, Permit, SealingStopped
from permits.domain.place import (
    AddressCheck,
    Footprint,
    GeocodedAddress,
    GeocoderUnavailable,
    PlaceFacts,
    Unmeasurable,
)
from permits.domain.rulebook import Rulebook
from permits.domain.siret import key_is_valid
from permits.failpoint import reach

log = logging.getLogger(__name__)

IN_PROGRESS_FOR = timedelta(seconds=30)
# How many extensions and corrections a permit may have behind it; more are counted from the last of them.
LONGEST_CHAIN = 100
# What rests on the registry's evidence alone; a person answers for the others.
_BY_THE_MACHINE = (ActKind.PERMIT, ActKind.EXTENSION)


class RequestInProgress(Exception):
    """The same request is being carried out at this moment."""


class KeyReused(Exception):
    """This idempotency key was used for another request."""


def issue_permit(desk: Desk, filing: Filing) -> tuple[Filed, bool]:
    """File, decide and, when granted, issue. Returns the record, and whether it is a replay.

    Raises Inadmissible, KeyReused, RequestInProgress, ActNotPossible when the rulebook has no numbers for it,
    or the press's own PressBusy and SealingStopped; nothing is recorded then.
    """
    reach("request_received")
    desk = desk.today()
    if (earlier := desk.register.find_filed(filing.client_id, filing.idempotency_key)) is not None:
        return _replay(desk, filing, earlier), True
    footprints = _admit(desk, filing)
    try:
        answer = _look_up(desk, filing)
        check_registry_answer(answer)
        reach("registry_answered")
        return decide_and_issue(desk, filing, answer, footprints), False
    except RegistryUnavailable as outage:
        log.warning("registry unavailable", extra={"reasons": outage.reasons})
        return _wait_for_registry(desk, filing, outage), False
    except AlreadyFiled:
        return _replay(desk, filing, _filed(desk, filing)), True


def decide_waiting(desk: Desk, application_id: UUID) -> bool:
    """Decide an application that waited for the registry; return False when it was not waiting any more.

    Raises RegistryUnavailable when it still has to wait.
    """
    filed = desk.register.application(application_id)
    if filed is None or filed.outcome != "awaiting_registry":
        return False
    filing, desk = filed.filing, desk.today()
    answer = _look_up(desk, filing)
    # What was received can't be sent back: the limits that admitted it measure it, on today's ground.
    admitting = replace(desk.law, rulebook=desk.on(paris_day(filing.received_at)).law.rulebook)
    footprints = measure(admitting, filing.application, filing.received_at)
    try:
        decide_and_issue(desk, filing, answer, footprints, waiting=True)
    except AlreadyFiled:
        log.info("application was decided by somebody else", extra={"application": str(application_id)})
        return False
    return True


def ask_again(desk: Desk, application_id: UUID) -> None:
    """Ask the registry, not our memory, about a waiting application, and leave it in its turn.

    The answer is remembered until then. Raises RegistryUnavailable.
    """
    filed = desk.register.application(application_id)
    if filed is not None:
        desk.registry.lookup(filed.filing.application.siret, max_age=timedelta(0))


def _look_up(desk: Desk, filing: Filing) -> RegistryAnswer:
    """Ask the registry what a decision may rest on. Raises RegistryUnavailable."""
    return desk.registry.lookup(filing.application.siret, max_age=_fresh_for(desk))


def _fresh_for(desk: Desk) -> timedelta:
    """Return the age at which evidence grows too old to decide on: the rulebook may ask for less than a day."""
    limit = desk.law.rulebook.limits.evidence_max_age_hours.on(paris_day(desk.clock())).value
    return min(FRESH_FOR, timedelta(hours=limit))


def _check_fresh(desk: Desk, answer: RegistryAnswer, at: datetime) -> None:
    """Raise RegistryUnavailable when the answer is too old for a decision taken at that instant, or of its future.

    A service that stood still with an answer in hand knows nothing any more: it asks again, as after an outage.
    """
    if not all(timedelta(0) <= at - each.fetched_at < _fresh_for(desk) for each in answer.evidence):
        raise RegistryUnavailable(("the answer has grown too old to decide on",))


class Preview(NamedTuple):
    """What filing would bring: the decision, what the registry said, and the rulebook that decided."""

    decision: Decision
    answer: RegistryAnswer
    rulebook: Rulebook


def preview(desk: Desk, filing: Filing) -> Preview:
    """Return what filing would bring now. Nothing is stored.

    Raises Inadmissible and ActNotPossible as filing would, and RegistryUnavailable where filing would wait.
    """
    desk = desk.today()
    footprints = _admit(desk, filing)
    answer = _look_up(desk, filing)
    check_registry_answer(answer)
    located, at = locate(desk, filing.application), desk.clock()
    desk = desk.on(paris_day(at))
    facts = gather(desk, filing, answer, footprints, located, at)
    return Preview(decide(filing.application, facts, desk.law.rulebook), answer, desk.law.rulebook)


def _admit(desk: Desk, filing: Filing) -> list[Footprint]:
    """Return the footprints of what can be filed, before anybody is asked about it. Inadmissible, ActNotPossible."""
    check_dates(filing.application, paris_day(filing.received_at))
    check_answers(filing.application, desk.law.rulebook.questions)
    permit_series(desk.law.rulebook, filing)
    return measure(desk.law, filing.application, filing.received_at)


def decide_and_issue(
    desk: Desk, filing: Filing, answer: RegistryAnswer, footprints: list[Footprint], *, waiting: bool = False
) -> Filed:
    """Gather, decide, record; then print, seal and file what was granted.

    Raises RegistryUnavailable when the answer has grown too old; nothing is recorded then.
    """
    located = locate(desk, filing.application)
    for _ in range(3):
        # One instant for the whole decision: at midnight its day, its law, its number and its date stay together.
        at = desk.clock()
        desk = desk.on(paris_day(at))
        _check_fresh(desk, answer, at)
        facts = gather(desk, filing, answer, footprints, located, at)
        reach("facts_gathered")
        decision = decide(filing.application, facts, desk.law.rulebook)
        reach("decided")
        try:
            if not isinstance(decision, Granted):
                return _record(desk, filing, facts, decision, at, waiting)
            with desk.press.slot():
                return _issue(desk, _record(desk, filing, facts, decision, at, waiting))
        except (FootprintTaken, IssuingHalted, ActNotPossible) as change:
            # What was gathered is no longer so: look again, and let the rules tell it.
            told = {"application": str(filing.application_id), "change": type(change).__name__}
            log.info("the book changed under a decision", extra=told)
    raise RequestInProgress


def finish_act(desk: Desk, act_id: UUID) -> Act | None:
    """Print, seal and file a reserved act from its record; does nothing to one already issued.

    What a person has to annul is left as it is, with an error in the log. Raises RegistryUnavailable when the
    evidence has grown old and nobody can tell whether it still holds.
    """
    act = desk.register.act(act_id)
    if act is None or act.state is not ActState.RESERVED:
        return act
    if _needs_second_look(desk, act) and not _second_look_holds(desk, act):
        log.error("a reserved permit no longer rests on an open establishment: annul it", extra={"act": act.number})
        return act
    if act.is_past_its_day(paris_day(desk.clock())):
        log.error("a reserved abrogation is past its day: annul it, and take another", extra={"act": act.number})
        return act
    signed_code = desk.codes.sign(act.payload) if isinstance(act.payload, Permit) else None
    linted = desk.press.print_and_lint(act.payload, signed_code)
    reach("printed")
    sealed = desk.press.seal(linted)
    reach("sealed")
    filed = desk.register.file(
        act.id,
        sealed.content,
        sealed.sha256,
        desk.clock(),
        level=sealed.level,
        stamp_deferred=sealed.stamp_deferred,
    )
    reach("filed")
    return filed


def measure(law: Law, application: Application, received_at: datetime) -> list[Footprint]:
    """Return each occupancy's footprint in metres; Inadmissible points at the one that can't be measured."""
    limits, day = law.rulebook.limits, paris_day(received_at)
    footprints = []
    for index, occupancy in enumerate(application.occupancies):
        try:
            footprint = law.surveyor.measure(
                occupancy.place.footprint,
                tolerance_m=limits.footprint_tolerance_m.on(day).value,
                min_width_m=limits.footprint_min_width_m.on(day).value,
                margin_km=limits.territory_margin_km.on(day).value,
            )
        except Unmeasurable as error:
            pointer = f"/occupancies/{index}/place/footprint"
            raise Inadmissible(error.code, error.message, pointer) from None
        footprints.append(footprint)
    return footprints


Located = tuple[GeocodedAddress | AddressCheck, ...]


def locate(desk: Desk, application: Application) -> Located:
    """Return where each occupancy's address is, or why that can't be told.

    The first silence of the geocoder answers for the rest: ten addresses never wait ten times.
    """
    known: dict[str, GeocodedAddress | AddressCheck] = {}
    for place in (occupancy.place for occupancy in application.occupancies):
        if place.address in known:
            continue
        try:
            found = desk.geocoder.locate(place.address, place.footprint.coordinates[0][0])
        except GeocoderUnavailable:
            return tuple(AddressCheck.UNAVAILABLE for _ in application.occupancies)
        known[place.address] = found or AddressCheck.UNKNOWN_ADDRESS
    return tuple(known[occupancy.place.address] for occupancy in application.occupancies)


def gather(
    desk: Desk,
    filing: Filing,
    answer: RegistryAnswer,
    footprints: list[Footprint],
    located: Located,
    at: datetime,
) -> Facts:
    """Establish everything that a decision taken at `at` rests on."""
    day = paris_day(at)
    return Facts(
        received_at=filing.received_at,
        received_on=paris_day(filing.received_at),
        decided_on=day,
        registry=answer,
        siret_key_is_valid=key_is_valid(filing.application.siret),
        assurance=filing.assurance,
        payer_assurance=filing.payer_assurance,
        places=tuple(
            _place_facts(desk, filing, footprint, address, day)
            for footprint, address in zip(footprints, located, strict=True)
        ),
        extends=_extended(desk, filing),
        issuing_is_halted=desk.register.issuing_is_halted(),
    )


def _extended(desk: Desk, filing: Filing) -> ExtendedPermit | None:
    if filing.amends is None:
        return None
    act = desk.register.act(filing.amends)
    assert act is not None
    chain = _chain(desk, act)
    first = desk.register.application(chain[-1].application_id)
    assert first is not None and first.decided_at is not None
    return ExtendedPermit(
        number=act.number,
        received_on=paris_day(first.filing.received_at),
        decided_on=paris_day(first.decided_at),
        starts_on=chain[-1].permit.starts_on,
        ends_on=act.permit.ends_on,
        due=sum((each.permit.fee.total for each in chain), Decimal(0)),
        stands=act.state is ActState.ISSUED
        and not desk.register.is_extended(act.id)
        and not desk.register.is_being_changed(act.id),
    )


def _chain(desk: Desk, act: Act) -> list[Act]:
    """Return the permits that follow one another up to `act`, the last one first; of corrected ones, the last version.

    A correction has the fee of what it corrects: it is due once.
    """
    chain, is_earlier_version = [], False
    for _ in range(LONGEST_CHAIN):
        if not is_earlier_version:
            chain.append(act)
        is_earlier_version = act.kind is ActKind.CORRECTION
        earlier = desk.register.act(act.cites) if act.cites else None
        if earlier is None:
            break
        act = earlier
    return chain


def _place_facts(
    desk: Desk, filing: Filing, footprint: Footprint, address: GeocodedAddress | AddressCheck, day: date
) -> PlaceFacts:
    surveyor, limits = desk.law.surveyor, desk.law.rulebook.limits
    check, distance = address, None
    if isinstance(check, GeocodedAddress):
        distance = surveyor.distance_m(footprint, check.longitude, check.latitude)
        near = distance <= limits.address_max_distance_m.on(day).value
        check = AddressCheck.MATCHES if near else AddressCheck.FAR
    return PlaceFacts(
        footprint=footprint,
        in_territory=surveyor.in_territory(footprint),
        zones=surveyor.zones_of(footprint),
        address_check=check,
        address_distance_m=distance,
        standing=desk.register.standing_permits(footprint, filing),
    )


def permit_maker(
    desk: Desk,
    filing: Filing,
    facts: Facts,
    decision: Decision,
    decided_at: datetime,
    *,
    amends: Amendment | None,
    answers: str | None = None,
) -> MakePermit:
    """Return what drafts this filing's permit, once its number and its code are known.

    `answers` is the application that a correction of its permit still answers.
    """

    def make_permit(number: str, code: str) -> Permit:
        assert isinstance(decision, Granted)
        return draft_permit(
            filing.application,
            facts,
            decision,
            desk.law.rulebook,
            number=number,
            application_id=str(filing.application_id),
            decided_at=decided_at,
            verification_url=verification_url(desk, code),
            specimen=desk.press.is_specimen or filing.sandbox,
            amends=amends,
            answers=answers,
        )

    return make_permit


def _record(desk: Desk, filing: Filing, facts: Facts, decision: Decision, decided_at: datetime, waiting: bool) -> Filed:
    rulebook = desk.law.rulebook
    filed = desk.register.record_decision(
        filing,
        facts,
        decision,
        rulebook_digest=rulebook.digest,
        decided_at=decided_at,
        series=permit_series(rulebook, filing),
        make_permit=permit_maker(desk, filing, facts, decision, decided_at, amends=_extension(desk, filing)),
        kind=ActKind.EXTENSION if filing.amends else ActKind.PERMIT,
        waiting=waiting,
    )
    reach("recorded")
    return filed


def _extension(desk: Desk, filing: Filing) -> Amendment | None:
    extended = desk.register.act(filing.amends) if filing.amends else None
    return Amendment(kind="extension", cites=cite_permit(extended.permit)) if extended else None


def permit_series(rulebook: Rulebook, filing: Filing) -> str:
    """Return the series that numbers this filing's permit; ActNotPossible when the sandbox has none."""
    series = rulebook.authority.series
    if not filing.sandbox:
        return series.permits
    if series.sandbox is None:
        raise ActNotPossible("le règlement ne nomme pas de série de numéros pour le bac à sable (series.sandbox)")
    return series.sandbox


def verification_url(desk: Desk, code: str) -> str:
    """Return the address that an act's QR code shows."""
    return f"{desk.public_url}/v/{code}"


def _issue(desk: Desk, filed: Filed) -> Filed:
    """Issue what was just reserved. A failure leaves it reserved: the job enqueued with it will finish it."""
    if filed.act is None:
        return filed
    try:
        return replace(filed, act=finish_act(desk, filed.act.id))
    except Exception:
        log.exception("a reserved permit could not be finished yet", extra={"act": filed.act.number})
        return filed


def _wait_for_registry(desk: Desk, filing: Filing, outage: RegistryUnavailable) -> Filed:
    try:
        return desk.register.record_waiting(filing, str(outage))
    except AlreadyFiled:
        return _replay(desk, filing, _filed(desk, filing))


def _filed(desk: Desk, filing: Filing) -> Filed:
    filed = desk.register.find_filed(filing.client_id, filing.idempotency_key)
    assert filed is not None
    return filed


def _replay(desk: Desk, filing: Filing, filed: Filed) -> Filed:
    """Return the application in its present state, finishing what a crash interrupted."""
    # A contact that was erased is compared with nothing; that there was one is in the digest.
    same_contact = filed.filing.contact in (filing.contact, Contact())
    if filed.filing.body_sha256 != filing.body_sha256 or not same_contact:
        raise KeyReused
    act = filed.act
    if act is None or act.state != ActState.RESERVED:
        return filed
    if desk.clock() - act.reserved_at < IN_PROGRESS_FOR:
        raise RequestInProgress
    if _needs_second_look(desk, act):
        # The job takes it, once: nobody makes us ask the registry by repeating a request.
        return filed
    try:
        with desk.press.slot():
            return _issue(desk, filed)
    except SealingStopped:
        # It is recorded, and keeps its number: that is what to tell.
        return filed


def _needs_second_look(desk: Desk, act: Act) -> bool:
    """Tell whether the evidence of an act that the machine took has grown too old to seal on."""
    if act.kind not in _BY_THE_MACHINE:
        return False
    oldest = min(fetched.fetched_at for fetched in act.permit.fetched_data)
    return desk.clock() - oldest >= _fresh_for(desk.today())


def _second_look_holds(desk: Desk, act: Act) -> bool:
    """Ask the registry anew; True when it says nothing that speaks against the permit.

    Raises RegistryUnavailable, also when it is not found by those who do not hold every establishment.
    """
    answer = desk.registry.lookup(act.permit.beneficiary.siret, max_age=timedelta(0))
    if isinstance(answer, NotFound) and not answer.definite:
        raise RegistryUnavailable(("not found, by sources that prove nothing by it",))
    return (
        isinstance(answer, Establishment)
        and answer.is_open
        and answer.unit_is_active
        and answer.standing not in (Standing.STRUCK_OFF, Standing.INSOLVENCY)
        and not answer.was_merged
        and answer.disagreement is None
    )
