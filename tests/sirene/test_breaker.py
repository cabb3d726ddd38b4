"""A source that fails time and again is left to itself, and found again soon after it is back."""

import pytest

from permits.domain.establishment import Source
from permits.sirene.breaker import Breaker
from permits.sirene.errors import SourceError, SourceMisconfigured, SourceNotAsked, SourceUnavailable
from tests.sirene.clock import StoppedClock

INSEE = Source.INSEE
OUTAGE = SourceUnavailable(INSEE, "HTTP 502")


@pytest.fixture
def breaker(stopped: StoppedClock) -> Breaker:
    return Breaker(INSEE, stopped.clock)


def fails(breaker: Breaker, error: Exception = OUTAGE) -> None:
    with pytest.raises(type(error)) as caught, breaker.guarding():
        raise error
    assert caught.value is error


def answers(breaker: Breaker) -> None:
    with breaker.guarding():
        pass


def rest(breaker: Breaker) -> float:
    """How long it asks to wait, in seconds."""
    with pytest.raises(SourceNotAsked) as caught, breaker.guarding():
        pytest.fail("it let a look-up through")
    assert caught.value.retry_after is not None
    return caught.value.retry_after.total_seconds()


@pytest.mark.parametrize("error", [OUTAGE, SourceMisconfigured(INSEE, "HTTP 401")])
def test_three_failures_in_a_row_open_it(breaker: Breaker, error: SourceError) -> None:
    for _ in range(3):
        assert not breaker.is_open
        fails(breaker, error)
    assert breaker.is_open
    assert rest(breaker) == 5


def test_an_answer_between_failures_keeps_it_closed(breaker: Breaker) -> None:
    for _ in range(10):
        fails(breaker)
        fails(breaker)
        answers(breaker)
    assert not breaker.is_open


def test_after_its_rest_one_look_up_alone_tries(breaker: Breaker, stopped: StoppedClock) -> None:
    for _ in range(3):
        fails(breaker)
    stopped.elapsed_s += 5
    with breaker.guarding():
        assert rest(breaker) == 1
    assert not breaker.is_open


def test_each_try_that_fails_doubles_the_rest_up_to_thirty_seconds(breaker: Breaker, stopped: StoppedClock) -> None:
    for _ in range(3):
        fails(breaker)
    rests = []
    for _ in range(5):
        rests.append(rest(breaker))
        stopped.elapsed_s += rests[-1]
        fails(breaker)
    assert rests == [5, 10, 20, 30, 30]


@pytest.mark.parametrize("error", [SourceNotAsked(INSEE, "its quota of calls is used up"), RuntimeError("ours")])
def test_a_try_that_called_nobody_teaches_nothing_and_lets_the_next_one_try(
    breaker: Breaker, stopped: StoppedClock, error: Exception
) -> None:
    for _ in range(3):
        fails(breaker)
    stopped.elapsed_s += 5
    fails(breaker, error)
    assert breaker.is_open
    answers(breaker)
    assert not breaker.is_open


def test_what_called_nobody_never_opens_it(breaker: Breaker) -> None:
    for _ in range(10):
        fails(breaker, SourceNotAsked(INSEE, "left alone, as it asked"))
    assert not breaker.is_open


def test_a_late_failure_does_not_prolong_the_rest(breaker: Breaker, stopped: StoppedClock) -> None:
    late = breaker.guarding()
    late.__enter__()
    for _ in range(3):
        fails(breaker)
    stopped.elapsed_s += 4
    assert not late.__exit__(SourceUnavailable, OUTAGE, None), "it swallowed the failure"
    assert rest(breaker) == 1
