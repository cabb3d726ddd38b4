"""The sign to post on site: one page, large words, and a code that is read across a street."""

from collections.abc import Callable, Iterator
from datetime import date, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pypdfium2  # type: ignore[import-untyped]
import pytest
import zxingcpp
from cryptography.hazmat.primitives.asymmetric import ec

from permits.document.codes import CodeKey, verify_code
from permits.document.errors import LintError
from permits.document.payload import qr_content
from permits.document.press import Press
from permits.document.print import print_act, print_sign
from permits.domain.permit import DailyWindow, Paper, Permit
from permits.domain.signed_code import claims_of
from tests.document.pages import codes_on, text_of
from tests.document.sample import AUTHORITY, BENEFICIARY, occupancy, sample_permit

DPI = 40
KEY = CodeKey(ec.generate_private_key(ec.SECP256R1()))
PAPERS = {Paper.A4: (210, 297), Paper.A3: (297, 420)}


def sign(permit: Permit, paper: Paper) -> bytes:
    return print_sign(permit, paper, signed_code=KEY.sign(permit))


LONGEST = sample_permit(
    authority=AUTHORITY.model_copy(update={"name": "Établissement public territorial " * 5}),
    beneficiary=BENEFICIARY.model_copy(update={"name": "WWWWWWWWW " * 25}),
    starts_on=date(2027, 9, 28),
    ends_on=date(2027, 9, 30),
    occupancies=tuple(occupancy(address=f"{n} rue {'très longue ' * 15}", label="sapine " * 20) for n in range(10)),
)


def several() -> Iterator[Permit]:
    """Twenty permits, no two alike."""
    draw = Random(20270301)
    for number in range(1, 21):
        starts_on = date(2027, 1, 1) + timedelta(days=draw.randrange(700))
        name = "".join(draw.choice("ABCDEÉÈÇ '&-") for _ in range(draw.randrange(3, 80)))
        yield sample_permit(
            number=f"EX-2027-{number:06}",
            beneficiary=BENEFICIARY.model_copy(update={"name": name}),
            starts_on=starts_on,
            ends_on=starts_on + timedelta(days=draw.randrange(40)),
            daily_hours=draw.choice([None, DailyWindow(starts=time(8), ends=time(17, 45))]),
            specimen=draw.random() < 0.5,
        )


def scanned(pdf: bytes, program: Callable[[str], str]) -> list[zxingcpp.Barcode]:
    """Return the codes that a scanner reads from the page as a poor camera sees it."""
    return codes_on(pdf, DPI, program)


@pytest.mark.parametrize("paper", Paper)
@pytest.mark.parametrize("permit", [sample_permit(), LONGEST], ids=["simple", "longest"])
def test_it_is_one_page_of_its_paper_with_a_code_of_eighteen_centimetres(
    permit: Permit, paper: Paper, program: Callable[[str], str]
) -> None:
    signed_code = KEY.sign(permit)
    pdf = print_sign(permit, paper, signed_code=signed_code)
    page, *others = pypdfium2.PdfDocument(pdf)
    assert others == []
    assert tuple(round(side * 25.4 / 72) for side in page.get_size()) == PAPERS[paper]
    (code,) = scanned(pdf, program)
    assert code.text == qr_content(permit, signed_code)
    width_mm = (code.position.top_right.x - code.position.top_left.x) * 25.4 / DPI
    assert width_mm >= (180 if paper is Paper.A4 else 254) - 25.4 / DPI  # a point of the picture is lost at an edge


def test_every_code_is_read_and_is_that_of_its_permit(program: Callable[[str], str]) -> None:
    for permit, paper in zip(several(), [*Paper] * 10, strict=True):
        (code,) = scanned(sign(permit, paper), program)
        address, token = code.text.split("#")
        assert address == permit.verification_url
        assert verify_code(token, [KEY.public]) == claims_of(permit)


def test_without_a_signed_code_it_shows_its_address(program: Callable[[str], str]) -> None:
    (code,) = scanned(print_sign(sample_permit(), Paper.A4), program)
    assert code.text == sample_permit().verification_url


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "SPÉCIMEN, n’autorise rien – Commune d’Exemple-Ville Occupation autorisée du domaine public"),
        ({"specimen": False}, "Commune d’Exemple-Ville Occupation autorisée du domaine public"),
        ({}, "1er mars 2027 au 12 mars 2027 chaque jour de 7 h 30 à 19 h Échafaudage 14 rue du Four, 29999 Exem"),
        ({"ends_on": date(2027, 3, 1), "daily_hours": None}, "public 1er mars 2027 de jour comme de nuit Échafaudage"),
        ({}, "ÉCHAFAUDAGES DE L’OUEST (SARL) Permis n° EX-2027-000001 – affiche, l’arrêté fait foi"),
        ({"occupancies": (occupancy(), occupancy(address="2 rue A", pieces=2))}, "Échafaudage, échafaudage × 2 14 rue"),
        ({"occupancies": (occupancy(), occupancy(address="2 rue A"))}, "29999 Exemple-Ville + 1 autre ÉCHAF"),
        ({"beneficiary": BENEFICIARY.model_copy(update={"protected": True})}, "Ville Entreprise au nom protégé Permis"),
    ],
)
def test_it_says_what_a_passer_by_wants_to_know(
    changes: dict[str, Any], said: str, tmp_path: Path, program: Callable[[str], str]
) -> None:
    path = tmp_path / "sign.pdf"
    path.write_bytes(sign(sample_permit(**changes), Paper.A4))
    assert said in text_of(path, program)


def test_the_workers_that_print_acts_print_signs(press: Press) -> None:
    permit = sample_permit()
    code = KEY.sign(permit)
    assert press.print_sign(permit, Paper.A3, code) == print_sign(permit, Paper.A3, signed_code=code)


def test_the_workers_print_the_code_on_the_act_and_check_it(press: Press, program: Callable[[str], str]) -> None:
    permit = sample_permit()
    code = KEY.sign(permit)
    assert press.print_and_lint(permit, code).content == print_act(permit, signed_code=code)
    with pytest.raises(LintError, match="le code signé"):
        press.print_and_lint(permit, KEY.sign(LONGEST))
