"""The order in which the sources are asked, and what they say together."""

import logging
from datetime import date, timedelta
from threading import Event, Semaphore, Thread

import pytest

from permits.domain.establishment import (
    FRESH_FOR,
    Audience,
    Establishment,
    NotFound,
    RegistryAnswer,
    RegistryUnavailable,
    Source,
    Standing,
    Unheard,
    Verdict,
    verdict_of,
)
from permits.sirene.budget import Budget
from permits.sirene.directory import Directory
from permits.sirene.errors import (
    NotAskedAboutThisSiret,
    SourceError,
    SourceMisconfigured,
    SourceNotAsked,
    SourceUnavailable,
)
from tests.sirene.clock import StoppedClock
from tests.sirene.scripted import INSEE, OPEN, REFERENCE, SIRET, Scripted, evidence, found, not_found, protected


def directory(*sources: Scripted, stopped: StoppedClock | None = None, compare_one_in: int = 0) -> Directory:
    """A directory that compares nothing unless told to."""
    return Directory(sources, clock=(stopped or StoppedClock()).clock, compare_one_in=compare_one_in)


def heard(answer: RegistryAnswer, *silent: Source, reason: str = "HTTP 502") -> RegistryAnswer:
    """The same answer, given while these sources said nothing."""
    unheard = tuple(Unheard(source=source, at=StoppedClock().now(), reason=reason) for source in silent)
    return answer.model_copy(update={"unheard": unheard})


def down(source: Source, reason: str = "HTTP 502", wait: timedelta | None = None) -> Scripted:
    return Scripted(source, SourceUnavailable(source, reason, wait))


def test_the_first_certain_answer_is_enough() -> None:
    second = Scripted(OPEN, found(OPEN))
    assert directory(Scripted(REFERENCE, found(REFERENCE)), second).lookup(SIRET) == found(REFERENCE)
    assert second.asked == []


@pytest.mark.parametrize(
    "error", [SourceUnavailable(REFERENCE, "HTTP 502"), SourceMisconfigured(REFERENCE, "HTTP 401")]
)
def test_a_source_without_an_answer_hands_over_to_the_next(error: SourceError) -> None:
    asked = directory(Scripted(REFERENCE, error), Scripted(OPEN, protected(OPEN)))
    assert asked.lookup(SIRET) == heard(protected(OPEN), REFERENCE, reason=error.reason)


def test_three_sources_fail_over_within_three_failures() -> None:
    sources = [down(REFERENCE), down(INSEE), Scripted(OPEN, found(OPEN))]
    assert directory(*sources).lookup(SIRET) == heard(found(OPEN), REFERENCE, INSEE)


def test_not_found_by_the_open_source_while_the_reference_is_down_stays_uncertain() -> None:
    asked = directory(down(REFERENCE), Scripted(OPEN, not_found(OPEN, definite=False)))
    assert asked.lookup(SIRET) == heard(not_found(OPEN, definite=False), REFERENCE)


def test_an_uncertain_not_found_lets_the_next_source_speak() -> None:
    asked = directory(Scripted(OPEN, not_found(OPEN, definite=False)), Scripted(REFERENCE, found(REFERENCE)))
    answer = asked.lookup(SIRET)
    assert verdict_of(answer) is Verdict.OPEN
    assert [one.source for one in answer.evidence] == [OPEN, REFERENCE]


def test_two_uncertain_answers_make_no_certainty_but_both_are_evidence() -> None:
    answer = directory(
        Scripted(REFERENCE, not_found(REFERENCE, definite=False)), Scripted(OPEN, not_found(OPEN, definite=False))
    ).lookup(SIRET)
    assert isinstance(answer, NotFound)
    assert not answer.definite
    assert [one.source for one in answer.evidence] == [REFERENCE, OPEN]


