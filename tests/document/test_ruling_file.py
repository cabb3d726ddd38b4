"""Refusals, abrogations and withdrawals as files: what they carry, and how they are sealed."""

import json
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pikepdf

from permits.document.payload import payload_bytes
from permits.document.sealing.seal import Seal
from permits.document.verify import verify_seal
from permits.domain.ruling import Ruling, RulingKind
from tests.document.pages import codes_on
from tests.document.sample_acts import RULING_URL


def test_the_qr_code_leads_to_its_own_verification_page(ruling_file: Path, program: Callable[[str], str]) -> None:
    assert [code.text for code in codes_on(ruling_file.read_bytes(), 150, program)] == [RULING_URL]


def test_the_payload_is_attached_under_its_own_name(
    ruling: Ruling, ruling_file: Path, tmp_path: Path, program: Callable[[str], str]
) -> None:
    listed = subprocess.run([program("pdfdetach"), "-list", str(ruling_file)], capture_output=True, text=True)
    assert listed.stdout.split("\n")[:2] == ["1 embedded files", "1: acte.json"]
    saved = tmp_path / "acte.json"
    subprocess.run([program("pdfdetach"), "-save", "1", "-o", str(saved), str(ruling_file)], check=True)
    assert saved.read_bytes() == payload_bytes(ruling)
    assert Ruling.model_validate(json.loads(saved.read_bytes())) == ruling


WHAT_IT_DOES = {
    RulingKind.REFUSAL: "refus de",
    RulingKind.ABROGATION: "abrogation d’un",
    RulingKind.WITHDRAWAL: "retrait d’un",
}


def test_it_is_a_tagged_french_pdf_a_3(ruling_pdf: bytes, ruling: Ruling) -> None:
    does = WHAT_IT_DOES[ruling.kind]
    with pikepdf.open(BytesIO(ruling_pdf)) as document:
        assert document.Root.Lang == "fr"
        assert document.Root.MarkInfo.Marked
        assert document.docinfo.Title == f"Arrêté n° {ruling.number} portant {does} permis de stationnement"
        xmp = document.open_metadata()
        assert (xmp["pdfaid:part"], xmp["pdfaid:conformance"]) == ("3", "A")
        assert document.Root.AF[0].AFRelationship == "/Data"


def test_the_same_payload_gives_the_same_bytes_in_any_process(ruling: Ruling, ruling_pdf: bytes) -> None:
    script = (
        "import sys; from permits.document.print import print_act; from permits.document.payload import read_payload;"
        "sys.stdout.buffer.write(print_act(read_payload(sys.stdin.buffer.read())))"
    )
    command = [sys.executable, "-c", script]
    assert subprocess.run(command, input=payload_bytes(ruling), check=True, capture_output=True).stdout == ruling_pdf


def test_other_programs_find_the_sealed_ruling_signed_and_well_formed(
    ruling_pdf: bytes, seal: Seal, tmp_path: Path, program: Callable[[str], str]
) -> None:
    sealed = seal.seal(ruling_pdf).content
    verify_seal(sealed, seal.certificate)
    path = tmp_path / "sealed.pdf"
    path.write_bytes(sealed)
    signed = subprocess.run([program("pdfsig"), str(path)], capture_output=True, text=True).stdout
    assert "Signature is Valid." in signed and "Total document signed" in signed
    checked = subprocess.run([program("qpdf"), "--check", str(path)], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
