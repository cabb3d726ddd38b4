"""The French of every kind of act as it is printed: what a careful typesetter would mark in the margin is not there."""

import re
from decimal import Decimal
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]
import pytest

from permits.document.print import print_act, print_sign
from permits.domain.french import MONTHS
from permits.domain.permit import Paper
from tests.document.pages import templates_with
from tests.document.sample import occupancy, sample_permit
from tests.document.test_accessible import ACTS

NARROW = "\u202f"

# A file keeps narrow spaces apart, and draws the other unbreakable ones as plain ones: what they hold stays on a line.
FAULTS = {
    "a straight apostrophe": r"'",
    "two spaces": rf"[ {NARROW}]{{2}}",
    "a space before a comma or a full stop": rf"[ {NARROW}][,.](?=\s)",
    "no thin space before ; ! ?": rf"[^{NARROW}][;!?](?=\s)",
    "no space before :": r"[^ ]:(?=\s)",
    "no space inside « »": r"«[^ ]|[^ ]»",
    "a number that left its word": r"(?:n°|\bart\.|\b[LRD]\.)\n|\n[:;!?»]",
    "a date that is broken": rf"\d(?:er)?\n(?:{'|'.join(MONTHS)})|(?:{'|'.join(MONTHS)})\n\d",
    "a first of the month written as a number": rf"\b1 (?:{'|'.join(MONTHS)})",
    "a unit that left its figure": r"\d\n(?:€|m²|m|t|h|jours?)\b",
    "three dots": r"\.\.\.",
}  # fmt: skip


def text_of(pdf: bytes) -> str:
    """Return the text of a PDF with its spaces as they are; a line's end is a space."""
    document = pypdfium2.PdfDocument(pdf)
    return "\n".join(page.get_textpage().get_text_range() for page in document).replace("\r\n", "\n")


def faults_in(text: str) -> dict[str, list[str]]:
    found = {name: [text[max(0, m.start() - 20) : m.end() + 20] for m in re.finditer(fault, text)]
             for name, fault in FAULTS.items()}  # fmt: skip
    return {name: places for name, places in found.items() if places}


MANY = sample_permit(
    worksite="Ravalement: façade d'angle; cour, 12 rue A !",
    occupancies=(
        occupancy(label="benne", pieces=3, vehicle_tonnes=Decimal("19"), height_m=None),
        occupancy(address="2 rue de l'Église", length_m=None, width_m=None, height_m=None, footway_clear_width_m=None),
    ),
)
PRINTED = {**ACTS, "every figure": MANY}


@pytest.mark.parametrize("name", PRINTED)
def test_an_act_is_well_set(name: str) -> None:
    assert faults_in(text_of(print_act(PRINTED[name]))) == {}


@pytest.mark.parametrize("paper", Paper)
def test_a_sign_is_well_set(paper: Paper) -> None:
    assert faults_in(text_of(print_sign(MANY, paper))) == {}


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ('l{{ "\'" }}acte', "a straight apostrophe"),
        ("un{{ ' ' }}\u202fmot", "two spaces"),
        ("un mot{{ ' ' }}, deux", "a space before a comma or a full stop"),
        ("fin{{ '' }}; suite", "no thin space before ; ! ?"),
        ("fin{{ ' ' }}! suite", "no thin space before ; ! ?"),
        ("fin{{ '' }}: suite", "no space before :"),
        ("{{ '«' }}mot", "no space inside « »"),
        ("n°<br/>12", "a number that left its word"),
        ("fin<br/>: suite", "a number that left its word"),
        ("le 3<br/>mars 2027", "a date that is broken"),
        ("le 3 mars<br/>2027", "a date that is broken"),
        ("le 1 {{ 'mars' }} 2027", "a first of the month written as a number"),
        ("12<br/>m de long", "a unit that left its figure"),
        ("etc..{{ '.' }}", "three dots"),
    ],
)
def test_each_fault_is_seen(wrong: str, fault: str, tmp_path: Path) -> None:
    templates = templates_with(tmp_path, "<p>Chantier", f"<p>{wrong}</p><p>Chantier")
    assert fault in faults_in(text_of(print_act(sample_permit(), templates)))
