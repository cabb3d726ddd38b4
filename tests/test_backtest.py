"""Another rulebook on past files: which decisions and fees it would change, and by how much. Nothing is written."""

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result as Ran
from sqlalchemy import text
from typer.testing import CliRunner

from permits.backtest import Amount, Backtest, Result, Sums, backtest
from permits.cli import app
from permits.desk import Law
from permits.domain.calendar import paris_day
from permits.issue import issue_permit
from permits.law.load import read_directory
from permits.laws import law_of
from tests.acting import turn
from tests.domain.builders import RULEBOOK_DIRECTORY
from tests.fakes import FakeOffice, load_law, request_body

TARIFF = "tariffs/droits_de_voirie.yaml"
PIECES = {
    "tariff": TARIFF,
    "footway": "limits/footway_min_clear_width_m.yaml",
    "narrow": "limits/footprint_min_width_m.yaml",
    "address": "limits/address_max_distance_m.yaml",
}
ZONES = "zones.geojson"


def law_with(**changes: tuple[str, str]) -> Law:
    """The demonstration rulebook with a piece of one of its files written otherwise."""
    files = read_directory(RULEBOOK_DIRECTORY)
    for name, (before, after) in changes.items():
        path = PIECES[name]
        assert before in files[path]
        files[path] = files[path].replace(before, after, 1)
    return law_of(files)


def euros(total: str) -> Amount:
    return Amount(Decimal(total), "EUR")


def file(office: FakeOffice, name: str = "01-scaffolding-granted", **changes: Any) -> str:
    filed, _ = issue_permit(office.desk, office.filing(request_body(name) | changes))
    return filed.act.number if filed.act else str(filed.filing.application_id)


def tried(office: FakeOffice, proposed: Law, **options: Any) -> Backtest:
    on = options.pop("on", paris_day(office.clock()))
    return backtest(office.register.engine, "exemple", load_law(), proposed, on=on, **options)


def test_the_rulebook_in_force_changes_nothing(office: FakeOffice) -> None:
    file(office)
    file(office, "04-parking-and-lane-referred")
    done = tried(office, load_law())

    assert (done.taken, done.changed, done.fees_changed, done.changes) == (2, 0, 0, [])
    assert done.outcomes == {("granted", "granted"): 1, ("referred", "referred"): 1}
    sums = done.fees["EUR"]
    assert sums.before == sums.after > 0


def test_a_dearer_tariff_is_told_file_by_file_and_in_all(office: FakeOffice) -> None:
    numbers = [file(office), file(office)]
    done = tried(office, law_with(tariff=('rate: "1.20"', 'rate: "1.30"')))

    assert sorted(change.what for change in done.changes) == numbers
    assert {(change.before.fee, change.after.fee) for change in done.changes} == {(euros("92.40"), euros("99.60"))}
    assert done.fees == {"EUR": Sums(Decimal("184.80"), Decimal("199.20"))} and done.fees_changed == 2
    assert done.outcomes == {("granted", "granted"): 2}


def test_a_stricter_limit_is_told_with_the_grounds_it_would_bring(office: FakeOffice) -> None:
    number = file(office)
    done = tried(office, law_with(footway=('"1.40"', '"1.80"')))

    (change,) = done.changes
    assert (change.what, change.before.outcome, change.after.outcome) == (number, "granted", "referred")
    assert (change.before.grounds, change.after.grounds) == ((), ("FOOTWAY-MIN",))


def test_a_tariff_of_next_year_is_tried_on_files_moved_whole_weeks_ahead(office: FakeOffice) -> None:
    """A dated entry says nothing of days before it: the file is moved, and keeps its weekdays."""
    file(office)
    entry = '  2028-01-01:\n    cites: {text: "Délibération (fictive)"}\n    value:\n      name: Tarif de 2028\n'
    entry += '      rounding: {line: "0.01"}\n      when_replaced: each_period\n      items:\n'
    entry += '        - {label: Échafaudage, kinds: [scaffolding], unit: m2, per: day, rate: "2.00"}\n'
    proposed = law_with(tariff=("values:\n", f"values:\n{entry}"))

    assert tried(office, proposed).changed == 0
    later = tried(office, proposed, on=date(2028, 3, 1))
    assert later.fees == {"EUR": Sums(Decimal("92.40"), Decimal("144.00"))}


def elsewhere(degrees_east: float, **authority: str) -> Law:
    """The demonstration rulebook with its territory further east, and pieces of authority.yaml written otherwise."""
    files = read_directory(RULEBOOK_DIRECTORY)
    collection = json.loads(files[ZONES])
    territory = next(each for each in collection["features"] if each["properties"]["id"] == "territory")
    ring = territory["geometry"]["coordinates"][0]
    territory["geometry"]["coordinates"] = [[[x + degrees_east, y] for x, y in ring]]
    for before, after in authority.items():
        files["authority.yaml"] = files["authority.yaml"].replace(before, after)
    return law_of(files | {ZONES: json.dumps(collection)})


