"""What strangers wrote stays on its line of the sign, and pushes nothing else from its place."""

import unicodedata
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]
import pytest

from permits.document import TEMPLATES
from permits.document.french import capital
from permits.document.glyphs import drawable
from permits.document.print import print_sign, warm_up
from permits.domain.permit import Paper, Permit
from tests.document.hostile import FAMILIES, hostile_texts
from tests.document.layout import misplaced
from tests.document.pages import templates_with
from tests.document.sample import AUTHORITY, BENEFICIARY, occupancy, sample_permit
from tests.document.watch import watched

MARGINS_MM = {Paper.A4: 14.8, Paper.A3: 20.9}
# What no text may move up or down, begun as it is drawn.
FIXED = ("SPÉCIMEN,", "Occupation", "1er", "au", "12", "chaque jour", "Permis n°", "EX-2027-000001", "– affiche,")
# So much of a text stands on its line for certain; where the line is cut, what is left out may be read for its dots.
BEGINNING = 12
TEXTS = hostile_texts()


def permit_with(text: str) -> Permit:
    """Return a permit with `text` in each field that its sign shows."""
    return sample_permit(
        authority=AUTHORITY.model_copy(update={"name": text}),
        beneficiary=BENEFICIARY.model_copy(update={"name": text}),
        occupancies=(occupancy(address=text, label=text), occupancy(address="2 rue A", label=text)),
    )


def lines_of(sign: bytes) -> dict[str, list[float]]:
    """Return the bottom of each piece of text, by its words."""
    (page,) = pypdfium2.PdfDocument(sign)
    text, found = page.get_textpage(), dict[str, list[float]]()
    for index in range(text.count_rects()):
        box = text.get_rect(index)
        found.setdefault(text.get_text_bounded(*box).strip(), []).append(round(box[1], 1))
    return found


def fixed_lines(sign: bytes) -> dict[str, list[float]]:
    return {words: at for words, at in lines_of(sign).items() if words.startswith(FIXED)}


PLAIN = {paper: fixed_lines(print_sign(permit_with("Échafaudage"), paper)) for paper in Paper}


def folded(text: str) -> str:
    """Return `text` without what typography and capitals change."""
    return "".join(unicodedata.normalize("NFKC", text.replace("’", "'")).split()).casefold()


def defects_of(text: str, paper: Paper, templates: Path = TEMPLATES) -> list[str]:
    """Print a sign with this text; return what is opened, what leaves its place, and what is not the text itself."""
    warm_up(templates)
    with watched() as seen:
        sign = print_sign(permit_with(text), paper, templates)
    lines = lines_of(sign)
    moved = [words for words, at in PLAIN[paper].items() if lines.pop(words, None) != at]
    said = [folded(drawable(each)) for each in (text, capital(text))]
    own = {words: folded(words.removeprefix("–").removesuffix(" + 1 autre"))[:BEGINNING] for words in lines}
    others = [words for words, begun in own.items() if not any(each.startswith(begun) for each in said)]
    return [*map(str, seen), *misplaced(sign, MARGINS_MM[paper]), *moved, *others]


@pytest.mark.parametrize("text", TEXTS[: len(FAMILIES)], ids=FAMILIES)
def test_a_text_of_each_family_keeps_its_line(text: str) -> None:
    assert defects_of(text, Paper.A4) == []


@pytest.mark.proof
@pytest.mark.parametrize("paper", Paper)
def test_each_text_keeps_its_line(paper: Paper) -> None:
    found = {text: defects for text in TEXTS if (defects := defects_of(text, paper))}
    print(f"{len(TEXTS)} texts in each field of the {paper.upper()} sign, {len(found)} with a defect")
    assert found == {}


@pytest.mark.parametrize(
    ("line", "without"),
    [(".city {", " text-overflow: ellipsis;"), (".line {", " white-space: nowrap;")],
    ids=["beyond the margin", "over two lines"],
)
def test_a_sign_that_gives_a_text_more_than_its_line_is_caught(line: str, without: str, tmp_path: Path) -> None:
    rule = next(each for each in (TEMPLATES / "sign.css").read_text().splitlines() if each.startswith(line))
    templates = templates_with(tmp_path, rule, rule.replace(without, ""), "sign.css")
    assert defects_of("W" * 200, Paper.A4) == []
    assert defects_of("W" * 200, Paper.A4, templates) != []


def test_a_sign_that_trusts_a_text_is_caught(tmp_path: Path) -> None:
    templates = templates_with(tmp_path, "{{ place|fr|short(42) }}", "{{ place|safe }}", "sign.html")
    assert defects_of("<b>Rue</b> du Four", Paper.A4) == []
    assert defects_of("<b>Rue</b> du Four", Paper.A4, templates) != []
