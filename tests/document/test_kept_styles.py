import inspect
import re
from typing import Any

import pytest
from weasyprint.css import ComputedStyle, StyleFor  # type: ignore[import-untyped]

from permits.document import TEMPLATES, kept_styles
from permits.document.print import _printer, print_act
from permits.domain.permit import Permit
from permits.domain.ruling import RulingKind
from tests.document.sample import occupancy, rectangle, sample_permit
from tests.document.sample_acts import sample_ruling


def test_a_second_document_makes_only_the_styles_of_its_plan(permit: Permit, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    compute = kept_styles._compute

    def noted(self: Any, element: Any, *rest: Any) -> None:
        made.append(element.tag)
        compute(self, element, *rest)

    print_act(permit)
    monkeypatch.setattr(kept_styles, "_compute", noted)
    print_act(sample_permit(number="EX-2027-000002", worksite="Un second chantier"))
    assert made == []
    print_act(sample_permit(occupancies=(occupancy(ring_m=rectangle(8.0, 7.31)),)))
    assert made
    assert all(tag.startswith("{http://www.w3.org/2000/svg}") for tag in made)


def test_the_styles_kept_are_bounded(permit: Permit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_styles, "AT_MOST", 20)
    kept = _printer(TEMPLATES)._fonts.kept_styles
    kept.clear()
    first = print_act(permit)
    assert 0 < len(kept) <= 20
    print_act(sample_ruling(RulingKind.ABROGATION))
    assert 0 < len(kept) <= 20
    assert print_act(permit) == first


def test_a_style_is_made_of_what_tells_it_from_another_one() -> None:
    """And of what is the same for every document of the same fonts."""
    told = ["parent_style", "cascaded", "pseudo_type"]
    same = ["root_style", "base_url", "font_config", "initial_page_sizes"]
    assert list(inspect.signature(ComputedStyle).parameters) == told + same
    assert list(inspect.signature(StyleFor.set_computed_styles).parameters) == list(
        inspect.signature(kept_styles._compute).parameters
    )


def test_no_length_depends_on_the_size_of_the_page() -> None:
    """Styles would: they are kept from an A4 sheet to an A3 one."""
    sheets = [sheet.read_text(encoding="utf-8") for sheet in TEMPLATES.glob("*.css")]
    assert len(sheets) == 3
    depends = re.compile(r"\d(?:[sld]?v(?:w|h|i|b|min|max))\b")
    assert [found for sheet in sheets for found in depends.findall(sheet)] == []
    assert depends.search("width: 10vw")
