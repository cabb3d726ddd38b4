"""What must be true of the book after any fault, looked at from outside: the database, and what callers were told."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from sqlalchemy import Engine, text

from tests.document.readers import three_readers_accept


@dataclass(frozen=True)
class Line:
    """One application with its act, as the database holds them; without an act its fields are None."""

    key: str
    series: str | None
    number: int | None
    label: str | None
    state: str | None
    document_sha256: str | None
    content_sha256: str | None
    times_issued: int


@dataclass(frozen=True)
class Book:
    """Every line, the last number each series gave, and how many documents are stored, at one instant."""

    lines: list[Line]
    counters: dict[str, int]
    documents: int


_LINES = (
    "SELECT application.idempotency_key, act.authority || '/' || act.series || '/' || act.year, act.number,"
    " act.label, act.state, act.document_sha256, {digest}, coalesce(told.times, 0)"
    " FROM application LEFT JOIN act ON act.application_id = application.id"
    " LEFT JOIN document ON document.sha256 = act.document_sha256"
    " LEFT JOIN (SELECT entry->>'act' AS label, count(*) AS times FROM audit_entry WHERE event = 'issued'"
    " GROUP BY entry->>'act') AS told ON told.label = act.label"
)
_COUNTERS = "SELECT authority || '/' || series || '/' || year AS series, value FROM counter"


def read_book(engine: Engine, *, hashing: bool = True) -> Book:
    """Return the book at this instant; `hashing` computes each document's digest again from its bytes."""
    digest = "encode(sha256(document.content), 'hex')" if hashing else "document.sha256"
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        lines = [Line(*row) for row in connection.execute(text(_LINES.format(digest=digest)))]
        counters = connection.execute(text(_COUNTERS))
        documents = connection.execute(text("SELECT count(*) FROM document"))
        return Book(lines, {row.series: row.value for row in counters}, int(documents.scalar_one()))


def have_documents_read(engine: Engine, certificate: x509.Certificate) -> int:
    """Have three readers that are not ours accept every document that was issued; return how many there are."""
    with engine.connect() as connection:
        documents = connection.execute(text("SELECT content FROM document")).scalars().all()
    for content in documents:
        three_readers_accept(bytes(content), [certificate])
    return len(documents)


@dataclass
class Promises:
    """What callers were told, by idempotency key: the number and, once issued, the digest of the document."""

    told: dict[str, tuple[str, str]] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def add(self, key: str, permit: dict[str, Any]) -> None:
        """Keep what a 2xx answer said; a word that differs from an earlier one is a broken promise."""
        number, now = permit["number"], (permit["number"], permit["document_sha256"])
        if self.numbers.setdefault(key, number) != number:
            self.broken.append(f"{key} was {self.numbers[key]} and is {number}")
        if permit["state"] == "issued" and self.told.setdefault(key, now) != now:
            self.broken.append(f"{key} was {self.told[key]} and is {now}")


def numbering_faults(numbers: list[int], last: int) -> list[str]:
    """Say which numbers of one series and year are there twice or too much, and which of 1…`last` are not there."""
    seen = Counter(numbers)
    repeated = [f"{number} is given {times} times" for number, times in seen.items() if times > 1]
    missing = [f"{number} is missing" for number in range(1, last + 1) if number not in seen]
    return repeated + missing + [f"{number} was never given" for number in seen if not 1 <= number <= last]


def faults(book: Book, promises: Promises) -> list[str]:
    """Say everything that is wrong in the book, at whatever instant it was read: in the middle of a crash as after."""
    found = [f"{key} has {times} lines" for key, times in Counter(line.key for line in book.lines).items() if times > 1]
    acts = [line for line in book.lines if line.number is not None]
    found += [f"{line.key} has no act" for line in book.lines if line.number is None]
    for series in {line.series or "" for line in acts} | book.counters.keys():
        numbers = [line.number for line in acts if line.series == series and line.number is not None]
        found += [f"{series}: {told}" for told in numbering_faults(numbers, book.counters.get(series, 0))]
    for line in acts:
        found += _faults_of_act(line)
    sealed = sum(line.document_sha256 is not None for line in acts)
    if book.documents != sealed:
        found.append(f"{book.documents} documents for {sealed} sealed acts")
    return found + _broken_promises(book, promises) + promises.broken


def unfinished(book: Book, keys: Iterable[str]) -> list[str]:
    """Say what is still to be done, after each of `keys` was filed until it was answered: nothing may be."""
    there = {line.key for line in book.lines}
    found = [f"{key} has no line" for key in set(keys) - there]
    found += [f"{key} was filed by nobody" for key in there - set(keys)]
    return found + [f"{line.label} is {line.state}" for line in book.lines if line.state != "issued"]


def _faults_of_act(line: Line) -> list[str]:
    found = []
    if line.state not in ("reserved", "issued"):
        found.append(f"{line.label} is {line.state}")
    if (line.state == "issued") != (line.document_sha256 is not None) or line.content_sha256 != line.document_sha256:
        found.append(f"the document of {line.label} is not the one recorded")
    if line.times_issued != (line.state == "issued"):
        found.append(f"{line.label}, {line.state}, was issued {line.times_issued} times")
    return found


def _broken_promises(book: Book, promises: Promises) -> list[str]:
    """A number that was told stands for ever; so does a document."""
    lines = {line.key: line for line in book.lines}
    found = []
    for key, number in promises.numbers.items():
        line = lines.get(key)
        if line is None or line.label != number:
            found.append(f"{number}, which was answered, is {line.label if line else 'lost'}")
        elif key in promises.told and line.document_sha256 != promises.told[key][1]:
            found.append(f"{number} is not what was answered: {promises.told[key]}")
    return found
