"""An act is born whole and moves only forward, in the database itself: every move and every birth, tried by hand."""

from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from permits import acts
from permits.document.errors import PrintError
from permits.domain.act import ActKind, ActState
from permits.domain.calendar import PARIS
from tests.acting import (
    BREACH,
    BY,
    CHANGE,
    HEARING,
    ILLEGAL,
    MARKET,
    REASONS,
    extend,
    extension_of,
    permit_of,
    referred,
    reserved_permit,
    rows,
    turn,
)
from tests.fakes import FakeOffice
from tests.register.by_hand import by_hand, columns, refusal


def allowing_acts(office: FakeOffice, kind: ActKind, found: dict[tuple[str, str], str]) -> None:
    """Write an act that allows, of this kind, in each state that it can be in."""

    def make() -> Any:
        permit = permit_of(office)
        if kind is ActKind.PERMIT:
            return permit
        if kind is ActKind.EXTENSION:
            return extension_of(office, permit, date(2027, 1, 20))
        return acts.correct(office.desk, permit.number, CHANGE, REASONS, BY)

    ends = {
        "abrogated": lambda act: acts.abrogate(office.desk, act.number, BREACH, act.permit.ends_on, BY),
        "withdrawn": lambda act: acts.withdraw(office.desk, act.number, ILLEGAL, BY),
        "superseded": lambda act: acts.correct(office.desk, act.number, {"worksite": "autre façade"}, REASONS, BY),
        "issued": lambda act: None,
    }
    for state, end in ends.items():
        act = make()
        end(act)
        found[kind, state] = act.number
    for state in ("annulled", "reserved"):
        act = unsealed(office, kind)
        if state == "annulled":
            acts.annul(office.desk, act.number, "le document ne se compose pas", BY)
        found[kind, state] = act.number


def rulings(office: FakeOffice, kind: ActKind, found: dict[tuple[str, str], str]) -> None:
    """Write a ruling of this kind in each state that it can be in."""
    found[kind, "issued"] = ruling(office, kind).number
    for state in ("annulled", "reserved"):
        act = unsealed(office, kind)
        if state == "annulled":
            acts.annul(office.desk, act.number, "le document ne se compose pas", BY)
        found[kind, state] = act.number


def ruling(office: FakeOffice, kind: ActKind, subject: Any = None) -> Any:
    if kind is ActKind.REFUSAL:
        return acts.refuse(office.desk, subject or referred(office), (MARKET,), HEARING, BY)
    permit = subject or permit_of(office)
    if kind is ActKind.ABROGATION:
        return acts.abrogate(office.desk, permit.number, BREACH, date(2027, 1, 14), BY)
    return acts.withdraw(office.desk, permit.number, ILLEGAL, BY)


def unsealed(office: FakeOffice, kind: ActKind) -> Any:
    """Return an act of this kind that is still reserved."""
    if kind is ActKind.PERMIT:
        return reserved_permit(office)
    subject = referred(office) if kind is ActKind.REFUSAL else permit_of(office)
    office.press.broken = PrintError("encre")
    if kind is ActKind.EXTENSION:
        act = extension_of(office, subject, date(2027, 1, 20))
    elif kind is ActKind.CORRECTION:
        act = acts.correct(office.desk, subject.number, CHANGE, REASONS, BY)
    else:
        act = ruling(office, kind, subject)
    office.press.broken = None
    return act


def every_act(office: FakeOffice) -> dict[tuple[str, str], str]:
    """Write one act of every kind in every state that it can be in; return their numbers."""
    found: dict[tuple[str, str], str] = {}
    for kind in ActKind:
        (allowing_acts if kind.allows else rulings)(office, kind, found)
    assert len(found) == 3 * len(ActState) + 3 * 3
    return found


# What a row in each state holds, as well formed as its constraints ask; `ender` is tried over the whole book.
UNENDED = "ended_on = NULL, ended_by = NULL, annulled_because = NULL"
FIELDS = {
    "reserved": f"issued_at = NULL, document_sha256 = NULL, {UNENDED}",
    "issued": f"issued_at = '2026-12-01 10:00+01', document_sha256 = encode(sha256(''), 'hex'), {UNENDED}",
    "annulled": "issued_at = NULL, document_sha256 = NULL, ended_on = NULL, ended_by = NULL,"
    " annulled_because = 'annulé par une main inconnue'",
    "abrogated": "ended_on = coalesce((SELECT (payload ->> 'effective_on')::date FROM act e WHERE e.id = :ender),"
    " act.ends_on), ended_by = :ender",
    "withdrawn": "ended_on = NULL, ended_by = :ender",
    "superseded": "ended_on = NULL, ended_by = :ender",
}


