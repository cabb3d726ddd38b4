"""What a person decides on a permit or an application: it is numbered, sealed, and takes effect with its seal."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from permits import acts
from permits.document.errors import PrintError
from permits.domain.act import Act, ActKind, ActState
from permits.domain.authority import EndingGround, Series
from permits.domain.decision import Citation
from permits.domain.filing import ActNotPossible
from permits.domain.ruling import Ruling, RulingKind
from permits.issue import finish_act, issue_permit
from tests.acting import (
    BREACH,
    BY,
    CHANGE,
    HEARING,
    ILLEGAL,
    MARKET,
    REASONS,
    again,
    events,
    grounds_of,
    live_footprints,
    neighbour_asks,
    permit_of,
    referred,
    rows,
    second_engine,
    wait_until_somebody_waits,
    with_authority,
)
from tests.fakes import START, FakeOffice, load_law

TODAY = date(2026, 12, 1)
THURSDAY = date(2027, 1, 14)
ENDINGS: dict[str, EndingGround] = {each.id: each for each in load_law().rulebook.authority.endings}
INVISIBLE = "l’échafaudage\u202e empiète sur le trottoir"


def end(office: FakeOffice, permit: Act, kind: str, grounds: acts.Grounds) -> Act:
    if kind == "withdrawal":
        return acts.withdraw(office.desk, permit.number, grounds, BY)
    return acts.abrogate(office.desk, permit.number, grounds, permit.permit.ends_on, BY)


# --- abrogation --------------------------------------------------------------------------------


def test_an_abrogation_is_a_numbered_and_sealed_act_that_cites_the_permit(office: FakeOffice) -> None:
    permit = permit_of(office)
    abrogation = acts.abrogate(office.desk, permit.number, BREACH, THURSDAY, BY)

    assert abrogation.number == "EXA-2026-000001"
    assert abrogation.kind is ActKind.ABROGATION
    assert abrogation.state is ActState.ISSUED
    assert abrogation.cites == permit.id
    assert abrogation.document_sha256 is not None
    assert b"EXA-2026-000001" in office.register.document(abrogation.document_sha256)
    ruling = abrogation.payload
    assert isinstance(ruling, Ruling) and ruling.cites is not None
    assert (ruling.cites.number, ruling.cites.decided_on) == ("EX-2026-000001", TODAY)
    assert ruling.effective_on == THURSDAY
    assert [motive.fact for motive in ruling.motives] == [ENDINGS["condition_not_met"].label, *BREACH.facts]
    assert {motive.citation for motive in ruling.motives} == {ENDINGS["condition_not_met"].cites}
    assert rows(office, "SELECT taken_by FROM act WHERE label = 'EXA-2026-000001'")[0].taken_by == BY
    assert events(office) == ["granted", "issued", "reserved", "issued", "abrogated"]


def test_an_abrogated_permit_is_in_force_until_the_eve_and_its_place_is_free_from_that_day(office: FakeOffice) -> None:
    permit = permit_of(office)
    acts.abrogate(office.desk, permit.number, BREACH, THURSDAY, BY)

    ended = again(office, permit)
    assert (ended.state, ended.ended_on, ended.ended_by) == (ActState.ABROGATED, THURSDAY, "EXA-2026-000001")
    assert [ended.is_in_force(date(2027, 1, day)) for day in (10, 11, 13, 14, 15)] == [False, True, True, False, False]
    assert ended.document_sha256 == permit.document_sha256

    too_early = neighbour_asks(office, "2027-01-13", "2027-01-15")
    assert grounds_of(too_early) == ["OVERLAP"]
    told = next(finding.message for finding in too_early.decision.findings if finding.rule == "OVERLAP")  # type: ignore[union-attr]
    assert "EX-2026-000001" in told and "13 janvier 2027" in told and "15 janvier" not in told
    assert neighbour_asks(office, "2027-01-14", "2027-01-15").outcome == "granted"


def test_an_abrogation_before_the_first_day_frees_every_day(office: FakeOffice) -> None:
    permit = permit_of(office)
    acts.abrogate(office.desk, permit.number, BREACH, date(2027, 1, 11), BY)

    assert live_footprints(office) == []
    assert not any(again(office, permit).is_in_force(date(2027, 1, day)) for day in range(10, 17))
    assert neighbour_asks(office, "2027-01-11", "2027-01-15").outcome == "granted"


@pytest.mark.parametrize("day", [date(2026, 11, 30), date(2027, 1, 16)], ids=["in the past", "after the end"])
def test_an_abrogation_takes_effect_neither_in_the_past_nor_after_the_end(office: FakeOffice, day: date) -> None:
    permit = permit_of(office)

    with pytest.raises(ActNotPossible, match="entre le 1er décembre 2026 et la fin du permis, le 15 janvier 2027"):
        acts.abrogate(office.desk, permit.number, BREACH, day, BY)
    assert again(office, permit).state is ActState.ISSUED
    assert events(office) == ["granted", "issued"]


def test_what_runs_is_abrogated_from_tomorrow_on_and_never_for_a_day_already_begun(office: FakeOffice) -> None:
    permit = permit_of(office)
    office.clock.now = datetime(2027, 1, 12, 22, 59, tzinfo=UTC)  # 23:59 in Paris

    with pytest.raises(ActNotPossible, match="entre le 13 janvier 2027 et la fin du permis, le 15 janvier 2027"):
        acts.abrogate(office.desk, permit.number, BREACH, date(2027, 1, 12), BY)
    acts.abrogate(office.desk, permit.number, BREACH, date(2027, 1, 13), BY)
    assert again(office, permit).ended_on == date(2027, 1, 13)


def test_a_permit_is_abrogated_from_today_until_the_eve_of_its_first_day(office: FakeOffice) -> None:
    first, second = permit_of(office), permit_of(office)
    office.clock.now = datetime(2027, 1, 10, 9, tzinfo=UTC)
    acts.abrogate(office.desk, first.number, BREACH, date(2027, 1, 10), BY)
    office.clock.move(days=1)

    with pytest.raises(ActNotPossible, match="entre le 12 janvier 2027"):
        acts.abrogate(office.desk, second.number, BREACH, date(2027, 1, 11), BY)


@pytest.mark.parametrize("day", [15, 16, 20], ids=["on its last day", "the day after", "days after"])
def test_a_permit_without_a_day_to_come_is_not_abrogated(office: FakeOffice, day: int) -> None:
    permit = permit_of(office)
    office.clock.now = datetime(2027, 1, day, 9, tzinfo=UTC)

    with pytest.raises(ActNotPossible, match="se termine déjà le 15 janvier 2027"):
        acts.abrogate(office.desk, permit.number, BREACH, date(2027, 1, day), BY)
    assert again(office, permit).state is ActState.ISSUED


@pytest.mark.parametrize("day", [TODAY, date(2027, 1, 15)], ids=["today", "on the last day"])
def test_an_abrogation_may_take_effect_today_or_on_the_last_day(office: FakeOffice, day: date) -> None:
    permit = permit_of(office)
    acts.abrogate(office.desk, permit.number, BREACH, day, BY)

    assert again(office, permit).ended_on == day


@pytest.mark.parametrize(("days", "state"), [(43, ActState.ISSUED), (44, ActState.RESERVED)])
def test_an_abrogation_that_could_not_be_sealed_before_its_day_waits_for_a_person(
    office: FakeOffice, days: int, state: ActState
) -> None:
    """Reserved on 1 December for 14 January, the permit's fourth day: sealed on the 13th, or not at all."""
    permit = permit_of(office)
    office.press.broken = PrintError("encre")
    abrogation = acts.abrogate(office.desk, permit.number, BREACH, THURSDAY, BY)
    office.press.broken = None
    office.clock.move(days=days)

    finished = finish_act(office.desk, abrogation.id)

    assert finished is not None and finished.state is state
    if state is ActState.RESERVED:
        assert again(office, permit).is_in_force(THURSDAY)
        acts.annul(office.desk, abrogation.number, "le cachet a manqué jusqu’à son jour", BY)
        assert acts.abrogate(office.desk, permit.number, BREACH, date(2027, 1, 15), BY).state is ActState.ISSUED


