"""What strangers wrote is printed as text: never markup, never an address to fetch, never a style."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from permits.document import TEMPLATES
from permits.document.lint import lint
from permits.document.payload import payload_bytes
from permits.document.print import print_act
from permits.domain.permit import Permit
from tests.document.sample import sample_permit

# Not free text: chosen by us, checked at the door, or read by programs.
FIXED = {"payload_schema", "template", "number", "siret", "payer_siret", "kind", "currency", "verification_url",
         "verification", "url", "type", "rulebook_digest", "application_id"}  # fmt: skip

HOSTILE = {
    "markup": '<script>alert(1)</script><img src="http://127.0.0.1:9/i.png"><iframe src=file:///etc/hostname>',
    "attribute": "\"><link rel=attachment href='file:///etc/hostname'><style>@import 'http://127.0.0.1:9/s';</style>",
    "stylesheet": "</style><style>*{display:none} @page{background:url(file:///etc/hostname)}</style>",
    "entity": "&lt;b&gt; &amp; &#60;i&#62; <!-- ]]> <![CDATA[ --> <!DOCTYPE x SYSTEM 'file:///etc/hostname'>",
    "template": "{{ 7 * 7 }}{% include '/etc/hostname' %}{# #}${7*7}#{7*7}",
    "drawing": "</text></svg><svg onload=x><image href='file:///etc/hostname'/>",
    "pdf": ") Tj ET Q endstream endobj 1 0 obj <</S/JavaScript/JS(app.alert(1))>> \\000 \\ (",
    "breton and corsican": "Kêr-Ñevez an Aoter-Vraz, c'hoariva ; Città d'Ajacciu, a Casinca ; Ÿ Œ æ ß ŵ ħ đ",
    "two hundred characters": "Àé" * 100,
    "beyond the font": "株式会社 🚧 مرحبا ṽ",
}  # fmt: skip


# Those that would open something if they were read as more than text.
SEEKING = ("markup", "attribute", "stylesheet", "entity", "template", "drawing")


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


def with_each_text(text: str) -> tuple[Permit, int]:
    """Return the sample permit with `text` and a number of its own before every free text."""
    payload = json.loads(payload_bytes(sample_permit()))
    paths = list(texts_of(payload))
    for number, path in enumerate(paths, start=1):
        here = payload
        for step in path[:-1]:
            here = here[step]
        longest = {"insurer": 70, "policy": 40}.get(str(path[-1]), 400)
        here[path[-1]] = f"{text[:longest]} {number}. {here[path[-1]]}"
    return Permit.model_validate(payload), len(paths)


def test_every_free_field_is_tried() -> None:
    _, count = with_each_text("x")
    assert count >= 50


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_it_is_printed_word_for_word(text: str) -> None:
    permit, _ = with_each_text(text)
    pdf = print_act(permit)
    lint(pdf, permit)
    with pikepdf.open(BytesIO(pdf)) as document:
        links = {str(each.URI) for each in document.objects if isinstance(each, pikepdf.Dictionary) and "/URI" in each}
        links |= {str(note.A.URI) for page in document.pages for note in page.obj.get("/Annots", [])}
        assert links == {permit.verification_url}
        assert list(document.attachments) == ["permis.json"]


SPY = """
import json, sys
from permits.domain.permit import Permit
from permits.document.print import print_act, warm_up
permits = [Permit.model_validate(each) for each in json.load(sys.stdin)]
warm_up()
seen = []
def watch(event, arguments):
    if event == "open" or event.startswith(("socket.", "urllib.", "subprocess.", "os.exec", "os.system", "ftplib.")):
        seen.append([event, str(arguments[0])])
sys.addaudithook(watch)
for permit in permits:
    print_act(permit)
for extra in sys.argv[1:]:
    open(extra).close()
print(json.dumps(seen))
"""


def what_is_opened(permits: list[Permit], *extra: str) -> list[tuple[str, str]]:
    """Print `permits` in another process; return the files it opened and the connections it tried."""
    given = json.dumps([json.loads(payload_bytes(permit)) for permit in permits])
    command = [sys.executable, "-c", SPY, *extra]
    output = subprocess.run(command, input=given, check=True, capture_output=True, text=True).stdout
    return [(event, name) for event, name in json.loads(output)]


def is_code_or_template(name: str) -> bool:
    """Modules loaded late, and the renderer's own colour profile, come from the interpreter's folders."""
    return any(Path(name).is_relative_to(root) for root in (TEMPLATES, sys.prefix, sys.base_prefix))


def test_nothing_outside_is_opened_and_no_connection_is_made() -> None:
    opened = what_is_opened([with_each_text(HOSTILE[name])[0] for name in SEEKING])
    assert opened
    assert [(event, name) for event, name in opened if event != "open" or not is_code_or_template(name)] == []


def test_the_spy_sees_what_is_opened() -> None:
    assert ("open", "/etc/hostname") in what_is_opened([sample_permit()], "/etc/hostname")