def moves(office: FakeOffice, book: dict[tuple[str, str], str], *, triggers: bool) -> set[tuple[str, str, str]]:
    """Return the moves (kind, from, to) that SQL can make, trying every act of the book as the one that ends."""
    possible = set()
    with by_hand(office, triggers=triggers) as connection:
        everyone = connection.execute(text("SELECT id FROM act ORDER BY id")).scalars().all()
        connection.execute(text("INSERT INTO document VALUES (encode(sha256(''), 'hex'), '', now())"))
        for (kind, state), number in book.items():
            for target, fields in FIELDS.items():
                statement = f"UPDATE act SET state = '{target}', {fields} WHERE label = :number"
                for ender in everyone if ":ender" in fields else [None]:
                    values = {"ender": ender} if ender else {}
                    if target != state and refusal(connection, statement, number=number, **values) is None:
                        possible.add((str(kind), state, target))
                        break
    return possible


def test_by_hand_an_act_moves_from_reserved_to_issued_or_annulled_and_nowhere_else(office: FakeOffice) -> None:
    book = every_act(office)

    assert moves(office, book, triggers=True) == {
        (str(kind), "reserved", target) for kind in ActKind for target in ("issued", "annulled")
    }


def test_without_the_guards_an_act_moves_anywhere(office: FakeOffice) -> None:
    """Negative control: constraints alone tell well-formed rows from others, not moves."""
    book = every_act(office)
    possible = moves(office, book, triggers=False)

    assert len(possible) > 50
    assert {("permit", "issued", "annulled"), ("permit", "annulled", "reserved")} <= possible
    assert {("refusal", "issued", "withdrawn"), ("extension", "abrogated", "superseded")} <= possible


@pytest.mark.parametrize(
    ("fields", "possible"),
    [
        ("state = 'abrogated', ended_on = '2027-01-14', ended_by = :ender", True),
        ("state = 'abrogated', ended_on = '2027-01-13', ended_by = :ender", False),
        ("state = 'abrogated', ended_on = '2027-01-14', ended_by = :stranger", False),
        ("state = 'abrogated', ended_on = '2027-01-14', ended_by = id", False),
        ("state = 'abrogated', ended_on = NULL, ended_by = :ender", False),
        ("state = 'abrogated', ended_on = '2027-01-14', ended_by = NULL", False),
        ("state = 'withdrawn', ended_by = :ender", False),
        ("state = 'superseded', ended_by = :ender", False),
        (
            "state = 'abrogated', ended_on = '2027-01-14', ended_by = :ender, issued_at = issued_at - interval '1 s'",
            False,
        ),
        ("state = 'abrogated', ended_on = '2027-01-14', ended_by = :ender, fee_total = 0", False),
    ],
)
def test_an_act_ends_only_by_what_cites_it_on_the_day_it_says_and_as_it_says(
    office: FakeOffice, fields: str, possible: bool
) -> None:
    permit = permit_of(office)
    ender = acts.abrogate(office.desk, permit.number, BREACH, date(2027, 1, 14), BY)
    stranger = acts.abrogate(office.desk, permit_of(office).number, BREACH, date(2027, 1, 14), BY)
    with by_hand(office, triggers=False) as connection:
        # As it was a moment before the seal: only then is there anything to decide.
        back = "UPDATE act SET state = 'issued', ended_on = NULL, ended_by = NULL WHERE id = :id"
        connection.execute(text(back), {"id": permit.id})
        connection.execute(text("SET LOCAL session_replication_role = origin"))
        values = {name: act.id for name, act in (("ender", ender), ("stranger", stranger)) if f":{name}" in fields}
        told = refusal(connection, f"UPDATE act SET {fields} WHERE id = :id", id=permit.id, **values)

    assert (told is None) == possible, told


@pytest.mark.parametrize(("sealed_on", "possible"), [(date(2027, 1, 13), True), (date(2027, 1, 14), False)])
def test_an_abrogation_is_sealed_before_its_day_or_never(office: FakeOffice, sealed_on: date, possible: bool) -> None:
    """Its permit runs from 11 January: whoever works there on the 14th can't be told on the 14th that he may not."""
    stuck = unsealed(office, ActKind.ABROGATION)
    with by_hand(office) as connection:
        connection.execute(text("INSERT INTO document VALUES (encode(sha256(''), 'hex'), '', now())"))
        seal = f"state = 'issued', issued_at = {noon(sealed_on)}, document_sha256 = encode(sha256(''), 'hex')"
        told = refusal(connection, f"UPDATE act SET {seal} WHERE id = :id", id=stuck.id)

    assert (told is None) == possible, told
    assert possible or "is past its day" in str(told)


def test_an_unsealed_ruling_ends_nothing(office: FakeOffice) -> None:
    permit = permit_of(office)
    office.press.broken = PrintError("encre")
    stuck = acts.abrogate(office.desk, permit.number, BREACH, date(2027, 1, 14), BY)
    with by_hand(office) as connection:
        end = "UPDATE act SET state = 'abrogated', ended_on = '2027-01-14', ended_by = :by WHERE id = :id"
        assert "can't become abrogated" in str(refusal(connection, end, id=permit.id, by=stuck.id))


