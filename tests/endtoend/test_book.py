"""The look that the crash tests take at the book sees each fault it is there to see."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import Engine, text

from tests.endtoend.book import Book, Line, Promises, faults, numbering_faults, read_book, unfinished

WRITERS = 8

GOOD = [
    Line(
        f"key-{number}", "ville/EX/2027", number, f"EX-2027-{number:06}", "issued", f"{number:064}", f"{number:064}", 1
    )
    for number in (1, 2, 3)
]
COUNTED = {"ville/EX/2027": 3}
RESERVED = replace(GOOD[2], state="reserved", document_sha256=None, content_sha256=None, times_issued=0)
NOT_DECIDED = Line("key-4", None, None, None, None, None, None, 0)


def promised() -> Promises:
    promises = Promises()
    for line in GOOD:
        promises.add(line.key, {"number": line.label, "state": "issued", "document_sha256": line.document_sha256})
    return promises


def test_a_good_book_is_found_good() -> None:
    book = Book(GOOD, COUNTED, documents=3)

    assert faults(book, promised()) == []
    assert unfinished(book, [line.key for line in GOOD]) == []


def test_a_book_in_the_middle_of_its_work_is_good_and_unfinished() -> None:
    book = Book([*GOOD[:2], RESERVED], COUNTED, documents=2)

    assert faults(book, Promises(numbers={"key-3": "EX-2027-000003"})) == []
    assert unfinished(book, ["key-1", "key-3", "key-4"]) == [
        "key-4 has no line",
        "key-2 was filed by nobody",
        "EX-2027-000003 is reserved",
    ]


@pytest.mark.parametrize(
    ("lines", "documents", "expected"),
    [
        ([GOOD[0], GOOD[2]], 2, "2 is missing"),
        ([GOOD[0], GOOD[1], replace(GOOD[2], number=2)], 3, "2 is given 2 times"),
        ([*GOOD, replace(GOOD[2], number=4)], 4, "key-3 has 2 lines"),
        ([*GOOD, NOT_DECIDED], 3, "key-4 has no act"),
        (GOOD[:2], 2, "3 is missing"),
        ([*GOOD, replace(GOOD[2], key="key-4", number=4, label="EX-2027-000004")], 4, "4 was never given"),
        (GOOD[:2], 2, "EX-2027-000003, which was answered, is lost"),
        ([*GOOD[:2], replace(GOOD[2], label="EX-2027-000004")], 3, "EX-2027-000003, which was answered, is EX"),
        ([*GOOD[:2], RESERVED], 2, "EX-2027-000003 is not what was answered"),
        ([*GOOD[:2], replace(GOOD[2], state="annulled")], 3, "EX-2027-000003 is annulled"),
        ([*GOOD[:2], replace(GOOD[2], state="reserved")], 3, "EX-2027-000003 is not the one recorded"),
        ([*GOOD[:2], replace(GOOD[2], content_sha256="f" * 64)], 3, "EX-2027-000003 is not the one recorded"),
        ([*GOOD[:2], replace(RESERVED, state="issued", times_issued=1)], 2, "EX-2027-000003 is not the one recorded"),
        ([*GOOD[:2], replace(GOOD[2], document_sha256="f" * 64)], 3, "is not what was answered"),
        ([*GOOD[:2], replace(GOOD[2], times_issued=2)], 3, "was issued 2 times"),
        ([*GOOD[:2], replace(GOOD[2], times_issued=0)], 3, "was issued 0 times"),
        ([*GOOD[:2], replace(RESERVED, times_issued=1)], 2, "reserved, was issued 1 times"),
        (GOOD, 4, "4 documents for 3 sealed acts"),
    ],
)
def test_each_fault_would_be_seen(lines: list[Line], documents: int, expected: str) -> None:
    told = faults(Book(lines, COUNTED, documents), promised())

    assert any(expected in each for each in told), told


@pytest.mark.parametrize(
    ("number", "document_sha256"), [("EX-2027-000001", "b"), ("EX-2027-000002", "a")], ids=["document", "number"]
)
def test_an_answer_that_changes_would_be_seen(number: str, document_sha256: str) -> None:
    promises = Promises()
    promises.add("key", {"number": "EX-2027-000001", "state": "issued", "document_sha256": "a"})
    promises.add("key", {"number": number, "state": "issued", "document_sha256": document_sha256})

    assert promises.broken != []


def test_an_empty_register_is_read_as_an_empty_book(engine: Engine) -> None:
    assert read_book(engine) == Book([], {}, 0)


def test_the_same_look_sees_a_naive_book_repeat_its_numbers(engine: Engine) -> None:
    """The negative control: eight threads that take the highest number plus one, without a lock."""
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE naive_book (number integer NOT NULL)"))

    def take_numbers() -> None:
        for _ in range(25):
            with engine.begin() as connection:
                highest = connection.execute(text("SELECT coalesce(max(number), 0) FROM naive_book")).scalar_one()
                connection.execute(text("INSERT INTO naive_book VALUES (:number)"), {"number": highest + 1})

    with ThreadPoolExecutor(WRITERS) as threads:
        for each in [threads.submit(take_numbers) for _ in range(WRITERS)]:
            each.result(30)

    with engine.connect() as connection:
        numbers = list(connection.execute(text("SELECT number FROM naive_book")).scalars())
    assert len(numbers) == 25 * WRITERS
    assert any("times" in told for told in numbering_faults(numbers, max(numbers)))