def asking_otherwise() -> Law:
    """The demonstration rulebook with another name for the question of associations."""
    files = read_directory(RULEBOOK_DIRECTORY)
    return law_of({name: content.replace("association", "sans_but_lucratif") for name, content in files.items()})


@pytest.mark.parametrize("crs", ["EPSG:3948", "EPSG:3949"], ids=["the same projection", "another projection"])
def test_a_territory_that_moves_is_measured_again(office: FakeOffice, crs: str) -> None:
    number = file(office)
    assert tried(office, elsewhere(0, **{"EPSG:3948": crs})).changed == 0
    (change,) = tried(office, elsewhere(0.2, **{"EPSG:3948": crs})).changes
    assert (change.what, change.after.outcome, change.after.grounds) == (number, "referred", ("AUTH-MATCH",))


@pytest.mark.parametrize(
    ("proposed", "told"),
    [
        (elsewhere(1), "irrecevable : L’emprise est à plus de 50 km du ressort de cette autorité"),
        (law_with(narrow=('"0.20"', '"9.00"')), "irrecevable : L’emprise a moins de 9,00 m de large à un endroit"),
        (asking_otherwise(), "irrecevable : Réponse illisible : "),
    ],
    ids=["too far", "too narrow", "a question that is gone"],
)
def test_what_another_law_would_not_admit_is_told_as_such(office: FakeOffice, proposed: Law, told: str) -> None:
    number = file(office, answers={"association": "non"})
    (change,) = tried(office, proposed).changes

    assert (change.what, change.before.outcome) == (number, "granted")
    assert change.after.outcome.startswith(told) and change.after == Result(change.after.outcome)


def test_a_rulebook_in_force_that_would_no_longer_admit_a_file_says_so(office: FakeOffice) -> None:
    file(office)
    done = backtest(office.register.engine, "exemple", elsewhere(1), load_law(), on=paris_day(office.clock()))
    assert [change.before.outcome[:12] for change in done.changes] == ["irrecevable "]


def test_an_address_is_compared_with_the_distance_that_each_law_allows(office: FakeOffice) -> None:
    office.geocoder.moved_by = (0.0, -0.0001)
    number = file(office)
    stricter = tried(office, law_with(address=("value: 50", "value: 1")))
    (change,) = stricter.changes
    assert (change.what, change.before.grounds, change.after.grounds) == (number, (), ("PLACE-ADDRESS",))
    assert tried(office, law_with(address=("value: 50", "value: 20"))).changed == 0


def test_an_address_that_was_not_found_stays_so_under_any_law(office: FakeOffice) -> None:
    office.geocoder.knows = False
    file(office)
    done = tried(office, law_with(address=("value: 50", "value: 2000")))
    assert (done.taken, done.changed, done.outcomes) == (1, 0, {("referred", "referred"): 1})


def test_another_currency_is_another_fee_and_is_not_summed_with_the_first(office: FakeOffice) -> None:
    file(office)
    done = tried(office, law_with(tariff=("      when_replaced:", "      currency: GBP\n      when_replaced:")))

    assert [(change.before.fee, change.after.fee) for change in done.changes] == [
        (euros("92.40"), Amount(Decimal("92.40"), "GBP"))
    ]
    assert (done.fees, done.fees_changed) == ({}, 1)


def test_who_halted_issuing_then_says_nothing_of_a_rulebook(office: FakeOffice) -> None:
    turn(office.register, office.clock(), halted=True)
    file(office)
    assert tried(office, load_law()).outcomes == {("granted", "granted"): 1}


def test_files_whose_evidence_is_erased_are_counted_apart(office: FakeOffice) -> None:
    file(office)
    file(office)
    with office.register.engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        first = "(SELECT min(id::text)::uuid FROM application)"
        connection.execute(text(f"DELETE FROM application_evidence WHERE application_id = {first}"))
    done = tried(office, load_law())
    assert (done.taken, done.erased) == (1, 1)


def test_no_more_changes_are_kept_than_asked_and_all_are_counted(office: FakeOffice) -> None:
    for _ in range(3):
        file(office)
    done = tried(office, law_with(footway=('"1.40"', '"1.80"')), most_changes=1)
    assert (len(done.changes), done.changed) == (1, 3)


def test_only_decisions_since_a_day_are_taken(office: FakeOffice) -> None:
    file(office)
    office.clock.move(hours=48)
    file(office)
    since = paris_day(office.clock())
    assert tried(office, load_law(), since=since).taken == 1
    assert tried(office, load_law(), since=since + timedelta(days=1)).taken == 0


# --- the commands ------------------------------------------------------------------------------


def run(*words: str) -> Ran:
    return CliRunner().invoke(app, ["rulebook", *words])


@pytest.fixture
def proposed(tmp_path: Path) -> Path:
    """A directory with the demonstration rulebook, its scaffolds at 1.30 €."""
    for name, content in read_directory(RULEBOOK_DIRECTORY).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content.replace('rate: "1.20"', 'rate: "1.30"'), encoding="utf-8")
    return tmp_path


