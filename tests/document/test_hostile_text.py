"""What strangers wrote is printed as text: never markup, never an address to fetch, never a style."""

import json
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from permits.document.errors import PrintError
from permits.document.glyphs import drawable
from permits.document.lint import lint
from permits.document.payload import Payload, attachment_name, payload_bytes, read_payload
from permits.document.print import print_act, warm_up
from permits.domain.model import plain_text
from permits.domain.ruling import RulingKind
from tests.document.hostile import COUNT, FAMILIES, hostile_texts
from tests.document.layout import misplaced
from tests.document.pages import defects_of, templates_with
from tests.document.sample import SIGNATORY, sample_permit
from tests.document.sample_acts import sample_correction, sample_ruling
from tests.document.watch import watched

# Not free text: chosen by us, checked at the door, or read by programs.
FIXED = {"payload_schema", "template", "number", "siret", "payer_siret", "kind", "nature", "rounding",
         "currency", "verification_url", "crs", "arms",
         "verification", "url", "type", "rulebook_digest", "application_id"}  # fmt: skip

# A correction says all that a permit says, and what it corrects.
ACTS: dict[str, Payload] = {
    "permit": sample_correction(),
    "abrogation": sample_ruling(RulingKind.ABROGATION),
    "withdrawal": sample_ruling(RulingKind.WITHDRAWAL),
    "refusal": sample_ruling(RulingKind.REFUSAL),
}
LEAST = {"permit": 51, "abrogation": 30, "withdrawal": 30, "refusal": 30}
LONGEST = {"insurer": 70, "policy": 40}
TEXTS = hostile_texts()
MOST_PAGES, MARGIN_MM, PARTS = 14, 17, 4
# Letters drawn, codes included: as many in each field of the author fit on a page.
FITS_A_SIGNATURE = 205


