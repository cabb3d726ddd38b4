"""Whoever tampers with a book is found, whatever their rights on the database; an untouched book passes.

Every tampering is done in a transaction, looked at from within, and taken back: what the check reads is
what it would read had it been committed.
"""

import json
import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection

from permits.domain.canonical import digest
from permits.register.fsck import Code, Report, check
from permits.register.fsck.check import check_on
from tests.register.every_kind import Original
from tests.register.forcing import force, superuser
from tests.register.sealed import BLIND, Column, columns_of, sealed_columns
from tests.register.tampering import WAYS, Way, edit, tamper, undermine

# On one PostgreSQL: what the check sees on the other is in test_fsck.
pytestmark = pytest.mark.parametrize("postgres", ["18"], indirect=True)

SHORT, LONG = 40, 300


@pytest.fixture
def chance() -> random.Random:
    """Chance, from the seed PERMITS_TEST_SEED or a new one: printed, so that a failure can be had again."""
    seed = int(os.environ.get("PERMITS_TEST_SEED") or random.randrange(10**6))
    print(f"PERMITS_TEST_SEED={seed}")
    return random.Random(seed)


def look_at(book: Connection, original: Original) -> Report:
    return check_on(book, original.book.authority, original.book.at, checkpoint=original.book.checkpoint)


@contextmanager
def taken_back(book: Connection) -> Iterator[None]:
    savepoint = book.begin_nested()
    yield
    savepoint.rollback()


def unseen(book: Connection, original: Original, chance: random.Random, tamperings: int) -> list[str]:
    """Tamper as many times; return what was done and not found. The untouched book passes, before and after."""
    missed = []
    assert look_at(book, original).findings == ()
    for _ in range(tamperings):
        with taken_back(book):
            done = tamper(book, chance)
            if not look_at(book, original).findings:
                missed.append(done)
    assert look_at(book, original).findings == ()
    return missed


def test_every_tampering_is_found(book: Connection, original: Original, chance: random.Random) -> None:
    assert unseen(book, original, chance, SHORT) == []


@pytest.mark.proof
@pytest.mark.timeout(1800)
def test_three_hundred_tamperings_are_found(book: Connection, original: Original, chance: random.Random) -> None:
    assert unseen(book, original, chance, LONG) == []


@pytest.mark.parametrize("way", WAYS, ids=lambda way: str(way.__name__))
def test_every_way_to_tamper_is_open(book: Connection, original: Original, chance: random.Random, way: Way) -> None:
    """No way is idle, and none leaves the book as it was."""
    for _ in range(50):
        with taken_back(book):
            done = way(book, chance)
            if done is not None:
                assert look_at(book, original).findings, done
                return
    raise AssertionError("this way never led anywhere")


@pytest.mark.timeout(300)
def test_an_edit_of_any_sealed_column_is_found_by_what_the_book_holds(
    book: Connection, original: Original, chance: random.Random
) -> None:
    """Not by a guard: each edit leaves the schema as it was."""
    columns, missed = sealed_columns(book), []
    for column in columns:
        with taken_back(book):
            done = edit(book, chance, column)
            assert done is not None, f"no row of the book could be edited in {column}"
            codes = look_at(book, original).counts.keys()
            if not codes or any(code.startswith("guard-") for code in codes):
                missed.append(f"{done}: {', '.join(codes)}")
    assert missed == []
    assert len(columns) > 80


def blind_columns(book: Connection) -> list[Column]:
    names = {f"{table}.{column}" for table, columns, _ in BLIND for column in columns}
    return [column for column in columns_of(book) if str(column) in names]


def test_every_column_that_is_named_blind_is_there_and_has_its_reason(book: Connection) -> None:
    assert len(blind_columns(book)) == sum(len(columns) for _, columns, _ in BLIND)
    assert all(len(reason) > 40 for _, _, reason in BLIND)


def test_no_more_is_named_blind_than_must_be(book: Connection, original: Original, chance: random.Random) -> None:
    """Each blind column, edited, is indeed not found: the list can't hide one that is sealed."""
    # Arrays are not drawn, the server alone writes identities, and what is of no application or client at all is found.
    apart = ("sirens", "id", "application_id", "client_id")
    plain = [column for column in blind_columns(book) if column.name not in apart]
    edited, found = 0, []
    for column in plain:
        with taken_back(book):
            done = edit(book, chance, column, "erased_at IS NULL" if column.table == "client" else "true")
            edited += done is not None
            if codes := look_at(book, original).counts:
                found.append(f"{done}: {', '.join(codes)}")
    assert found == []
    assert edited == len(plain) > 20


