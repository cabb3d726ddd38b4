"""Whoever holds the head of the audit chain holds up every writer: a process that stops there is made to let go."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import InternalError
from sqlmodel import Session

from permits.register import audit
from permits.register.database import conninfo
from tests.fakes import FakeOffice
from tests.register.filings import Filings

TIMEOUT = text("SHOW idle_in_transaction_session_timeout")


def append(session: Session) -> int:
    return audit.append(session, "ville", "tried", datetime.now(UTC), {"act": "EX-2027-000001"})


def lock(session: Session) -> None:
    audit.lock(session, "ville")


@pytest.mark.parametrize("take", [append, lock])
def test_the_chain_is_held_for_fifteen_idle_seconds_at_most_and_nothing_else_is_changed(
    engine: Engine, take: Callable[[Session], object]
) -> None:
    with Session(engine) as session, session.begin():
        before = session.execute(TIMEOUT).scalar_one()
        take(session)
        assert (before, session.execute(TIMEOUT).scalar_one()) == ("0", "15s")
    with Session(engine) as session, session.begin():
        assert session.execute(TIMEOUT).scalar_one() == before


def test_a_session_that_stops_with_the_chain_in_hand_is_ended_and_leaves_nothing(engine: Engine) -> None:
    """The real thing, only faster: the same setting, shortened after the fact."""
    with pytest.raises(InternalError, match="idle-in-transaction"), Session(engine) as stopped, stopped.begin():
        append(stopped)
        stopped.execute(text("SET LOCAL idle_in_transaction_session_timeout = '200ms'"))
        time.sleep(1)
        with Session(engine) as other, other.begin():
            assert append(other) == 1
        stopped.execute(text("SELECT 1"))

    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM audit_entry")).scalar_one() == 1


def test_the_number_and_its_commit_are_one_message(office: FakeOffice) -> None:
    """A process that stopped between two messages would hold the chain and the counter, and no timeout would end it."""
    filings = Filings(office)
    filings.record(filings.at(1))

    last = "SELECT state, left(query, 18) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE %s"
    with psycopg.connect(conninfo(office.register.engine)) as other:
        assert other.execute(last, ["SELECT given_label%"]).fetchall() == [("idle", "SELECT given_label")]
        assert other.execute(last, ["COMMIT%"]).fetchall() == []
