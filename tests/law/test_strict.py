"""What the reader of rulebooks refuses before it builds anything, and how it says so."""

import time
from typing import Any

import pytest

from permits.law.strict import MAX_DEPTH, Malformed, line_of, read_json, read_yaml


def refused(read: Any, text: str) -> tuple[int, str]:
    with pytest.raises(Malformed) as caught:
        read(text)
    return caught.value.line, str(caught.value)


def test_every_scalar_is_text_as_a_page_can_carry_it() -> None:
    text = "rate: 12\nday: 2026-01-01\nempty:\nyes: no\nlabel: >\n  Deux\n  lignes\nold: '1.40'\n"
    assert read_yaml(text) == {
        "rate": "12",
        "day": "2026-01-01",
        "empty": "",
        "yes": "no",
        "label": "Deux lignes",
        "old": "1.40",
    }


def test_a_letter_and_its_accent_written_apart_are_the_letter_of_everyone() -> None:
    assert read_yaml("label: e\u0301te\u0301") == {"label": "été"}


LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{one}: &{one} [*{before}, *{before}]\n"
    for before, one in zip("abcdefghijklmnop", "bcdefghijklmnopq", strict=True)
)


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        (LAUGHS, 1, "les renvois"),
        ("a: 1\nb: *c\n", 2, "les renvois"),
        ("cites:\n  text: &co Délibération\n", 2, "les renvois"),
        ("text: & co\n", 1, "mettez le texte entre guillemets"),
        ("a: 1\ntext: !important Délibération\n", 2, "les étiquettes"),
        ("a: !!python/object:os.system x\n", 1, "les étiquettes"),
        ("a: 1\ntext: Délibération #12 du 3 mars\n", 2, "un # coupe le texte"),
        ("a: 1\n--- \nb: 2\n", 2, "second document"),
        ("a: 1\nb: @x\n", 2, "caractère réservé"),
        ("a: 1\nb: `x\n", 2, "caractère réservé"),
        ("a: 1\nb: \x07\n", 2, "caractère interdit U+0007"),
        ('a: 1\nb: "x\\ud800"\n', 2, "caractère interdit U+D800"),
        ('a: 1\nb: "Rue\\u202egauche"\n', 2, "caractère interdit U+202E"),
        ('a: "C:\\Users"\n', 1, "guillemets simples"),
        ("a: 1\nb: 'x\nc: 2\n", 2, "ne sont pas fermés"),
        ("a: 1\nb: [x, y\nc: 2\n", 2, "manque"),
        ("a: 1\nb\nc: 2\n", 2, "il manque un « : »"),
        ("a: 1\n\tb: 2\n", 2, "tabulation"),
        ("a: b: c\n", 1, "un « : » de trop"),
        ("a: 1\nb: 2\na: 3\n", 3, "« a » est donné deux fois"),
        ("? [x]\n: y\n", 1, "une clé est un mot"),
    ],
)
def test_what_can_be_misread_is_refused_with_its_line(text: str, line: int, told: str) -> None:
    found, said = refused(read_yaml, text)
    assert told in said
    assert found == line


@pytest.mark.parametrize("text", ["a: x # note\n", "a: x\n#note\n", "a: 'x #12'\n", "a: x#12\n"])
def test_a_comment_and_a_quoted_sharp_are_fine(text: str) -> None:
    assert read_yaml(text)["a"].startswith("x")


@pytest.mark.parametrize("read", [read_yaml, read_json])
def test_depth_is_bounded_and_told_at_once(read: Any) -> None:
    began = time.monotonic()
    line, said = refused(read, "[" * 100_000)
    assert (line, said) == (1, "trop de crochets ou d’accolades imbriqués")
    assert time.monotonic() - began < 5


def test_what_is_as_deep_as_allowed_is_read() -> None:
    assert read_yaml("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert refused(read_yaml, "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ('{"a": 1,\n"b" 2}', 2, "un « : » manque"),
        ('{"a": 1\n"b": 2}', 2, "une virgule ou une fermeture manque"),
        ('{"a":\n}', 2, "une valeur manque"),
        ('{"a": 1,\n}', 2, "une virgule de trop"),
        ("{a: 1}", 1, "une clé entre guillemets"),
        ('{"a": "x}', 1, "des guillemets ne sont pas fermés"),
        ("{} x", 1, "du texte suit la fin"),
        ('{"a": {"b": 1,\n"c": 2,\n"b": 3}}', 3, "« b » est donné deux fois"),
        ("", 1, "une valeur manque"),
    ],
)
def test_malformed_json_is_told_in_french_with_its_line(text: str, line: int, told: str) -> None:
    found, said = refused(read_json, text)
    assert told in said
    assert found == line


def test_json_with_a_byte_order_mark_is_read() -> None:
    assert read_json('\ufeff{"a": 1}') == {"a": 1}


def test_the_line_of_a_path_is_that_of_its_deepest_part() -> None:
    text = "a:\n  - b: 1\n  - b: 2\n    c: 3\n"
    assert line_of(text, ("a", 1, "c")) == 4
    assert line_of(text, ("a", 1, "unknown")) == 3
    assert line_of(text, ("unknown",)) == 1