# --- the birth of an act -----------------------------------------------------------------------


def insert(connection: Connection, like: str, **changes: str) -> None:
    """Insert an act like another, under the next number of its series, changed as told in SQL."""
    step = text(
        "UPDATE counter c SET value = value + 1 FROM act"
        " WHERE act.label = :like AND (c.series, c.year) = (act.series, act.year) RETURNING c.value"
    )
    given = connection.execute(step, {"like": like}).scalar_one()
    fresh = {
        "id": "gen_random_uuid()",
        "number": str(given),
        "label": f"'T-{given}'",
        "code": "replace(gen_random_uuid()::text, '-', '')",
        "state": "'reserved'",
        "issued_at": "NULL",
        "document_sha256": "NULL",
        "ended_on": "NULL",
        "ended_by": "NULL",
        "annulled_because": "NULL",
    } | changes
    chosen = ", ".join(fresh.get(column, column) for column in columns(connection, "act"))
    connection.execute(text(f"INSERT INTO act SELECT {chosen} FROM act WHERE label = :like"), {"like": like})


def refused(connection: Connection, like: str, **changes: str) -> str | None:
    """Try to insert such an act: return how the database refuses it, None when it does not."""
    try:
        with connection.begin_nested() as attempt:
            insert(connection, like, **changes)
            connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
            attempt.rollback()
    except DBAPIError as error:
        return str(error.orig).splitlines()[0]
    return None


def noon(day: date) -> str:
    return f"'{datetime(day.year, day.month, day.day, 12, tzinfo=PARIS).isoformat()}'"


@pytest.fixture
def ruled(office: FakeOffice) -> dict[str, Any]:
    """A standing permit, and one ruling of each kind on another: rows to imitate."""
    acts.abrogate(office.desk, permit_of(office).number, BREACH, date(2027, 1, 14), BY)
    extended = permit_of(office)
    extension_of(office, extended, date(2027, 1, 20))
    acts.correct(office.desk, permit_of(office).number, CHANGE, REASONS, BY)
    acts.refuse(office.desk, referred(office), (MARKET,), HEARING, BY)
    acts.withdraw(office.desk, permit_of(office).number, ILLEGAL, BY)
    found = {row.kind: row.label for row in rows(office, "SELECT kind, max(label) AS label FROM act GROUP BY kind")}
    held = permit_of(office)
    cut_short = extension_of(office, held, date(2027, 1, 20))
    acts.abrogate(office.desk, cut_short.number, BREACH, date(2027, 1, 18), BY)
    standing, _ = permit_of(office), referred(office)
    # An extension that an agent has still to answer.
    turn(office.register, office.clock(), halted=True)
    assert extend(office, standing, date(2027, 1, 20)).act is None
    named = {"id": standing.id, "extended": extended.id, "application": standing.application_id}
    named |= {"held": held.id, "cut_short": cut_short.id}
    return found | {name: f"'{value}'" for name, value in named.items()}


UNANSWERED = (
    "(SELECT id FROM application a WHERE a.amends IS NULL"
    " AND NOT EXISTS (SELECT 1 FROM act o WHERE o.application_id = a.id))"
)


def file_of(kind: str, cites: str) -> dict[str, str]:
    """Return the application that an act of this kind on that one answers."""
    if kind in ("abrogation", "withdrawal"):
        return {"application_id": f"(SELECT o.application_id FROM act o WHERE o.id = {cites})"}
    return {"application_id": f"(SELECT a.id FROM application a WHERE a.amends = {cites})"}


