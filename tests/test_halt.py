"""A person suspends automatic issuing: from the commit on nothing is granted anywhere, and filing goes on."""

import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from threading import Event

import pytest
from psycopg.errors import CheckViolation
from sqlalchemy import text
from typer.testing import CliRunner

from permits import acts
from permits.cli import app
from permits.domain.act import ActKind, ActState
from permits.domain.decision import Referred
from permits.domain.filing import Filed
from permits.issue import decide_waiting, finish_act, issue_permit, preview
from permits.law.load import RulebookError, load_directory
from permits.register import switch
from permits.register.book import Register
from permits.register.queue import ProcrastinateQueue
from tests.acting import (
    BREACH,
    BY,
    CHANGE,
    REASONS,
    again,
    events,
    extend,
    granted,
    grounds_of,
    permit_of,
    reserved_permit,
    rows,
    second_engine,
    turn,
    wait,
    wait_until_somebody_waits,
)
from tests.fakes import ROOT, FakeOffice, request_body

WHY = "le cachet est peut-être compromis"


def halt(office: FakeOffice) -> None:
    turn(office.register, office.clock(), halted=True, reason=WHY)


def file(office: FakeOffice, key: str | None = None) -> Filed:
    return issue_permit(office.desk, office.filing(key=key))[0]


def test_while_issuing_is_suspended_applications_are_received_and_referred_for_that_reason_only(
    office: FakeOffice,
) -> None:
    halt(office)
    filed = file(office)

    assert filed.outcome == "referred"
    assert grounds_of(filed) == ["ISSUING-OPEN"]
    assert isinstance(filed.decision, Referred) and filed.decision.fee is not None
    assert rows(office, "SELECT 1 FROM act") == []
    assert rows(office, "SELECT 1 FROM counter") == []


def test_issuing_resumes_and_what_was_referred_stays_with_its_agent(office: FakeOffice) -> None:
    halt(office)
    meanwhile = file(office, key="meanwhile")
    turn(office.register, office.clock(), halted=False)

    assert granted(file(office)).number == "EX-2026-000001"
    assert file(office, key="meanwhile").outcome == meanwhile.outcome == "referred"
    assert events(office) == ["halted", "referred", "resumed", "granted", "issued"]


def test_every_turn_of_the_switch_is_kept_with_its_reason_and_its_author(office: FakeOffice) -> None:
    halt(office)
    turn(office.register, office.clock(), halted=False, reason="le cachet est sûr", by="agent-9")

    kept = rows(office, "SELECT halted, reason, turned_by FROM issuing_switch ORDER BY id")
    assert kept == [(True, WHY, BY), (False, "le cachet est sûr", "agent-9")]
    with pytest.raises(CheckViolation):
        turn(office.register, office.clock(), halted=True, reason="  ")


def test_a_preview_tells_that_issuing_is_suspended(office: FakeOffice) -> None:
    halt(office)
    decision = preview(office.desk, office.filing()).decision

    assert [ground.rule for ground in decision.grounds] == ["ISSUING-OPEN"]  # type: ignore[union-attr]


def halt_between_the_decision_and_its_record(office: FakeOffice) -> None:
    """Turn the switch once, at the moment when a granted application asks for its place at the press."""
    slot, turned = office.press.slot, Event()

    @contextmanager
    def turning() -> Iterator[None]:
        if not turned.is_set():
            turned.set()
            halt(office)
        with slot():
            yield

    office.press.slot = turning  # type: ignore[method-assign]


def test_what_was_decided_before_the_halt_and_is_recorded_after_it_is_referred(office: FakeOffice) -> None:
    halt_between_the_decision_and_its_record(office)
    filed = file(office)

    assert grounds_of(filed) == ["ISSUING-OPEN"]
    assert events(office) == ["halted", "referred"]
    assert rows(office, "SELECT 1 FROM act_footprint") == []
    assert rows(office, "SELECT 1 FROM jobs.procrastinate_jobs") == []


def test_an_extension_decided_before_the_halt_is_referred_too(office: FakeOffice) -> None:
    permit = permit_of(office)
    halt_between_the_decision_and_its_record(office)

    assert grounds_of(extend(office, permit, date(2027, 1, 20))) == ["ISSUING-OPEN"]


def test_what_waited_for_the_registry_is_referred_when_it_answers_during_a_halt(office: FakeOffice) -> None:
    office.registry.is_down = True
    waiting = file(office)
    halt(office)
    office.registry.is_down = False
    decide_waiting(office.desk, waiting.filing.application_id)

    decided = office.register.application(waiting.filing.application_id)
    assert decided is not None and grounds_of(decided) == ["ISSUING-OPEN"]


def test_what_was_reserved_before_the_halt_ends_whole(office: FakeOffice) -> None:
    permit = reserved_permit(office)
    halt(office)
    finished = finish_act(office.desk, permit.id)

    assert finished is not None and finished.state is ActState.ISSUED
    assert events(office) == ["granted", "halted", "issued"]


