"""Styles kept from one document to the next: those of an act are those of the last one.

WeasyPrint works out each property of a style when it is first asked for it, from the parent's style and from what the
style sheets say, and from nothing else: a style made of the same is the same. So is the height of its lines.
"""

from collections.abc import Hashable
from typing import Any

from weasyprint.css import StyleFor  # type: ignore[import-untyped]
from weasyprint.layout import inline  # type: ignore[import-untyped]
from weasyprint.text.line_break import strut  # type: ignore[import-untyped]

# One for each kind of element, and for each height of a plan.
AT_MOST = 1000
_compute = StyleFor.set_computed_styles


def keep_styles() -> None:
    """Have WeasyPrint keep its styles from now on, in this process."""
    StyleFor.set_computed_styles = _set_computed_styles
    inline.strut = _strut


def _set_computed_styles(
    self: Any,
    element: Any,
    parent: Any,
    root: Any = None,
    pseudo_type: str | None = None,
    base_url: str | None = None,
    target_collector: Any = None,
) -> None:
    """Give the element the style that was made of the same, or make it. Styles belong to the fonts they name."""
    styles = self.get_computed_styles()
    cascaded = self.get_cascaded_styles().get((element, pseudo_type), {})
    above = None if parent is None else styles[parent, None]
    # A kept style holds the one above and the values that made it: none of these can be another object's address.
    said = (
        (name, _same(value), origin, layer, *specificity)
        for name, (value, (origin, layer, specificity)) in cascaded.items()
    )
    key = (id(above), pseudo_type, *said)
    kept: dict[Hashable, Any] = self.font_config.__dict__.setdefault("kept_styles", {})
    style = kept.get(key)
    if style is None:
        _compute(self, element, parent, root, pseudo_type, base_url, target_collector)
        if len(kept) >= AT_MOST:
            kept.clear()
        if "anchor" not in cascaded:  # noted by each document for itself
            kept[key] = styles[element, pseudo_type]
    else:
        styles[element, pseudo_type] = style


def _strut(style: Any) -> Any:
    """Return the height of an empty line of this style, and where its baseline is."""
    kept = style.__dict__.get("strut")
    if kept is None:
        kept = style.strut = strut(style)
    return kept


def _same(value: Any) -> Hashable:
    """Return what tells a value of a style sheet from another one: itself, or where it is."""
    try:
        hash(value)
    except TypeError:
        return (id(value),)
    return value  # type: ignore[no-any-return]