def texts_of(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of each free text in a payload."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in FIXED:
                yield from texts_of(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from texts_of(inner, (*path, index))
    elif isinstance(value, str) and not re.fullmatch(r"[-\d.:TZ]+", value):  # neither a figure nor a date
        yield path


def with_texts(act: Payload, texts: list[str], spared: str | None = None) -> Payload:
    """Return `act` with a text and a number before each of its free texts, in turn, from `texts`.

    `spared` is a part of it that stays as it is.
    """
    content = json.loads(payload_bytes(act))
    for number, path in enumerate(path for path in list(texts_of(content)) if path[0] != spared):
        here = content
        for step in path[:-1]:
            here = here[step]
        text = f"{texts[number % len(texts)]} {number + 1}. "
        if (longest := LONGEST.get(str(path[-1]))) is not None:  # a field that takes what can be read, and no more
            text = "".join(filter(_is_plain, text))[:longest]
        here[path[-1]] = text + here[path[-1]]
    content["visas"].append(act.visas[-1].model_dump(mode="json"))  # the one that a ruling owes stays readable
    return read_payload(json.dumps(content).encode())


def _is_plain(character: str) -> bool:
    try:
        return plain_text(f"x{character}x") != ""
    except ValueError:
        return False


def batches(act: str) -> list[list[str]]:
    """Return the texts in as many lists as it takes for each to reach one field."""
    size = len(list(texts_of(json.loads(payload_bytes(ACTS[act])))))
    return [TEXTS[start : start + size] for start in range(0, COUNT, size)]


@pytest.mark.parametrize("act", ACTS)
def test_every_free_field_is_tried(act: str) -> None:
    assert len(batches(act)[0]) >= LEAST[act]


def test_there_are_a_thousand_texts_of_every_family() -> None:
    assert len(set(TEXTS)) == COUNT
    assert len(FAMILIES) == 13
    assert max(map(len, TEXTS)) >= 200


def is_printed_word_for_word(payload: Payload) -> None:
    """Print and check one act: nothing is opened, all is said, each word has its place, nothing else is inside."""
    warm_up()
    with watched() as seen:
        pdf = print_act(payload)
    assert seen == []
    lint(pdf, payload)
    assert misplaced(pdf, MARGIN_MM) == []
    with pikepdf.open(BytesIO(pdf)) as document:
        assert len(document.pages) <= MOST_PAGES
        links = {str(each.URI) for each in document.objects if isinstance(each, pikepdf.Dictionary) and "/URI" in each}
        links |= {str(note.A.URI) for page in document.pages for note in page.obj.get("/Annots", [])}
        assert links == {payload.verification_url}
        assert list(document.attachments) == [attachment_name(payload)]


@pytest.mark.parametrize("batch", range(len(batches("permit"))))
def test_each_text_is_printed_word_for_word(batch: int) -> None:
    is_printed_word_for_word(with_texts(ACTS["permit"], batches("permit")[batch]))


@pytest.mark.parametrize("act", ["abrogation", "refusal"])
def test_a_ruling_prints_each_family_word_for_word(act: str) -> None:
    for batch in batches(act)[:2]:
        is_printed_word_for_word(with_texts(ACTS[act], batch))


# One in every field at once, each moves the end of a page into another statement.
MOVING = [TEXTS[number] for number in (154, 231, 462)]


@pytest.mark.parametrize("text", MOVING, ids=["letters", "marks", "unseen"])
def test_no_statement_is_cut_by_the_end_of_a_page(text: str) -> None:
    is_printed_word_for_word(with_texts(ACTS["permit"], [text]))


def test_a_layout_that_cuts_statements_is_caught(tmp_path: Path) -> None:
    templates = templates_with(
        tmp_path, "line-height: 1.24; break-inside: avoid; }", "line-height: 1.24; }", "arrete.css"
    )
    for text in MOVING:
        cut = with_texts(ACTS["permit"], [text])
        defects_of(print_act(cut, templates), cut)


def fields_of(act: str) -> set[str | int]:
    return {path[-1] for path in texts_of(json.loads(payload_bytes(ACTS[act]))) if isinstance(path[-1], str)}


def test_a_refusal_shows_no_field_of_its_own() -> None:
    assert fields_of("refusal") <= fields_of("permit") | fields_of("abrogation")
    assert fields_of("abrogation") == fields_of("withdrawal") != fields_of("permit")


@pytest.mark.proof
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("part", range(PARTS))
def test_each_text_is_printed_in_each_field(part: int) -> None:
    """A text in every field at once, of a permit and of a ruling: an abrogation and a withdrawal take turns."""
    mine, refused = TEXTS[part::PARTS], list[str]()
    for number, text in enumerate(mine):
        for act in ("permit", ("abrogation", "withdrawal")[number % 2]):
            try:
                is_printed_word_for_word(with_texts(ACTS[act], [text]))
            except PrintError:
                refused.append(text)
                is_printed_word_for_word(with_texts(ACTS[act], [text], spared="signatory"))
    print(f"part {part + 1} of {PARTS}: {len(mine)} texts in every field of {2 * len(mine)} acts, word for word")
    print(f"  but {len(refused)} whose author fills more than a page: refused, and word for word in all other fields")
    assert all(len(drawable(text)) > FITS_A_SIGNATURE for text in refused)


def test_the_watch_sees_what_is_opened() -> None:
    with watched() as seen:
        Path("/etc/hostname").open().close()
    assert seen == [("open", "/etc/hostname")]


@pytest.mark.parametrize(
    "text", ["<img src='http://127.0.0.1:9/i.png'/>", "<link rel='stylesheet' href='file:///etc/hostname'/>"]
)
def test_a_template_that_trusts_a_text_is_caught_when_it_fetches(text: str, tmp_path: Path) -> None:
    templates = templates_with(tmp_path, "{{ permit.worksite|fr }}", "{{ permit.worksite|safe }}")
    with pytest.raises(PrintError, match="may not open"):
        print_act(sample_permit(worksite=text), templates)


def test_a_template_that_trusts_a_text_is_caught_when_it_hides(tmp_path: Path) -> None:
    permit = sample_permit(worksite="<b style='display: none'>Ravalement</b>")
    templates = templates_with(tmp_path, "{{ permit.worksite|fr }}", "{{ permit.worksite|safe }}")
    assert any(each.startswith("chantier") for each in defects_of(print_act(permit, templates), permit))


@pytest.mark.parametrize(
    ("rule", "changed"),
    [("overflow-wrap: break-word;", ""), ("html { font: 8.7pt/1.27", "html { font: 8.7pt/0.4")],
    ids=["beyond the margin", "over one another"],
)
def test_a_layout_that_misplaces_words_is_caught(rule: str, changed: str, tmp_path: Path) -> None:
    permit = sample_permit(worksite="W" * 200)
    assert misplaced(print_act(permit), MARGIN_MM) == []
    templates = templates_with(tmp_path, rule, changed, "arrete.css")
    assert misplaced(print_act(permit, templates), MARGIN_MM) != []


def test_words_beyond_the_edge_of_a_page_are_not_shown(tmp_path: Path) -> None:
    """They are in the file, where a search finds them: only the place tells."""
    away = templates_with(tmp_path, ".sealed {", ".sealed { margin-left: 300mm; white-space: nowrap;", "arrete.css")
    permit = sample_permit()
    assert any(each.startswith("délégation") for each in defects_of(print_act(permit, away), permit))


def test_an_author_who_fills_more_than_a_page_is_refused_before_anything_is_printed() -> None:
    is_printed_word_for_word(sample_permit(signatory=SIGNATORY.model_copy(update={"name": "W" * 600})))
    author = SIGNATORY.model_copy(update={"name": "W" * 600, "quality": "W" * 600})
    with pytest.raises(PrintError, match="ne tiennent pas sur une page"):
        print_act(sample_permit(signatory=author))
