"""Every transition leaves its entry in the chain, and its job in the queue."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from permits import acts
from permits.document.errors import PrintError
from permits.domain.act import Act
from permits.domain.canonical import digest
from permits.issue import decide_waiting, issue_permit
from permits.register.audit import GENESIS, entry_digest
from tests.acting import (
    BREACH,
    BY,
    CHANGE,
    HEARING,
    ILLEGAL,
    MARKET,
    REASONS,
    extension_of,
    permit_of,
    referred,
    reserved_permit,
    rows,
    turn,
)
from tests.fakes import FakeOffice


def whole_life(office: FakeOffice) -> list[str]:
    """Do everything that is told to the chain, once or more; return the events in their order."""
    desk, told = office.desk, ["granted", "issued"]
    permit = permit_of(office)
    acts.note_delivery(desk, permit, "téléchargement")
    told += ["notified"]
    extension = extension_of(office, permit, date(2027, 1, 20))
    told += ["granted", "issued"]
    acts.withdraw(desk, extension.number, ILLEGAL, BY)
    told += ["reserved", "issued", "withdrawn"]
    corrected = acts.correct(desk, permit.number, CHANGE, REASONS, BY)
    told += ["granted", "issued", "superseded"]
    acts.abrogate(desk, corrected.number, BREACH, date(2027, 1, 14), BY)
    told += ["reserved", "issued", "abrogated"]
    acts.annul(desk, reserved_permit(office).number, "le document ne se compose pas", BY)
    told += ["granted", "annulled"]
    acts.refuse(desk, referred(office), (MARKET,), HEARING, BY)
    told += ["referred", "reserved", "issued"]
    office.registry.is_down = True
    waiting, _ = issue_permit(desk, office.filing())
    office.registry.is_down = False
    decide_waiting(desk, waiting.filing.application_id)
    told += ["received", "granted", "issued"]
    turn(office.register, office.clock(), halted=True)
    turn(office.register, office.clock(), halted=False)
    return [*told, "halted", "resumed"]


def entries(office: FakeOffice) -> list[Any]:
    return rows(office, "SELECT * FROM audit_entry ORDER BY position")


def chain_fault(chain: list[Any]) -> str | None:
    """Return the first entry that does not follow from the one before, None when all do."""
    previous = GENESIS
    for position, row in enumerate(chain, 1):
        due = entry_digest(row.authority, position, row.event, row.at, row.entry, previous)
        if (row.position, row.previous_sha256, row.sha256) != (position, previous, due):
            return f"entry {position}"
        previous = row.sha256
    return None


def test_every_transition_has_one_entry_chained_to_the_one_before(office: FakeOffice) -> None:
    told = whole_life(office)
    chain = entries(office)

    assert [row.event for row in chain] == told
    assert chain_fault(chain) is None
    assert rows(office, "SELECT position, sha256 FROM audit_head") == [(len(chain), chain[-1].sha256)]


@pytest.mark.parametrize("damage", ["entry = entry || '{\"x\": 1}'", "event = 'autre'", "at = at + interval '1 s'"])
def test_a_changed_entry_breaks_the_chain(office: FakeOffice, damage: str) -> None:
    """Negative control."""
    permit_of(office)
    with office.register.engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(f"UPDATE audit_entry SET {damage} WHERE position = 2"))

    assert chain_fault(entries(office)) == "entry 2"


def test_the_chain_holds_numbers_identifiers_and_digests_and_nothing_that_people_wrote(office: FakeOffice) -> None:
    whole_life(office)
    written = "".join(str(row.entry) for row in entries(office))

    for words in (*BREACH.facts, HEARING, MARKET.fact, *REASONS, CHANGE["worksite"], "téléchargement", "exercice"):
        assert words not in written
    assert "99999001300024" not in written and "ECHAFAUDAGES" not in written
    assert BY in written


def test_a_number_is_told_with_the_digest_of_what_was_frozen_under_it(office: FakeOffice) -> None:
    whole_life(office)
    told = {row.entry["act"]: row.entry for row in entries(office) if row.event in ("granted", "reserved")}
    kept = rows(office, "SELECT label, kind, payload, payload_sha256, taken_by FROM act")

    assert told.keys() == {row.label for row in kept}
    for row in kept:
        assert digest(row.payload) == row.payload_sha256 == told[row.label]["payload_sha256"]
        assert row.payload["number"] == row.label
        assert (told[row.label]["kind"], told[row.label]["by"]) == (row.kind, row.taken_by)


def an_abrogation(office: FakeOffice) -> Act:
    return acts.abrogate(office.desk, permit_of(office).number, BREACH, date(2027, 1, 14), BY)


def a_correction(office: FakeOffice) -> Act:
    return acts.correct(office.desk, permit_of(office).number, CHANGE, REASONS, BY)


def a_refusal(office: FakeOffice) -> Act:
    return acts.refuse(office.desk, referred(office), (MARKET,), HEARING, BY)


def an_extension(office: FakeOffice) -> Act:
    return extension_of(office, permit_of(office), date(2027, 1, 20))


@pytest.mark.parametrize(
    "make",
    [permit_of, an_extension, a_correction, a_refusal, an_abrogation],
    ids=["a permit", "an extension", "a correction", "a refusal", "an abrogation"],
)
def test_every_number_comes_with_the_job_that_would_finish_its_act(
    office: FakeOffice, make: Callable[[FakeOffice], Act]
) -> None:
    act = make(office)
    jobs = rows(office, "SELECT task_name, args FROM jobs.procrastinate_jobs")

    assert ("finish_permit", {"act_id": str(act.id)}) in [tuple(job) for job in jobs]
    assert len(jobs) == len(rows(office, "SELECT 1 FROM act"))


def test_what_is_refused_leaves_neither_entry_nor_job_nor_number(office: FakeOffice) -> None:
    permit = permit_of(office)
    office.press.broken = PrintError("encre")
    acts.abrogate(office.desk, permit.number, BREACH, date(2027, 1, 14), BY)
    before = counts(office)
    with pytest.raises(acts.ActNotPossible):
        acts.withdraw(office.desk, permit.number, ILLEGAL, BY)

    assert counts(office) == before


def counts(office: FakeOffice) -> list[Any]:
    tables = ("audit_entry", "jobs.procrastinate_jobs", "act", "application")
    return [rows(office, f"SELECT count(*) FROM {table}") for table in tables] + [rows(office, "SELECT * FROM counter")]