def test_a_failing_press_leaves_the_permit_in_force_until_its_job_seals_the_abrogation(office: FakeOffice) -> None:
    permit = permit_of(office)
    office.press.broken = PrintError("encre")
    abrogation = acts.abrogate(office.desk, permit.number, BREACH, THURSDAY, BY)

    assert abrogation.state is ActState.RESERVED
    assert again(office, permit).state is ActState.ISSUED
    assert again(office, permit).is_in_force(THURSDAY)
    assert grounds_of(neighbour_asks(office, "2027-01-14", "2027-01-15")) == ["OVERLAP"]
    with pytest.raises(ActNotPossible, match="un autre acte qui le modifie est en cours"):
        acts.withdraw(office.desk, permit.number, ILLEGAL, BY)
    jobs = rows(office, "SELECT args FROM jobs.procrastinate_jobs WHERE args ->> 'act_id' = :id", id=str(abrogation.id))
    assert len(jobs) == 1

    office.press.broken = None
    finish_act(office.desk, abrogation.id)
    assert again(office, permit).ended_on == THURSDAY
    assert neighbour_asks(office, "2027-01-14", "2027-01-15").outcome == "granted"


def test_an_ended_permit_is_not_ended_again(office: FakeOffice) -> None:
    permit = permit_of(office)
    acts.abrogate(office.desk, permit.number, BREACH, THURSDAY, BY)

    with pytest.raises(ActNotPossible, match="n’est pas un permis délivré, ou un autre acte l’a déjà terminé"):
        acts.abrogate(office.desk, permit.number, BREACH, date(2027, 1, 12), BY)
    with pytest.raises(ActNotPossible):
        acts.withdraw(office.desk, permit.number, ILLEGAL, BY)


