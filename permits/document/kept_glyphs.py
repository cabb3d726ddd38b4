"""The glyphs of a kept line, kept too: WeasyPrint asks Pango for each of them, one by one, at each drawing.

What a line asks of the stream that it is drawn on is noted once, and asked again at another place or in another
document. A document counts the glyphs that it uses, to embed these alone: they are told it again too.
"""

from copy import copy
from dataclasses import dataclass
from typing import Any

from weasyprint.draw import text as drawing  # type: ignore[import-untyped]

from permits.document.kept_lines import KeptLayout

_draw = drawing.draw_first_line


@dataclass(frozen=True)
class _Font:
    """A font of a line as Pango and as documents know it, the widths of its glyphs, and what they stand for."""

    pango_font: Any
    key: int
    widths: dict[int, int]
    texts: dict[int, str]

    def is_used_in(self, stream: Any) -> bool:
        """Have the document embed these glyphs; False when it has another width for one of them."""
        font = stream._fonts.get(self.key) or stream.add_font(self.pango_font)[0]
        for glyph, text in self.texts.items():
            font.to_unicode.setdefault(glyph, text)
        return all(font.widths.setdefault(glyph, width) == width for glyph, width in self.widths.items())


class _Trace:
    """Stands for a stream, and notes what it is asked. Its fonts are as in a document of one line."""

    def __init__(self, stream: Any) -> None:
        self._stream, self.ink_rect, self.logical_rect = stream, stream.ink_rect, stream.logical_rect
        self.fonts: list[tuple[Any, Any]] = []
        self.asked: list[tuple[str, tuple[Any, ...]]] = []

    def add_font(self, pango_font: Any) -> tuple[Any, float]:
        font, size = self._stream.add_font(pango_font)
        alone = copy(font)
        alone.widths, alone.to_unicode, alone.missing = {}, {}, {}
        self.fonts.append((pango_font, alone))
        return alone, size

    def set_text_matrix(self, *_matrix: float) -> None:
        """Nothing to note: it is where the line stands."""

    def set_font_size(self, *asked: Any) -> None:
        self.asked.append(("set_font_size", asked))

    def set_text_rise(self, *asked: Any) -> None:
        self.asked.append(("set_text_rise", asked))

    def show_text(self, *asked: Any) -> None:
        self.asked.append(("show_text", asked))


def keep_glyphs() -> None:
    """Have WeasyPrint draw its kept lines from what is known of them from now on, in this process."""
    drawing.draw_first_line = _draw_first_line


def _draw_first_line(stream: Any, textbox: Any, text_overflow: str, block_ellipsis: str, matrix: Any) -> Any:
    layout, is_cut = textbox.pango_layout, text_overflow == "ellipsis" or block_ellipsis != "none"
    if is_cut or not isinstance(layout, KeptLayout) or not textbox.text.strip():
        return _draw(stream, textbox, text_overflow, block_ellipsis, matrix)
    if layout.glyphs is None:
        layout.glyphs = _traced(stream, textbox, text_overflow, block_ellipsis, matrix)
    fonts, asked = layout.glyphs
    if not asked or not all(font.is_used_in(stream) for font in fonts):
        return _draw(stream, textbox, text_overflow, block_ellipsis, matrix)
    stream.set_text_matrix(*matrix.values)
    for what, how in asked:
        getattr(stream, what)(*how)
    return []


def _traced(stream: Any, *line: Any) -> tuple[list[_Font], list[tuple[str, tuple[Any, ...]]]]:
    """Return the fonts of a line and what it asks; nothing for glyphs that are missing or are pictures."""
    trace = _Trace(stream)
    pictures = _draw(trace, *line)
    if pictures or any(font.missing for _, font in trace.fonts):
        return [], []
    keys = {font.hash: key for key, font in stream._fonts.items()}
    fonts = [_Font(pango_font, keys[font.hash], font.widths, font.to_unicode) for pango_font, font in trace.fonts]
    return fonts, trace.asked
