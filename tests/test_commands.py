"""What the agents' commands tell: what was done in French, and an exit code that says whether it was."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from permits import cli
from permits.cli import acts as commands
from permits.cli import common
from permits.desk import Desk
from permits.document.errors import PrintError
from permits.domain.act import ActKind, ActState
from permits.register.database import connect
from tests.acting import again, permit_of, referred, reserved_permit
from tests.fakes import FakeOffice

BY = ("--by", "agent-7")
HEARING = ("--hearing", "le titulaire a été invité par courriel à présenter ses observations, sans réponse")
BREACH = ("--ground", "condition_not_met", "--fact", "l’échafaudage empiète sur le passage des piétons")
ILLEGAL = ("--ground", "illegal", "--fact", "l’emprise est située sur un fonds privé")
CHANGE = ("--set", "worksite=façade, 12 rue du Four", "--reason", "le nom du chantier était mal écrit")
MOTIVE = ("--fact", "la place accueille le marché aux dates demandées", "--law", "Règlement de voirie, art. 22")


@pytest.fixture
def office(office: FakeOffice, monkeypatch: pytest.MonkeyPatch) -> FakeOffice:
    """An office at whose desk the commands sit."""

    @contextmanager
    def open_desk() -> Iterator[Desk]:
        yield office.desk

    monkeypatch.setattr(commands, "open_desk", open_desk)
    return office


def command(*words: str) -> Any:
    return CliRunner().invoke(cli.app, list(words))


def words_of(office: FakeOffice, kind: str) -> tuple[str, ...]:
    """Return the command that takes an act of this kind, on something new."""
    if kind == "refuse":
        return ("refuse", str(referred(office).filing.application_id), *MOTIVE, *HEARING, *BY)
    number = permit_of(office).number
    return {
        "abrogate": ("abrogate", number, *BREACH, *HEARING, "--effective-on", "2027-01-14", *BY),
        "withdraw": ("withdraw", number, *ILLEGAL, *HEARING, *BY),
        "correct": ("correct", number, *CHANGE, *BY),
    }[kind]


TAKEN = [
    ("abrogate", "EXA-2026-000001 : abrogation"),
    ("withdraw", "EXA-2026-000001 : retrait"),
    ("correct", "EX-2026-000002 : rectification"),
    ("refuse", "EXR-2026-000001 : refus"),
]


@pytest.mark.parametrize(("kind", "told"), TAKEN)
def test_a_sealed_act_is_told_in_french_with_the_digest_of_its_document(
    office: FakeOffice, kind: str, told: str
) -> None:
    done = command(*words_of(office, kind))

    assert done.exit_code == 0, done.output
    assert re.fullmatch(rf"{told}, acte scellé, document [0-9a-f]{{64}}\n", done.output)


@pytest.mark.parametrize(("kind", "told"), TAKEN)
def test_an_act_that_could_not_be_sealed_is_told_as_without_effect_and_the_command_fails(
    office: FakeOffice, kind: str, told: str
) -> None:
    words = words_of(office, kind)
    office.press.broken = PrintError("encre")
    done = command(*words)

    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"permits : {told}, réservé mais pas encore scellé : pas encore d’effet.")
    assert "permits resume" in done.stderr and "permits annul" in done.stderr


def test_an_annulled_number_and_a_notification_are_told(office: FakeOffice) -> None:
    stuck = reserved_permit(office)
    done = command("annul", stuck.number, "--reason", "le document ne se compose pas", *BY)
    assert (done.exit_code, done.output) == (0, f"{stuck.number} : permis, numéro annulé\n")

    permit = permit_of(office)
    proof = ("--on", "2026-12-01", "--channel", "registered_letter", "--proof", "RK 12 345 678 9 FR")
    done = command("notify", permit.number, *proof, *BY)
    assert (done.exit_code, done.output.startswith(f"{permit.number} : permis, acte scellé, document ")) == (0, True)
    notification = again(office, permit).notification
    assert notification is not None and notification.notified_on == date(2026, 12, 1)


@pytest.mark.parametrize(
    ("channel", "proof"), [("registered_letter", " "), ("registered_letter", "R\u202eK 12"), ("online", "RK 12")]
)
def test_a_notification_that_can_not_be_recorded_is_told_in_one_line(
    office: FakeOffice, channel: str, proof: str
) -> None:
    permit = permit_of(office)
    done = command("notify", permit.number, "--on", "2026-12-01", "--channel", channel, "--proof", proof, *BY)

    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("permits : ")
    assert again(office, permit).notification is None


def test_every_kind_and_every_state_have_their_words() -> None:
    assert set(commands.KINDS) == set(ActKind)
    assert set(commands.STATES) == set(ActState) - {ActState.RESERVED}


@pytest.mark.parametrize("address", ['"postgresql://permits@/permits"', "mysql://permits@/permits", "permits", ""])
def test_an_address_that_is_no_postgresql_is_told_in_one_line_and_never_shown(
    address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PERMITS_DATABASE_URL", address)
    monkeypatch.setattr("sys.argv", ["permits", "fsck"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()

    assert stopped.value.code == 1
    assert capsys.readouterr().err == (
        "permits : réglage PERMITS_DATABASE_URL : une adresse postgresql://… est attendue, sans guillemets ni espaces\n"
    )


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_each_way_to_write_a_postgresql_address_opens_the_book(
    scheme: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERMITS_DATABASE_URL", f"{scheme}://{database_url.partition('://')[2]}")
    with connect(common.database_url()).connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM act")).scalar_one() == 0


def test_a_rulebook_that_can_not_be_read_is_told_in_one_line(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "authority.yaml").write_text("identity: [")
    monkeypatch.setenv("PERMITS_RULEBOOK", str(tmp_path))
    monkeypatch.setenv("PERMITS_DATABASE_URL", database_url)
    monkeypatch.setattr("sys.argv", ["permits", "keys", "revoke", "abcdefgh"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()

    told = capsys.readouterr().err
    assert (stopped.value.code, told.count("\n")) == (1, 1)
    assert told.startswith("permits : authority.yaml: ")