@pytest.mark.parametrize(
    "stopping",
    [
        found(REFERENCE, is_open=False),
        found(REFERENCE, unit_is_active=False),
        not_found(REFERENCE, definite=True),
    ],
    ids=["closed", "ceased", "not-found"],
)
class TestWhatWouldStopAnApplicant:
    def test_is_confirmed_by_the_second_source(self, stopping: RegistryAnswer) -> None:
        again = stopping.model_copy(update={"evidence": evidence(OPEN, verdict_of(stopping))})
        answer = directory(Scripted(REFERENCE, stopping), Scripted(OPEN, again)).lookup(SIRET)
        assert verdict_of(answer) is verdict_of(stopping)
        assert [one.source for one in answer.evidence] == [REFERENCE, OPEN]

    def test_is_disputed_when_the_second_source_shows_it_open(self, stopping: RegistryAnswer) -> None:
        answer = directory(Scripted(REFERENCE, stopping), Scripted(OPEN, found(OPEN))).lookup(SIRET)
        assert isinstance(answer, Establishment)
        assert verdict_of(answer) is Verdict.DISPUTED
        assert answer.disagreement is not None
        words = f"{REFERENCE.label} : {verdict_of(stopping).label} ; {OPEN.label} : ouvert"
        assert answer.disagreement == words

    def test_holds_when_the_second_source_does_not_answer(self, stopping: RegistryAnswer) -> None:
        assert directory(Scripted(REFERENCE, stopping), down(OPEN)).lookup(SIRET) == heard(stopping, OPEN)

    def test_holds_when_the_open_source_does_not_show_it(self, stopping: RegistryAnswer) -> None:
        unseen = Scripted(OPEN, not_found(OPEN, definite=False))
        answer = directory(Scripted(REFERENCE, stopping), unseen).lookup(SIRET)
        assert verdict_of(answer) is verdict_of(stopping)

    def test_asks_no_third_source_once_confirmed(self, stopping: RegistryAnswer) -> None:
        third = Scripted(INSEE, found(INSEE))
        again = stopping.model_copy(update={"evidence": evidence(OPEN, verdict_of(stopping))})
        directory(Scripted(REFERENCE, stopping), Scripted(OPEN, again), third).lookup(SIRET)
        assert third.asked == []


def test_a_register_that_one_source_does_not_know_is_told_by_the_next() -> None:
    silent = found(INSEE, standing=Standing.UNKNOWN)
    answer = directory(Scripted(INSEE, silent), Scripted(OPEN, found(OPEN))).lookup(SIRET)
    assert isinstance(answer, Establishment)
    assert answer.standing is Standing.REGISTERED
    assert [one.source for one in answer.evidence] == [INSEE, OPEN]


def test_a_register_that_nobody_knows_stays_unknown() -> None:
    answer = directory(Scripted(INSEE, found(INSEE, standing=Standing.UNKNOWN)), down(OPEN)).lookup(SIRET)
    assert isinstance(answer, Establishment)
    assert answer.standing is Standing.UNKNOWN


def test_a_company_in_trouble_for_one_source_is_in_trouble() -> None:
    bankrupt = Scripted(OPEN, found(OPEN, standing=Standing.INSOLVENCY))
    answer = directory(Scripted(REFERENCE, found(REFERENCE)), bankrupt, compare_one_in=1).lookup(SIRET)
    assert verdict_of(answer) is Verdict.INSOLVENCY


def test_each_source_has_its_own_words_in_a_disagreement_of_three() -> None:
    silent = found(INSEE, standing=Standing.UNKNOWN)
    sources = [
        Scripted(INSEE, silent),
        Scripted(OPEN, not_found(OPEN, definite=False)),
        Scripted(REFERENCE, found(REFERENCE, is_open=False)),
    ]
    answer = directory(*sources).lookup(SIRET)
    assert isinstance(answer, Establishment)
    words = f"{INSEE.label} : ouvert ; {OPEN.label} : non trouvé ; {REFERENCE.label} : fermé"
    assert answer.disagreement == words


def test_the_day_that_one_source_knows_is_taken_from_it() -> None:
    closing = Scripted(OPEN, found(OPEN, is_open=False, closed_on=date(2024, 6, 30)))
    answer = directory(Scripted(REFERENCE, found(REFERENCE, is_open=False)), closing).lookup(SIRET)
    assert isinstance(answer, Establishment)
    assert answer.closed_on == date(2024, 6, 30)


def test_a_name_hidden_by_one_is_told_by_another_only_if_that_one_knows_that_it_is_hidden() -> None:
    hidden = found(INSEE, name=None, address=(), partially_diffusible=True, standing=Standing.UNKNOWN)
    for knows, name in ((True, "TOITURES DU BANC"), (False, None)):
        told = Scripted(REFERENCE, found(REFERENCE, partially_diffusible=knows))
        answer = directory(Scripted(INSEE, hidden), told).lookup(SIRET)
        assert isinstance(answer, Establishment)
        assert (answer.name, answer.partially_diffusible) == (name, True)


