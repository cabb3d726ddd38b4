"""What the queue says when the database refuses a job: the same as any other statement would."""

import pytest
from psycopg.errors import DiskFull
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from permits.issue import issue_permit
from tests.fakes import FakeOffice

FULL = """
CREATE FUNCTION jobs.no_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER no_room BEFORE INSERT ON jobs.procrastinate_jobs FOR EACH ROW EXECUTE FUNCTION jobs.no_room();
"""


def test_a_job_that_finds_no_room_is_told_as_the_database_told_it_and_nothing_is_recorded(
    office: FakeOffice, engine: Engine
) -> None:
    with engine.begin() as connection:
        connection.execute(text(FULL))

    with pytest.raises(OperationalError) as refused:
        issue_permit(office.desk, office.filing())

    assert isinstance(refused.value.orig, DiskFull)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM application")).scalar_one() == 0