# An act like another of its kind, changed so; how the database refuses it, None when it is born.
BIRTHS: list[tuple[str, dict[str, str], str | None]] = [
    ("abrogation", {}, None),
    ("withdrawal", {}, None),
    ("extension", {}, None),
    ("correction", {}, None),
    ("abrogation", {"application_id": UNANSWERED}, "not about the file"),
    ("withdrawal", {"application_id": UNANSWERED}, "not about the file"),
    ("extension", {"application_id": UNANSWERED}, "not about the file"),
    ("extension", {"application_id": "{application}"}, "not about the file"),
    ("correction", {"application_id": UNANSWERED}, "not about the file"),
    ("withdrawal", {"client_id": "gen_random_uuid()"}, "can't be changed"),
    ("refusal", {"application_id": UNANSWERED}, None),
    ("permit", {"application_id": UNANSWERED}, None),
    ("abrogation", {"state": "'issued'"}, "an act begins reserved"),
    ("abrogation", {"cites": "NULL"}, "act_cites_what_it_changes"),
    ("abrogation", {"cites": "(SELECT cites FROM act o WHERE o.kind = 'abrogation' LIMIT 1)"}, "can't be changed"),
    ("abrogation", {"cites": "(SELECT id FROM act o WHERE o.kind = 'refusal')"}, "can't be changed"),
    ("abrogation", {"siret": "'99999002100019'"}, "can't be changed"),
    ("abrogation", {"authority": "'ailleurs'"}, "can't be changed"),
    ("abrogation", {"taken_by": "NULL"}, "act_ruling_is_taken_by_a_person"),
    ("abrogation", {"taken_by": "' '"}, "act_ruling_is_taken_by_a_person"),
    ("abrogation", {"starts_on": "starts_on + 1"}, "don't follow"),
    ("abrogation", {"payload": "payload - 'effective_on'"}, "only be abrogated for days to come"),
    ("abrogation", {"payload": 'payload || \'{"effective_on": "2026-11-30"}\''}, "for days to come"),
    ("abrogation", {"payload": 'payload || \'{"effective_on": "2026-12-01"}\''}, None),
    ("abrogation", {"payload": 'payload || \'{"effective_on": "2027-01-15"}\''}, None),
    ("abrogation", {"reserved_at": noon(date(2027, 1, 13))}, None),
    ("abrogation", {"reserved_at": noon(date(2027, 1, 14))}, "only be abrogated for days to come"),
    ("abrogation", {"cites": "{cut_short}"}, "can't be changed"),
    ("abrogation", {"cites": "{held}"}, "its extension ends first"),
    ("withdrawal", {"cites": "{held}"}, "its extension ends first"),
    ("extension", {"cites": "{held}"}, "its extension ends first"),
    ("abrogation", {"payload": 'payload || \'{"effective_on": "2027-01-16"}\''}, "for days to come"),
    ("withdrawal", {"reserved_at": noon(date(2027, 4, 1))}, None),
    ("withdrawal", {"reserved_at": noon(date(2027, 4, 2))}, "more than four months old"),
    ("extension", {"cites": "{extended}"}, "its extension ends first"),
    ("abrogation", {"cites": "{extended}"}, "its extension ends first"),
    ("withdrawal", {"cites": "{extended}"}, "its extension ends first"),
    ("extension", {"starts_on": "starts_on + 1"}, "don't follow"),
    ("extension", {"taken_by": "' '"}, "act_ruling_is_taken_by_a_person"),
    ("correction", {"ends_on": "ends_on + 1"}, "don't follow"),
    ("correction", {"taken_by": "NULL"}, "act_ruling_is_taken_by_a_person"),
    ("permit", {"application_id": "{application}"}, "act_answers_once"),
    ("permit", {"cites": "{id}"}, "can't be changed|not about the file|act_cites"),
    ("permit", {"kind": "'faveur'"}, "act_kind_check|act_cites_what_it_changes"),
    ("permit", {"number": "number"}, "not given by the counter"),
    ("permit", {"number": "1000", "label": "'EX-2026-001000'"}, "not given by the counter"),
    ("refusal", {"application_id": UNANSWERED, "taken_by": "NULL"}, "act_ruling_is_taken_by_a_person"),
    ("refusal", {"cites": "{id}"}, "not about the file|act_cites"),
    ("refusal", {}, "act_answers_once"),
]


def test_an_act_is_born_whole_or_not_at_all(office: FakeOffice, ruled: dict[str, Any]) -> None:
    surprises = []
    with by_hand(office) as connection:
        for kind, changes, told in BIRTHS:
            wanted = changes
            if kind not in ("permit", "refusal"):
                cites = changes.get("cites", "{id}")
                wanted = {"cites": cites} | (file_of(kind, cites) if cites != "NULL" else {}) | changes
            for name in ("id", "extended", "application", "held", "cut_short"):
                wanted = {column: value.replace(f"{{{name}}}", ruled[name]) for column, value in wanted.items()}
            found = refused(connection, ruled[kind], **wanted)
            if not (found is None if told is None else any(words in (found or "") for words in told.split("|"))):
                surprises.append((kind, changes, found))

    assert surprises == []


def test_two_acts_on_one_permit_are_never_in_hand_together(office: FakeOffice, ruled: dict[str, Any]) -> None:
    def wanted(kind: str) -> dict[str, str]:
        return {"cites": ruled["id"]} | file_of(kind, ruled["id"])

    with by_hand(office) as connection:
        for first in ("abrogation", "withdrawal", "correction", "extension"):
            for second in ("abrogation", "withdrawal", "correction", "extension"):
                with connection.begin_nested() as attempt:
                    insert(connection, ruled[first], **wanted(first))
                    found = refused(connection, ruled[second], **wanted(second))
                    assert found is not None and "is in hand" in found, (first, second)
                    attempt.rollback()
