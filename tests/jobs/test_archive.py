"""What was delivered without its time stamp is stamped once the authority is back; every act has a copy, renewed."""

import hashlib
from datetime import datetime, timedelta

import pytest
from procrastinate import SyncPsycopgConnector
from sqlalchemy import text

import app
from permits.document.payload import Payload
from permits.document.press import LintedDocument, Press
from permits.document.sealing.seal import Seal
from permits.document.sealing.stamping import Stamping
from permits.document.sealing.tsa import TimeStampAuthority
from permits.domain.act import Act, ActState
from permits.domain.permit import SealingStopped
from permits.domain.sealing import MOST_DEFERRED, SealLevel, check_deferral
from permits.issue import finish_act, issue_permit
from permits.jobs import archive
from permits.jobs.archive import Archiving
from permits.jobs.worker import Worker
from permits.register.archive import Archive, Deferred
from permits.register.database import conninfo
from permits.register.fsck import check
from tests.acting import granted, reserved_permit
from tests.document.conftest import town_seal
from tests.document.pages import blank_page
from tests.document.readers import three_readers_accept
from tests.document.test_stamps import stamping_of
from tests.endtoend.running import wait
from tests.fakes import FakeOffice
from tests.pki import Pki
from tests.register.every_kind import body_at

SECOND = timedelta(seconds=1)


class BlankPages(Press):
    """Seals for real what says nothing, printed beforehand."""

    is_specimen = False

    def print_and_lint(self, payload: Payload, signed_code: str | None = None) -> LintedDocument:
        page = blank_page() + f"% {payload.number}\n".encode()
        digest = hashlib.sha256(page).hexdigest()
        return LintedDocument(page, digest, self._proof(digest))


class Town:
    """An office with a real seal and a real time-stamp authority, at a clock that is moved."""

    def __init__(self, office: FakeOffice, pki: Pki) -> None:
        self.office, self.pki = office, pki
        self.archive = Archive(office.register.engine, office.register.authority, office.register.floor)
        self._seconds = 0.0
        self.stamping = Stamping(
            TimeStampAuthority(pki.tsa_url, roots=[pki.root], clock=lambda: self._seconds), [pki.root]
        )
        self.seal = Seal(pki.key(), self.stamping)
        self.archiving = Archiving(self.archive, self.seal, self.stamping, office.clock)
        press = BlankPages(
            self.seal, may_seal=lambda: check_deferral(self.archive.oldest_deferred(office.clock()), office.clock())
        )
        object.__setattr__(office.desk, "press", press)

    def permit(self, spot: int = 0) -> Act:
        return granted(issue_permit(self.office.desk, self.office.filing(body_at(spot)))[0])

    def fails(self) -> None:
        self.pki.faults["tsa"] = "down"

    def recovers(self) -> None:
        """The authority is back, and its rest over."""
        self.pki.resume()
        self._seconds += 60

    def restarts(self) -> None:
        """Nothing is known any more of certificates."""
        self.stamping = stamping_of(self.pki)
        self.seal = Seal(self.pki.key(), self.stamping)
        self.archiving = Archiving(self.archive, self.seal, self.stamping, self.office.clock)

    def one(self, query: str) -> int:
        with self.office.register.engine.connect() as connection:
            return int(connection.execute(text(query)).scalar_one())

    def copies(self) -> list[tuple[str, str]]:
        """Return the number and level of every copy, in the order they were made."""
        query = (
            "SELECT entry ->> 'act' AS number, entry ->> 'level' AS level FROM audit_entry"
            " WHERE event = 'archived' ORDER BY position"
        )
        with self.office.register.engine.connect() as connection:
            return [(row.number, row.level) for row in connection.execute(text(query))]

    def fsck(self) -> None:
        """The whole book is sound."""
        register = self.office.register
        assert check(register.engine, register.authority, self.office.clock()).findings == ()


@pytest.fixture
def town(office: FakeOffice, pki: Pki) -> Town:
    return Town(office, pki)


def test_an_act_is_delivered_with_its_level(town: Town) -> None:
    act = town.permit()
    found = town.office.register.find_file(act.document_sha256 or "")

    assert found is not None and found.level == SealLevel.B_LT
    three_readers_accept(town.office.register.document(act.document_sha256 or ""), [town.pki.root])
    assert town.archive.deferred() == Deferred(0, None)
    town.fsck()


