"""Extensions and corrections as documents: each names the permit it follows, and says what becomes of it."""

import subprocess
from collections.abc import Callable
from datetime import date
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest

from permits.document.errors import PrintError
from permits.document.lint import lint
from permits.document.payload import payload_bytes
from permits.document.print import print_act
from permits.document.sealing.seal import Seal
from permits.document.verify import verify_seal
from permits.domain.permit import Amendment, CitedAct, Permit
from tests.document.pages import defects_of, templates_with, text_of
from tests.document.sample import sample_permit
from tests.document.sample_acts import FIRST, REASONS, sample_correction, sample_extension


@pytest.fixture(scope="module")
def extension_pdf() -> bytes:
    return print_act(sample_extension())


@pytest.fixture(scope="module")
def correction_pdf() -> bytes:
    return print_act(sample_correction())


@pytest.mark.parametrize(
    ("permit", "sentences"),
    [
        (
            sample_extension(),
            [
                "ARRÊTÉ n° EX-2027-000002 portant prolongation du permis de stationnement n° EX-2027-000001",
                "Vu l’arrêté n° EX-2027-000001 du 8 février 2027, que le présent arrêté prolonge ; Considérant",
                "Le présent arrêté prolonge l’arrêté n° EX-2027-000001 du 8 février 2027, dont les autres dispositions "
                "demeurent inchangées : chacun des deux régit les jours qu’il autorise.",
                "L’occupation est autorisée du 13 mars 2027 au 18 mars 2027, soit 6 jours calendaires",
            ],
        ),
        (
            sample_correction(),
            [
                "ARRÊTÉ n° EX-2027-000003 portant rectification du permis de stationnement n° EX-2027-000001",
                "Vu l’arrêté n° EX-2027-000001 du 8 février 2027, que le présent arrêté rectifie ; Considérant",
                "Le présent arrêté annule et remplace l’arrêté n° EX-2027-000001 du 8 février 2027, dont il corrige : "
                "le numéro de la rue : « 14 » au lieu de « 41 » ; la hauteur de l’échafaudage : 9,50 m au lieu de "
                "95 m. Il prend effet le 10 février 2027, jour où il est pris.",
                "L’occupation est autorisée du 1er mars 2027 au 12 mars 2027",
            ],
        ),
    ],
    ids=["extension", "correction"],
)
def test_it_names_the_permit_it_follows(
    permit: Permit, sentences: list[str], tmp_path: Path, program: Callable[[str], str]
) -> None:
    path = tmp_path / "permit.pdf"
    path.write_bytes(print_act(permit))
    text = text_of(path, program)
    assert [sentence for sentence in sentences if sentence not in text] == []


def test_a_first_permit_speaks_of_no_other(pdf: bytes, tmp_path: Path, program: Callable[[str], str]) -> None:
    path = tmp_path / "permit.pdf"
    path.write_bytes(pdf)
    text = text_of(path, program)
    assert not any(word in text for word in ("prolong", "que le présent arrêté", "annule et remplace"))


