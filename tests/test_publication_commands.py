"""The commands that bring a rulebook into force: what they check, what they warn of, what they refuse."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from permits.cli import app as commands
from permits.domain.calendar import paris_day
from permits.law.load import digest_of, read_directory
from permits.laws import law_of
from permits.register.publications import Publications
from tests.acting import BY, publications_of
from tests.domain.builders import RULEBOOK_DIRECTORY
from tests.fakes import FakeOffice, load_law
from tests.test_publication import OTHER, TARIFF, dearer


def run(*words: str) -> Result:
    return CliRunner().invoke(commands, ["rulebook", *words])


@pytest.fixture
def directory(tmp_path: Path, office: FakeOffice, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERMITS_DATABASE_URL", office.register.engine.url.render_as_string(hide_password=False))
    for name, content in dearer().items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path


def test_two_people_publish_a_directory(directory: Path, office: FakeOffice) -> None:
    digest = law_of(dearer()).rulebook.digest
    proposed = run("propose", str(directory), "--from", "2040-01-01", "--by", BY)
    alone = run("publish", digest[:12], "--by", BY)
    published = run("publish", digest[:12], "--by", OTHER)
    again = run("publish", digest[:12], "--by", OTHER)

    assert proposed.exit_code == 0, proposed.output
    assert proposed.stdout.startswith(f"proposé pour le 2040-01-01 : {digest}")
    assert (alone.exit_code, "une autre personne" in alone.stderr) == (1, True)
    assert (published.exit_code, published.stdout) == (0, f"publié, en vigueur le 2040-01-01 : {digest}\n")
    assert (again.exit_code, "en attente : aucun" in again.stderr) == (1, True)
    listed = json.loads(run("list", "--json").stdout)
    assert [(step["step"], step["taken_by"]) for step in listed] == [("published", OTHER), ("proposed", BY)]
    assert run("list").stdout.splitlines()[0].startswith(f"{digest[:12]} : publié par {OTHER} le ")


def test_a_rulebook_of_another_authority_is_not_proposed(directory: Path) -> None:
    path = directory / "authority.yaml"
    path.write_text(path.read_text().replace("id: exemple", "id: ailleurs"), encoding="utf-8")
    done = run("propose", str(directory), "--from", "2040-01-01", "--by", BY)
    assert (done.exit_code, "ce registre de exemple" in done.stderr) == (1, True)


@pytest.mark.parametrize("digest", ["", "abc", "0" * 64])
def test_a_digest_that_names_nothing_is_told(directory: Path, digest: str) -> None:
    done = run("publish", digest, "--by", BY)
    assert (done.exit_code, "aucun règlement proposé n’a cette empreinte" in done.stderr) == (1, True)


def tomorrow_for_real() -> date:
    """The commands have no clock but the machine's."""
    return paris_day(datetime.now(UTC)) + timedelta(days=1)


def adopted(office: FakeOffice) -> Publications:
    """The book of the office, which adopts its rulebook now."""
    found, now = publications_of(office), datetime.now(UTC)
    found.adopt(load_law().rulebook.digest, paris_day(now), now)
    return found


def test_a_digest_proposed_for_two_days_is_published_for_the_one_that_is_said(directory: Path) -> None:
    digest = law_of(dearer()).rulebook.digest
    for day in ("2040-01-01", "2041-01-01"):
        assert run("propose", str(directory), "--from", day, "--by", BY).exit_code == 0
    either = run("publish", digest[:12], "--by", OTHER)
    neither = run("publish", digest[:12], "--by", OTHER, "--from", "2042-01-01")
    second = run("publish", digest[:12], "--by", OTHER, "--from", "2041-01-01")

    assert either.exit_code == neither.exit_code == 1
    told = f"dites le jour (--from) : {digest[:12]} (2040-01-01), {digest[:12]} (2041-01-01)"
    assert told in either.stderr
    assert "aucun règlement proposé n’a cette empreinte" in neither.stderr
    assert (second.exit_code, second.stdout) == (0, f"publié, en vigueur le 2041-01-01 : {digest}\n")


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({TARIFF: "label: ["}, "n’entre pas en vigueur : "),
        ({"authority.yaml": "crs"}, "n’entre pas en vigueur : authority.yaml: ligne 14, crs: aucune projection"),
    ],
    ids=["unreadable", "readable, not right"],
)
def test_what_is_published_is_read_and_found_right_first(
    directory: Path, office: FakeOffice, files: dict[str, str], told: str
) -> None:
    """Whoever proposed it, and by whatever version: on its day it would be too late."""
    wrong = dearer() | files
    if "authority.yaml" in files:
        wrong["authority.yaml"] = dearer()["authority.yaml"].replace("EPSG:3948", "EPSG:9999")
    digest, publications = digest_of(wrong), publications_of(office)
    office.register.keep_rulebook(digest, wrong, office.clock())
    publications.propose(digest, date(2040, 1, 1), BY, office.clock())
    done = run("publish", digest[:12], "--by", OTHER)

    assert (done.exit_code, told in done.stderr) == (1, True), done.stderr
    assert [step.step for step in publications.steps()] == ["proposed"]


