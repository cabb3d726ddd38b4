"""Archive copies: files made later from a delivered one, which nobody is served as the act."""

import hashlib

from sqlalchemy import text

from tests.acting import permit_of
from tests.fakes import FakeOffice


def test_a_file_is_found_as_delivered_as_an_archive_copy_or_not_at_all(office: FakeOffice) -> None:
    act = permit_of(office)
    copied = hashlib.sha256(b"a copy").hexdigest()
    with office.register.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO archive_copy (sha256, act_id, content, level, made_from, made_at)"
                " VALUES (:sha256, :act, 'a copy', 'B-LTA', :made_from, now())"
            ),
            {"sha256": copied, "act": act.id, "made_from": act.document_sha256},
        )

    delivered = office.register.find_file(act.document_sha256 or "")
    archived = office.register.find_file(copied)

    assert delivered is not None and archived is not None
    assert (delivered.act.number, delivered.role, delivered.level) == (act.number, "delivered", "B-B")
    assert (archived.act.number, archived.role, archived.level) == (act.number, "archive", "B-LTA")
    assert office.register.find_file("0" * 64) is None