def test_a_person_reads_what_would_change(office: FakeOffice, proposed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERMITS_DATABASE_URL", office.register.engine.url.render_as_string(hide_password=False))
    number = file(office)
    file(office, "04-parking-and-lane-referred")
    done = run("backtest", str(proposed), "--on", "2026-12-01")

    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == f"{number} : accordée, 92,40 € → accordée, 99,60 €"
    assert any(line.startswith("2 demandes reprises, dont ") for line in lines)
    assert lines[-1].startswith("Redevances : ") and " € (+7,20 €)" in lines[-1]


def test_a_program_reads_it_as_json(office: FakeOffice, proposed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERMITS_DATABASE_URL", office.register.engine.url.render_as_string(hide_password=False))
    file(office)
    done = json.loads(run("backtest", str(proposed), "--on", "2026-12-01", "--json").stdout)

    assert (done["taken"], done["changed"], done["fees"]) == (1, 1, {"EUR": {"before": "92.40", "after": "99.60"}})
    assert done["changes"][0]["after"]["fee"] == {"total": "99.60", "currency": "EUR"}
    assert done["outcomes"] == {"granted → granted": 1}


def test_what_is_in_force_on_a_day_is_told_with_its_text(proposed: Path) -> None:
    done = run("show", str(proposed), "--on", "2027-03-01")

    assert done.exit_code == 0, done.output
    assert "Échafaudage : 1,30 € par m² et par jour (depuis le 2026-01-01) [Délibération n° 2025-118" in done.stdout
    assert "Largeur libre minimale du trottoir : 1,40 m (depuis le 2026-01-01)" in done.stdout
    as_json = json.loads(run("show", str(proposed), "--on", "2027-03-01", "--json").stdout)
    assert as_json["day"] == "2027-03-01" and as_json["missing"] == []
    before = json.loads(run("show", str(proposed), "--on", "2025-12-31", "--json").stdout)
    assert len(before["missing"]) == 16 and before["signatory"] is None


def test_a_rulebook_that_can_not_be_read_is_told(proposed: Path) -> None:
    (proposed / TARIFF).write_text("label: [", encoding="utf-8")
    for words in (("check",), ("show",), ("backtest", "--on", "2027-01-01")):
        done = run(words[0], str(proposed), *words[1:])
        assert done.exit_code == 1
        assert f"{TARIFF}: ligne 1: " in done.stderr


# --- the price of a request --------------------------------------------------------------------


def request_file(tmp_path: Path, **changes: Any) -> str:
    path = tmp_path / "request.json"
    path.write_text(json.dumps(request_body() | changes), encoding="utf-8")
    return str(path)


def test_the_price_of_a_request_is_told_line_by_line_without_a_database(proposed: Path, tmp_path: Path) -> None:
    done = run("price", str(proposed), request_file(tmp_path))

    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0].startswith("Échafaudage : 14,4 m² × 5 jours × 1,30 € = 93,60 € [Délibération")
    assert done.stdout.splitlines()[2].startswith("Total : 99,60 € (")
    as_json = json.loads(run("price", str(proposed), request_file(tmp_path), "--json").stdout)
    assert as_json["fee"]["total"] == "99.60"


@pytest.mark.parametrize(
    ("options", "changes", "told"),
    [
        (["--filed-on", "2026-12-01"], {}, ["Total : 99,60 €", "Accordée par la machine"]),
        (
            ["--filed-on", "2027-01-08"],
            {},
            ["Total : 99,60 €", "Transmise à un agent (NOTICE) : Il faut 5 jours ouvrés"],
        ),
        (
            ["--filed-on", "2026-12-01"],
            {"starts_on": "2029-01-08", "ends_on": "2029-01-09"},
            ["Transmise à un agent (START-FURTHEST)", "Total : "],
        ),
        (
            ["--filed-on", "2024-12-01"],
            {"starts_on": "2025-01-06", "ends_on": "2025-01-07"},
            ["pas de prix : "],
        ),
    ],
)
def test_what_the_machine_would_do_with_a_request_is_told_with_its_price(
    proposed: Path, tmp_path: Path, options: list[str], changes: dict[str, Any], told: list[str]
) -> None:
    done = run("price", str(proposed), request_file(tmp_path, **changes), *options)

    for words in told:
        assert words in done.output


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"answers": {"inconnue": "oui"}},
            "/answers/inconnue : Réponse illisible : le règlement",
        ),
        ({"answers": {"association": "peut-etre"}}, "réponses possibles : oui, non"),
        ({"ends_on": "2027-01-01"}, "/ends_on : La fin précède le début"),
        ({"starts_on": 20270101}, "starts_on : une date est attendue : AAAA-MM-JJ"),
    ],
)
def test_a_request_without_a_price_is_told_in_one_line(
    proposed: Path, tmp_path: Path, changes: dict[str, Any], told: str
) -> None:
    done = run("price", str(proposed), request_file(tmp_path, **changes))
    assert done.exit_code == 1
    assert told in done.stderr and done.stderr.count("\n") == 1
