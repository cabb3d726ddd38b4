"""What may never happen is impossible in the database itself, whoever holds the connection."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from permits.document.errors import PrintError
from permits.issue import issue_permit
from tests.fakes import FakeOffice


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM act",
        "TRUNCATE act CASCADE",
        "DELETE FROM act_footprint",
        "UPDATE act SET number = 7",
        "UPDATE act SET label = 'EX-2026-000007'",
        "UPDATE act SET payload = jsonb_set(payload, '{fee,total}', '\"0.00\"')",
        "UPDATE act SET code = repeat('x', 22)",
        "UPDATE act SET state = 'reserved', issued_at = NULL, document_sha256 = NULL",
        "UPDATE act SET state = 'annulled', issued_at = NULL, document_sha256 = NULL",
        "UPDATE document SET content = 'autre'",
        "DELETE FROM document",
        "UPDATE audit_entry SET event = 'rien'",
        "DELETE FROM audit_entry",
        "UPDATE counter SET value = value + 2",
        "UPDATE counter SET value = value - 1",
        "DELETE FROM counter",
        "DELETE FROM rulebook",
        "UPDATE rulebook SET files = '{}'",
    ],
)
def test_an_issued_permit_cannot_be_touched(office: FakeOffice, statement: str) -> None:
    issue_permit(office.desk, office.filing())

    with pytest.raises(DBAPIError), office.register.engine.begin() as connection:
        connection.execute(text(statement))


def test_a_number_the_counter_did_not_give_cannot_be_recorded(office: FakeOffice) -> None:
    issue_permit(office.desk, office.filing())
    copy = (
        "INSERT INTO act SELECT gen_random_uuid(), authority, series, year, {number}, 'EX-2026-000009', "
        "gen_random_uuid(), client_id, 'reserved', repeat('y', 22), siret, starts_on, ends_on, fee_total, payload, "
        "payload_sha256, reserved_at, NULL, NULL FROM act"
    )
    with pytest.raises(DBAPIError, match="not given by the counter"), office.register.engine.begin() as connection:
        connection.execute(text(copy.format(number=9)))


def test_a_document_is_stored_only_under_its_own_digest(office: FakeOffice) -> None:
    with pytest.raises(DBAPIError), office.register.engine.begin() as connection:
        connection.execute(text("INSERT INTO document VALUES (repeat('0', 64), 'faux', now())"))


def test_a_reserved_act_may_be_annulled_and_frees_its_footprint(office: FakeOffice) -> None:
    office.press.broken = PrintError("encre")
    issue_permit(office.desk, office.filing())
    with office.register.engine.begin() as connection:
        connection.execute(text("UPDATE act SET state = 'annulled'"))
        state = connection.execute(text("SELECT state FROM act_footprint")).scalar_one()

    assert state == "annulled"


def test_no_refused_move_is_only_refused_by_chance(office: FakeOffice) -> None:
    """Negative control: with the triggers off, the very same statements go through."""
    issue_permit(office.desk, office.filing())
    with office.register.engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        changed = connection.execute(text("UPDATE counter SET value = value + 2")).rowcount
        changed += connection.execute(text("UPDATE audit_entry SET event = 'rien'")).rowcount

    assert changed >= 3