def test_what_was_delivered_without_a_stamp_is_stamped_oldest_first(town: Town) -> None:
    town.fails()
    first = town.permit(0)
    town.office.clock.move(minutes=1)
    second = town.permit(1)
    assert town.archive.deferred() == Deferred(2, first.issued_at)
    assert town.archiving.stamp_deferred() == 0

    town.recovers()
    assert town.archiving.stamp_deferred() == 2
    assert town.copies() == [(first.number, "B-LTA"), (second.number, "B-LTA")]
    assert town.archive.deferred() == Deferred(0, None)
    assert town.archiving.stamp_deferred() == 0
    town.fsck()


def test_all_that_waits_is_stamped_in_one_run_however_much(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "AT_A_TIME", 1)
    town.fails()
    for spot in range(3):
        town.permit(spot)
    town.recovers()

    assert town.archiving.stamp_deferred() == 3


def test_the_oldest_that_waits_is_told_as_it_was_a_second_ago_at_most(town: Town) -> None:
    def oldest() -> datetime | None:
        return town.archive.oldest_deferred(town.office.clock())

    town.fails()
    assert oldest() is None
    first = town.permit(0)
    town.office.clock.move(seconds=1)
    assert oldest() == first.issued_at
    town.office.clock.move(hours=2)
    second = town.permit(1)
    town.recovers()
    (waiting, _) = town.archive.awaiting_stamp(2)
    town.archiving._copy([waiting], lambda: False, waits_for_evidence=False)
    assert oldest() == second.issued_at, "without waiting: this process has stamped the first"
    town.archiving.stamp_deferred()
    town.office.clock.move(hours=2)
    assert oldest() is None
    town.fails()
    assert town.permit(2).issued_at == (town.office.clock.move(seconds=1) or oldest())


def test_issuing_stops_four_hours_after_the_oldest_act_without_a_stamp_and_resumes(town: Town) -> None:
    town.fails()
    town.permit(0)
    town.office.clock.move(hours=1)
    town.permit(1)
    town.office.clock.now += timedelta(hours=3) - SECOND
    town.permit(2)
    town.office.clock.now += SECOND
    assert town.office.clock() - (town.archive.deferred().oldest or town.office.clock()) == MOST_DEFERRED
    before = town.one("SELECT sum(value) FROM counter"), town.one("SELECT count(*) FROM application")
    with pytest.raises(SealingStopped, match="horodatage") as stopped:
        town.permit(3)

    assert stopped.value.retry_after > 0
    assert (town.one("SELECT sum(value) FROM counter"), town.one("SELECT count(*) FROM application")) == before
    town.recovers()
    with pytest.raises(SealingStopped):
        town.permit(3)
    assert town.archiving.stamp_deferred() == 3
    assert town.permit(3).state is ActState.ISSUED
    town.fsck()


def test_a_reserved_act_waits_too_and_keeps_its_number(town: Town) -> None:
    press = town.office.desk.press
    object.__setattr__(town.office.desk, "press", town.office.press)
    reserved = reserved_permit(town.office)
    object.__setattr__(town.office.desk, "press", press)
    town.fails()
    town.permit(1)
    town.office.clock.now += MOST_DEFERRED
    with pytest.raises(SealingStopped):
        finish_act(town.office.desk, reserved.id)

    town.recovers()
    town.archiving.stamp_deferred()
    finished = finish_act(town.office.desk, reserved.id)
    assert finished is not None and (finished.number, finished.state) == (reserved.number, ActState.ISSUED)


def test_without_an_authority_nothing_is_ever_deferred(town: Town) -> None:
    town.seal.stamping = None
    town.permit(0)
    town.office.clock.move(days=30)

    assert town.permit(1).state is ActState.ISSUED
    assert town.archive.deferred() == Deferred(0, None)


def test_every_act_has_one_copy_made_in_order(town: Town) -> None:
    numbers = []
    for spot in range(3):
        numbers.append(town.permit(spot).number)
        town.office.clock.move(minutes=1)

    assert town.archiving.continue_due() == 3
    assert town.copies() == [(number, "B-LTA") for number in numbers]
    assert town.archiving.continue_due() == 0
    town.fsck()


