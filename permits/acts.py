"""The acts beside the walk: what a person decides on a permit or a referred application, and extensions.

Each is numbered, printed and sealed like a permit, and takes effect with its seal. A person is named by
an identifier (`by`), never by personal data.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

from pydantic import ValidationError

from permits.desk import Desk, RulebookUnreadable
from permits.domain.act import Act, ActKind, ActState, Channel, Notification, first_day_to_abrogate
from permits.domain.application import Application, Contact
from permits.domain.authority import EndingGround
from permits.domain.calendar import months_after, paris_day
from permits.domain.decide import decide
from permits.domain.decision import Decision, Granted
from permits.domain.drafting import cite_permit
from permits.domain.drafting_rulings import RulingSubject, draft_ruling, subject_of_application, subject_of_permit
from permits.domain.filing import ActNotPossible, Filed, Filing, FootprintTaken, body_digest
from permits.domain.french import day_text
from permits.domain.french_errors import french_message
from permits.domain.model import plain_text
from permits.domain.permit import Amendment, SealingStopped
from permits.domain.ruling import Motive, Ruling, RulingKind
from permits.domain.tariff.early_end import due_after_abrogation, due_after_withdrawal
from permits.issue import LONGEST_CHAIN, finish_act, permit_maker, permit_series, verification_url

log = logging.getLogger(__name__)

# What a correction may touch: clerical errors, never who, where, when or how much.
CORRECTABLE = frozenset({"worksite", "urbanism_file", "insurance"})


@dataclass(frozen=True)
class Grounds:
    """Why a person ends a permit: a ground of the rulebook, the facts, and how the holder could be heard."""

    ground: str
    facts: tuple[str, ...]
    hearing: str


def abrogate(desk: Desk, number: str, grounds: Grounds, effective_on: date, by: str) -> Act:
    """End a permit for the future: `effective_on` is the first day it no longer covers.

    Raises ActNotPossible for a day already begun of a permit that runs (CRPA art. L221-8).
    """
    desk, permit = desk.today(), _permit(desk, number)
    today, last = paris_day(desk.clock()), permit.permit.ends_on
    first = first_day_to_abrogate(permit.permit.starts_on, today)
    if first > last:
        raise ActNotPossible(f"{number} se termine déjà le {day_text(last)} : il n’y a plus de jour à abroger")
    if not first <= effective_on <= last:
        raise ActNotPossible(
            f"l’abrogation prend effet entre le {day_text(first)} et la fin du permis, le {day_text(last)}"
        )
    return _end(desk, permit, RulingKind.ABROGATION, grounds, effective_on, by)


def withdraw(desk: Desk, number: str, grounds: Grounds, by: str) -> Act:
    """Undo a permit from its start, within four months (CRPA art. L242-1). Raises ActNotPossible."""
    return _end(desk.today(), _permit(desk, number), RulingKind.WITHDRAWAL, grounds, None, by)


def refuse(desk: Desk, filed: Filed, motives: tuple[Motive, ...], hearing: str, by: str) -> Act:
    """Refuse a referred application, with motives in fact and in law (CRPA art. L211-2, L211-5).

    Raises ActNotPossible when the application is not referred, or was answered.
    """
    if filed.outcome != "referred" or filed.act is not None:
        raise ActNotPossible("seule une demande transmise à un agent, et encore sans réponse, se refuse")
    if not motives:
        raise ActNotPossible("un refus est motivé : dites au moins un motif, en fait et en droit (CRPA art. L. 211-5)")
    told = tuple(
        Motive(
            fact=plain("le motif", each.fact),
            citation=each.citation.model_copy(update={"text": plain("le texte cité", each.citation.text)}),
        )
        for each in motives
    )
    return _rule(desk.today(), RulingKind.REFUSAL, filed, subject_of_application(filed), told, hearing, None, by)


def correct(desk: Desk, number: str, changes: dict[str, Any], reasons: tuple[str, ...], by: str) -> Act:
    """Replace a permit by one without its clerical errors: same place, days and fee, a new number.

    `changes` are fields of CORRECTABLE. Raises ActNotPossible when the rules have changed since, and when the
    machine would not have granted the corrected application at the same fee.
    """
    desk, permit = desk.today(), _permit(desk, number)
    filed = _application_of(desk, permit)
    application = _corrected(filed.filing.application, changes)
    if not reasons:
        raise ActNotPossible("dites ce qui est corrigé")
    told = tuple(plain("la correction", reason) for reason in reasons)
    facts, rulebook, at = filed.facts, desk.law.rulebook, desk.clock()
    if facts is None:
        raise ActNotPossible("les données du registre ont été effacées : ce permis est trop ancien pour être corrigé")
    if rulebook.signatory_on(paris_day(at)) is None:
        raise ActNotPossible("aucune délégation de signature n’est valable ce jour")
    if _terms(decide(filed.filing.application, facts, rulebook)) != _terms(filed.decision):
        raise ActNotPossible(f"le règlement a changé depuis {number} : une correction y mettrait d’autres conditions")
    decision = decide(application, facts, rulebook)
    if not isinstance(decision, Granted) or decision.fee != permit.permit.fee:
        raise ActNotPossible(
            "la correction changerait la décision ou la redevance : le titulaire dépose une nouvelle demande"
        )
    filing = replace(
        filed.filing,
        application_id=uuid4(),
        idempotency_key=f"correction-{uuid4()}",
        body_sha256=body_digest(application.model_dump(mode="json"), Contact()),
        application=application,
        contact=Contact(),
        received_at=at,
        amends=permit.id,
    )

    amends = Amendment(kind="correction", cites=cite_permit(permit.permit), reasons=told)
    make_permit = permit_maker(desk, filing, facts, decision, at, amends=amends, answers=permit.permit.asked_in)
    with _slot(desk):
        try:
            recorded = desk.register.record_decision(
                filing,
                facts,
                decision,
                rulebook_digest=rulebook.digest,
                decided_at=at,
                series=permit_series(rulebook, filing),
                make_permit=make_permit,
                kind=ActKind.CORRECTION,
                taken_by=by,
            )
        except FootprintTaken as error:
            raise ActNotPossible(f"{number} vient de prendre fin, et sa place est prise") from error
        assert recorded.act is not None
        return _finish(desk, recorded.act)


def annul(desk: Desk, number: str, reason: str, by: str) -> Act:
    """Annul a number that was reserved and can't be sealed: it stays in the book, with the reason."""
    return desk.register.annul(_act(desk, number).id, plain("le motif", reason), by, desk.clock())


