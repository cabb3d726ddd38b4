"""Stored decisions taken again give the same decisions; whatever was changed since is told, field by field."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from permits.domain.calendar import paris_day
from permits.register.fsck import Code
from permits.register.fsck.check import check_on
from permits.replay import Difference, Replay, compare, replay
from tests.fakes import START
from tests.register.copies import kept_waiting
from tests.register.every_kind import Original
from tests.register.forcing import superuser

OF_NUMBER = "(SELECT application_id FROM act WHERE label = :number)"


def take_again(engine: Engine, original: Original, **which: object) -> Replay:
    return replay(engine, original.book.authority, **which)  # type: ignore[arg-type]


def change(engine: Engine, statement: str, **values: object) -> None:
    with engine.begin() as connection, superuser(connection):
        assert connection.execute(text(statement), values).rowcount > 0


def count(connection: Connection, outcome: str) -> int:
    found: int = connection.execute(
        text("SELECT count(*) FROM application WHERE outcome = :outcome"), {"outcome": outcome}
    ).scalar_one()
    return found


def test_every_decision_of_a_book_is_taken_again_the_same(
    original: Original, written: Engine, book: Connection
) -> None:
    done = take_again(written, original)

    assert (done.differing, done.differences) == (0, [])
    assert done.erased == 1, "of a person whose evidence was erased"
    assert done.taken == count(book, "granted") + count(book, "referred") - done.erased > 12
    assert count(book, "awaiting_registry") == 1


def test_a_changed_decision_is_told_with_its_number_the_field_and_both_values(original: Original) -> None:
    number = original.book.numbers["issued"]
    with original.copied() as engine:
        statement = "UPDATE application SET decision = jsonb_set(decision, '{fee,total}', '\"1.00\"') WHERE id = "
        change(engine, statement + OF_NUMBER, number=number)
        done = take_again(engine, original)

    assert done.differences == [Difference(number, "fee.total", "1.00", "92.40")]
    assert done.differing == 1


def test_changed_facts_are_told_by_what_they_would_have_decided(original: Original) -> None:
    number = original.book.numbers["next year"]
    with original.copied() as engine:
        statement = "UPDATE application SET facts = jsonb_set(facts, '{siret_key_is_valid}', 'false') WHERE id = "
        change(engine, statement + OF_NUMBER, number=number)
        done = take_again(engine, original)

    assert {each.what for each in done.differences} == {number}
    assert Difference(number, "outcome", "granted", "referred") in done.differences


def test_a_changed_rulebook_is_told_for_each_decision_it_took(original: Original) -> None:
    with original.copied() as engine:
        longest = "files ->> 'limits/longest_duration_days.yaml'"
        change(
            engine,
            "UPDATE rulebook SET files = files || jsonb_build_object('limits/longest_duration_days.yaml',"
            f" replace({longest}, 'value: 30', 'value: 3'))",
        )
        done = take_again(engine, original)

    assert done.differing == done.taken
    assert {"rulebook", "outcome"} <= {each.path for each in done.differences}


def test_a_rulebook_that_is_gone_or_can_no_longer_be_read_is_told(original: Original) -> None:
    number = original.book.numbers["refusal"]
    with original.copied() as engine:
        change(engine, "UPDATE rulebook SET files = files - 'rules.yaml'")
        unread = take_again(engine, original, number=number)
        change(engine, "DELETE FROM rulebook")
        gone = take_again(engine, original, number=number)

    assert "rules.yaml" in str(unread.differences[0].new)
    assert "n’est pas gardé" in str(gone.differences[0].new)


def test_decisions_are_chosen_by_day_by_number_and_by_how_many(original: Original, written: Engine) -> None:
    whole = take_again(written, original)
    later = take_again(written, original, since=paris_day(START) + timedelta(days=1))
    first = take_again(written, original, limit=3)
    refused = take_again(written, original, number=original.book.numbers["refusal"])
    unknown = take_again(written, original, number="EX-2027-009999")

    assert 0 < later.taken < whole.taken
    assert first.taken + first.erased == 3
    assert (refused.taken, unknown.taken) == (1, 0)


def test_no_more_differences_are_kept_than_asked_and_all_are_counted(original: Original) -> None:
    with original.copied() as engine:
        change(engine, "UPDATE application SET decision = decision || '{\"fee\": null}' WHERE decision IS NOT NULL")
        done = take_again(engine, original, most_differences=5)

    assert len(done.differences) == 5 < done.fields
    assert done.differing == done.taken > 12


def test_a_long_question_to_the_whole_book_is_not_cut_short(original: Original) -> None:
    with original.copied() as engine:
        with kept_waiting(engine, "application"):
            assert take_again(engine, original).differing == 0
        with (
            pytest.raises(DBAPIError, match="statement timeout"),
            kept_waiting(engine, "application"),
            engine.connect() as impatient,
        ):
            count(impatient, "granted")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [("a", 1, 2)]),
        ({"a": 1}, {"a": True}, [("a", 1, True)]),
        ({"a": [1, 2]}, {"a": [1]}, [("a[1]", 2, "(absent)")]),
        ({"a": {"b": []}}, {"a": {"b": [{"c": "x"}]}}, [("a.b[0]", "(absent)", {"c": "x"})]),
        ({}, {"a": None}, [("a", "(absent)", None)]),
        ({"a": [1]}, {"a": {"0": 1}}, [("a", [1], {"0": 1})]),
    ],
)
def test_two_values_are_compared_leaf_by_leaf(old: object, new: object, told: list[object]) -> None:
    assert list(compare(old, new)) == told


def test_a_difference_is_one_that_the_check_of_the_digests_sees_too(original: Original, book: Connection) -> None:
    """What replay tells of a changed record, fsck tells of its digest: neither stands alone."""
    with superuser(book):
        book.execute(text("UPDATE application SET decision = decision || '{\"fee\": null}' WHERE outcome = 'referred'"))

    assert Code.DECISION_ALTERED in check_on(book, original.book.authority, original.book.at).counts
