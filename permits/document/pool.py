"""Warm worker processes that can be killed: WeasyPrint cannot be interrupted from inside.

They are forked from a small server process that has loaded the libraries and nothing else, so
neither it nor they ever hold what the main process knows.
"""

import multiprocessing
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from tempfile import TemporaryDirectory

from permits.document.errors import PressFailed

# The first byte of an answer; the rest is the PDF, a JSON list of defects, or what went wrong.
PRINTED, DEFECTIVE, FAILED = b"P", b"L", b"E"
# A worker grows a little with each document; a fresh one takes its place before that matters.
DOCUMENTS_PER_WORKER = 500
ATTEMPTS = 2
# Many times the longest act: what says more is no document.
ANSWER_BYTES = 32 * 1024**2


def _work(connection: Connection, templates: Path, time_limit: float, scratch: Path) -> None:
    """Start a worker's life, in its own process: only there is the renderer loaded."""
    from permits.document.worker import serve

    serve(connection, templates, time_limit, scratch)


class _WorkerLost(Exception):
    """The worker died or took too long; it is gone."""


class _Worker:
    """One living process and the line to it."""

    def __init__(self, context: ForkServerContext, templates: Path, time_limit: float) -> None:
        self._time_limit = time_limit
        self._scratch = TemporaryDirectory(prefix="permits-page-", ignore_cleanup_errors=True)
        self._connection, theirs = context.Pipe()
        arguments = (theirs, templates, time_limit, Path(self._scratch.name))
        self._process = context.Process(target=_work, args=arguments, daemon=True)
        self._process.start()
        theirs.close()
        self.served = 0

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive()

    def ask(self, payload: bytes) -> bytes:
        """Return the answer; raise EOFError or OSError when the worker dies, says too much, or is not done in time."""
        with self._killed_in_time():
            self._connection.send_bytes(payload)
            answer = self._connection.recv_bytes(ANSWER_BYTES)
        self.served += 1
        return answer

    @contextmanager
    def _killed_in_time(self) -> Iterator[None]:
        """Kill the process at its time: nothing else ends a read that it has begun to answer."""
        limit = threading.Timer(self._time_limit, self._process.kill)
        limit.start()
        begun = time.monotonic()
        try:
            yield
        except (EOFError, OSError) as error:
            if time.monotonic() - begun < self._time_limit:
                raise
            raise TimeoutError(f"no document after {self._time_limit:g} s") from error
        finally:
            limit.cancel()
            limit.join()  # else it could kill what the next process is called by then

    def end(self) -> None:
        self._connection.close()
        self._process.kill()
        self._process.join()
        self._process.close()
        self._scratch.cleanup()


class _Seat:
    """The place of one worker: filled again whenever its worker is gone."""

    def __init__(self, hire: Callable[[], _Worker]) -> None:
        self._hire = hire
        self._worker: _Worker | None = None

    def fill(self) -> _Worker:
        """Return the worker that sits here, a new one if there is none alive."""
        if self._worker is None or not self._worker.is_alive:
            self.clear()
            self._worker = self._hire()
        return self._worker

    def ask(self, payload: bytes) -> bytes:
        """Return the worker's answer; on silence or death, kill it and raise _WorkerLost."""
        try:
            worker = self.fill()
            reply = worker.ask(payload)
        except (EOFError, OSError) as error:
            self.clear()
            raise _WorkerLost(str(error) or "the worker died") from error
        if worker.served >= DOCUMENTS_PER_WORKER:
            self.clear()
        return reply

    def clear(self) -> None:
        """End the worker, if any."""
        if self._worker is not None:
            self._worker.end()
        self._worker = None


class Pool:
    """A few workers; each answers one payload at a time, within `time_limit` seconds."""

    def __init__(self, workers: int, templates: Path, time_limit: float) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["permits.document.worker"])
        self._time_limit = time_limit
        self._seats = [_Seat(partial(_Worker, context, templates, time_limit)) for _ in range(workers)]
        self._free: queue.Queue[_Seat] = queue.Queue()
        self._open = False

    def start(self) -> None:
        """Start the workers; they read templates and fonts while this returns."""
        for seat in self._seats:
            seat.fill()
            self._free.put(seat)
        self._open = True

    def ask(self, payload: bytes) -> bytes:
        """Return a worker's answer, tried once more if the worker is lost; then raise PressFailed."""
        seat = self._take()
        try:
            for _ in range(ATTEMPTS - 1):
                with suppress(_WorkerLost):
                    return seat.ask(payload)
            return seat.ask(payload)
        except _WorkerLost as loss:
            raise PressFailed(str(loss)) from loss
        finally:
            self._free.put(seat)

    def _take(self) -> _Seat:
        if not self._open:
            raise PressFailed("the press is not running")
        try:
            return self._free.get(timeout=ATTEMPTS * self._time_limit)
        except queue.Empty:
            raise PressFailed("no worker is free") from None

    def check(self) -> None:
        """Fill the seats that wait empty; raise PressFailed when that cannot be done."""
        if not self._open:
            raise PressFailed("the press is not running")
        for _ in self._seats:
            try:
                seat = self._free.get_nowait()
            except queue.Empty:  # the others are at work, and their time is bounded
                return
            try:
                seat.fill()
            except OSError as error:
                raise PressFailed(f"no worker can be started: {error}") from error
            finally:
                self._free.put(seat)

    def close(self) -> None:
        """Let the documents in hand be finished, then end the workers."""
        if not self._open:
            return
        self._open = False
        for _ in self._seats:
            with suppress(queue.Empty):  # a worker not back by then ends with this process
                self._free.get(timeout=ATTEMPTS * self._time_limit).clear()