@pytest.mark.parametrize("permit", [sample_extension(), sample_correction()], ids=["extension", "correction"])
def test_it_passes_the_lint_and_is_sealed_like_a_permit(
    permit: Permit, seal: Seal, tmp_path: Path, program: Callable[[str], str]
) -> None:
    pdf = print_act(permit)
    lint(pdf, permit)
    with pikepdf.open(BytesIO(pdf)) as document:
        assert str(document.docinfo.Title).endswith("du permis de stationnement n° EX-2027-000001")
        assert len(document.pages) <= 3
        assert document.attachments["permis.json"].get_file().read_bytes() == payload_bytes(permit)
    sealed = seal.seal(pdf).content
    verify_seal(sealed, seal.certificate)
    path = tmp_path / "sealed.pdf"
    path.write_bytes(sealed)
    signed = subprocess.run([program("pdfsig"), str(path)], capture_output=True, text=True).stdout
    assert "Signature is Valid." in signed and "Total document signed" in signed
    checked = subprocess.run([program("qpdf"), "--check", str(path)], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


OTHERS = [
    CitedAct(number="EX-2027-000011", decided_on=FIRST.decided_on),
    CitedAct(number=FIRST.number, decided_on=date(2027, 2, 18)),
]


CITED_WRONG = list(zip(OTHERS, [{"titre de l’acte"}, set()], strict=True))


def found(pdf: bytes, permit: Permit) -> set[str]:
    """Return how the lint calls what it finds wrong on the page; the attachment, always wrong too, is left out."""
    return {each.split(" :")[0] for each in defects_of(pdf, permit) if "contenu enregistré" not in each}


@pytest.mark.parametrize(("other", "title"), CITED_WRONG, ids=["n°", "day"])
def test_an_extension_of_another_act_is_caught(other: CitedAct, title: set[str], extension_pdf: bytes) -> None:
    permit = sample_extension(amends=Amendment(kind="extension", cites=other))
    assert found(extension_pdf, permit) == {*title, "visa de l’acte prolongé", "acte prolongé"}


@pytest.mark.parametrize(("other", "title"), CITED_WRONG, ids=["n°", "day"])
def test_a_correction_of_another_act_is_caught(other: CitedAct, title: set[str], correction_pdf: bytes) -> None:
    permit = sample_correction(amends=Amendment(kind="correction", cites=other, reasons=REASONS))
    assert found(correction_pdf, permit) == {*title, "visa de l’acte rectifié", "acte remplacé"}


@pytest.mark.parametrize("kept", [0, 1])
def test_each_thing_corrected_is_read_back(kept: int, correction_pdf: bytes) -> None:
    reasons = tuple("autre chose" if index == kept else reason for index, reason in enumerate(REASONS))
    permit = sample_correction(amends=Amendment(kind="correction", cites=FIRST, reasons=reasons))
    assert found(correction_pdf, permit) == {"rectification"}


def test_an_extension_a_correction_and_a_first_permit_are_not_taken_for_one_another(
    pdf: bytes, extension_pdf: bytes, correction_pdf: bytes
) -> None:
    first = sample_extension(amends=None)
    assert "titre de l’acte" in found(extension_pdf, first)
    assert "titre de l’acte" in found(correction_pdf, sample_correction(amends=None))
    assert "titre de l’acte" in found(pdf, sample_permit(amends=Amendment(kind="extension", cites=FIRST)))
    swapped = Amendment(kind="correction", cites=FIRST, reasons=("la date",))
    assert {"titre de l’acte", "acte remplacé", "effet de la rectification"} <= found(
        extension_pdf, sample_extension(amends=swapped)
    )
    assert "jours de chaque acte" in found(
        correction_pdf, sample_correction(amends=Amendment(kind="extension", cites=FIRST))
    )


def test_a_correction_that_takes_effect_on_another_day_than_its_own_is_caught(tmp_path: Path) -> None:
    templates = templates_with(tmp_path, "effet le {{ permit.decided_at|paris_date }}", "effet le 9 mai 2027")
    permit = sample_correction()
    assert found(print_act(permit, templates), permit) == {"effet de la rectification"}


def test_a_correction_cites_the_application_of_the_permit_it_replaces(correction_pdf: bytes) -> None:
    """The application that it is recorded under is nobody's: a person corrects."""
    permit = sample_correction(application_id="0000", answers="D-7Q4M-2K9X")
    lint(print_act(permit), permit)
    assert found(correction_pdf, permit.model_copy(update={"answers": None})) == {"demande"}


@pytest.mark.parametrize("reasons", [(), ("la date", " ")], ids=["none", "blank"])
def test_a_correction_that_does_not_say_what_it_corrects_is_not_printed(reasons: tuple[str, ...]) -> None:
    with pytest.raises(PrintError, match="une rectification dit ce qu’elle corrige"):
        print_act(sample_correction(amends=Amendment(kind="correction", cites=FIRST, reasons=reasons)))
