"""The directory is only where a rulebook is written: what decides, erases and compares is what was published."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from permits.cli import app
from permits.domain.calendar import paris_day
from permits.issue import issue_permit
from permits.law.load import read_directory
from tests.acting import publications_of
from tests.domain.builders import RULEBOOK_DIRECTORY
from tests.fakes import SIRET, FakeOffice, request_body

TARIFF = "tariffs/droits_de_voirie.yaml"


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


@pytest.fixture
def directory(office: FakeOffice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that is being edited, to which the commands are set; the book has adopted what was there first."""
    now = datetime.now(UTC)  # the commands' own
    publications_of(office).adopt(office.desk.law.rulebook.digest, paris_day(now), now)
    monkeypatch.setenv("PERMITS_DATABASE_URL", office.register.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("PERMITS_RULEBOOK", str(tmp_path))
    for name, content in read_directory(RULEBOOK_DIRECTORY).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path


def edit(path: Path, before: str, after: str) -> None:
    content = path.read_text(encoding="utf-8")
    assert before in content
    path.write_text(content.replace(before, after), encoding="utf-8")


def test_what_is_erased_and_when_is_told_by_the_rulebook_in_force(directory: Path) -> None:
    edit(directory / "retention.yaml", "months: 12", "months: 1")
    done = run("purge", "--dry-run")

    assert done.exit_code == 0, done.output
    assert "12 mois" in done.stdout and " 1 mois" not in done.stdout


def test_a_backtest_compares_with_the_rulebook_in_force(office: FakeOffice, directory: Path) -> None:
    issue_permit(office.desk, office.filing(request_body()))
    edit(directory / TARIFF, 'rate: "1.20"', 'rate: "1.30"')
    done = run("rulebook", "backtest", str(directory), "--on", "2026-12-01")

    assert done.exit_code == 0, done.output
    assert "accordée, 92,40 € → accordée, 99,60 €" in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("keys", "create", "Entreprise Modèle"),
        ("fsck", "--seals", "0"),
        ("replay",),
        ("purge",),
        ("access-log", SIRET),
        ("rulebook", "list"),
        ("rulebook", "backtest", str(RULEBOOK_DIRECTORY), "--on", "2026-12-01"),
    ],
    ids=lambda words: str(words[0]),
)
def test_a_directory_in_pieces_stops_no_work_on_the_book(directory: Path, words: tuple[str, ...]) -> None:
    (directory / TARIFF).write_text("label: [", encoding="utf-8")
    done = run(*words)

    assert done.exit_code == 0, done.output
    assert run("rulebook", "check", str(directory)).exit_code == 1