def notify(desk: Desk, number: str, notification: Notification, by: str) -> Act:
    """Record when, how and with what proof an act reached its holder. Raises ActNotPossible.

    Not what was fetched in the téléservice: the service records that itself.
    """
    act = _act(desk, number)
    if notification.channel is Channel.ONLINE:
        raise ActNotPossible(
            "le téléservice note lui-même le téléchargement : dites par quelle autre voie il est remis"
        )
    notification = notification.model_copy(update={"proof": plain("la preuve", notification.proof, shortest=3)})
    if act.issued_at is None:
        raise ActNotPossible(f"{number} n’est pas délivré : il n’y a rien à notifier")
    if not paris_day(act.issued_at) <= notification.notified_on <= paris_day(desk.clock()):
        raise ActNotPossible("la notification est datée entre la délivrance de l’acte et aujourd’hui")
    if not desk.register.notify(act, notification, by, desk.clock()):
        raise ActNotPossible(f"la notification de {number} est déjà enregistrée")
    return replace(act, notification=notification)


def note_delivery(desk: Desk, act: Act, proof: str) -> None:
    """Record that the holder has just fetched an act in the téléservice: its notification, the first time."""
    if act.notification is None and act.issued_at is not None:
        at = desk.clock()
        fetched = Notification(notified_on=paris_day(at), channel=Channel.ONLINE, proof=proof)
        desk.register.notify(act, fetched, None, at)