def test_a_published_mistake_is_undone_by_publishing_what_was_in_force(directory: Path, office: FakeOffice) -> None:
    publications, day = adopted(office), tomorrow_for_real()
    first, dear = load_law().rulebook.digest, law_of(dearer()).rulebook.digest
    for given in (str(directory), first[:12]):
        proposed = run("propose", given, "--from", str(day), "--by", BY)
        assert proposed.exit_code == 0, proposed.output
        assert run("publish", (dear if given == str(directory) else first)[:12], "--by", OTHER).exit_code == 0

    assert publications.until(day) == [first, first]
    assert [step.digest for step in publications.steps() if step.step == "published"] == [first, dear]


@pytest.mark.parametrize("given", ["nulle-part", "abc", "0" * 64])
def test_what_is_neither_a_directory_nor_kept_is_not_proposed(directory: Path, given: str) -> None:
    done = run("propose", given, "--from", "2040-01-01", "--by", BY)
    assert (done.exit_code, "n’est ni un dossier, ni le début de l’empreinte" in done.stderr) == (1, True)


def test_a_past_value_that_is_rewritten_is_told_to_who_proposes(directory: Path, office: FakeOffice) -> None:
    adopted(office)
    told = "Attention, une valeur passée est réécrite : tariffs/, « Droits de voirie », 2026-01-01."
    done = run("propose", str(directory), "--from", "2040-01-01", "--by", BY)
    assert (done.exit_code, [line for line in done.stdout.splitlines() if line.startswith(told)]) == (
        0,
        [f"{told} On n’efface pas une valeur passée : on ajoute la suivante."],
    )


def test_a_value_added_from_the_day_on_rewrites_nothing(directory: Path, office: FakeOffice) -> None:
    adopted(office)
    limit = "limits/footway_min_clear_width_m.yaml"
    entry = '  2040-01-01:\n    value: "1.60"\n    cites: {text: "Délibération (fictive)"}\n'
    (directory / TARIFF).write_text(read_directory(RULEBOOK_DIRECTORY)[TARIFF], encoding="utf-8")
    (directory / limit).write_text(f"{dearer()[limit].rstrip()}\n{entry}", encoding="utf-8")
    on_its_day = run("propose", str(directory), "--from", "2040-01-01", "--by", BY)
    late = run("propose", str(directory), "--from", "2040-01-02", "--by", BY)

    assert on_its_day.exit_code == late.exit_code == 0, on_its_day.output + late.output
    assert "Attention" not in on_its_day.stdout
    assert f"{limit}, « Largeur libre minimale du trottoir », 2040-01-01" in late.stdout


def test_what_is_in_force_is_shown_from_the_base_and_the_directory_only_without_one(
    directory: Path, office: FakeOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERMITS_RULEBOOK", str(directory))
    drafted = run("show")
    publications = adopted(office)
    in_force = run("show")
    day, at = tomorrow_for_real(), datetime.now(UTC)
    office.register.keep_rulebook(law_of(dearer()).rulebook.digest, dearer(), at)
    publications.propose(law_of(dearer()).rulebook.digest, day, BY, at)
    publications.publish(law_of(dearer()).rulebook.digest, day, OTHER, at)
    coming = json.loads(run("show", "--on", str(day), "--json").stdout)
    monkeypatch.delenv("PERMITS_DATABASE_URL")
    alone = run("show")

    for done, source, rate in (
        (drafted, f"dossier {directory}", "1,30"),
        (in_force, "en vigueur dans la base", "1,20"),
    ):
        assert done.exit_code == 0, done.output
        assert f", {source} (empreinte " in done.stdout.splitlines()[0]
        assert f"Échafaudage : {rate} € par m² et par jour" in done.stdout
    assert (coming["source"], coming["digest"]) == ("en vigueur dans la base", law_of(dearer()).rulebook.digest)
    assert f", dossier {directory} (" in alone.stdout
