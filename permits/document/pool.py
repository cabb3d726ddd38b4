"""Warm worker processes that can be killed: WeasyPrint cannot be interrupted from inside.

They are forked from a small server process that has loaded the libraries and nothing else, so
neither it nor they ever hold what the main process knows.
"""

import multiprocessing
import queue
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

from permits.document.errors import PressFailed

# The first byte of an answer; the rest is the PDF, a JSON list of defects, or what went wrong.
PRINTED, DEFECTIVE, FAILED = b"P", b"L", b"E"
# A worker grows a little with each document; a fresh one takes its place before that matters.
DOCUMENTS_PER_WORKER = 500
ATTEMPTS = 2


def _work(connection: Connection, templates: Path, time_limit: float) -> None:
    """Start a worker's life, in its own process: only there is the renderer loaded."""
    from permits.document.worker import serve

    serve(connection, templates, time_limit)


class _WorkerLost(Exception):
    """The worker died or took too long; it is gone."""


class _Seat:
    """The place of one worker: filled again whenever its worker is gone."""

    def __init__(self, context: ForkServerContext, templates: Path, time_limit: float) -> None:
        self._context = context
        self._templates = templates
        self._time_limit = time_limit
        self._process: ForkServerProcess | None = None
        self._connection: Connection | None = None
        self._served = 0

    def fill(self) -> None:
        """Make sure that a living worker sits here."""
        if self._process is not None and self._process.is_alive():
            return
        self.clear()
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_work, args=(theirs, self._templates, self._time_limit), daemon=True)
        process.start()
        theirs.close()
        self._process, self._connection, self._served = process, ours, 0

    def ask(self, payload: bytes) -> bytes:
        """Return the worker's answer; on silence or death, kill it and raise _WorkerLost."""
        try:
            reply = self._exchange(payload)
        except (EOFError, OSError) as error:
            self.clear()
            raise _WorkerLost(str(error) or "the worker died") from error
        self._served += 1
        if self._served >= DOCUMENTS_PER_WORKER:
            self.clear()
            self.fill()
        return reply

    def _exchange(self, payload: bytes) -> bytes:
        self.fill()
        assert self._connection is not None
        self._connection.send_bytes(payload)
        if not self._connection.poll(self._time_limit):
            raise TimeoutError(f"no document after {self._time_limit:g} s")
        return self._connection.recv_bytes()

    def clear(self) -> None:
        """Kill the worker, if any."""
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
        self._process = self._connection = None


class Pool:
    """A few workers; each answers one payload at a time, within `time_limit` seconds."""

    def __init__(self, workers: int, templates: Path, time_limit: float) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["permits.document.worker"])
        self._time_limit = time_limit
        self._seats = [_Seat(context, templates, time_limit) for _ in range(workers)]
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