def extension_of(desk: Desk, act: Act, ends_on: date, filing: Callable[[Application], Filing]) -> Filing:
    """Return the filing that asks to extend a permit to `ends_on`, from the day after its end; then issue_permit.

    The place, the occupancies and the worksite are those of the permit. Raises ActNotPossible for what is not
    an issued permit, unless this very request was filed while it was: issue_permit then tells what became of it.
    """
    impossible = ActNotPossible(f"{act.number} n’est pas un permis en vigueur : il ne peut pas être prolongé")
    if not act.kind.allows:
        raise impossible
    extended = _application_of(desk, act)
    first = date.fromordinal(act.permit.ends_on.toordinal() + 1)
    asked = filing(extended.filing.application.model_copy(update={"starts_on": first, "ends_on": ends_on}))
    stands = act.state is ActState.ISSUED
    if not stands and desk.register.find_filed(asked.client_id, asked.idempotency_key) is None:
        raise impossible
    return replace(
        asked,
        body_sha256=body_digest({"extends": act.number, "ends_on": ends_on.isoformat()}, asked.contact),
        worksite_key=extended.filing.worksite_key,
        sandbox=extended.filing.sandbox,
        amends=act.id,
    )


def _end(desk: Desk, permit: Act, kind: RulingKind, grounds: Grounds, effective_on: date | None, by: str) -> Act:
    ground = _ground(desk, kind, grounds.ground)
    latest = months_after(_first_taken_on(desk, permit), ground.within_months) if ground.within_months else None
    if latest is not None and paris_day(desk.clock()) > latest:
        raise ActNotPossible(f"ce motif ne vaut que jusqu’au {day_text(latest)} ({ground.cites.text})")
    if not grounds.facts:
        raise ActNotPossible("un acte est motivé en fait : dites au moins un fait (CRPA art. L. 211-5)")
    facts = (ground.label, *(plain("le fait", fact) for fact in grounds.facts))
    motives = tuple(Motive(fact=fact, citation=ground.cites) for fact in facts)
    subject = subject_of_permit(permit.permit, _due(desk, permit, kind, effective_on))
    return _rule(desk, kind, permit, subject, motives, grounds.hearing, effective_on, by)


def _due(desk: Desk, permit: Act, kind: RulingKind, effective_on: date | None) -> Decimal | None:
    """Return what stays due of a permit's fee, by the terms of today, at the prices it was charged."""
    terms, fee = desk.law.rulebook.authority.ending_fee_terms, permit.permit.fee
    if terms is None or effective_on is None:
        return due_after_withdrawal(terms, fee) if terms and kind is RulingKind.WITHDRAWAL else None
    filed = _application_of(desk, permit)
    assert filed.rulebook_digest is not None
    facts, rulebook = filed.facts, desk.law.rulebook
    try:
        rulebook = desk.laws.rulebook(filed.rulebook_digest)
    except RulebookUnreadable:
        log.exception("what priced a permit can't be read", extra={"act": permit.number})
        # As once its facts are erased: nothing is computed anew, and a person fixes what would have to be.
        facts = None
    return due_after_abrogation(terms, fee, filed.filing.application, facts, rulebook, effective_on)


def _first_taken_on(desk: Desk, permit: Act) -> date:
    """Return the day the permit was taken, or the one it corrects: a clerical correction opens no new delay."""
    for _ in range(LONGEST_CHAIN):
        corrected = desk.register.act(permit.cites) if permit.kind is ActKind.CORRECTION and permit.cites else None
        if corrected is None:
            break
        permit = corrected
    return paris_day(permit.permit.decided_at)


