"""A sealed act as a screen reader, an archive and other readers find it: checked on the very bytes that are given."""

import json
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from permits.document.payload import Payload, attachment_name, payload_bytes
from permits.document.print import print_act
from permits.document.sealing.seal import Seal
from permits.domain.ruling import RulingKind
from tests.document.sample import sample_permit
from tests.document.sample_acts import sample_correction, sample_extension, sample_ruling

ACTS: dict[str, Payload] = {
    "permit": sample_permit(),
    "extension": sample_extension(),
    "correction": sample_correction(),
    **{kind.value: sample_ruling(kind) for kind in RulingKind},
}

# What outloud may say of an act, and why it stays.
REASONED = {
    "DOC-012": "the file claims PDF/A-3a only: nothing here proves all of PDF/UA-1",
    "LNK-010": "an act holds one link, to its own page: an e-mail address is text",
    "PAG-001": "the number and the page are on each page: what is printed on paper gets separated",
}


@pytest.fixture(scope="module")
def files(seal: Seal, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One sealed file of each kind of act."""
    folder = tmp_path_factory.mktemp("sealed")
    for name, act in ACTS.items():
        (folder / f"{name}.pdf").write_bytes(seal.seal(print_act(act)).content)
    return {name: folder / f"{name}.pdf" for name in ACTS}


def told_by_outloud(*files: Path) -> dict[str, set[str]]:
    """Return the rules that outloud finds broken in each file, errors and warnings alike."""
    command = [str(Path(sys.executable).parent / "outloud"), "--json", "-", *map(str, files)]
    report = json.loads(subprocess.run(command, capture_output=True, text=True).stdout)
    return {Path(each["path"]).stem: set(_broken(each)) for each in report["results"]}


def _broken(report: Any) -> list[str]:
    return [each["rule"] for each in report["findings"] if each["severity"] in ("error", "warning")]


def test_outloud_finds_nothing_that_has_no_reason(files: dict[str, Path]) -> None:
    told = told_by_outloud(*files.values())
    assert told.keys() == files.keys()
    assert {name: rules - REASONED.keys() for name, rules in told.items()} == {name: set() for name in files}
    assert set().union(*told.values()) == REASONED.keys()


def test_outloud_finds_what_an_untagged_file_lacks(files: dict[str, Path], tmp_path: Path) -> None:
    """The control: the same act without its structure, its title and its language."""
    with pikepdf.open(files["permit"]) as document:
        for key in ("/StructTreeRoot", "/MarkInfo", "/Lang", "/ViewerPreferences"):
            del document.Root[key]
        document.save(tmp_path / "bare.pdf")
    (rules,) = told_by_outloud(tmp_path / "bare.pdf").values()
    assert rules >= {"DOC-001", "DOC-002", "DOC-011", "DOC-013"}


def test_outloud_finds_a_seal_that_the_structure_does_not_tell(files: dict[str, Path], tmp_path: Path) -> None:
    with pikepdf.open(files["permit"]) as document:
        del document.Root.StructTreeRoot.K[0].K[-1]
        document.save(tmp_path / "silent.pdf")
    (rules,) = told_by_outloud(tmp_path / "silent.pdf").values()
    assert "FRM-003" in rules


@pytest.mark.parametrize("name", ACTS)
def test_other_readers_accept_what_is_given(name: str, files: dict[str, Path], program: Callable[[str], str]) -> None:
    def said(*command: str) -> str:
        done = subprocess.run([program(command[0]), *command[1:], str(files[name])], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "No syntax or stream encoding errors found" in said("qpdf", "--check")
    facts = dict(line.split(":", 1) for line in said("pdfinfo").splitlines() if ":" in line)
    assert {key: facts[key].strip() for key in ("Tagged", "JavaScript", "Encrypted", "Page size")} == {
        "Tagged": "yes",
        "JavaScript": "no",
        "Encrypted": "no",
        "Page size": "595.276 x 841.89 pts (A4)",
    }
    assert facts["Title"].strip().startswith(f"Arrêté n° {ACTS[name].number} portant ")
    fonts = [line.split()[-5:-2] for line in said("pdffonts").splitlines()[2:]]
    assert fonts and all(font == ["yes", "yes", "yes"] for font in fonts)
    assert f"1: {attachment_name(ACTS[name])}" in said("pdfdetach", "-list")


@pytest.mark.parametrize("name", ACTS)
def test_the_seal_is_told_where_the_structure_is_read(name: str, files: dict[str, Path]) -> None:
    with pikepdf.open(files[name]) as document:
        (field,) = document.Root.AcroForm.Fields
        (root,) = document.Root.StructTreeRoot.K
        form, numbers = root.K[-1], list(document.Root.StructTreeRoot.ParentTree.Nums)
        assert (str(form.S), str(form.Alt)) == ("/Form", "Cachet électronique de l’autorité")
        assert form.K.Obj.objgen == field.objgen
        assert numbers[numbers.index(field.StructParent) + 1].objgen == form.objgen
        assert [int(number) for number in numbers[::2]] == sorted({int(number) for number in numbers[::2]})
        assert (str(field.TU), list(map(int, field.Rect))) == (str(form.Alt), [0, 0, 0, 0])
        assert all(page.obj.Tabs == "/S" for page in document.pages)


@pytest.mark.parametrize("name", ACTS)
def test_headings_follow_each_other_and_the_file_says_its_language(name: str, files: dict[str, Path]) -> None:
    with pikepdf.open(files[name]) as document:
        assert (str(document.Root.Lang), bool(document.Root.ViewerPreferences.DisplayDocTitle)) == ("fr", True)
        headings = [str(each) for each in structure(document.Root.StructTreeRoot) if str(each).startswith("/H")]
    assert headings[0] == "/H1" and set(headings[1:]) == {"/H2"} and len(headings) > 5


def structure(element: Any) -> list[Any]:
    """Return the types of the structure elements below one, in reading order."""
    kids = element.get("/K", [])
    below = list(kids) if isinstance(kids, pikepdf.Array) else [kids]
    found = [element.S] if "/S" in element else []
    for each in below:
        if isinstance(each, pikepdf.Dictionary) and each.get("/Type") != "/OBJR":
            found += structure(each)
    return found


@pytest.mark.parametrize("name", ACTS)
def test_the_attachment_says_its_schema(name: str, files: dict[str, Path]) -> None:
    act = ACTS[name]
    with pikepdf.open(files[name]) as document:
        file, *again = document.Root.AF  # the renderer names the same one twice
        assert {each.objgen for each in again} <= {file.objgen}
        assert (str(file.AFRelationship), str(file.Desc)) == (
            "/Data",
            f"Données de l’acte, schéma {act.payload_schema}",
        )
        assert file.EF.F.Subtype == "/application/json"
        content = file.EF.F.read_bytes()
    assert content == payload_bytes(act)
    assert json.loads(content)["payload_schema"] == act.payload_schema


def test_a_file_without_structure_is_sealed_all_the_same(seal: Seal) -> None:
    plain = BytesIO()
    document = pikepdf.new()
    document.add_blank_page()
    document.save(plain)
    assert seal.seal(plain.getvalue()).content.startswith(plain.getvalue())