def test_a_ruling_is_not_a_permit_to_end(office: FakeOffice) -> None:
    abrogation = acts.abrogate(office.desk, permit_of(office).number, BREACH, THURSDAY, BY)

    for number in (abrogation.number, "EX-2026-000099"):
        with pytest.raises(ActNotPossible):
            acts.withdraw(office.desk, number, ILLEGAL, BY)


def test_agents_who_end_one_permit_at_once_end_it_once(office: FakeOffice) -> None:
    permit = permit_of(office)

    def abrogate(day: int) -> str | None:
        try:
            return acts.abrogate(office.desk, permit.number, BREACH, date(2027, 1, day), BY).number
        except ActNotPossible:
            return None

    with ThreadPoolExecutor(4) as pool:
        numbers = [number for number in pool.map(abrogate, (12, 13, 14, 15)) if number]

    assert numbers == ["EXA-2026-000001"]
    assert [row.number for row in rows(office, "SELECT number FROM act WHERE series = 'EXA'")] == [1]


def test_sealing_an_ending_waits_for_the_chain_before_it_takes_the_permit(office: FakeOffice) -> None:
    """Who gives a number takes the chain, then the permit cited: in another order the two would wait for each other."""
    permit = permit_of(office)
    office.press.broken = PrintError("encre")
    abrogation = acts.abrogate(office.desk, permit.number, BREACH, THURSDAY, BY)
    office.press.broken = None
    with second_engine(office) as engine, ThreadPoolExecutor(1) as pool:
        with engine.connect() as holder, holder.begin():
            holder.execute(text("SELECT 1 FROM audit_head FOR UPDATE"))
            sealing = pool.submit(finish_act, office.desk, abrogation.id)
            wait_until_somebody_waits(office)
            with engine.begin() as other:
                other.execute(text("SELECT 1 FROM act WHERE id = :id FOR UPDATE NOWAIT"), {"id": permit.id})
            with pytest.raises(OperationalError), engine.begin() as other:
                other.execute(text("SELECT 1 FROM act WHERE id = :id FOR UPDATE NOWAIT"), {"id": abrogation.id})
        sealing.result(timeout=10)

    assert again(office, permit).state is ActState.ABROGATED


