"""One look at a whole book: every promise that can be seen from what is stored, checked again."""

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from permits.register.audit import GENESIS
from permits.register.checkpoint import Checkpoint
from permits.register.database import DatabaseUnfit, check_schema
from permits.register.floor import snapshot
from permits.register.fsck.acts import check_acts, check_numbers
from permits.register.fsck.applications import check_applications, check_rulebooks, check_waiting
from permits.register.fsck.chain import check_checkpoint, read_chain
from permits.register.fsck.clients import check_clients, check_contacts
from permits.register.fsck.copies import check_copies
from permits.register.fsck.documents import Seals, check_documents, check_seals
from permits.register.fsck.finding import Code, Finding
from permits.register.fsck.footprints import check_overlaps
from permits.register.fsck.guards import check_guards
from permits.register.fsck.keys import check_keys
from permits.register.fsck.look import UNREADABLE, Look, Progress, silent
from permits.register.fsck.publications import check_steps
from permits.register.fsck.references import check_references
from permits.register.fsck.story import Story
from permits.register.fsck.switch import check_switch

T = TypeVar("T")

# One batch of rows, or one question to the whole book, takes no longer.
_PATIENCE = text("SET LOCAL statement_timeout = '600s'")

_FROM_THE_CHAIN: tuple[tuple[str, Callable[[Look, Story], None]], ...] = (
    ("l’interrupteur", check_switch),
    ("les règlements", check_rulebooks),
    ("leur publication", check_steps),
    ("les clés", check_keys),
    ("les demandes", check_applications),
    ("les clients", check_clients),
    ("les contacts", check_contacts),
    ("les numéros", check_numbers),
    ("les actes", check_acts),
    ("les copies d’archive", check_copies),
)
_FROM_THE_BOOK: tuple[tuple[str, Callable[[Look], None]], ...] = (
    ("les demandes en attente", check_waiting),
    ("les documents", check_documents),
    ("les chevauchements", check_overlaps),
    ("les renvois", check_references),
)


@dataclass(frozen=True)
class Report:
    """What one look found. `position` and `sha256` are the last entry of the chain; `read` counts rows by step.

    Of each code the first findings are kept, `counts` holds how many there were.
    """

    authority: str
    position: int
    sha256: str
    read: Mapping[str, int]
    counts: Mapping[Code, int]
    findings: tuple[Finding, ...]


def check(
    engine: Engine,
    authority: str,
    at: datetime,
    *,
    checkpoint: Checkpoint | None = None,
    seals: Seals | None = None,
    progress: Progress = silent,
) -> Report:
    """Check one authority's whole book, in one snapshot; nothing is written, and nobody is kept waiting.

    `at` is now. A `checkpoint` must be verified already; without one, a book put back to an earlier state
    can't be told from a book that was never longer.
    """
    with _without_collector(), snapshot(engine) as connection:
        return check_on(connection, authority, at, checkpoint=checkpoint, seals=seals, progress=progress)


def check_on(
    connection: Connection,
    authority: str,
    at: datetime,
    *,
    checkpoint: Checkpoint | None = None,
    seals: Seals | None = None,
    progress: Progress = silent,
) -> Report:
    """Check the book as one transaction sees it, which must be one that holds still or that nobody else writes in."""
    connection.execute(_PATIENCE)
    look = Look(connection, authority, at, progress)
    position, last = 0, GENESIS
    try:
        check_schema(connection)
    except DatabaseUnfit:
        look.found(Code.SCHEMA, authority, "ce schéma n’est pas celui de ce logiciel (`permits migrate`)")
    else:
        position, last = _check(look, checkpoint, seals)
    return Report(authority, position, last, look.read, dict(look.findings.counts), tuple(look.findings))


@contextmanager
def _without_collector() -> Iterator[None]:
    """Spare the search for cycles: nothing read here has any, and it takes a third of the time of a large book."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _check(look: Look, checkpoint: Checkpoint | None, seals: Seals | None) -> tuple[int, str]:
    """Run every check; return the chain's last position and hash."""
    _part(look, "le schéma", partial(check_guards, look))
    if checkpoint is not None:
        _part(look, "le point de contrôle", partial(check_checkpoint, look, checkpoint))
    heard = _part(look, "la chaîne", partial(read_chain, look))
    if heard is not None:
        for name, compare in _FROM_THE_CHAIN:
            _part(look, name, partial(compare, look, heard[0]))
    for name, check_alone in _FROM_THE_BOOK:
        _part(look, name, partial(check_alone, look))
    if seals is not None:
        _part(look, "les cachets", partial(check_seals, look, seals))
    return heard[1:] if heard else (0, GENESIS)


def _part(look: Look, name: str, run: Callable[[], T]) -> T | None:
    """Run one check; what can't even be read is a finding, and the others still run."""
    try:
        with look.one_part():
            return run()
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        cause = str(error.orig).strip()
    except UNREADABLE as error:
        cause = repr(error)
    look.found(Code.UNREADABLE, name, f"{name} : lecture impossible ({cause})")
    return None
