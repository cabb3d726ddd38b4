"""When a source may be called: its quota, its headers, the peace it asks for; and how often a call is made again."""

from datetime import timedelta
from itertools import pairwise

import pytest

from permits.domain.establishment import Source
from permits.sirene.budget import Budget
from permits.sirene.errors import SourceNotAsked
from permits.sirene.pace import Pace, Quota
from permits.sirene.retries import Retries
from tests.sirene.clock import StoppedClock

INSEE = Source.INSEE


def pace(stopped: StoppedClock, calls: int, window_s: int, *, on_the_clock: bool = False) -> Pace:
    return Pace(INSEE, Quota(calls, window_s, on_the_clock), stopped.clock)


def wait_told(asked: Pace, patience_s: float = 0.0) -> timedelta:
    with pytest.raises(SourceNotAsked) as caught:
        asked.enter(patience_s)
    assert caught.value.retry_after is not None
    return caught.value.retry_after


def most_in_a_window(instants: list[float], window_s: float) -> int:
    return max(sum(start <= each < start + window_s for each in instants) for start in instants)


class TestAQuota:
    @pytest.mark.parametrize(("calls", "window_s"), [(7, 1), (30, 60)])
    def test_is_never_exceeded_in_any_window_wherever_it_begins(self, calls: int, window_s: int) -> None:
        stopped = StoppedClock()
        asked, instants = pace(stopped, calls, window_s), []
        while len(instants) < 10 * calls:
            try:
                asked.enter(patience_s=0)
                instants.append(stopped.elapsed_s)
                stopped.elapsed_s += 0.01
            except SourceNotAsked as refusal:
                assert refusal.retry_after is not None
                stopped.elapsed_s += refusal.retry_after.total_seconds() + 0.001
        assert most_in_a_window(instants, window_s) == calls

    def test_of_the_clocks_minute_opens_with_the_minute(self) -> None:
        stopped = StoppedClock()  # at 10:00:00
        stopped.elapsed_s = 59
        asked = pace(stopped, 250, 60, on_the_clock=True)
        for _ in range(250):
            asked.enter(0)
        assert wait_told(asked) == timedelta(seconds=1)
        stopped.elapsed_s += 1
        for _ in range(250):
            asked.enter(0)
        assert wait_told(asked) == timedelta(seconds=60)

    def test_that_opens_shortly_is_waited_for(self) -> None:
        stopped = StoppedClock()
        asked = pace(stopped, 7, 1)
        for _ in range(8):
            asked.enter(patience_s=8)
        assert stopped.pauses == [1.0]

    def test_that_opens_later_sends_to_another_source_at_once(self) -> None:
        stopped = StoppedClock()
        asked = pace(stopped, 30, 60)
        for _ in range(30):
            asked.enter(patience_s=8)
        assert wait_told(asked, patience_s=8) == timedelta(seconds=60)
        assert stopped.pauses == []

    def test_is_not_waited_for_beyond_the_budget(self) -> None:
        stopped = StoppedClock()
        asked = pace(stopped, 1, 1)
        asked.enter(0)
        assert wait_told(asked, patience_s=0.5) == timedelta(seconds=1)