def test_without_a_seal_no_act_of_a_person_takes_a_number(office: FakeOffice) -> None:
    permit = permit_of(office)
    office.press.stopped = "Le certificat du cachet a expiré."
    with pytest.raises(ActNotPossible, match=r"a expiré$"):
        acts.abrogate(office.desk, permit.number, BREACH, THURSDAY, BY)
    with pytest.raises(ActNotPossible, match=r"a expiré$"):
        acts.correct(office.desk, permit.number, CHANGE, REASONS, BY)
    assert len(rows(office, "SELECT FROM act")) == 1

    office.press.stopped = None
    assert acts.abrogate(office.desk, permit.number, BREACH, THURSDAY, BY).state is ActState.ISSUED


# --- withdrawal --------------------------------------------------------------------------------


def test_a_withdrawn_permit_was_never_in_force_and_its_place_is_free(office: FakeOffice) -> None:
    permit = permit_of(office)
    withdrawal = acts.withdraw(office.desk, permit.number, ILLEGAL, BY)

    assert withdrawal.number == "EXA-2026-000001"
    assert isinstance(withdrawal.payload, Ruling) and withdrawal.payload.effective_on is None
    ended = again(office, permit)
    assert (ended.state, ended.ended_on, ended.ended_by) == (ActState.WITHDRAWN, None, withdrawal.number)
    assert not any(ended.is_in_force(date(2027, 1, day)) for day in range(11, 16))
    assert neighbour_asks(office, "2027-01-11", "2027-01-15").outcome == "granted"


def without_delay(office: FakeOffice) -> None:
    """Let the rulebook name no delay: only the database then knows the law's four months."""
    endings = tuple(each.model_copy(update={"within_months": None}) for each in ENDINGS.values())
    with_authority(office, endings=endings)


def taken_on(office: FakeOffice, day: date) -> Act:
    office.clock.now = START.replace(year=day.year, month=day.month, day=day.day)
    return permit_of(office, starts_on="2027-02-01", ends_on="2027-02-05")


@pytest.mark.parametrize("by_the_database", [False, True], ids=["by the rulebook", "by the database"])
@pytest.mark.parametrize(
    ("taken", "last_instant"),
    [
        (date(2026, 12, 1), datetime(2027, 4, 1, 21, 59, tzinfo=UTC)),
        (date(2026, 10, 31), datetime(2027, 2, 28, 22, 59, tzinfo=UTC)),
    ],
    ids=["whole months", "a month too short"],
)
def test_a_permit_is_withdrawn_within_four_months_of_paris_days_and_not_the_day_after(
    office: FakeOffice, taken: date, last_instant: datetime, by_the_database: bool
) -> None:
    first, second = taken_on(office, taken), taken_on(office, taken)
    if by_the_database:
        without_delay(office)
    office.clock.now = last_instant
    assert acts.withdraw(office.desk, first.number, ILLEGAL, BY).state is ActState.ISSUED

    office.clock.move(minutes=1)
    told = "plus de quatre mois" if by_the_database else "ce motif ne vaut que jusqu’au"
    with pytest.raises(ActNotPossible, match=told):
        acts.withdraw(office.desk, second.number, ILLEGAL, BY)
    assert again(office, second).state is ActState.ISSUED


@pytest.mark.parametrize("by_the_database", [False, True], ids=["by the rulebook", "by the database"])
def test_a_clerical_correction_opens_no_new_delay_to_withdraw(office: FakeOffice, by_the_database: bool) -> None:
    permit = permit_of(office)
    office.clock.move(days=60)
    corrected = acts.correct(office.desk, permit.number, CHANGE, REASONS, BY)
    if by_the_database:
        without_delay(office)
    office.clock.now = datetime(2027, 4, 2, 9, 0, tzinfo=UTC)

    with pytest.raises(ActNotPossible):
        acts.withdraw(office.desk, corrected.number, ILLEGAL, BY)


