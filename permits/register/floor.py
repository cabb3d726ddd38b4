"""The floor: an older or another book than the one already seen issues nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from sqlalchemy import Connection, Engine, text
from sqlmodel import Session

from permits.register.audit import GENESIS
from permits.register.checkpoint import Checkpoint, Counter

_STANDING = text(
    "SELECT head.position, head.sha256, entry.sha256 AS entry_sha256 FROM audit_head head"
    " LEFT JOIN audit_entry entry ON entry.authority = head.authority"
    " AND entry.position = coalesce(CAST(:position AS bigint), head.position)"
    " WHERE head.authority = :authority"
)
_COUNTERS = text("SELECT series, year, value FROM counter WHERE authority = :authority ORDER BY series, year")


class BookRolledBack(Exception):
    """The database holds an older book than the one already seen, or another; `differences` says it in French."""

    def __init__(self, differences: list[str]) -> None:
        super().__init__("ce registre n’est pas la suite de celui qui est connu : " + " ; ".join(differences))
        self.differences = differences


@dataclass(frozen=True)
class _Standing:
    """The head of the chain, and the hash of the entry that was asked about."""

    position: int
    sha256: str
    entry_sha256: str | None


class Floor:
    """What one process knows of one authority's book: it only rises, and no transaction may begin below it.

    Costs one indexed read a transaction, before any lock is taken.
    """

    def __init__(self, authority: str) -> None:
        self.authority = authority
        self._lock = Lock()
        # The highest entry whose hash is known, and the highest position whose commit was acknowledged.
        self._position, self._sha256 = 0, GENESIS
        self._acknowledged = 0

    @property
    def position(self) -> int:
        """The position below which this process issues nothing."""
        with self._lock:
            return max(self._position, self._acknowledged)

    def show(self, checkpoint: Checkpoint) -> None:
        """Learn a verified checkpoint of this authority; an older one than what is known changes nothing."""
        self._learn(checkpoint.position, checkpoint.sha256)

    def raise_to(self, position: int) -> None:
        """Learn that the entry at this position is committed. Never call it before the commit."""
        with self._lock:
            self._acknowledged = max(self._acknowledged, position)

    def check(self, session: Session | Connection) -> None:
        """Raise BookRolledBack unless this database holds the known book or a later one; learn its head.

        Call it first in a transaction, before anything is written: what it reads is then committed.
        """
        with self._lock:
            # Before the read: a neighbour's commit that follows it must not make this transaction look late.
            known, sha256, acknowledged = self._position, self._sha256, self._acknowledged
        standing = _standing(session, self.authority, known)
        if found := _chain_differences(standing, max(known, acknowledged), known, sha256):
            raise BookRolledBack(found)
        self._learn(standing.position, standing.sha256)

    def _learn(self, position: int, sha256: str) -> None:
        with self._lock:
            if position > self._position:
                self._position, self._sha256 = position, sha256


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """Hold one state of the database, whatever others commit meanwhile; nothing can be written."""
    with engine.connect() as connection:
        held = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with held.begin():
            yield held


def read_checkpoint(connection: Connection, authority: str, at: datetime) -> Checkpoint:
    """Return the checkpoint of the book as this snapshot shows it.

    Raises BookRolledBack when the head is not the chain's last entry: that is not to be signed.
    """
    head = _standing(connection, authority, None)
    if found := _chain_differences(head, head.position, head.position, head.sha256):
        raise BookRolledBack(found)
    counters = tuple(
        Counter(series=row.series, year=row.year, value=row.value)
        for row in connection.execute(_COUNTERS, {"authority": authority})
    )
    return Checkpoint(authority=authority, position=head.position, sha256=head.sha256, counters=counters, at=at)


def is_empty(connection: Connection, authority: str) -> bool:
    """Tell whether this authority's chain has not begun: then only may no checkpoint be known."""
    entry = text("SELECT EXISTS (SELECT 1 FROM audit_entry WHERE authority = :authority)")
    begun: bool = connection.execute(entry, {"authority": authority}).scalar_one()
    return not begun and _standing(connection, authority, None).position == 0


def differences(connection: Connection, checkpoint: Checkpoint) -> list[str]:
    """Return, in French, why the book that this snapshot shows doesn't follow the checkpoint; empty when it does."""
    standing = _standing(connection, checkpoint.authority, checkpoint.position)
    found = _chain_differences(standing, checkpoint.position, checkpoint.position, checkpoint.sha256)
    rows = connection.execute(_COUNTERS, {"authority": checkpoint.authority})
    present = {(row.series, row.year): row.value for row in rows}
    for counter in checkpoint.counters:
        value = present.get((counter.series, counter.year), 0)
        if value < counter.value:
            found.append(
                f"le compteur {counter.series} de {counter.year} est à {value}, il avait déjà donné {counter.value}"
            )
    return found


def _chain_differences(standing: _Standing, lowest: int, known: int, sha256: str) -> list[str]:
    """Return what is wrong with a chain that must reach `lowest` and have this hash at the position `known`."""
    if standing.position < lowest:
        return [f"la chaîne s’arrête à l’entrée {standing.position}, l’entrée {lowest} est déjà connue"]
    if known and standing.entry_sha256 != sha256:
        return [f"l’entrée {known} de la chaîne n’est pas celle qui est connue"]
    return []


def _standing(session: Session | Connection, authority: str, position: int | None) -> _Standing:
    """Return the head and the entry at `position`, of the head itself when None; an empty book stands at 0."""
    row = session.execute(_STANDING, {"authority": authority, "position": position}).one_or_none()
    return _Standing(row.position, row.sha256, row.entry_sha256) if row else _Standing(0, GENESIS, None)