def test_what_one_source_may_tell_nobody_is_not_for_the_public_in_another() -> None:
    answer = directory(Scripted(OPEN, found(OPEN)), Scripted(INSEE, protected(INSEE)), compare_one_in=1).lookup(SIRET)
    assert isinstance(answer, Establishment)
    assert answer.partially_diffusible
    assert verdict_of(answer) is Verdict.DISPUTED


class TestTheSecondSourceIsExercised:
    def test_by_the_first_look_up_of_each_day_and_one_in_so_many(self) -> None:
        stopped, second = StoppedClock(), Scripted(OPEN, found(OPEN))
        asked = directory(Scripted(REFERENCE, found(REFERENCE)), second, stopped=stopped, compare_one_in=10)
        compared = []
        for _ in range(31):
            before = len(second.asked)
            asked.lookup(SIRET, max_age=timedelta(0))
            compared.append(len(second.asked) > before)
        assert compared[0]
        assert sum(compared) == 4
        stopped.elapsed_s += 24 * 3600
        asked.lookup(SIRET, max_age=timedelta(0))
        assert len(second.asked) == 5

    def test_and_a_disagreement_is_told(self) -> None:
        shut = Scripted(OPEN, found(OPEN, is_open=False))
        answer = directory(Scripted(REFERENCE, found(REFERENCE)), shut, compare_one_in=1).lookup(SIRET)
        assert verdict_of(answer) is Verdict.DISPUTED

    def test_and_its_outage_changes_nothing(self) -> None:
        answer = directory(Scripted(REFERENCE, found(REFERENCE)), down(OPEN), compare_one_in=1).lookup(SIRET)
        assert answer == heard(found(REFERENCE), OPEN)


class TestWhatWasHeardIsRemembered:
    @pytest.mark.parametrize(
        ("answer", "kept_for"),
        [
            (found(REFERENCE), FRESH_FOR),
            (found(REFERENCE, is_open=False), timedelta(minutes=10)),
            (found(REFERENCE, standing=Standing.STRUCK_OFF), timedelta(minutes=10)),
            (not_found(REFERENCE, definite=True), timedelta(minutes=10)),
            (protected(REFERENCE), timedelta(minutes=10)),
        ],
        ids=["open", "closed", "struck-off", "not-found", "protected"],
    )
    def test_for_so_long_and_not_a_second_more(self, answer: RegistryAnswer, kept_for: timedelta) -> None:
        stopped = StoppedClock()
        source = Scripted(REFERENCE, answer)
        asked = directory(source, stopped=stopped)
        asked.lookup(SIRET)
        stopped.elapsed_s = kept_for.total_seconds() - 1
        assert asked.lookup(SIRET) == answer
        assert len(source.asked) == 1
        stopped.elapsed_s += 1
        asked.lookup(SIRET)
        assert len(source.asked) == 2

    def test_unless_a_control_is_asked_for(self) -> None:
        source = Scripted(REFERENCE, found(REFERENCE))
        asked = directory(source)
        for _ in range(2):
            asked.lookup(SIRET, max_age=timedelta(0))
        assert len(source.asked) == 2

    def test_for_each_audience_apart(self) -> None:
        source = Scripted(REFERENCE, found(REFERENCE))
        asked = directory(source)
        asked.lookup(SIRET)
        asked.lookup(SIRET, audience=Audience.PUBLIC)
        assert [audience for _, audience in source.asked] == [Audience.AUTHORITY, Audience.PUBLIC]

    def test_what_an_outage_left_incomplete_is_asked_again_at_once(self) -> None:
        first, second = Scripted(INSEE, found(INSEE, standing=Standing.UNKNOWN)), down(OPEN)
        asked = directory(first, second)
        asked.lookup(SIRET)
        second.outcome = found(OPEN)
        answer = asked.lookup(SIRET)
        assert isinstance(answer, Establishment)
        assert answer.standing is Standing.REGISTERED

    def test_a_clock_that_is_put_back_makes_nothing_fresh(self) -> None:
        stopped, source = StoppedClock(), Scripted(REFERENCE, found(REFERENCE))
        asked = directory(source, stopped=stopped)
        asked.lookup(SIRET)
        stopped.elapsed_s -= 1
        asked.lookup(SIRET)
        assert len(source.asked) == 2

    def test_a_not_found_never_fills_a_form(self) -> None:
        stopped, source = StoppedClock(), Scripted(REFERENCE, not_found(REFERENCE, definite=True))
        asked = directory(source, stopped=stopped)
        asked.lookup(SIRET)
        assert asked.last_known(SIRET, audience=Audience.AUTHORITY) is None

    def test_an_outage_is_never_remembered(self) -> None:
        stopped, source = StoppedClock(), down(REFERENCE)
        asked = directory(source, stopped=stopped)
        with pytest.raises(RegistryUnavailable):
            asked.lookup(SIRET)
        assert asked.last_known(SIRET, audience=Audience.AUTHORITY) is None
        source.outcome = found(REFERENCE)
        assert asked.lookup(SIRET) == found(REFERENCE)

    def test_and_stale_it_fills_a_form_but_decides_nothing(self) -> None:
        stopped, source = StoppedClock(), Scripted(REFERENCE, found(REFERENCE))
        asked = directory(source, stopped=stopped)
        asked.lookup(SIRET)
        source.outcome = SourceUnavailable(REFERENCE, "HTTP 502")
        stopped.elapsed_s = FRESH_FOR.total_seconds()
        with pytest.raises(RegistryUnavailable):
            asked.lookup(SIRET)
        assert asked.last_known(SIRET, audience=Audience.AUTHORITY) == found(REFERENCE)
        assert asked.last_known(SIRET, audience=Audience.PUBLIC) is None
        stopped.elapsed_s = timedelta(days=90).total_seconds()
        assert asked.last_known(SIRET, audience=Audience.AUTHORITY) is None

    def test_and_each_time_it_serves_again_is_told(self) -> None:
        told: list[str] = []
        source = Scripted(REFERENCE, found(REFERENCE))
        asked = Directory([source], clock=StoppedClock().clock, on_reuse=lambda siret, _answer: told.append(siret))
        asked.lookup(SIRET)
        assert told == []
        asked.lookup(SIRET)
        assert told == [SIRET]