# --- grounds, motives, words -------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["abrogation", "withdrawal"])
@pytest.mark.parametrize("ground", ENDINGS)
def test_a_ground_bears_only_the_acts_that_the_rulebook_names(office: FakeOffice, ground: str, kind: str) -> None:
    permit = permit_of(office)
    grounds = acts.Grounds(ground, BREACH.facts, HEARING)

    if kind in ENDINGS[ground].acts:
        assert end(office, permit, kind, grounds).kind == kind
    else:
        with pytest.raises(ActNotPossible, match="motif inconnu pour cet acte ; motifs possibles : illegal"):
            end(office, permit, kind, grounds)
        assert again(office, permit).state is ActState.ISSUED


@pytest.mark.parametrize("ground", ENDINGS)
def test_a_ground_with_a_delay_is_refused_after_it_and_the_others_are_not(office: FakeOffice, ground: str) -> None:
    permit = permit_of(office, starts_on="2027-05-03", ends_on="2027-05-07")
    office.clock.now = datetime(2027, 4, 2, 9, 0, tzinfo=UTC)
    grounds = acts.Grounds(ground, BREACH.facts, HEARING)

    if ENDINGS[ground].within_months:
        with pytest.raises(ActNotPossible, match="ce motif ne vaut que jusqu’au 1er avril 2027"):
            end(office, permit, "abrogation", grounds)
    else:
        assert end(office, permit, "abrogation", grounds).state is ActState.ISSUED


def test_an_act_without_a_fact_is_refused(office: FakeOffice) -> None:
    permit = permit_of(office)

    with pytest.raises(ActNotPossible, match="au moins un fait"):
        acts.abrogate(office.desk, permit.number, acts.Grounds("general_interest", (), HEARING), THURSDAY, BY)
    with pytest.raises(ActNotPossible, match="un refus est motivé"):
        acts.refuse(office.desk, referred(office), (), HEARING, BY)


def words_of_an_abrogation(office: FakeOffice, words: str) -> None:
    acts.abrogate(office.desk, permit_of(office).number, replace(BREACH, facts=(words,)), THURSDAY, BY)


def words_of_a_hearing(office: FakeOffice, words: str) -> None:
    acts.withdraw(office.desk, permit_of(office).number, replace(ILLEGAL, hearing=words), BY)


def words_of_a_refusal(office: FakeOffice, words: str) -> None:
    acts.refuse(office.desk, referred(office), (MARKET.model_copy(update={"fact": words}),), HEARING, BY)


def words_of_the_law(office: FakeOffice, words: str) -> None:
    acts.refuse(
        office.desk, referred(office), (MARKET.model_copy(update={"citation": Citation(text=words)}),), HEARING, BY
    )


def words_of_a_correction(office: FakeOffice, words: str) -> None:
    acts.correct(office.desk, permit_of(office).number, CHANGE, (words,), BY)


@pytest.mark.parametrize("words", [INVISIBLE, "neuf sign", "x" * 2001], ids=["invisible", "short", "long"])
@pytest.mark.parametrize(
    "told",
    [
        words_of_an_abrogation,
        words_of_a_hearing,
        words_of_a_refusal,
        words_of_the_law,
        words_of_a_correction,
    ],
    ids=lambda told: told.__name__,
)
def test_words_that_a_page_cannot_carry_are_refused_and_no_number_is_taken(
    office: FakeOffice, told: Callable[[FakeOffice, str], None], words: str
) -> None:
    with pytest.raises(ActNotPossible, match=r"caractère interdit U\+202E|écrivez de 10 à 2 000 caractères"):
        told(office, words)
    assert rows(office, "SELECT 1 FROM act WHERE kind <> 'permit'") == []


# --- refusal -----------------------------------------------------------------------------------


