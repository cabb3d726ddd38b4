"""Broken lines kept from one document to the next: most words of an act are those of the last one, in the same width.

WeasyPrint has Pango lay out each line three times to break it, and once more to draw it. What comes out
depends on the words, the width and the style of the text alone, so a line seen before is taken as it
was: the bytes of the document are the same, a fifth of its processor time is spared.
"""

from collections.abc import Callable
from typing import Any

from weasyprint.layout import inline, preferred  # type: ignore[import-untyped]
from weasyprint.text import line_break  # type: ignore[import-untyped]

# Each line holds a Pango layout of a few kilobytes, each look less than one. A plan has sizes of its own.
AT_MOST = 3000
LOOKS_AT_MOST = 1000
# All that weasyprint.text reads of a style; a test compares this with its source.
STYLE = (
    "direction",
    "font_family",
    "font_feature_settings",
    "font_kerning",
    "font_language_override",
    "font_size",
    "font_stretch",
    "font_style",
    "font_variant_alternates",
    "font_variant_caps",
    "font_variant_east_asian",
    "font_variant_ligatures",
    "font_variant_numeric",
    "font_variant_position",
    "font_variation_settings",
    "font_weight",
    "hyphenate_character",
    "hyphenate_limit_chars",
    "hyphenate_limit_zone",
    "hyphens",
    "lang",
    "letter_spacing",
    "line_height",
    "overflow_wrap",
    "tab_size",
    "text_decoration_line",
    "white_space",
    "word_break",
    "word_spacing",
)
_READ = frozenset(STYLE)

Line = tuple[Any, ...]


class _Look(dict[str, Any]):
    """What of a style changes how a text is laid out, one for all the styles that look alike."""

    __eq__ = object.__eq__
    __hash__ = object.__hash__  # type: ignore[assignment]

    def __init__(self, style: Any) -> None:
        super().__init__({name: style[name] for name in STYLE})
        self.font_config = style.font_config


class KeptLayout(line_break.Layout):  # type: ignore[misc]
    """A laid-out line that stays ready to be drawn, in as many documents as need it; `glyphs` is what they draw."""

    glyphs: Any = None

    def __init__(self, layout: Any, look: _Look) -> None:
        layout.reactivate(look)
        self.__dict__.update(layout.__dict__)

    def deactivate(self) -> None:
        """Stay ready."""

    def reactivate(self, style: Any) -> None:
        """Nothing to do: it is ready."""


class _KeptLines:
    """`split_first_line`, with what it returned before. Lines and looks belong to the fonts they were made with."""

    def __init__(self, split: Callable[..., Line]) -> None:
        self._split = split

    def __call__(
        self,
        text: str,
        style: Any,
        context: Any,
        max_width: float | None,
        justification_spacing: float,
        is_line_start: bool = True,
        minimum: bool = False,
    ) -> Line:
        if justification_spacing:
            return self._split(text, style, context, max_width, justification_spacing, is_line_start, minimum)
        lines: dict[Any, Line] = style.font_config.__dict__.setdefault("kept_lines", {})
        if len(style.font_config.__dict__.setdefault("looks", {})) >= LOOKS_AT_MOST:
            style.font_config.looks.clear()
            lines.clear()
        look = _look(style)
        key = (text, look, max_width, is_line_start, minimum)
        line = lines.get(key)
        if line is None:
            layout, *measures = self._split(text, style, context, max_width, 0, is_line_start, minimum)
            line = (KeptLayout(layout, look), *measures)
            if len(lines) >= AT_MOST:
                lines.clear()
            lines[key] = line
        return line


def keep_lines() -> None:
    """Have WeasyPrint keep its lines from now on, in this process."""
    if not isinstance(line_break.split_first_line, _KeptLines):
        kept = _KeptLines(line_break.split_first_line)
        for module in (line_break, inline, preferred):
            module.split_first_line = kept


def _look(style: Any) -> _Look:
    """Return the look of a style: its parent's, unless it was told something about text. All of it is inherited.

    Told by a rule, or by WeasyPrint itself, which sets the white space of a list's marks and of leaders: a test reads
    that in its source.
    """
    look: _Look | None = style.__dict__.get("look")
    if look is None:
        parent = getattr(style, "parent_style", None)
        if parent is not None and _READ.isdisjoint(getattr(style, "cascaded", ())):
            look = _look(parent)
        if look is None or look["white_space"] != style["white_space"]:
            known: dict[str, _Look] = style.font_config.__dict__.setdefault("looks", {})
            look = _Look(style)
            look = known.setdefault(repr(look), look)
        style.look = look
    return look
