"""What the register keeps can be neither deleted nor rewritten, whoever holds the connection.

Whoever writes here owns the tables; what even a superuser can't hide is fsck's.
"""

from datetime import date

import pytest
from sqlalchemy import Connection

from permits import acts
from permits.issue import issue_permit
from tests.acting import BREACH, BY, permit_of, publish_again, referred, reserved_permit, rows, turn, turn_source
from tests.fakes import SIRET, FakeOffice, open_establishment
from tests.register.by_hand import by_hand, columns, refusal

# What the register keeps for ever, and what it erases one day or lets a person change.
KEPT = {
    "act",
    "act_footprint",
    "act_notification",
    "application",
    "archive_copy",
    "audit_entry",
    "audit_head",
    "code_key",
    "counter",
    "document",
    "issuing_switch",
    "registry_switch",
    "rulebook_step",
    "rulebook",
    "seal_certificate",
}
ERASED = {"application_contact", "application_evidence", "registry_access", "access_log", "client"}
# What comes and goes with its cause.
PASSING = {"registry_wait"}
# The columns of an act that follow its state; those of an application that a late decision fills.
MOVING = {"state", "issued_at", "document_sha256", "ended_on", "ended_by", "annulled_because"}
DECIDED = {"outcome", "facts", "decision", "rulebook_digest", "decided_at"}
# Something else than what is there, of each type.
OTHER = {
    "uuid": "gen_random_uuid()",
    "text": "concat({column}, 'x')",
    "ARRAY": "{column} || 'x'",
    "integer": "{column} + 2",
    "bigint": "{column} + 2",
    "numeric": "{column} + 1",
    "date": "coalesce({column}, '2027-01-12') + 1",
    "jsonb": "'{{}}'::jsonb",
    "timestamp with time zone": "coalesce({column}, now()) + interval '1 second'",
    "boolean": "NOT {column}",
    "bytea": "'autre'::bytea",
    "USER-DEFINED": "NULL",
    "polygon": "polygon '((0,0),(0,1),(1,1))'",
    "daterange": "daterange('2027-01-01', '2028-01-01')",
}

KEPT_FOR_VERIFICATION = (
    "INSERT INTO seal_certificate VALUES ('exemple', encode(sha256('der'), 'hex'), 'der', '', now())",
    "INSERT INTO code_key VALUES ('exemple', 'kid', '{}', now())",
    "INSERT INTO archive_copy SELECT encode(sha256('pdf'), 'hex'), id, 'pdf', 'B-T', document_sha256, now(), NULL"
    " FROM act WHERE document_sha256 IS NOT NULL LIMIT 1",
)


@pytest.fixture
def book(office: FakeOffice) -> FakeOffice:
    """A book with a row in every table that is kept, and more than one kind of act."""
    permit = permit_of(office)
    acts.note_delivery(office.desk, permit, "téléchargement")
    acts.abrogate(office.desk, permit.number, BREACH, date(2027, 1, 14), BY)
    referred(office)
    turn(office.register, office.clock(), halted=True)
    turn(office.register, office.clock(), halted=False)
    turn_source(office, off=True)
    publish_again(office, date(2027, 6, 1))
    with office.register.engine.begin() as connection:
        for statement in KEPT_FOR_VERIFICATION:
            connection.exec_driver_sql(statement)
    return office


def test_every_table_is_kept_or_erased_one_day_or_passing(book: FakeOffice) -> None:
    query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    assert {row.tablename for row in rows(book, query)} - {"alembic_version"} == KEPT | ERASED | PASSING


@pytest.mark.parametrize("triggers", [True, False], ids=["as it is", "negative control"])
def test_what_the_registry_said_is_never_rewritten_and_only_of_a_person_erased(
    book: FakeOffice, triggers: bool
) -> None:
    book.registry.answers[SIRET] = open_establishment(legal_form="5710")
    permit_of(book, starts_on="2027-02-08", ends_on="2027-02-12")
    with by_hand(book, triggers=triggers) as connection:
        rewrite = "UPDATE application_evidence SET answer = '{}'"
        erase = "DELETE FROM application_evidence WHERE NOT about_a_person"
        possible = [refusal(connection, statement) is None for statement in (rewrite, erase)]

    assert possible == ([False, False] if triggers else [True, True])


