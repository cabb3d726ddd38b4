"""Runs the jobs of the register's queue, in a thread of its own.

Every job can be run twice without harm: it looks at the present state first, and the first recorded
document wins.
"""

import asyncio
import logging
from threading import Event, Thread
from uuid import UUID

import procrastinate
from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
from procrastinate.jobs import Job

from permits.desk import Desk
from permits.domain.establishment import RegistryUnavailable
from permits.issue import decide_waiting, finish_act
from permits.register.queue import DECIDE, FINISH
from permits.register.traces import Errand, Purpose, on_errand

log = logging.getLogger(__name__)

LONGEST_WAIT_S = 300
STALLED_AFTER_S = 30
RESTART_AFTER_S = 2.0
# A service that is told to stop while its database is gone must not wait longer than its supervisor does.
DATABASE_AWAITED_S = 3.0


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

    def __init__(self, desk: Desk, conninfo: str, *, first_wait_s: int = 10, concurrency: int = 2) -> None:
        self._desk = desk
        self._app = App(
            connector=PsycopgConnector(
                conninfo=conninfo, min_size=1, max_size=concurrency + 2, timeout=DATABASE_AWAITED_S
            )
        )
        self._concurrency = concurrency
        self._thread = Thread(target=self._run, name="jobs", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._ready = Event()
        self._stopping = Event()
        self._declare(Patience(first_wait_s))

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

    def _declare(self, patience: Patience) -> None:
        desk, app = self._desk, self._app

        @app.task(name=DECIDE, retry=patience)
        def decide(application_id: str) -> None:
            with on_errand(Errand(Purpose.WAITING, UUID(application_id))):
                decide_waiting(desk, UUID(application_id))

        @app.task(name=FINISH, retry=patience)
        def finish(act_id: str) -> None:
            with on_errand(Errand(Purpose.SEALING, UUID(act_id))):
                finish_act(desk, UUID(act_id))

        @app.periodic(cron="* * * * *")
        @app.task(name="retry_stalled", queueing_lock="retry_stalled")
        async def retry_stalled(timestamp: int) -> None:
            for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_S):
                log.warning("retrying a job whose worker died", extra={"task": job.task_name})
                await app.job_manager.retry_job(job)

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