class Slow(Scripted):
    """Answers when it is let go."""

    def __init__(self, name: Source, outcome: RegistryAnswer | SourceError) -> None:
        super().__init__(name, outcome)
        self.arrived, self.go = Semaphore(0), Event()

    def lookup(self, siret: str, audience: Audience, budget: Budget) -> RegistryAnswer:
        self.arrived.release()
        assert self.go.wait(timeout=5)
        return super().lookup(siret, audience, budget)


def sirets(count: int) -> list[str]:
    return [f"{number:014d}" for number in range(1, count + 1)]


class TestLookUpsWaitTogether:
    def test_one_too_many_is_told_at_once_and_a_seat_freed_serves_again(self) -> None:
        slow = Slow(REFERENCE, protected(REFERENCE))
        asked = Directory([slow])
        waiting = [Thread(target=asked.lookup, args=(siret,)) for siret in sirets(12)]
        for thread in waiting:
            thread.start()
        for _ in waiting:
            assert slow.arrived.acquire(timeout=5)
        with pytest.raises(RegistryUnavailable, match="too many") as caught:
            asked.lookup(SIRET)
        assert not caught.value.was_asked
        slow.go.set()
        for thread in waiting:
            thread.join(timeout=5)
        assert asked.lookup(SIRET) == protected(REFERENCE)

    def test_a_failure_gives_its_seat_back(self) -> None:
        asked = Directory([down(REFERENCE)], max_waiting=1, clock=StoppedClock().clock)
        for _ in range(2):
            with pytest.raises(RegistryUnavailable, match="502"):
                asked.lookup(SIRET)

    @pytest.mark.parametrize("outcome", [protected(REFERENCE), SourceUnavailable(REFERENCE, "HTTP 502")])
    def test_one_call_in_flight_for_a_siret_serves_all_who_ask(self, outcome: RegistryAnswer | SourceError) -> None:
        slow = Slow(REFERENCE, outcome)
        asked = Directory([slow])
        came: list[RegistryAnswer | RegistryUnavailable] = []

        def ask() -> None:
            try:
                came.append(asked.lookup(SIRET))
            except RegistryUnavailable as outage:
                came.append(outage)

        waiting = [Thread(target=ask) for _ in range(8)]
        for thread in waiting:
            thread.start()
        assert slow.arrived.acquire(timeout=5)
        assert not slow.arrived.acquire(timeout=0.2)
        slow.go.set()
        for thread in waiting:
            thread.join(timeout=5)
        assert len(slow.asked) == 1
        assert len(came) == 8
        assert all(each is came[0] for each in came)

    def test_the_other_audience_waits_and_then_asks_for_itself(self) -> None:
        slow = Slow(REFERENCE, protected(REFERENCE))
        asked = Directory([slow])
        first = Thread(target=asked.lookup, args=(SIRET,))
        second = Thread(target=asked.lookup, args=(SIRET,), kwargs={"audience": Audience.PUBLIC})
        first.start()
        assert slow.arrived.acquire(timeout=5)
        second.start()
        assert not slow.arrived.acquire(timeout=0.2)
        slow.go.set()
        for thread in (first, second):
            thread.join(timeout=5)
        assert [audience for _, audience in slow.asked] == [Audience.AUTHORITY, Audience.PUBLIC]


