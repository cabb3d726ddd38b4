"""The same service in this process, each step of its walk under a stopwatch: the product itself has none."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import uvicorn
from sqlalchemy import event

import permits.issue
from app import build
from permits.settings import Settings

# Step -> where it is: a part of the desk and its method, or a function of the walk.
PARTS = {
    "find an earlier filing": ("register", "find_filed"),
    "gather: registry": ("registry", "lookup"),
    "gather: geocoder": ("geocoder", "locate"),
    "gather: standing permits": ("register", "standing_permits"),
    "record (T1)": ("register", "record_decision"),
    "print + lint": ("press", "print_and_lint"),
    "seal + verify": ("press", "seal"),
    "file (T2)": ("register", "file"),
}
FUNCTIONS = {"measure the footprint": "measure", "decide": "decide"}
NUMBER_LOCK = "T1: number's row locked"
ORDER = (
    "find an earlier filing",
    "measure the footprint",
    "gather: registry",
    "gather: geocoder",
    "gather: standing permits",
    "decide",
    "record (T1)",
    NUMBER_LOCK,
    "print + lint",
    "seal + verify",
    "file (T2)",
)


class Stopwatch:
    """The seconds each step took, every time."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = defaultdict(list)
        self._mine = threading.local()

    def timed(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> Any:
            started = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                ended = time.perf_counter()
                self.times[step].append(ended - started)
                if step == "record (T1)" and hasattr(self._mine, "locked_at"):
                    self.times[NUMBER_LOCK].append(ended - self._mine.locked_at)

        return run

    def see_statement(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        """Note when this thread obtained the number: its row stays locked until the commit."""
        if statement.startswith("INSERT INTO counter"):
            self._mine.locked_at = time.perf_counter()


class Timed:
    """A part of the desk, some of its methods under the stopwatch."""

    def __init__(self, part: Any, steps: dict[str, str], watch: Stopwatch) -> None:
        self._part, self._steps, self._watch = part, steps, watch

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        return self._watch.timed(self._steps[name], found) if name in self._steps else found


@contextmanager
def watched_service(settings: Settings) -> Iterator[Stopwatch]:
    """Serve with these settings in a thread of this process, until the caller is done."""
    watch = Stopwatch()
    service = build(settings)
    context = service.state.context
    parts = {}
    for part in {part for part, _ in PARTS.values()}:
        steps = {method: step for step, (owner, method) in PARTS.items() if owner == part}
        parts[part] = Timed(getattr(context.desk, part), steps, watch)
    service.state.context = replace(context, desk=replace(context.desk, **parts))
    event.listen(context.catalogue.engine, "after_cursor_execute", watch.see_statement)
    server = uvicorn.Server(uvicorn.Config(service, host=settings.host, port=settings.port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    with _timed_functions(watch):
        thread.start()
        deadline = time.monotonic() + 60
        while not server.started and thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.05)
        if not server.started:
            raise RuntimeError("the service did not start")
        yield watch
        server.should_exit = True
        thread.join(60)


@contextmanager
def _timed_functions(watch: Stopwatch) -> Iterator[None]:
    with ExitStack() as stack:
        for step, name in FUNCTIONS.items():
            timed = watch.timed(step, getattr(permits.issue, name))
            stack.enter_context(patch.object(permits.issue, name, timed))
        yield