def _rule(
    desk: Desk,
    kind: RulingKind,
    about: Act | Filed,
    subject: RulingSubject,
    motives: tuple[Motive, ...],
    hearing: str,
    effective_on: date | None,
    by: str,
) -> Act:
    rulebook, at = desk.law.rulebook, desk.clock()
    filing = (about if isinstance(about, Filed) else _application_of(desk, about)).filing
    told = plain("l’audition du titulaire", hearing)
    if rulebook.signatory_on(paris_day(at)) is None:
        raise ActNotPossible("aucune délégation de signature n’est valable ce jour")

    def make_ruling(number: str, code: str) -> Ruling:
        return draft_ruling(
            kind,
            subject,
            rulebook,
            motives=motives,
            hearing=told,
            effective_on=effective_on,
            number=number,
            decided_at=at,
            verification_url=verification_url(desk, code),
            specimen=desk.press.is_specimen or filing.sandbox,
        )

    series = _ruling_series(desk, kind, filing)
    with _slot(desk):
        reserved = desk.register.reserve_ruling(ActKind(kind), about, make_ruling, series=series, taken_by=by, at=at)
        return _finish(desk, reserved)


def _ruling_series(desk: Desk, kind: RulingKind, filing: Filing) -> str:
    named = desk.law.rulebook.authority.series
    series = named.refusals if kind is RulingKind.REFUSAL else named.abrogations
    series = named.sandbox if filing.sandbox else series
    if series is None:
        raise ActNotPossible("le règlement ne nomme pas de série de numéros pour cet acte (authority.yaml, series)")
    return series


def plain(what: str, text: str, shortest: int = 10) -> str:
    """Return words that an act may carry, or raise ActNotPossible: visible text of a sentence's length."""
    try:
        told = plain_text(text)
    except ValueError as error:
        raise ActNotPossible(f"{what} : {error}") from error
    if not shortest <= len(told) <= 2000:
        raise ActNotPossible(f"{what} : écrivez de {shortest} à 2 000 caractères")
    return told


@contextmanager
def _slot(desk: Desk) -> Iterator[None]:
    """Hold a place at the press before a number is given; without a seal, ActNotPossible says why."""
    try:
        with desk.press.slot():
            yield
    except SealingStopped as stop:
        raise ActNotPossible(stop.reason.rstrip(".")) from stop


def _finish(desk: Desk, reserved: Act) -> Act:
    """Seal at once; a failure leaves the act reserved, and its job will finish it."""
    try:
        return finish_act(desk, reserved.id) or reserved
    except Exception:
        log.exception("a reserved act could not be finished yet", extra={"act": reserved.number})
        return reserved


def _terms(decision: Decision | None) -> object:
    """Return what a granted permit carries: its fee and its prescriptions."""
    return (decision.fee, decision.prescriptions) if isinstance(decision, Granted) else None


def _ground(desk: Desk, kind: RulingKind, ground_id: str) -> EndingGround:
    possible = {each.id: each for each in desk.law.rulebook.authority.endings if kind in each.acts}
    if ground_id not in possible:
        known = ", ".join(possible) or "aucun : le règlement n’en nomme pas"
        raise ActNotPossible(f"motif inconnu pour cet acte ; motifs possibles : {known}")
    return possible[ground_id]


def _corrected(application: Application, changes: dict[str, Any]) -> Application:
    if forbidden := sorted(changes.keys() - CORRECTABLE):
        raise ActNotPossible(f"{', '.join(forbidden)} ne se corrige pas : seulement {', '.join(sorted(CORRECTABLE))}")
    try:
        corrected = Application.model_validate(application.model_dump() | changes)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ActNotPossible(f"{place} : {french_message(first)}") from error
    if corrected == application:
        raise ActNotPossible("rien n’est changé : il n’y a rien à corriger")
    return corrected


def _act(desk: Desk, number: str) -> Act:
    act = desk.register.act_by_number(number)
    if act is None:
        raise ActNotPossible(f"le registre ne tient aucun acte {number}")
    return act


def _permit(desk: Desk, number: str) -> Act:
    act = _act(desk, number)
    if not act.kind.allows or act.state is not ActState.ISSUED:
        raise ActNotPossible(f"{number} n’est pas un permis délivré, ou un autre acte l’a déjà terminé ou remplacé")
    return act


def _application_of(desk: Desk, act: Act) -> Filed:
    filed = desk.register.application(act.application_id)
    assert filed is not None
    return filed
