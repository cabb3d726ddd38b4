"""`permits fsck` and `permits replay`, as a person or a program runs them."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from permits.cli import app
from permits.desk import Desk
from permits.document.errors import PrintError
from permits.document.press import Press
from permits.document.sealing.demo import DEMO_FILE, DEMO_PASSPHRASE_FILE, load_demo_seal, make_demo_seal
from permits.issue import issue_permit
from permits.register.checkpoint import PRIVATE_KEY_FILE, PUBLIC_KEY_FILE, load_keys, make_key
from permits.register.trusted import remember_seal
from permits.register.witness import export_checkpoint
from tests.document.conftest import town_seal
from tests.fakes import FakeOffice, request_body
from tests.register.forcing import superuser


@pytest.fixture
def here(office: FakeOffice, monkeypatch: pytest.MonkeyPatch) -> FakeOffice:
    """An office on the database that the commands are told to use; they read its clock."""

    class Now(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return office.clock().astimezone(tz)

    monkeypatch.setattr("permits.cli.inspect.datetime", Now)
    monkeypatch.setenv("PERMITS_DATABASE_URL", office.register.engine.url.render_as_string(hide_password=False))
    return office


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def grant(office: FakeOffice, **changes: Any) -> str:
    filed, _ = issue_permit(office.desk, office.filing(request_body() | changes))
    assert filed.act is not None, filed.decision
    return filed.act.number


def spoil(engine: Engine, statement: str) -> None:
    with engine.begin() as connection, superuser(connection):
        assert connection.execute(text(statement)).rowcount > 0


def test_a_sound_book_is_told_in_one_line_with_what_was_read(here: FakeOffice) -> None:
    grant(here)
    done = run("fsck", "--seals", "0")

    assert done.exit_code == 0, done.output
    assert done.output.startswith("Registre exact : 2 entrées, 1 demande, 1 acte, 0 copie d’archive, 1 document ; ")
    assert done.output.splitlines()[1:] == [
        "Sans point de contrôle : un registre remis à un état antérieur ne se verrait pas"
    ]


def test_what_is_wrong_is_named_and_the_command_fails(here: FakeOffice) -> None:
    numbers = [grant(here) for _ in range(3)]
    spoil(here.register.engine, "UPDATE act SET fee_total = fee_total + 1")
    done = run("fsck", "--seals", "0", "--lines", "2")

    assert done.exit_code == 1
    lines = done.output.splitlines()
    assert [line.split()[:2] for line in lines[:2]] == [["act-column", number] for number in numbers[:2]]
    assert lines[2] == "act-column  … et 1 de plus"
    assert lines[3].startswith("3 défauts")


def test_a_program_reads_the_report_as_json(here: FakeOffice) -> None:
    number = grant(here)
    spoil(here.register.engine, "UPDATE act SET fee_total = fee_total + 1")
    done = run("fsck", "--json", "--seed", "7")
    report = json.loads(done.stdout)

    assert done.exit_code == 1
    assert report["counts"] == {"act-column": 1, "seal": 1}
    assert report["findings"][0]["what"] == number
    assert (report["authority"], report["position"]) == ("exemple", 2)
    assert report["seals"] == {"verified": 1, "seed": 7, "trusted": False}
    assert report["checkpoint"] is None


def test_a_certificate_that_was_spoilt_is_told_and_stops_no_check(here: FakeOffice) -> None:
    register, seal = here.register, town_seal()
    remember_seal(register.engine, register.floor, seal.certificate, (), here.clock())
    with register.engine.begin() as connection, superuser(connection):
        spoilt = "UPDATE seal_certificate SET certificate = 'faux', sha256 = encode(sha256('faux'), 'hex')"
        assert connection.execute(text(spoilt)).rowcount == 1
    done = run("fsck")

    assert done.exit_code == 1
    assert {line.split()[0] for line in done.output.splitlines()[:2]} == {"key-missing", "key-unknown"}


@pytest.fixture
def witnessed(here: FakeOffice, tmp_path: Path) -> tuple[Path, Path]:
    """The checkpoint of a book of one permit, and the key that verifies it."""
    grant(here)
    make_key(tmp_path)
    private, public = tmp_path / PRIVATE_KEY_FILE, tmp_path / PUBLIC_KEY_FILE
    key = load_keys(private, public).private
    assert key is not None
    shown = tmp_path / "last.json"
    export_checkpoint(here.register.engine, "exemple", key, shown)
    return shown, public


def test_a_checkpoint_of_the_settings_that_is_lost_stops_the_command(
    here: FakeOffice, witnessed: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Somebody who puts an older book back would take it away too."""
    shown, public = witnessed
    (tmp_path / "folder").mkdir()
    monkeypatch.setenv("PERMITS_CHECKPOINT_PUBLIC_KEY", str(public))
    monkeypatch.setenv("PERMITS_CHECKPOINT", str(shown))
    compared, as_json = run("fsck", "--seals", "0"), run("fsck", "--seals", "0", "--json")
    shown.rename(tmp_path / "elsewhere")
    lost = run("fsck", "--seals", "0")
    monkeypatch.setenv("PERMITS_CHECKPOINT", str(tmp_path / "folder"))
    emptied = run("fsck", "--seals", "0", "--json")

    assert compared.exit_code == 0
    assert "Comparé au point de contrôle de l’entrée 2, " in compared.output
    assert json.loads(as_json.stdout)["checkpoint"]["position"] == 2
    for done in (lost, emptied):
        assert (done.exit_code, done.stdout) == (1, "")
        assert "ne contient aucun point de contrôle de ce registre" in done.stderr


