"""A place in the queue comes with an application that waits and goes with its decision, whoever writes."""

from datetime import timedelta

import pytest
from psycopg.errors import DiskFull
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from permits.issue import decide_waiting, issue_permit
from permits.register.waiting import Waiting, WaitingLine
from tests.acting import rows
from tests.fakes import OTHER_SIRET, FakeOffice
from tests.register.by_hand import by_hand, refusal

DECIDED = "(SELECT id FROM application WHERE outcome <> 'awaiting_registry')"
FORBIDDEN = {
    "left while it waits": "DELETE FROM registry_wait",
    "emptied": "TRUNCATE registry_wait",
    "given to another": f"UPDATE registry_wait SET application_id = {DECIDED}",
    "moved forward": "UPDATE registry_wait SET since = since - interval '1 day'",
    "taken by what is decided": "INSERT INTO registry_wait SELECT id, authority, received_at, received_at, 0, 'x'"
    f" FROM application WHERE id = {DECIDED}",
}
ALLOWED = "UPDATE registry_wait SET retry_at = retry_at + interval '10 s', tries = tries + 1, reason = 'HTTP 500'"


@pytest.fixture
def waiting(office: FakeOffice) -> FakeOffice:
    """An office with one application that waits, and one that is decided."""
    issue_permit(office.desk, office.filing(siret=OTHER_SIRET))
    office.registry.is_down = True
    issue_permit(office.desk, office.filing())
    office.registry.is_down = False
    return office


@pytest.mark.parametrize("statement", FORBIDDEN.values(), ids=FORBIDDEN)
def test_no_place_is_lost_moved_or_invented(waiting: FakeOffice, statement: str) -> None:
    with by_hand(waiting) as connection:
        assert refusal(connection, statement) is not None
        assert refusal(connection, ALLOWED) is None


@pytest.mark.parametrize("statement", FORBIDDEN.values(), ids=FORBIDDEN)
def test_without_its_guards_anything_could_be_done_to_the_queue(waiting: FakeOffice, statement: str) -> None:
    """Negative control."""
    with by_hand(waiting, triggers=False) as connection:
        assert refusal(connection, statement) is None


def test_an_application_that_is_not_recorded_takes_no_place(waiting: FakeOffice) -> None:
    refused = (
        "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$;"
        " CREATE TRIGGER no_room BEFORE INSERT ON registry_wait FOR EACH ROW EXECUTE FUNCTION no_room()"
    )
    with waiting.register.engine.begin() as connection:
        connection.execute(text(refused))
    waiting.registry.is_down = True
    with pytest.raises(DBAPIError) as told:
        issue_permit(waiting.desk, waiting.filing())

    assert isinstance(told.value.orig, DiskFull)
    assert rows(waiting, "SELECT count(*) FROM application") == [(2,)]


def test_the_decision_takes_the_place_away(waiting: FakeOffice) -> None:
    ((application,),) = rows(waiting, "SELECT application_id FROM registry_wait")
    assert decide_waiting(waiting.desk, application)

    assert rows(waiting, "SELECT 1 FROM registry_wait") == []
    assert not decide_waiting(waiting.desk, application)


def test_the_queue_tells_how_many_wait_since_when_and_why(waiting: FakeOffice) -> None:
    line = WaitingLine(waiting.register.engine, waiting.register.authority)
    since = waiting.clock()
    waiting.registry.is_down = True
    for _ in range(2):
        waiting.clock.move(minutes=3)
        issue_permit(waiting.desk, waiting.filing())
    first = line.first(waiting.clock())
    assert first is not None
    line.postpone(first, waiting.clock(), "insee: HTTP 500")

    assert line.summary() == Waiting(3, since, {"api-entreprise: HTTP 502": 2, "insee: HTTP 500": 1})
    second = line.first(waiting.clock())
    assert second is not None and second != first
    assert line.first(waiting.clock() + timedelta(seconds=10)) == first._replace(tries=1)
    assert WaitingLine(waiting.register.engine, "ailleurs").summary() == Waiting(0, None, {})