class TestABudget:
    """Three failed calls in all, whatever their kind."""

    @pytest.mark.parametrize(
        "error",
        [SourceMisconfigured(REFERENCE, "HTTP 401"), SourceUnavailable(REFERENCE, "unusable answer: another shape")],
    )
    def test_counts_what_was_answered_and_could_not_be_used(self, error: SourceError) -> None:
        budgets: list[Budget] = []

        class Watched(Scripted):
            def lookup(self, siret: str, audience: Audience, budget: Budget) -> RegistryAnswer:
                budgets.append(budget)
                raise self.outcome if isinstance(self.outcome, SourceError) else AssertionError

        asked = directory(*(Watched(name, error) for name in (REFERENCE, INSEE, OPEN)))
        with pytest.raises(RegistryUnavailable):
            asked.lookup(SIRET)
        assert [budget.failures_left for budget in budgets] == [0, 0, 0]


def test_the_siret_of_the_recipient_keeps_nobody_waiting() -> None:
    asked = directory(Scripted(REFERENCE, NotAskedAboutThisSiret(REFERENCE, "the recipient can't ask about itself")))
    with pytest.raises(RegistryUnavailable) as caught:
        asked.lookup(SIRET)
    assert caught.value.was_asked


class TestAnOutage:
    def test_tells_every_reason_and_the_nearest_wait(self) -> None:
        asked = directory(
            down(REFERENCE, "HTTP 503 01020", timedelta(hours=1)), down(OPEN, "HTTP 429", timedelta(seconds=3))
        )
        with pytest.raises(RegistryUnavailable) as caught:
            asked.lookup(SIRET)
        assert caught.value.reasons == ("api-entreprise: HTTP 503 01020", "recherche-entreprises: HTTP 429")
        assert caught.value.retry_after == timedelta(seconds=3)
        assert caught.value.was_asked

    def test_in_which_nobody_could_be_asked_is_told_apart(self) -> None:
        with pytest.raises(RegistryUnavailable) as caught:
            directory(Scripted(REFERENCE, SourceNotAsked(REFERENCE, "left alone, as it asked"))).lookup(SIRET)
        assert not caught.value.was_asked

    def test_is_logged_as_a_warning_and_a_refusal_of_ours_as_an_error(self, caplog: pytest.LogCaptureFixture) -> None:
        asked = directory(Scripted(REFERENCE, SourceMisconfigured(REFERENCE, "HTTP 401 00103")), down(OPEN))
        with caplog.at_level(logging.WARNING), pytest.raises(RegistryUnavailable):
            asked.lookup(SIRET)
        assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
        assert SIRET not in caplog.text

    def test_of_a_source_is_not_asked_about_again_before_its_rest(self) -> None:
        stopped, source = StoppedClock(), down(REFERENCE)
        asked = directory(source, stopped=stopped)
        for _ in range(20):
            with pytest.raises(RegistryUnavailable):
                asked.lookup(SIRET)
        assert len(source.asked) == 3

    @pytest.mark.parametrize("hours", [0.01, 1, 24])
    def test_is_over_within_thirty_seconds_of_the_recovery_however_long_it_was(self, hours: float) -> None:
        stopped, source = StoppedClock(), down(REFERENCE)
        asked = directory(source, stopped=stopped)
        while stopped.elapsed_s < hours * 3600:
            with pytest.raises(RegistryUnavailable):
                asked.lookup(SIRET)
            stopped.elapsed_s += 7
        source.outcome, recovered_at = found(REFERENCE), stopped.elapsed_s
        while stopped.elapsed_s < recovered_at + 120:
            try:
                asked.lookup(SIRET)
                break
            except RegistryUnavailable:
                stopped.elapsed_s += 1
        assert stopped.elapsed_s - recovered_at <= 30