def test_an_earlier_copy_passes_but_for_the_checkpoint(original: Original) -> None:
    """A book put back whole holds together: only somebody who saw it longer can tell."""
    assert original.earlier
    for earlier in original.earlier:
        with original.copied(earlier) as engine:
            alone = check(engine, original.book.authority, original.book.at)
            shown = check(engine, original.book.authority, original.book.at, checkpoint=original.book.checkpoint)
        assert alone.findings == ()
        assert shown.counts.keys() == {Code.CHECKPOINT}


def leave_out(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the check go without one of its parts."""
    module = sys.modules[check_on.__module__]
    for name in ("_FROM_THE_CHAIN", "_FROM_THE_BOOK"):
        parts = getattr(module, name)
        monkeypatch.setattr(module, name, tuple(each for each in parts if each[1].__name__ != part))


# A part of the check, and a column of which it alone tells the edit.
PARTS = {
    "check_keys": "code_key.public_key",
    "check_acts": "act.taken_by",
    "check_applications": "application.body_sha256",
    "check_clients": "client.erased_at",
    "check_documents": "document.content",
    "check_rulebooks": "rulebook.files",
    "check_steps": "rulebook_step.taken_by",
    "check_switch": "issuing_switch.reason",
}


# Rows of which others tell too: an archive copy begins with the document that it continues.
ROWS_THAT = {"document.content": "sha256 NOT IN (SELECT made_from FROM archive_copy)"}


@pytest.mark.parametrize(("part", "column"), PARTS.items(), ids=PARTS)
def test_a_check_without_one_of_its_parts_misses_what_only_that_part_sees(
    book: Connection,
    original: Original,
    chance: random.Random,
    part: str,
    column: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Negative control: it is the check that finds, and these tests see it when it does not."""
    edited = next(each for each in sealed_columns(book) if str(each) == column)
    assert edit(book, chance, edited, ROWS_THAT.get(column, "true"))
    assert look_at(book, original).findings != ()

    leave_out(part, monkeypatch)
    assert look_at(book, original).findings == ()


PUBLISHED = "WHERE step = 'published'"
# What could be done by hand to how a rulebook came into force; :other is another that the book keeps.
STEPS = {
    "another rulebook": f"UPDATE rulebook_step SET digest = :other {PUBLISHED}",
    "another day": f"UPDATE rulebook_step SET effective_on = effective_on - 1 {PUBLISHED}",
    "another person": f"UPDATE rulebook_step SET taken_by = 'agent-9' {PUBLISHED}",
    "another instant": f"UPDATE rulebook_step SET taken_at = taken_at - interval '1 hour' {PUBLISHED}",
    "proposed after it was published": "UPDATE rulebook_step SET id = DEFAULT WHERE step = 'proposed'",
    "gone": f"DELETE FROM rulebook_step {PUBLISHED}",
    "added": "INSERT INTO rulebook_step OVERRIDING SYSTEM VALUE SELECT 99, authority, step, :other,"
    f" effective_on + 1, taken_by, taken_at FROM rulebook_step {PUBLISHED}",
}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_the_chain_does_not_tell_is_found_by_one_part_alone(
    book: Connection, original: Original, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"authority.yaml": "un autre règlement"}
    other = digest(files)
    kept = "INSERT INTO rulebook SELECT :other, authority, :files, recorded_at FROM rulebook LIMIT 1"
    with superuser(book):
        assert force(book, kept, other=other, files=json.dumps(files)) == 1
    assert look_at(book, original).findings == (), "a rulebook may be kept that nobody proposed"

    with superuser(book):
        assert force(book, STEPS[step], other=other) == 1
    assert look_at(book, original).counts.keys() == {Code.RULEBOOK_STEP}
    leave_out("check_steps", monkeypatch)
    assert look_at(book, original).findings == ()


def test_a_check_that_trusts_the_schema_misses_a_guard_that_is_gone(
    book: Connection, original: Original, chance: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control."""
    assert undermine(book, chance)
    assert look_at(book, original).findings != ()

    monkeypatch.setattr(sys.modules[check_on.__module__], "check_guards", lambda look: None)
    assert look_at(book, original).findings == ()