@pytest.mark.parametrize("triggers", [True, False], ids=["as it is", "negative control"])
def test_no_row_that_is_kept_can_be_deleted(book: FakeOffice, triggers: bool) -> None:
    with by_hand(book, triggers=triggers) as connection:
        deleted = {table for table in KEPT if refusal(connection, f"DELETE FROM {table}") is None}

    assert deleted == (set() if triggers else KEPT)


def test_no_table_that_is_kept_can_be_emptied(book: FakeOffice) -> None:
    with by_hand(book) as connection:
        told = {table: refusal(connection, f"TRUNCATE {table} CASCADE") for table in KEPT}

    assert [table for table, why in told.items() if why is None or "the register keeps everything" not in why] == []


def rewritten(connection: Connection, table: str, condition: str = "true") -> set[str]:
    """Return the columns of a table that can be given another value, on the rows told."""
    found = set()
    for column, kind in columns(connection, table).items():
        value = OTHER[kind].format(column=column)
        if refusal(connection, f"UPDATE {table} SET {column} = {value} WHERE {condition}") is None:
            found.add(column)
    return found


def test_no_column_that_is_kept_can_be_rewritten(book: FakeOffice) -> None:
    with by_hand(book) as connection:
        assert {table: rewritten(connection, table) for table in KEPT} == {table: set() for table in KEPT}


def test_without_the_guards_every_table_that_is_kept_can_be_rewritten(book: FakeOffice) -> None:
    """Negative control of the one above: only keys, digests and what may not be null hold by themselves."""
    with by_hand(book, triggers=False) as connection:
        found = {table: rewritten(connection, table) for table in KEPT}

    assert [table for table, changed in found.items() if not changed] == []
    assert found["act"] > {"number", "payload", "reserved_at", "siret", "fee_total"}
    assert found["act_footprint"] > {"footprint_core", "period", "worksite_key", "live"}


@pytest.mark.parametrize("state", ["reserved", "issued", "abrogated"])
def test_all_but_what_follows_its_state_is_frozen_in_an_act_from_its_reservation_on(
    book: FakeOffice, state: str
) -> None:
    reserved_permit(book)
    with by_hand(book) as connection:
        kinds = columns(connection, "act")
        told = {}
        for column in kinds.keys() - MOVING:
            value = OTHER[kinds[column]].format(column=column)
            told[column] = refusal(connection, f"UPDATE act SET {column} = {value} WHERE state = '{state}'")

    assert kinds.keys() > MOVING
    assert {column for column, why in told.items() if why is None or "is frozen" not in why} == set()


def test_an_application_is_frozen_once_it_is_decided(book: FakeOffice) -> None:
    book.registry.is_down = True
    issue_permit(book.desk, book.filing())
    with by_hand(book) as connection:
        for outcome in ("granted", "referred"):
            assert rewritten(connection, "application", f"outcome = '{outcome}'") == set()
        assert rewritten(connection, "application", "outcome = 'awaiting_registry'") <= DECIDED
        late = "UPDATE application SET decided_at = now() WHERE outcome = 'awaiting_registry'"
        assert refusal(connection, late) is None
        untouched = "UPDATE application SET outcome = outcome WHERE outcome = 'referred'"
        assert "is frozen" in str(refusal(connection, untouched))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE counter SET value = value - 1",
        "UPDATE counter SET year = year + 1, value = value + 1",
        "INSERT INTO counter VALUES ('exemple', 'EX', 2030, 2)",
        "UPDATE audit_head SET position = position - 1",
        "UPDATE audit_head SET sha256 = repeat('0', 64)",
        "UPDATE document SET content = content",
        "INSERT INTO document VALUES (repeat('0', 64), 'faux', now())",
        "UPDATE act SET state = state",
        "UPDATE act SET payload = jsonb_set(payload, '{fee,total}', '\"0.00\"')",
    ],
)
def test_a_known_tampering_is_refused(book: FakeOffice, statement: str) -> None:
    with by_hand(book) as connection:
        assert refusal(connection, statement) is not None


def test_the_tamperings_are_refused_by_the_guards(book: FakeOffice) -> None:
    """Negative control."""
    with by_hand(book, triggers=False) as connection:
        for statement in ("UPDATE counter SET value = value + 2", "UPDATE audit_head SET position = position - 1"):
            assert refusal(connection, statement) is None