def test_a_wait_named_for_one_siret_holds_for_that_one_alone() -> None:
    stopped, source = StoppedClock(), down(REFERENCE, "HTTP 502 00501", timedelta(seconds=10))
    asked = directory(source, stopped=stopped)
    for elapsed_s, calls in ((0, 1), (9, 1), (10, 2)):
        stopped.elapsed_s = elapsed_s
        with pytest.raises(RegistryUnavailable) as caught:
            asked.lookup(SIRET)
        assert len(source.asked) == calls
        assert caught.value.was_asked, "another SIRET may fare better"
    source.outcome = found(REFERENCE)
    assert asked.lookup(sirets(1)[0]) == found(REFERENCE)


def test_a_source_switched_off_is_not_asked_and_the_next_one_is() -> None:
    first, second = Scripted(REFERENCE, found(REFERENCE)), Scripted(OPEN, found(OPEN))
    off = {REFERENCE}
    asked = Directory([first, second], clock=StoppedClock().clock, compare_one_in=0, is_off=lambda one: one in off)
    assert asked.lookup(SIRET, max_age=timedelta(0)) == heard(found(OPEN), REFERENCE, reason="switched off")
    assert first.asked == []
    off.clear()
    assert asked.lookup(SIRET, max_age=timedelta(0)) == found(REFERENCE)


def test_what_a_source_said_goes_when_it_is_switched_off() -> None:
    first, second = Scripted(REFERENCE, found(REFERENCE)), Scripted(OPEN, found(OPEN, is_open=False))
    off: set[Source] = set()
    asked = Directory([first, second], clock=StoppedClock().clock, compare_one_in=0, is_off=lambda one: one in off)
    assert verdict_of(asked.lookup(SIRET)) is Verdict.OPEN
    off.add(REFERENCE)
    assert verdict_of(asked.lookup(SIRET)) is Verdict.CLOSED


def test_each_source_tells_its_own_word_when_all_are_asked() -> None:
    asked = directory(Scripted(REFERENCE, found(REFERENCE)), down(INSEE), Scripted(OPEN, protected(OPEN)))
    heard = asked.ask_each(SIRET, Audience.AUTHORITY)
    assert [(one.source, one.reason) for one in heard] == [(REFERENCE, None), (INSEE, "HTTP 502"), (OPEN, None)]
    assert [one.answer for one in heard] == [found(REFERENCE), None, protected(OPEN)]


def test_readiness_is_told_without_asking_anybody() -> None:
    up = Scripted(OPEN, protected(OPEN))
    stopped = StoppedClock()
    asked = directory(down(REFERENCE), up, stopped=stopped)
    assert asked.names == (REFERENCE, OPEN)
    assert [status.last_success for status in asked.status()] == [None, None]
    asked.lookup(SIRET)
    first, second = asked.status()
    assert (first.name, first.last_failure, first.last_reason) == (REFERENCE, stopped.now(), "HTTP 502")
    assert (second.last_success, second.last_failure) == (stopped.now(), None)
    assert len(up.asked) == 1


@pytest.mark.parametrize("text", ["", "5520494477627", "5520494477627x", "../../privileges", "٥٥٢٠٤٩٤٤٧٧٦٢٧٩"])
def test_what_is_not_a_siret_reaches_no_source(text: str) -> None:
    source = Scripted(REFERENCE, protected(REFERENCE))
    with pytest.raises(ValueError, match="14"):
        directory(source).lookup(text)
    assert source.asked == []


def test_closing_closes_every_source() -> None:
    sources = [Scripted(REFERENCE, protected(REFERENCE)), Scripted(OPEN, protected(OPEN))]
    directory(*sources).close()
    assert all(source.closed for source in sources)
