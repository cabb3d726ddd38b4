"""Jobs really run: on PostgreSQL, by Procrastinate, from what the register enqueued."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from croniter import croniter  # type: ignore[import-untyped]
from procrastinate.jobs import Job
from sqlalchemy import Engine, create_engine, text

from permits.document.errors import PrintError
from permits.domain.act import ActState
from permits.domain.calendar import PARIS, paris_day
from permits.domain.establishment import RegistryAnswer, RegistryUnavailable
from permits.domain.filing import Filed
from permits.examples import with_coming_dates
from permits.issue import issue_permit
from permits.jobs.worker import LONGEST_WAIT_S, PURGE_AT, Patience, Worker, is_time_to_purge, resume
from permits.register.readings import Reading, Subject, note_reading
from tests.acting import rows
from tests.fakes import FakeOffice, FakeRegistry, request_body
from tests.jobs.line import decided, places, wait_in_line

_WORKERS_SESSIONS = "FROM pg_stat_activity WHERE application_name = 'permits-jobs' AND datname = current_database()"


@pytest.fixture
def busy_office(office: FakeOffice) -> FakeOffice:
    """An office two minutes in the past, so that what it enqueues is due at once."""
    office.clock.now = datetime.now(UTC) - timedelta(minutes=2)
    return office


def worker_of(office: FakeOffice) -> Worker:
    return Worker(office.desk, office.register.engine, office.register.authority, first_wait_s=1)


@pytest.fixture
def worker(busy_office: FakeOffice) -> Iterator[Worker]:
    worker = worker_of(busy_office)
    yield worker
    worker.stop()


def body(office: FakeOffice) -> dict[str, object]:
    return with_coming_dates(request_body(), office.clock().date())


def eventually(condition: Callable[[], bool], within_s: float = 15) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def is_issued(office: FakeOffice, filed: Filed) -> bool:
    """Tell whether this application has its issued permit by now."""
    later = office.register.application(filed.filing.application_id)
    return later is not None and later.act is not None and later.act.state is ActState.ISSUED


def sessions(engine: Engine) -> int:
    """Return how many sessions the worker has on this database."""
    with engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) {_WORKERS_SESSIONS}")).scalar_one())


def end_sessions(engine: Engine) -> None:
    with engine.connect() as connection:
        assert connection.execute(text(f"SELECT pg_terminate_backend(pid) {_WORKERS_SESSIONS}")).all() != []


@contextmanager
def closed_to_everybody(engine: Engine) -> Iterator[None]:
    """A database that takes no new session."""
    name = engine.url.database
    elsewhere = create_engine(engine.url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with elsewhere.connect() as connection:
        connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'))
        try:
            yield
        finally:
            connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'))
    elsewhere.dispose()


def test_what_waited_for_the_registry_is_decided_without_anybody_asking(
    busy_office: FakeOffice, worker: Worker
) -> None:
    busy_office.registry.is_down = True
    filed, _ = issue_permit(busy_office.desk, busy_office.filing(body(busy_office)))
    worker.start()
    assert eventually(lambda: len(busy_office.registry.asked) >= 2), "the job asked again and was told to wait"
    busy_office.registry.is_down = False

    assert eventually(lambda: is_issued(busy_office, filed))


def test_a_permit_left_reserved_is_finished_by_its_job(busy_office: FakeOffice, worker: Worker) -> None:
    busy_office.press.broken = PrintError("encre")
    filed, _ = issue_permit(busy_office.desk, busy_office.filing(body(busy_office)))
    busy_office.press.broken = None
    assert filed.act is not None
    worker.start()

    assert eventually(lambda: is_issued(busy_office, filed))
    assert len(busy_office.press.made) == 1


def test_a_job_whose_worker_died_is_run_again(busy_office: FakeOffice, worker: Worker) -> None:
    busy_office.press.broken = PrintError("encre")
    filed, _ = issue_permit(busy_office.desk, busy_office.filing(body(busy_office)))
    busy_office.press.broken = None
    assert filed.act is not None
    with busy_office.register.engine.begin() as connection:
        # As a killed worker leaves it: taken, by somebody who gives no more sign of life.
        connection.execute(
            text(
                "WITH dead AS (INSERT INTO jobs.procrastinate_workers (last_heartbeat)"
                " VALUES (now() - interval '5 minutes') RETURNING id)"
                " UPDATE jobs.procrastinate_jobs SET status = 'doing', worker_id = (SELECT id FROM dead)"
            )
        )
    worker.start()

    assert eventually(lambda: is_issued(busy_office, filed), within_s=75)


def test_the_worker_survives_the_loss_of_its_database_sessions(busy_office: FakeOffice, worker: Worker) -> None:
    worker.start()
    assert eventually(lambda: sessions(busy_office.register.engine) > 0)
    end_sessions(busy_office.register.engine)
    busy_office.registry.is_down = True
    filed, _ = issue_permit(busy_office.desk, busy_office.filing(body(busy_office)))
    busy_office.registry.is_down = False

    def is_granted() -> bool:
        later = busy_office.register.application(filed.filing.application_id)
        return later is not None and later.outcome == "granted"

    assert eventually(is_granted, within_s=30)
    assert worker.is_alive()


def test_the_worker_stops_soon_although_its_database_is_gone(busy_office: FakeOffice, worker: Worker) -> None:
    """Ten seconds are what a supervisor commonly grants before it kills."""
    engine = busy_office.register.engine
    worker.start()
    assert eventually(lambda: sessions(engine) > 0)
    with closed_to_everybody(engine):
        end_sessions(engine)
        begun = time.monotonic()
        worker.stop()
        assert time.monotonic() - begun < 10
        assert not worker.is_alive()


class OneAtATime(FakeRegistry):
    """A registry that takes its time, and notes how many ask it at once."""

    asking: ClassVar[int] = 0
    most: ClassVar[int] = 0

    def lookup(self, siret: str, **asked: Any) -> RegistryAnswer:
        cls = type(self)
        cls.asking += 1
        cls.most = max(cls.most, cls.asking)
        time.sleep(0.1)
        cls.asking -= 1
        return super().lookup(siret, **asked)


@pytest.fixture
def slow(busy_office: FakeOffice) -> FakeOffice:
    """An office with ten applications in the queue of a slow registry."""
    OneAtATime.asking = OneAtATime.most = 0
    wait_in_line(busy_office, 10, body(busy_office))
    busy_office.registry = OneAtATime(busy_office.clock)
    busy_office.desk = replace(busy_office.desk, registry=busy_office.registry)
    return busy_office


def test_two_workers_on_one_database_drain_as_one(slow: FakeOffice) -> None:
    """As two services of the same city would: one asks at a time, in order, and each application is decided once."""
    asked = [each for each, _, _ in places(slow)]
    workers = [worker_of(slow), worker_of(slow)]
    for worker in workers:
        worker.start()
    try:
        assert eventually(lambda: places(slow) == [], within_s=30)
    finally:
        for worker in workers:
            worker.stop()

    assert slow.registry.asked == decided(slow) == asked
    assert OneAtATime.most == 1


def test_a_worker_that_is_told_to_stop_leaves_the_rest_in_the_queue_for_the_next(slow: FakeOffice) -> None:
    asked = [each for each, _, _ in places(slow)]
    first, second = worker_of(slow), worker_of(slow)
    first.start()
    assert eventually(lambda: len(decided(slow)) >= 2)
    first.stop()
    assert not first.is_alive()
    assert [each for each, _, _ in places(slow)] == asked[len(decided(slow)) :] != []

    second.start()
    assert eventually(lambda: places(slow) == [])
    second.stop()
    assert slow.registry.asked == decided(slow) == asked


# As a killed worker leaves the queue: one drain taken, by somebody who gives no more sign of life, and the next queued.
DEAD = """
WITH dead AS (
    INSERT INTO jobs.procrastinate_workers (last_heartbeat) VALUES (now() - interval '5 minutes') RETURNING id
)
INSERT INTO jobs.procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args, status, worker_id)
SELECT 'default', 'drain_waiting', 'drain_waiting', 'drain_waiting', '{"timestamp": 1}',
    status::jobs.procrastinate_job_status, CASE status WHEN 'doing' THEN dead.id END
