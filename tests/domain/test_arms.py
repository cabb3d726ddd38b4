"""A city's arms: shapes are kept, and whatever else a drawing may hold is refused."""

import re

import pytest

from permits.domain.arms import MAX_BYTES, drawing

SHAPES = (
    '<g transform="rotate(3 20 23)" fill="#1b2a3d"><path d="M2 2h36v22L20 44z" stroke-width="1.6"/></g>'
    '<circle cx="20" cy="20" r="4" fill="none"/><polygon points="1,2 3,4 5,6"/>'
)


def svg(inside: str, start: str = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 46">') -> str:
    return f"{start}{inside}</svg>"


def test_shapes_are_kept_and_words_and_sizes_left_out() -> None:
    given = svg(
        f"<title>Armes</title><desc>D’azur</desc>{SHAPES}",
        '<?xml version="1.0"?><!-- drawn by hand --><svg xmlns="http://www.w3.org/2000/svg" id="a" width="9cm" '
        'height="10cm" viewBox="0 0 40 46">',
    )
    kept = drawing(given)
    assert re.findall(r"<(\w+)", kept) == ["svg", "g", "path", "circle", "polygon"]
    assert "Armes" not in kept and "9cm" not in kept
    assert drawing(kept) == kept


@pytest.mark.parametrize(
    ("inside", "told"),
    [
        ("<script>alert(1)</script>", "<script> n’a pas sa place"),
        ('<image href="file:///etc/hostname"/>', "<image> n’a pas sa place"),
        ('<use href="#a"/>', "<use> n’a pas sa place"),
        ('<foreignObject><p xmlns="http://www.w3.org/1999/xhtml">x</p></foreignObject>', "<foreignObject>"),
        ("<style>*{fill:url(http://x)}</style>", "<style> n’a pas sa place"),
        ("<text>Ville</text>", "<text> n’a pas sa place"),
        ('<a href="http://x"><path d="M0 0"/></a>', "<a> n’a pas sa place"),
        ('<svg viewBox="0 0 1 1"/>', "<svg> n’a pas sa place"),
        ('<path d="M0 0" onload="alert(1)"/>', 'onload="alert(1)"'),
        ('<path d="M0 0" style="fill:red"/>', 'style="fill:red"'),
        ('<path d="M0 0" fill="url(#a)"/>', 'fill="url(#a)"'),
        ('<path d="M0 0" fill="URL( http://x )"/>', "fill="),
        ('<path d="&lt;script&gt;"/>', 'd="<script>"'),
        ('<path xmlns:x="http://www.w3.org/1999/xlink" x:href="#a" d="M0 0"/>', "xlink"),
        ('<p xmlns="http://www.w3.org/1999/xhtml">x</p>', "n’a pas sa place"),
        ("<path", "bien formé"),
        ("<?php echo 1 ?>", "déclaration"),
        (f'<path d="{"M0 0" * MAX_BYTES}"/>', f"plus de {MAX_BYTES} octets"),
    ],
)
def test_anything_else_is_refused_with_its_name(inside: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        drawing(svg(inside))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("<!DOCTYPE svg [<!ENTITY a 'b'>]>" + svg(SHAPES), "déclaration"),
        (svg(SHAPES, '<svg xmlns="http://www.w3.org/2000/svg">'), "viewBox"),
        (svg(SHAPES, '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40">'), "viewBox"),
        (svg(SHAPES, '<svg viewBox="0 0 40 46">'), "viewBox"),
        ("", "bien formé"),
    ],
)
def test_a_drawing_is_one_svg_with_its_box(given: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        drawing(given)