def test_a_copy_is_renewed_in_time_by_one_that_continues_it(town: Town) -> None:
    act = town.permit()
    town.archiving.continue_due()
    with town.office.register.engine.connect() as connection:
        renew_before = connection.execute(text("SELECT renew_before FROM archive_copy")).scalar_one()
    town.office.clock.now = renew_before - SECOND
    assert town.archiving.continue_due() == 0
    town.office.clock.now = renew_before
    assert town.archiving.continue_due() == 1

    assert town.copies() == [(act.number, "B-LTA")] * 2
    assert town.one("SELECT count(*) FROM archive_copy c JOIN archive_copy e ON e.sha256 = c.made_from") == 1
    town.fsck()


def test_a_file_that_cannot_be_continued_keeps_no_other_waiting(town: Town) -> None:
    broken, sound = town.permit(0), town.permit(1)
    register = town.office.register
    with register.engine.begin() as connection:
        connection.execute(text("ALTER TABLE document DISABLE TRIGGER ALL, DROP CONSTRAINT document_check"))
        connection.execute(
            text("UPDATE document SET content = content || 'x' WHERE sha256 = :sha256"),
            {"sha256": broken.document_sha256},
        )

    assert [town.archiving.continue_due() for _ in range(2)] == [1, 0]
    assert town.copies() == [(sound.number, "B-LTA")]


def test_a_former_seal_of_which_nobody_tells_anything_any_more_keeps_no_other_waiting(town: Town) -> None:
    former, today = town_seal(with_chain=True), town.office.desk.press
    press = BlankPages(Seal(former.key), may_seal=lambda: None)
    object.__setattr__(town.office.desk, "press", press)
    old = town.permit(0)
    object.__setattr__(town.office.desk, "press", today)
    town.office.clock.move(minutes=1)
    new = town.permit(1)

    assert town.archiving.continue_due() == 2
    assert town.copies() == [(old.number, "B-T"), (new.number, "B-LTA")]
    assert town.archiving.continue_due() == 0, "it has its date, and is tried again another day"


def test_while_no_source_answers_no_copy_is_made(town: Town) -> None:
    town.permit(0)
    town.pki.faults.update(ocsp="down", crls="down")
    town.restarts()

    assert town.archiving.continue_due() == 0
    assert town.copies() == []


def test_an_act_of_a_revoked_seal_is_stamped_once_another_is_in_use(town: Town) -> None:
    town.fails()
    act = town.permit(0)
    town.recovers()
    town.pki.issue(revoked=["signer"])
    town.restarts()

    assert town.archiving.stamp_deferred() == 1
    assert town.copies() == [(act.number, "B-T")]
    assert town.archive.deferred() == Deferred(0, None)


@pytest.mark.parametrize("task", ["stamp_deferred", pytest.param("continue_due", marks=pytest.mark.proof)])
def test_the_worker_of_the_service_does_it(task: str, town: Town) -> None:
    town.fails()
    deferred = town.permit()
    town.recovers()
    register = town.office.register
    worker = Worker(town.office.desk, register.engine, register.authority, town.archiving)
    with worker._app.replace_connector(SyncPsycopgConnector(conninfo=conninfo(register.engine))) as queue, queue.open():
        queue.configure_task(task).defer(timestamp=0)
    worker.start()
    try:
        assert wait(lambda: town.copies() == [(deferred.number, "B-LTA")], 20)
    finally:
        worker.stop()


def test_readiness_tells_the_level_and_who_waits_for_a_stamp(town: Town) -> None:
    def told() -> tuple[bool, str]:
        row = app._timestamps(town.seal, town.archive)
        assert (row.name, row.failing) == ("timestamps", False)
        return row.ok, row.detail

    assert told() == (True, "rien n’a encore été scellé")
    town.permit(0)
    assert told() == (True, "les cachets sont horodatés (B-LT)")
    town.fails()
    town.permit(1)
    ok, detail = told()
    assert not ok
    assert "le dernier cachet est B-B" in detail
    assert "1 acte attend son horodatage, depuis le 2026-12-01 10:00" in detail
    town.recovers()
    town.archiving.stamp_deferred()
    town.permit(2)
    assert told() == (True, "les cachets sont horodatés (B-LT)")
    town.fails()
    town.permit(3)
    town.seal.stamping = None
    ok, detail = told()
    assert not ok and detail.startswith("aucune autorité d’horodatage : les cachets sont B-B ; 1 acte attend")


def test_a_run_ends_when_the_service_stops(town: Town) -> None:
    town.permit()

    assert town.archiving.continue_due(lambda: True) == 0
    assert town.archiving.continue_due(lambda: False) == 1
