"""One look at the book: a state of the database that holds still, and what is noted while reading it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shapely.errors import ShapelyError
from sqlalchemy import Connection, Result, text

from permits.register.fsck.finding import Code, Findings

# What is being read, how much of it has been, and how much there is.
Progress = Callable[[str, int, int], None]

# What reading a value of the wrong shape raises.
UNREADABLE = (
    LookupError,
    TypeError,
    ValueError,
    ArithmeticError,
    AttributeError,
    RecursionError,
    ShapelyError,
)
_BATCH = 500


def silent(_step: str, _done: int, _total: int) -> None:
    """Show nothing."""


@dataclass
class Look:
    """What every check needs: the snapshot, whose book, and the instant that counts as now."""

    connection: Connection
    authority: str
    at: datetime
    progress: Progress = silent
    findings: Findings = field(default_factory=Findings)
    read: dict[str, int] = field(default_factory=dict)
    _answers: list[Result[Any]] = field(default_factory=list)

    def found(self, code: Code, what: object, message: str) -> None:
        """Note what is wrong."""
        self.findings.add(code, what, message)

    @contextmanager
    def reading(self, what: object) -> Iterator[None]:
        """Note that `what` can't be read when a value in it has not the shape it must have, and go on."""
        try:
            yield
        except UNREADABLE as error:
            self.found(Code.UNREADABLE, what, f"{what} ne se lit pas ({error!r})")

    @contextmanager
    def one_part(self) -> Iterator[None]:
        """Read inside a savepoint: whatever one part of the check stumbles on, the next finds a sound connection."""
        with self.connection.begin_nested():
            try:
                yield
            finally:
                # Before the savepoint goes, and their cursors with it.
                while self._answers:
                    self._answers.pop().close()

    def rows(self, statement: str, **values: Any) -> list[Any]:
        """Return the rows of a short answer; `:authority` is known to every statement."""
        return list(self.connection.execute(text(statement), {"authority": self.authority} | values))

    def one(self, statement: str, **values: Any) -> Any:
        """Return the single value of an answer, None when it has no row."""
        return self.connection.execute(text(statement), {"authority": self.authority} | values).scalar()

    def stream(self, step: str, count: str, statement: str) -> Iterator[Any]:
        """Give the rows of a long answer, a batch at a time, and tell how far it has come.

        `count` is the statement that says how many there are.
        """
        total, done = self.one(count) or 0, 0
        self.progress(step, 0, total)
        for batch in self._batches(statement, {}):
            yield from batch
            done += len(batch)
            self.progress(step, done, max(done, total))
        self.read[step] = done

    def each(self, statement: str, **values: Any) -> Iterator[Any]:
        """Give the rows of an answer that is short in a sound book and may be long in a ruined one."""
        for batch in self._batches(statement, values):
            yield from batch

    def _batches(self, statement: str, values: dict[str, Any]) -> Iterator[Any]:
        held = text(statement).execution_options(stream_results=True)
        answer = self.connection.execute(held, {"authority": self.authority} | values)
        self._answers.append(answer)
        yield from answer.partitions(_BATCH)