FROM dead, unnest(ARRAY['doing', 'todo']) status
"""


def test_a_drain_whose_worker_died_does_not_hold_up_the_next(busy_office: FakeOffice, worker: Worker) -> None:
    """It holds the lock of the drain, and the next waits in the queue already: it may not be put there twice."""
    asked = wait_in_line(busy_office, 3, body(busy_office))
    with busy_office.register.engine.begin() as connection:
        connection.exec_driver_sql(DEAD)
    worker.start()

    assert eventually(lambda: decided(busy_office) == asked, within_s=45)


# --- what is erased every night ----------------------------------------------------------------


def log_line(office: FakeOffice, at: datetime) -> None:
    reading = Reading(at, office.client_id, uuid4(), Subject.PERMITS, None)
    note_reading(office.register.engine, office.register.authority, reading)


@pytest.mark.parametrize(("hour", "is_erased"), [(3, True), (2, False)])
def test_every_night_what_was_kept_long_enough_is_erased_without_anybody_asking(
    busy_office: FakeOffice, worker: Worker, hour: int, is_erased: bool, caplog: pytest.LogCaptureFixture
) -> None:
    now = busy_office.clock()
    log_line(busy_office, now - timedelta(days=3 * 366 + 1))
    log_line(busy_office, now - timedelta(days=3 * 365 - 1))
    night = datetime.combine(now.astimezone(PARIS).date(), clock_time(hour, 17), PARIS)
    with busy_office.register.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO jobs.procrastinate_jobs (queue_name, task_name, lock, args)"
                " VALUES ('default', 'purge', 'purge', :args)"
            ),
            {"args": f'{{"timestamp": {int(night.timestamp())}}}'},
        )
    with caplog.at_level(logging.INFO):
        worker.start()
        jobs = "SELECT 1 FROM jobs.procrastinate_jobs WHERE task_name = 'purge'"
        assert eventually(lambda: rows(busy_office, jobs) == [])

    assert rows(busy_office, "SELECT count(*) FROM access_log") == [(1 if is_erased else 2,)]
    told = [record for record in caplog.records if record.getMessage() == "what was kept long enough is erased"]
    assert [record.__dict__["access_log"] for record in told] == ([1] if is_erased else [])


@pytest.mark.parametrize("year", [2026, 2027, 2032])
def test_there_is_one_night_a_day_whatever_the_season(year: int) -> None:
    ticks = croniter(PURGE_AT, datetime(year, 1, 1, tzinfo=UTC))
    nights = [tick for tick in (ticks.get_next(datetime) for _ in range(2 * 365)) if is_time_to_purge(tick)]

    assert len({paris_day(night) for night in nights}) == len(nights) == 365
    assert {f"{night.astimezone(PARIS):%H:%M}" for night in nights} == {"03:17"}


def test_resuming_finishes_what_it_can_and_leaves_the_rest(busy_office: FakeOffice) -> None:
    busy_office.press.broken = PrintError("encre")
    filed, _ = issue_permit(busy_office.desk, busy_office.filing(body(busy_office)))
    assert filed.act is not None
    assert resume(busy_office.desk, [filed.act.id]) == 0
    busy_office.press.broken = None
    assert list(busy_office.register.reserved_before(datetime.now(UTC))) == [filed.act.id]
    assert resume(busy_office.desk, [filed.act.id]) == 1
    assert list(busy_office.register.reserved_before(datetime.now(UTC))) == []


@pytest.mark.parametrize(("attempts", "wait"), [(0, 10), (1, 20), (4, 160), (5, LONGEST_WAIT_S), (99, LONGEST_WAIT_S)])
def test_patience_doubles_up_to_its_limit(attempts: int, wait: int) -> None:
    assert wait_of(Patience(10), RuntimeError(), attempts) == pytest.approx(wait, abs=1)


def test_patience_obeys_the_registry() -> None:
    outage = RegistryUnavailable(("maintenance",), retry_after=timedelta(seconds=900))

    assert wait_of(Patience(10), outage, 0) == pytest.approx(900, abs=1)


def wait_of(patience: Patience, error: Exception, attempts: int) -> float:
    job = Job(
        id=1, status=None, queue="default", priority=0, lock=None, queueing_lock=None, task_name="x", attempts=attempts
    )
    decision = patience.get_retry_decision(exception=error, job=job)
    assert decision is not None and decision.retry_at is not None
    return (decision.retry_at - datetime.now(UTC)).total_seconds()