def test_people_go_on_acting_during_a_halt(office: FakeOffice) -> None:
    permit = permit_of(office)
    halt(office)
    corrected = acts.correct(office.desk, permit.number, CHANGE, REASONS, BY)
    acts.abrogate(office.desk, corrected.number, BREACH, date(2027, 1, 14), BY)

    assert corrected.kind is ActKind.CORRECTION
    assert again(office, corrected).state is ActState.ABROGATED


def test_a_halt_of_one_authority_does_not_stop_another(office: FakeOffice) -> None:
    elsewhere = Register(office.register.engine, "ailleurs", ProcrastinateQueue())
    elsewhere.keep_rulebook("0" * 64, {}, office.clock())
    turn(elsewhere, office.clock(), halted=True)

    assert file(office).outcome == "granted"


def test_two_processes_on_one_database_obey_one_switch(office: FakeOffice) -> None:
    with second_engine(office) as engine:
        elsewhere = replace(office)
        elsewhere.register = Register(engine, office.register.authority, ProcrastinateQueue())
        elsewhere.desk = replace(office.desk, register=elsewhere.register)
        assert file(elsewhere).outcome == "granted"

        halt(office)
        assert grounds_of(file(elsewhere)) == ["ISSUING-OPEN"]
        turn(elsewhere.register, office.clock(), halted=False)
        assert file(office).outcome == "granted"


def test_the_first_entry_of_a_book_may_be_a_halt_and_a_grant_waits_for_it(office: FakeOffice) -> None:
    """Before anything is written there is no end of the chain to lock: the first to come makes it."""
    turn = (
        "INSERT INTO issuing_switch (authority, halted, reason, turned_by, turned_at) VALUES (:a, true, :why, :by, :at)"
    )
    with ThreadPoolExecutor(1) as pool:
        with office.register.engine.connect() as connection, connection.begin():
            values = {"a": office.register.authority, "why": WHY, "by": BY, "at": office.clock()}
            connection.execute(text("SELECT append_audit(:a, 'halted', '2026-12-01T09:00:00+00:00', '{}')"), values)
            connection.execute(text(turn), values)
            filing = pool.submit(file, office)
            wait_until_somebody_waits(office)
            assert not filing.done()
        filed = filing.result(timeout=10)

    assert grounds_of(filed) == ["ISSUING-OPEN"]


@pytest.mark.parametrize("obeyed", [True, False], ids=["as it is", "negative control"])
def test_nothing_is_granted_after_the_halt_however_many_are_filing(office: FakeOffice, obeyed: bool) -> None:
    if not obeyed:
        with office.register.engine.begin() as connection:
            connection.execute(
                text(
                    "CREATE OR REPLACE FUNCTION issuing_is_halted(the_authority text) RETURNS boolean"
                    " LANGUAGE sql STABLE AS 'SELECT false'"
                )
            )
    halted, body = Event(), request_body()

    def client(name: int) -> list[str]:
        """File one after the other, until three were filed after the halt."""
        outcomes, after = [], 0
        for n in range(200):
            after += halted.is_set()
            outcomes.append(issue_permit(office.desk, office.filing(body, key=f"{name}-{n}"))[0].outcome)
            if after == 3:
                break
        return outcomes

    with ThreadPoolExecutor(4) as pool:
        clients = [pool.submit(client, name) for name in range(4)]
        assert wait(lambda: len(rows(office, "SELECT 1 FROM act LIMIT 12")) == 12)
        halt(office)
        halted.set()
        outcomes = [outcome for each in clients for outcome in each.result(timeout=60)]

    grants = rows(office, "SELECT position FROM audit_entry WHERE event = 'granted' ORDER BY position")
    ((turned,),) = rows(office, "SELECT position FROM audit_entry WHERE event = 'halted'")
    late = [position for (position,) in grants if position > turned]
    assert outcomes.count("granted") == len(grants) >= 12
    if obeyed:
        assert late == []
        assert outcomes.count("referred") >= 12
    else:
        assert len(late) >= 12


# --- the command, which needs the database only ------------------------------------------------


@pytest.fixture
def commanded(office: FakeOffice, database_url: str, monkeypatch: pytest.MonkeyPatch) -> FakeOffice:
    """An office on the database that the commands are set to."""
    monkeypatch.setenv("PERMITS_DATABASE_URL", database_url)
    return office


def command(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(words))
    return done.exit_code, done.output


def test_the_command_turns_the_switch_as_the_service_would(commanded: FakeOffice) -> None:
    told = command("halt", "--reason", WHY, "--by", BY)
    assert told == (0, "délivrance suspendue : les demandes sont reçues et transmises aux agents\n")
    assert grounds_of(file(commanded)) == ["ISSUING-OPEN"]
    halt(commanded)

    by_command, by_service = rows(commanded, "SELECT entry FROM audit_entry WHERE event = 'halted' ORDER BY position")
    assert by_command == by_service
    turns = rows(commanded, "SELECT authority, halted, reason, turned_by FROM issuing_switch")
    assert turns == [("exemple", True, WHY, BY)] * 2
    assert command("resume-issuing", "--reason", "le cachet est sûr", "--by", BY) == (0, "délivrance reprise\n")
    assert file(commanded).outcome == "granted"


