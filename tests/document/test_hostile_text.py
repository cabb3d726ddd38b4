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
from permits.document.payload import Payload, attachment_name, payload_bytes, read_payload
from permits.document.print import print_act
from permits.domain.ruling import RulingKind
from tests.document.sample import sample_permit
from tests.document.sample_acts import sample_correction, sample_ruling

# Not free text: chosen by us, checked at the door, or read by programs.
FIXED = {"payload_schema", "template", "number", "siret", "payer_siret", "kind", "nature", "rounding",
         "currency", "verification_url",
         "verification", "url", "type", "rulebook_digest", "application_id"}  # fmt: skip

# A correction says all that a permit says, and what it corrects.
ACTS = {
    "permit": sample_correction(),
    "ruling": sample_ruling(RulingKind.ABROGATION),
    "refusal": sample_ruling(RulingKind.REFUSAL),
}

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


def with_each_text(act: Payload, text: str) -> tuple[Payload, int]:
    """Return `act` with `text` and a number of its own before every free text."""
    content = json.loads(payload_bytes(act))
    paths = list(texts_of(content))
    for number, path in enumerate(paths, start=1):
        here = content
        for step in path[:-1]:
            here = here[step]
        longest = {"insurer": 70, "policy": 40}.get(str(path[-1]), 400)
        here[path[-1]] = f"{text[:longest]} {number}. {here[path[-1]]}"
    content["visas"].append(act.visas[-1].model_dump(mode="json"))  # the one that a ruling owes stays readable
    return read_payload(json.dumps(content).encode()), len(paths)


@pytest.mark.parametrize(("act", "least"), [("permit", 52), ("ruling", 30), ("refusal", 30)])
def test_every_free_field_is_tried(act: str, least: int) -> None:
    _, count = with_each_text(ACTS[act], "x")
    assert count >= least


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_it_is_printed_word_for_word(text: str, act: str) -> None:
    payload, _ = with_each_text(ACTS[act], text)
    pdf = print_act(payload)
    lint(pdf, payload)
    with pikepdf.open(BytesIO(pdf)) as document:
        links = {str(each.URI) for each in document.objects if isinstance(each, pikepdf.Dictionary) and "/URI" in each}
        links |= {str(note.A.URI) for page in document.pages for note in page.obj.get("/Annots", [])}
        assert links == {payload.verification_url}
        assert list(document.attachments) == [attachment_name(payload)]


SPY = """
import json, sys
from permits.document.payload import read_payload
from permits.document.print import print_act, warm_up
acts = [read_payload(json.dumps(each).encode()) for each in json.load(sys.stdin)]
warm_up()
seen = []
def watch(event, arguments):
    if event == "open" or event.startswith(("socket.", "urllib.", "subprocess.", "os.exec", "os.system", "ftplib.")):
        seen.append([event, str(arguments[0])])
sys.addaudithook(watch)
for act in acts:
    print_act(act)
for extra in sys.argv[1:]:
    open(extra).close()
print(json.dumps(seen))
"""


def what_is_opened(acts: list[Payload], *extra: str) -> list[tuple[str, str]]:
    """Print `acts` in another process; return the files it opened and the connections it tried."""
    given = json.dumps([json.loads(payload_bytes(act)) for act in acts])
    command = [sys.executable, "-c", SPY, *extra]
    output = subprocess.run(command, input=given, check=True, capture_output=True, text=True).stdout
    return [(event, name) for event, name in json.loads(output)]


def is_code_or_template(name: str) -> bool:
    """Modules loaded late, and the renderer's own colour profile, come from the interpreter's folders."""
    return any(Path(name).is_relative_to(root) for root in (TEMPLATES, sys.prefix, sys.base_prefix))


def test_nothing_outside_is_opened_and_no_connection_is_made() -> None:
    opened = what_is_opened([with_each_text(act, HOSTILE[name])[0] for act in ACTS.values() for name in SEEKING])
    assert opened
    assert [(event, name) for event, name in opened if event != "open" or not is_code_or_template(name)] == []


def test_the_spy_sees_what_is_opened() -> None:
    assert ("open", "/etc/hostname") in what_is_opened([sample_permit()], "/etc/hostname")