class TestTheHeaders:
    def test_that_say_none_is_left_close_the_window_until_its_end(self) -> None:
        stopped = StoppedClock()
        asked = pace(stopped, 250, 60, on_the_clock=True)
        reset = int(stopped.now().timestamp()) + 42
        asked.read({"ratelimit-limit": "250", "ratelimit-remaining": "0", "ratelimit-reset": str(reset)})
        assert wait_told(asked) == timedelta(seconds=42)
        stopped.elapsed_s += 42
        asked.enter(0)

    def test_count_down_between_two_answers_and_never_up_in_one_window(self) -> None:
        stopped = StoppedClock()
        asked = pace(stopped, 250, 60, on_the_clock=True)
        reset = str(int(stopped.now().timestamp()) + 60)
        asked.read({"ratelimit-remaining": "3", "ratelimit-reset": reset})
        asked.enter(0)
        asked.read({"ratelimit-remaining": "9", "ratelimit-reset": reset})  # an answer that was late
        asked.enter(0)
        asked.enter(0)
        assert wait_told(asked) == timedelta(seconds=60)

    def test_of_a_token_with_a_larger_quota_lift_ours(self) -> None:
        stopped = StoppedClock()
        asked = pace(stopped, 2, 60, on_the_clock=True)
        told = {"ratelimit-remaining": "900", "ratelimit-reset": str(int(stopped.now().timestamp()) + 60)}
        for _ in range(100):
            asked.enter(0)
            asked.read(told)

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"ratelimit-remaining": "1", "ratelimit-reset": "9999999999"},
            {"ratelimit-remaining": "0"},
            {"ratelimit-remaining": "0", "ratelimit-reset": "soon"},
            {"ratelimit-remaining": "0", "ratelimit-reset": "60"},  # a delay, or long past
            {"ratelimit-remaining": "0", "ratelimit-reset": "99999999999"},
            {"ratelimit-remaining": "0", "ratelimit-reset": "9" * 400},
            {"ratelimit-remaining": "-1", "ratelimit-reset": "-1"},
        ],
    )
    def test_that_make_no_sense_change_nothing(self, headers: dict[str, str]) -> None:
        asked = pace(StoppedClock(), 250, 60, on_the_clock=True)
        asked.read(headers)
        asked.enter(0)


class TestASourceThatAsksForPeace:
    def test_is_left_alone_for_exactly_that_long(self) -> None:
        stopped = StoppedClock()
        asked = pace(stopped, 7, 1)
        asked.leave_alone(timedelta(seconds=90))
        stopped.elapsed_s = 89.5
        assert wait_told(asked, patience_s=8) == timedelta(seconds=0.5)
        assert stopped.pauses == []
        stopped.elapsed_s = 90
        asked.enter(0)

    def test_without_saying_for_how_long_gets_thirty_seconds(self) -> None:
        asked = pace(StoppedClock(), 7, 1)
        asked.leave_alone(None)
        assert wait_told(asked) == timedelta(seconds=30)

    def test_is_never_disturbed_sooner_by_a_later_and_shorter_wait(self) -> None:
        asked = pace(StoppedClock(), 7, 1)
        asked.leave_alone(timedelta(hours=1))
        asked.leave_alone(timedelta(seconds=1))
        assert wait_told(asked) == timedelta(hours=1)


class TestRetries:
    @pytest.mark.parametrize("calls", [1, 9, 10, 99, 1000])
    def test_never_exceed_a_tenth_of_the_calls(self, calls: int) -> None:
        retries, taken = Retries(), 0
        for _ in range(calls):
            retries.earn()
            taken += retries.take()
        assert taken == calls // 10

    def test_saved_up_are_ten_at_most(self) -> None:
        retries = Retries()
        for _ in range(100_000):
            retries.earn()
        assert [retries.take() for _ in range(11)] == [True] * 10 + [False]


class TestABudget:
    def test_is_shared_so_that_each_later_source_keeps_its_time_and_one_call(self) -> None:
        stopped = StoppedClock()
        whole = Budget(stopped.clock)
        first = whole.part(3)
        assert first.left_s == 5
        first.note_failure()
        assert first.is_spent
        stopped.elapsed_s += 5
        second = whole.part(2)
        assert second.left_s == 1.5
        second.note_failure()
        assert second.is_spent
        stopped.elapsed_s += 1.5
        third = whole.part(1)
        assert third.left_s == 1.5
        third.note_failure()
        assert whole.is_spent

    def test_of_little_time_is_shared_equally(self) -> None:
        whole = Budget(StoppedClock().clock, seconds=1.2)
        assert round(whole.part(3).left_s, 9) == 0.4

    def test_gives_the_failed_calls_nobody_used_to_the_next_source(self) -> None:
        whole = Budget(StoppedClock().clock)
        whole.part(2)
        last = whole.part(1)
        spent = []
        for _ in range(3):
            last.note_failure()
            spent.append(last.is_spent)
        assert spent == [False, False, True]

    def test_is_spent_with_its_seconds_too(self) -> None:
        stopped = StoppedClock()
        whole = Budget(stopped.clock)
        lefts = []
        for _ in range(9):
            lefts.append(whole.left_s)
            stopped.elapsed_s += 1
        assert all(later < earlier for earlier, later in pairwise(lefts))
        assert whole.is_spent
        assert whole.left_s == 0
