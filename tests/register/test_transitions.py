"""Every transition leaves its entry in the chain, and its job in the queue."""

from sqlalchemy import text

from permits.issue import issue_permit
from permits.register.audit import GENESIS, entry_digest
from tests.fakes import FakeOffice


def test_every_transition_has_one_entry_chained_to_the_one_before(office: FakeOffice) -> None:
    for _ in range(3):
        issue_permit(office.desk, office.filing())
    with office.register.engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM audit_entry ORDER BY position")).all()

    assert [row.event for row in rows] == ["granted", "issued"] * 3
    previous = GENESIS
    for position, row in enumerate(rows, 1):
        assert row.position == position
        assert row.previous_sha256 == previous
        assert row.sha256 == entry_digest(row.authority, position, row.event, row.at, row.entry, previous)
        previous = row.sha256


def test_a_recorded_decision_enqueues_the_job_that_would_finish_it(office: FakeOffice) -> None:
    filed, _ = issue_permit(office.desk, office.filing())
    with office.register.engine.connect() as connection:
        jobs = connection.execute(text("SELECT task_name, args FROM jobs.procrastinate_jobs")).all()

    assert filed.act is not None
    assert [(job.task_name, job.args) for job in jobs] == [("finish_permit", {"act_id": str(filed.act.id)})]