@pytest.mark.parametrize("by", [[], ["--by", "Maëlle Fictive"], ["--by", ""]], ids=["nobody", "a name", "nothing"])
@pytest.mark.parametrize("turn", ["halt", "resume-issuing"])
def test_whoever_turns_the_switch_is_named_by_an_identifier(commanded: FakeOffice, turn: str, by: list[str]) -> None:
    code, told = command(turn, "--reason", WHY, *by)

    assert (code != 0, "--by" in told) == (True, True)
    assert rows(commanded, "SELECT 1 FROM issuing_switch") == []


def test_a_halt_says_why(commanded: FakeOffice) -> None:
    code, told = command("halt", "--reason", "  ", "--by", BY)

    assert (code, "dites pourquoi" in told) == (1, True)
    assert rows(commanded, "SELECT 1 FROM issuing_switch") == []


def test_a_halt_that_does_not_reach_the_database_says_that_nothing_is_changed(
    commanded: FakeOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERMITS_DATABASE_URL", "postgresql+psycopg://permits@127.0.0.1:1/permits")
    code, told = command("halt", "--reason", WHY, "--by", BY)

    assert code == 1
    assert told.startswith("permits : rien n’est changé, la base ne répond pas")


@pytest.fixture
def broken(commanded: FakeOffice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A rulebook of which authority.yaml alone is left whole, and which the commands are set to."""
    directory = tmp_path / "rulebook"
    shutil.copytree(ROOT / "rulebooks" / "exemple", directory)
    for path in directory.rglob("*.*"):
        if path.name != "authority.yaml":
            path.write_bytes(b"\xff: [")
    monkeypatch.setenv("PERMITS_RULEBOOK", str(directory))
    with pytest.raises(RulebookError):
        load_directory(directory)
    return directory


def test_a_broken_rulebook_does_not_stop_a_halt(commanded: FakeOffice, broken: Path) -> None:
    # What the service would not read does not matter either: a key that it does not know, or knows twice.
    authority = broken / "authority.yaml"
    authority.write_text(f"{authority.read_text()}\nvisas: une faute\nsurprise: 1\n")
    code, _ = command("halt", "--reason", WHY, "--by", BY)

    assert code == 0
    assert rows(commanded, "SELECT authority, halted FROM issuing_switch") == [("exemple", True)]
    assert grounds_of(file(commanded)) == ["ISSUING-OPEN"]
    assert command("resume-issuing", "--reason", WHY, "--by", BY)[0] == 0


@pytest.mark.parametrize("content", [b"identity: [", b"\xff", b"identity: {name: x}", b"[]", None])
def test_without_an_authority_file_the_halt_asks_for_the_authority(
    commanded: FakeOffice, broken: Path, content: bytes | None
) -> None:
    (broken / "authority.yaml").unlink()
    if content is not None:
        (broken / "authority.yaml").write_bytes(content)
    code, told = command("halt", "--reason", WHY, "--by", BY)

    assert (code, told.count("\n")) == (1, 1)
    assert told.startswith("permits : rien n’est changé, donnez --authority : authority.yaml: ")
    assert command("halt", "--reason", WHY, "--by", BY, "--authority", "exemple")[0] == 0
    assert grounds_of(file(commanded)) == ["ISSUING-OPEN"]


def test_a_halt_of_an_authority_that_the_book_does_not_know_is_refused(commanded: FakeOffice) -> None:
    """It would stop nothing, and tell that it did."""
    code, told = command("halt", "--reason", WHY, "--by", BY, "--authority", "exempel")

    assert (code, "aucun registre de l’autorité « exempel »" in told) == (1, True)
    assert rows(commanded, "SELECT 1 FROM issuing_switch") == rows(commanded, "SELECT 1 FROM audit_entry") == []


@pytest.mark.parametrize("held_s", [1, pytest.param(11, marks=pytest.mark.proof)])
def test_a_halt_outlasts_a_process_that_hangs_with_the_chain_in_hand(commanded: FakeOffice, held_s: int) -> None:
    """Who stops with the lock loses it after fifteen seconds; the command waits longer than any request would."""
    (waits_s,) = re.findall(r"lock_timeout=(\d+)s", switch._SESSION)
    assert int(waits_s) > 15
    with second_engine(commanded) as engine, ThreadPoolExecutor(1) as pool:
        hanging = engine.connect()
        hanging.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{held_s}s'"))
        hanging.execute(text("SELECT lock_audit_head(:a)"), {"a": commanded.register.authority})
        code, _ = pool.submit(command, "halt", "--reason", WHY, "--by", BY).result(timeout=30)
        hanging.invalidate()

    assert code == 0
    assert grounds_of(file(commanded)) == ["ISSUING-OPEN"]
