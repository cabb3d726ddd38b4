"""The order in which the sources are asked."""

from datetime import UTC, datetime, timedelta
from threading import Event, Semaphore, Thread

import pytest

from permits.domain.establishment import Evidence, NotFound, Protected, RegistryAnswer, RegistryUnavailable, Source
from permits.sirene.directory import Directory
from permits.sirene.errors import SourceError, SourceMisconfigured, SourceUnavailable

SIRET = "55204944776279"
NOW = datetime(2026, 9, 1, tzinfo=UTC)
REFERENCE, OPEN = Source.API_ENTREPRISE, Source.RECHERCHE_ENTREPRISES


class Scripted:
    """A source that says what it was told to."""

    def __init__(self, name: Source, outcome: RegistryAnswer | SourceError) -> None:
        self.name, self.outcome = name, outcome
        self.asked = 0
        self.closed = False

    def lookup(self, siret: str) -> RegistryAnswer:
        self.asked += 1
        if isinstance(self.outcome, SourceError):
            raise self.outcome
        return self.outcome

    def close(self) -> None:
        self.closed = True


def evidence(source: Source) -> tuple[Evidence, ...]:
    return (Evidence(source=source, fetched_at=NOW, sha256="0" * 64, parser="p"),)


def protected(source: Source) -> Protected:
    return Protected(siret=SIRET, evidence=evidence(source))


def not_found(source: Source, definite: bool) -> NotFound:
    return NotFound(siret=SIRET, definite=definite, evidence=evidence(source))


def test_the_first_certain_answer_wins() -> None:
    second = Scripted(OPEN, protected(OPEN))
    directory = Directory([Scripted(REFERENCE, not_found(REFERENCE, definite=True)), second])
    assert directory.lookup(SIRET) == not_found(REFERENCE, definite=True)
    assert second.asked == 0


@pytest.mark.parametrize(
    "error", [SourceUnavailable(REFERENCE, "HTTP 502"), SourceMisconfigured(REFERENCE, "HTTP 401")]
)
def test_a_source_without_an_answer_hands_over_to_the_next(error: SourceError) -> None:
    directory = Directory([Scripted(REFERENCE, error), Scripted(OPEN, protected(OPEN))])
    assert directory.lookup(SIRET) == protected(OPEN)


def test_not_found_by_the_open_source_while_the_reference_is_down_stays_uncertain() -> None:
    down = Scripted(REFERENCE, SourceUnavailable(REFERENCE, "HTTP 502"))
    directory = Directory([down, Scripted(OPEN, not_found(OPEN, definite=False))])
    assert directory.lookup(SIRET) == not_found(OPEN, definite=False)


def test_an_uncertain_not_found_lets_the_next_source_speak() -> None:
    directory = Directory([Scripted(OPEN, not_found(OPEN, definite=False)), Scripted(REFERENCE, protected(REFERENCE))])
    assert directory.lookup(SIRET) == protected(REFERENCE)


def test_two_uncertain_answers_make_no_certainty_but_both_are_evidence() -> None:
    sources = [Scripted(REFERENCE, not_found(REFERENCE, False)), Scripted(OPEN, not_found(OPEN, False))]
    answer = Directory(sources).lookup(SIRET)
    assert isinstance(answer, NotFound)
    assert not answer.definite
    assert [one.source for one in answer.evidence] == [REFERENCE, OPEN]


def test_when_nobody_answers_nothing_is_known_and_the_nearest_wait_is_told() -> None:
    directory = Directory(
        [
            Scripted(REFERENCE, SourceUnavailable(REFERENCE, "HTTP 503 01020", timedelta(hours=1))),
            Scripted(OPEN, SourceUnavailable(OPEN, "HTTP 429", timedelta(seconds=3))),
        ]
    )
    with pytest.raises(RegistryUnavailable) as caught:
        directory.lookup(SIRET)
    assert caught.value.reasons == ("api-entreprise: HTTP 503 01020", "recherche-entreprises: HTTP 429")
    assert caught.value.retry_after == timedelta(seconds=3)


def test_a_misconfiguration_is_logged_as_an_error_and_an_outage_as_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    directory = Directory(
        [
            Scripted(REFERENCE, SourceMisconfigured(REFERENCE, "HTTP 401 00103")),
            Scripted(OPEN, SourceUnavailable(OPEN, "ConnectError")),
        ]
    )
    with pytest.raises(RegistryUnavailable):
        directory.lookup(SIRET)
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert SIRET not in caplog.text


def test_readiness_is_told_without_asking_anybody() -> None:
    up = Scripted(OPEN, protected(OPEN))
    directory = Directory([Scripted(REFERENCE, SourceUnavailable(REFERENCE, "HTTP 502")), up], now=lambda: NOW)
    assert directory.names == (REFERENCE, OPEN)
    assert [status.last_success for status in directory.status()] == [None, None]
    directory.lookup(SIRET)
    first, second = directory.status()
    assert (first.name, first.last_failure, first.last_reason) == (REFERENCE, NOW, "HTTP 502")
    assert (second.last_success, second.last_failure) == (NOW, None)
    assert up.asked == 1


def test_one_look_up_too_many_is_told_at_once_and_a_seat_freed_serves_again() -> None:
    arrived, go = Semaphore(0), Event()

    class Slow(Scripted):
        def lookup(self, siret: str) -> RegistryAnswer:
            arrived.release()
            assert go.wait(timeout=5)
            return super().lookup(siret)

    directory = Directory([Slow(REFERENCE, protected(REFERENCE))], max_waiting=2)
    waiting = [Thread(target=directory.lookup, args=(SIRET,)) for _ in range(2)]
    for thread in waiting:
        thread.start()
    assert arrived.acquire(timeout=5)
    assert arrived.acquire(timeout=5)
    with pytest.raises(RegistryUnavailable, match="too many"):
        directory.lookup(SIRET)
    go.set()
    for thread in waiting:
        thread.join(timeout=5)
    assert directory.lookup(SIRET) == protected(REFERENCE)


def test_a_failure_gives_its_seat_back() -> None:
    directory = Directory([Scripted(REFERENCE, SourceUnavailable(REFERENCE, "HTTP 502"))], max_waiting=1)
    for _ in range(3):
        with pytest.raises(RegistryUnavailable, match="502"):
            directory.lookup(SIRET)


@pytest.mark.parametrize("text", ["", "5520494477627", "5520494477627x", "../../privileges", "٥٥٢٠٤٩٤٤٧٧٦٢٧٩"])
def test_what_is_not_a_siret_reaches_no_source(text: str) -> None:
    source = Scripted(REFERENCE, protected(REFERENCE))
    with pytest.raises(ValueError, match="14"):
        Directory([source]).lookup(text)
    assert source.asked == 0


def test_closing_closes_every_source() -> None:
    sources = [Scripted(REFERENCE, protected(REFERENCE)), Scripted(OPEN, protected(OPEN))]
    Directory(sources).close()
    assert all(source.closed for source in sources)
