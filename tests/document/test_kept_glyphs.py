import re
from pathlib import Path
from typing import Any

import pytest

from permits.document import kept_glyphs
from permits.document.errors import PrintError
from permits.document.print import print_act
from permits.domain.permit import Permit
from tests.document.pages import templates_with
from tests.document.sample import sample_permit


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines that Pango is asked to draw, those of spaces aside."""
    lines: list[str] = []
    draw = kept_glyphs._draw

    def noted(stream: Any, textbox: Any, *rest: Any) -> Any:
        if textbox.text.strip():
            lines.append(textbox.text)
        return draw(stream, textbox, *rest)

    monkeypatch.setattr(kept_glyphs, "_draw", noted)
    return lines


def test_a_second_document_draws_few_lines_anew(permit: Permit, drawn: list[str]) -> None:
    first = print_act(permit)
    drawn.clear()
    assert print_act(permit) == first
    assert drawn == []
    print_act(sample_permit(worksite="Un tout autre chantier"))
    assert 0 < len(drawn) < 10


def test_where_a_glyph_has_another_width_the_line_is_drawn_anew(
    permit: Permit, drawn: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = print_act(permit)
    drawn.clear()
    monkeypatch.setattr(kept_glyphs._Font, "is_used_in", lambda *_: False)
    assert print_act(permit) == first
    assert len(drawn) > 300


def test_a_glyph_that_is_missing_is_complained_of_each_time(tmp_path: Path) -> None:
    templates = templates_with(tmp_path, "<p>Chantier", "<p>株 </p><p>Chantier")
    for _ in range(2):
        with pytest.raises(PrintError, match=re.escape("U+682A")):
            print_act(sample_permit(), templates)
