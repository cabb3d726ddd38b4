"""One look at the book: a state of the database that holds still, and what is noted while reading it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from permits.register.fsck.finding import Code, Findings

# What is being read, how much of it has been, and how much there is.
Progress = Callable[[str, int, int], None]

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

    def found(self, code: Code, what: object, message: str) -> None:
        """Note what is wrong."""
        self.findings.add(code, what, message)

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
        held = text(statement).execution_options(stream_results=True)
        with self.connection.execute(held, {"authority": self.authority}) as answer:
            for batch in answer.partitions(_BATCH):
                yield from batch
                done += len(batch)
                self.progress(step, done, max(done, total))
        self.read[step] = done
