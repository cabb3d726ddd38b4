import inspect
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import weasyprint  # type: ignore[import-untyped]
from weasyprint.text import fonts, line_break  # type: ignore[import-untyped]

from permits.document import TEMPLATES, kept_lines
from permits.document.print import _printer, print_act
from permits.domain.permit import Permit
from permits.domain.ruling import RulingKind
from tests.document.sample import occupancy, rectangle, sample_permit
from tests.document.sample_acts import sample_ruling

ACTS = {
    "the sample": sample_permit(),
    "the same, another day": sample_permit(starts_on=date(2027, 2, 28)),
    "a long name": sample_permit(worksite="Réfection de la toiture et de la façade " * 5),
}
# Prints the acts named on its command line one after the other, with what is kept or not; tells the digest of each.
SCRIPT = """
import hashlib, sys
from permits.document import kept_lines
from tests.document.test_kept_lines import ACTS
from permits.document import print as printing
if sys.argv[1] == "without":
    for what in ("lines", "glyphs", "styles", "paths"):
        setattr(printing, f"keep_{what}", lambda: None)
for name in sys.argv[2:]:
    print(hashlib.sha256(printing.print_act(ACTS[name])).hexdigest())
"""


def digests(how: str, names: list[str]) -> list[str]:
    run = subprocess.run([sys.executable, "-c", SCRIPT, how, *names], capture_output=True, text=True, check=True)
    return run.stdout.split()


def test_what_is_kept_gives_the_bytes_that_fresh_ones_give() -> None:
    fresh = digests("without", [*ACTS])
    assert digests("with", [*ACTS, *ACTS]) == [*fresh, *fresh]
    assert len(set(fresh)) == len(ACTS)


def test_a_second_document_breaks_few_lines_anew(permit: Permit, monkeypatch: pytest.MonkeyPatch) -> None:
    print_act(permit)
    kept = line_break.split_first_line
    broken = []
    split = kept._split
    monkeypatch.setattr(kept, "_split", lambda text, *rest: broken.append(text) or split(text, *rest))
    print_act(permit)
    assert broken == []
    print_act(permit.model_copy(update={"worksite": "Autre chantier"}))
    assert 0 < len(broken) < 10


def test_the_lines_kept_are_bounded(permit: Permit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_lines, "AT_MOST", 50)
    lines = _printer(TEMPLATES)._fonts.kept_lines
    lines.clear()
    first = print_act(permit)
    assert 0 < len(lines) <= 50
    print_act(sample_ruling(RulingKind.ABROGATION))
    assert 0 < len(lines) <= 50
    assert print_act(permit) == first


def test_what_tells_styles_apart_is_all_that_weasyprint_reads_of_them() -> None:
    sources = inspect.getsource(line_break) + inspect.getsource(fonts.get_font_description)
    assert set(re.findall(r"style\['(\w+)'\]", sources)) == set(kept_lines.STYLE)


def test_the_looks_kept_are_bounded(permit: Permit, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan's badge is as large as there is room for it: a look of its own."""
    first = print_act(permit)
    looks = _printer(TEMPLATES)._fonts.looks
    most = len(looks) + 5
    monkeypatch.setattr(kept_lines, "LOOKS_AT_MOST", most)
    sizes = []
    for each in range(12):
        print_act(permit.model_copy(update={"occupancies": (occupancy(ring_m=rectangle(8.0, 0.3 + each / 50)),)}))
        sizes.append(len(looks))
    assert max(sizes) <= most
    assert sizes != sorted(sizes), "they were forgotten once"
    assert print_act(permit) == first


def test_only_white_space_is_told_to_a_style_by_other_ways_than_rules() -> None:
    """In the layout of a page; what is drawn in an SVG has styles of its own, without a parent."""
    told = set()
    for source in (Path(weasyprint.__file__).parent / each for each in ("formatting_structure", "layout")):
        for path in source.rglob("*.py"):
            told |= set(re.findall(r"style\['(\w+)'\] = ", path.read_text()))
    assert told & set(kept_lines.STYLE) == {"white_space"}


def test_only_the_sign_cuts_lines_short() -> None:
    """Cutting a line changes the one that is kept: those of the sign, in a size that no other page has."""
    sheets = {path.name: path.read_text() for path in TEMPLATES.rglob("*.css")}
    assert {name for name, rules in sheets.items() if re.search(r"ellipsis|line-clamp", rules)} == {"sign.css"}
