"""Runs the jobs of the register's queue, in a thread of its own.

Every job can be run twice without harm: it looks at the present state first, and the first recorded
document wins.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event, Thread
from uuid import UUID

import procrastinate
from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
from procrastinate.jobs import Job, Status
from sqlalchemy import Engine

from permits.desk import Desk
from permits.domain.calendar import PARIS
from permits.domain.establishment import RegistryUnavailable
from permits.issue import finish_act
from permits.jobs.archive import Archiving
from permits.jobs.drain import Drain
from permits.register.database import conninfo
from permits.register.purge import purge
from permits.register.queue import FINISH
from permits.register.traces import Errand, Purpose, on_errand
from permits.register.waiting import WaitingLine

log = logging.getLogger(__name__)

LONGEST_WAIT_S = 300
STALLED_AFTER_S = 30
RESTART_AFTER_S = 2.0
# A service that is told to stop while its database is gone must not wait longer than its supervisor does.
DATABASE_AWAITED_S = 3.0
# The drain and the purge may each last: what is to be sealed has places of its own.
CONCURRENCY = 4
# At 03:17 in Paris: in one of these two hours of UTC, with the season.
PURGE_AT = "17 1,2 * * *"
# Once a night: whoever reads the log in the morning has it.
WARN_AT = "23 2 * * *"


class Patience(BaseRetryStrategy):
    """Retry for ever, waiting twice as long each time up to five minutes, or as long as the registry asks."""

    def __init__(self, first_wait_s: int) -> None:
        self._first_wait_s = first_wait_s

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        wait = min(self._first_wait_s * 2 ** min(job.attempts, 10), LONGEST_WAIT_S)
        if isinstance(exception, RegistryUnavailable) and exception.retry_after is not None:
            wait = max(wait, round(exception.retry_after.total_seconds()))
        return RetryDecision(retry_in={"seconds": wait})


class Worker:
    """One worker, in a thread: `start`, then `stop`."""

    def __init__(
        self,
        desk: Desk,
        engine: Engine,
        authority: str,
        archiving: Archiving | None = None,
        *,
        warn_of_expiry: Callable[[], None] | None = None,
        first_wait_s: int = 10,
        concurrency: int = CONCURRENCY,
    ) -> None:
        self._desk = desk
        self._engine = engine
        self._authority = authority
        self._app = App(
            connector=PsycopgConnector(
                conninfo=conninfo(engine), min_size=1, max_size=concurrency + 2, timeout=DATABASE_AWAITED_S
            )
        )
        self._concurrency = concurrency
        self._thread = Thread(target=self._run, name="jobs", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._ready = Event()
        self._stopping = Event()
        patience = Patience(first_wait_s)
        self._declare_finish(patience)
        self._declare_drain()
        self._declare_purge(patience)
        self._declare_retry_stalled()
        if archiving is not None:
            self._declare_archiving(archiving)
        if warn_of_expiry is not None:
            self._declare_warning(warn_of_expiry)

    def start(self) -> None:
        """Start running jobs; returns once the loop is up."""
        self._thread.start()
        self._ready.wait(timeout=10)

    def stop(self) -> None:
        """Let the jobs in hand end, then stop."""
        self._stopping.set()
        if self._loop is not None and self._task is not None and not self._task.done():
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(timeout=30)

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def _declare_finish(self, patience: Patience) -> None:
        @self._app.task(name=FINISH, retry=patience)
        def finish(act_id: str) -> None:
            with on_errand(Errand(Purpose.SEALING, UUID(act_id))):
                finish_act(self._desk, UUID(act_id))

    def _declare_drain(self) -> None:
        """One drain at a time on the whole installation: `lock` for the running one, `queueing_lock` for the next."""
        drain = Drain(self._desk, WaitingLine(self._engine, self._authority))

        @self._app.periodic(cron="* * * * * */5")
        @self._app.task(name="drain_waiting", lock="drain_waiting", queueing_lock="drain_waiting")
        def drain_waiting(timestamp: int) -> None:
            try:
                if decided := drain.run(self._stopping.is_set):
                    log.info("what waited for the registry is decided", extra={"decided": decided})
            except Exception:
                # All are still in the queue, and the next one is a few seconds away.
                log.exception("the drain of what waits for the registry ended early")

    def _declare_purge(self, patience: Patience) -> None:
        @self._app.periodic(cron=PURGE_AT)
        @self._app.task(name="purge", lock="purge", retry=patience)
        def purge_at_night(timestamp: int) -> None:
            if not is_time_to_purge(datetime.fromtimestamp(timestamp, UTC)):
                return
            retention = self._desk.today().law.rulebook.retention
            erased = purge(self._engine, self._authority, retention, self._desk.clock())
            log.info("what was kept long enough is erased", extra=erased)

    def _declare_archiving(self, archiving: Archiving) -> None:
        """One run at a time on the whole installation: `lock` is that of both."""

        def run(what: str, once: Callable[[Callable[[], bool]], int]) -> None:
            if made := once(self._stopping.is_set):
                log.info("archive copies are made", extra={"why": what, "made": made})

        @self._app.periodic(cron="* * * * *")
        @self._app.task(name="stamp_deferred", lock="archive", queueing_lock="stamp_deferred")
        def stamp_deferred(timestamp: int) -> None:
            run("deferred", archiving.stamp_deferred)

        @self._app.periodic(cron="*/10 * * * *")
        @self._app.task(name="continue_due", lock="archive", queueing_lock="continue_due")
        def continue_due(timestamp: int) -> None:
            run("due", archiving.continue_due)

    def _declare_warning(self, warn_of_expiry: Callable[[], None]) -> None:
        @self._app.periodic(cron=WARN_AT)
        @self._app.task(name="warn_of_expiry", queueing_lock="warn_of_expiry")
        def warn_at_night(timestamp: int) -> None:
            warn_of_expiry()

    def _declare_retry_stalled(self) -> None:
        jobs = self._app.job_manager

        @self._app.periodic(cron="* * * * * */10")
        @self._app.task(name="retry_stalled", queueing_lock="retry_stalled")
        async def retry_stalled(timestamp: int) -> None:
            for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_S):
                log.warning("a job whose worker died is taken up again", extra={"task": job.task_name})
                if job.queueing_lock is None:
                    await jobs.retry_job(job)
                else:
                    # A periodic one: the next is queued already, and may not be queued twice.
                    await jobs.finish_job(job, Status.FAILED, delete_job=True)

    def _run(self) -> None:
        """Serve until told to stop; what ends it otherwise, such as a lost database, is waited out."""
        while not self._stopping.is_set():
            try:
                asyncio.run(self._serve())
            except asyncio.CancelledError:
                return
            except Exception:
                log.exception("the worker lost its database and will try again")
            self._ready.set()
            self._stopping.wait(RESTART_AFTER_S)

    async def _serve(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._ready.set()
        async with self._app.open_async():
            await self._app.run_worker_async(
                concurrency=self._concurrency,
                install_signal_handlers=False,
                delete_jobs=procrastinate.jobs.DeleteJobCondition.SUCCESSFUL.value,
                listen_notify=True,
                fetch_job_polling_interval=5,
            )


def is_time_to_purge(at: datetime) -> bool:
    """Tell of the ticks of PURGE_AT which one is at night in Paris."""
    return at.astimezone(PARIS).hour == 3


def resume(desk: Desk, acts: list[UUID]) -> int:
    """Finish these reserved acts now; return how many are issued. What fails stays for its own job."""
    issued = 0
    for act_id in acts:
        try:
            with on_errand(Errand(Purpose.SEALING, act_id)):
                act = finish_act(desk, act_id)
        except Exception:
            log.exception("a reserved permit could not be finished", extra={"act": str(act_id)})
            continue
        issued += act is not None and act.document_sha256 is not None
    return issued