def test_an_empty_book_needs_no_checkpoint_yet(
    here: FakeOffice, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make_key(tmp_path)
    monkeypatch.setenv("PERMITS_CHECKPOINT_PUBLIC_KEY", str(tmp_path / PUBLIC_KEY_FILE))
    monkeypatch.setenv("PERMITS_CHECKPOINT", str(tmp_path / "last.json"))
    done = run("fsck", "--seals", "0")

    assert done.exit_code == 0, done.output
    assert "Sans point de contrôle" in done.output


def test_an_earlier_copy_is_told_by_the_checkpoint_that_is_shown(
    here: FakeOffice, witnessed: tuple[Path, Path]
) -> None:
    shown, public = witnessed
    words = ("fsck", "--seals", "0", "--checkpoint", str(shown), "--public-key", str(public))
    assert run(*words).exit_code == 0

    spoil(here.register.engine, "UPDATE audit_head SET position = 1")
    done = run(*words)
    assert done.exit_code == 1
    assert "checkpoint  2" in done.output
    assert run("fsck", "--checkpoint", str(shown)).exit_code == 1, "a checkpoint that can't be verified is not shown"


def test_seals_of_a_real_press_hold_under_the_seal_in_use(
    here: FakeOffice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_demo_seal(tmp_path)
    press = Press(load_demo_seal(tmp_path), workers=1, capacity=1)
    press.start()
    try:
        here.desk = replace(here.desk, press=press)
        grant(here)
    finally:
        press.close()
    monkeypatch.setenv("PERMITS_SEAL_PKCS12", str(tmp_path / DEMO_FILE))
    monkeypatch.setenv("PERMITS_SEAL_PASSPHRASE", (tmp_path / DEMO_PASSPHRASE_FILE).read_text())

    done = run("fsck", "--seals", "all")
    assert done.exit_code == 0, done.output
    assert "1 cachet vérifié sous le cachet connu" in done.output


@pytest.fixture
def repairable(here: FakeOffice, monkeypatch: pytest.MonkeyPatch) -> FakeOffice:
    """A book with a permit reserved for an hour; the press works again, and the command has this desk."""

    @contextmanager
    def open_desk() -> Iterator[Desk]:
        yield here.desk

    monkeypatch.setattr("permits.cli.inspect.open_desk", open_desk)
    here.press.broken = PrintError("encre")
    grant(here)
    here.press.broken = None
    here.clock.move(hours=1)
    return here


def test_repair_seals_what_is_reserved_and_looks_again(repairable: FakeOffice) -> None:
    before = run("fsck", "--seals", "0")
    repaired = run("fsck", "--seals", "0", "--repair")
    after = run("fsck", "--seals", "0")

    assert (before.exit_code, repaired.exit_code, after.exit_code) == (1, 0, 0)
    assert "act-late" in before.output
    assert "1 acte réservé scellé" in repaired.output
    assert "Registre exact" in repaired.output


def test_repair_writes_nothing_in_a_book_that_is_wrong_otherwise(repairable: FakeOffice) -> None:
    spoil(repairable.register.engine, "UPDATE act SET taken_by = 'agent-8'")
    done = run("fsck", "--seals", "0", "--repair")

    assert done.exit_code == 1
    assert "Rien n’est réparé" in done.output and "act-column" in done.output
    with repairable.register.engine.connect() as connection:
        assert connection.execute(text("SELECT state FROM act")).scalar_one() == "reserved"


@pytest.mark.parametrize("words", [("--seals", "tous"), ("--seals", "-1"), ("--certificate", "LICENSE")])
def test_an_option_that_says_nothing_useful_is_refused(here: FakeOffice, words: tuple[str, ...]) -> None:
    done = run("fsck", *words)

    assert done.exit_code != 0
    assert "Traceback" not in done.output


def test_decisions_are_replayed_and_a_changed_one_fails_the_command(here: FakeOffice) -> None:
    number = grant(here)
    same = run("replay")
    spoil(here.register.engine, "UPDATE application SET decision = jsonb_set(decision, '{fee,total}', '\"1.00\"')")
    changed, as_json = run("replay", "--number", number), run("replay", "--json")
    spoil(here.register.engine, "UPDATE application SET decision = '{}'")
    short = run("replay", "--lines", "2")
    unknown = run("replay", "--number", "EX-2026-999999")

    assert (same.exit_code, same.output.strip()) == (0, "1 décision reprise, dont 0 différente")
    assert changed.exit_code == 1
    assert f"{number} : fee.total : 1.00 → " in changed.output
    told = json.loads(as_json.stdout)
    assert (told["differing"], told["fields"], len(told["differences"])) == (1, 1, 1)
    assert re.search(r"^… et \d+ autres différences$", short.output, re.MULTILINE), short.output
    assert (unknown.exit_code, "aucune décision" in unknown.output) == (1, True)