def test_a_referred_application_is_refused_by_a_motivated_act_of_its_own_series(office: FakeOffice) -> None:
    filed = referred(office)
    refusal = acts.refuse(office.desk, filed, (MARKET,), HEARING, BY)

    assert refusal.number == "EXR-2026-000001"
    assert (refusal.kind, refusal.state, refusal.cites) == (ActKind.REFUSAL, ActState.ISSUED, None)
    assert isinstance(refusal.payload, Ruling)
    assert refusal.payload.motives == (MARKET,)
    assert refusal.payload.beneficiary.siret == filed.filing.application.siret
    assert refusal.payload.application_id == str(filed.filing.application_id)
    answered = office.register.application(filed.filing.application_id)
    assert answered is not None and answered.act == refusal
    assert answered.outcome == "referred"


def test_an_application_is_refused_once(office: FakeOffice) -> None:
    filed = referred(office)
    acts.refuse(office.desk, filed, (MARKET,), HEARING, BY)
    answered = office.register.application(filed.filing.application_id)
    assert answered is not None

    with pytest.raises(ActNotPossible, match="encore sans réponse"):
        acts.refuse(office.desk, answered, (MARKET,), HEARING, BY)
    # An agent whose page is older than the first refusal.
    with pytest.raises(ActNotPossible, match="un autre acte y a déjà répondu"):
        acts.refuse(office.desk, filed, (MARKET,), HEARING, BY)
    assert [row.value for row in rows(office, "SELECT value FROM counter WHERE series = 'EXR'")] == [1]


def test_what_was_granted_or_still_waits_is_not_refused(office: FakeOffice) -> None:
    allowed, _ = issue_permit(office.desk, office.filing())
    office.registry.is_down = True
    waiting, _ = issue_permit(office.desk, office.filing())

    for filed in (allowed, waiting):
        with pytest.raises(ActNotPossible, match="seule une demande transmise"):
            acts.refuse(office.desk, filed, (MARKET,), HEARING, BY)


def test_a_refusal_that_could_not_be_sealed_refused_nothing(office: FakeOffice) -> None:
    filed = referred(office)
    office.press.broken = PrintError("encre")
    refusal = acts.refuse(office.desk, filed, (MARKET,), HEARING, BY)
    acts.annul(office.desk, refusal.number, "le document ne se compose pas", BY)
    office.press.broken = None

    unanswered = office.register.application(filed.filing.application_id)
    assert unanswered is not None and unanswered.act is None
    assert acts.refuse(office.desk, unanswered, (MARKET,), HEARING, BY).number == "EXR-2026-000002"


# --- who signs, which series -------------------------------------------------------------------


def every_act(office: FakeOffice, permit: Act, filed: Any) -> dict[str, Callable[[], Act]]:
    return {
        "refusal": lambda: acts.refuse(office.desk, filed, (MARKET,), HEARING, BY),
        "abrogation": lambda: acts.abrogate(office.desk, permit.number, BREACH, THURSDAY, BY),
        "withdrawal": lambda: acts.withdraw(office.desk, permit.number, ILLEGAL, BY),
        "correction": lambda: acts.correct(office.desk, permit.number, CHANGE, REASONS, BY),
    }


@pytest.mark.parametrize("kind", ["refusal", "abrogation", "withdrawal", "correction"])
def test_no_act_is_taken_on_a_day_when_nobody_may_sign(office: FakeOffice, kind: str) -> None:
    permit, filed = permit_of(office), referred(office)
    with_authority(office, signatories=())

    with pytest.raises(ActNotPossible, match="aucune délégation de signature"):
        every_act(office, permit, filed)[kind]()
    assert rows(office, "SELECT 1 FROM act WHERE kind <> 'permit'") == []


@pytest.mark.parametrize("kind", ["refusal", "abrogation", "withdrawal"])
def test_a_kind_without_a_series_in_the_rulebook_can_not_be_taken(office: FakeOffice, kind: str) -> None:
    permit, filed = permit_of(office), referred(office)
    with_authority(office, series=Series(permits="EX"))

    with pytest.raises(ActNotPossible, match="ne nomme pas de série de numéros pour cet acte"):
        every_act(office, permit, filed)[kind]()
    assert again(office, permit).state is ActState.ISSUED


def test_the_kinds_of_ruling_are_those_that_an_act_can_have() -> None:
    assert {ActKind(kind) for kind in RulingKind} == {kind for kind in ActKind if not kind.allows}
