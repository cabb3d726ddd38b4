"""The same page set by Typst, a compiled typesetter: how far the layout of a page is from what a machine can do.

The words, headings, lists, tables and drawings of the page go through; its look only roughly. It is a floor
to measure against, not a document.
"""

import json
import re
import shutil
from base64 import b64decode
from pathlib import Path
from xml.etree.ElementTree import Element, register_namespace, tostring

import tinyhtml5  # type: ignore[import-untyped]
import typst

from permits.document import TEMPLATES

_SPECIAL = re.compile(r"([\\#$*_`<>@~\[\]=/+\-])")
_SVG = "{http://www.w3.org/2000/svg}svg"
register_namespace("", "http://www.w3.org/2000/svg")
_HEAD = """\
#set page("a4", margin: (x: 20mm, top: 14mm, bottom: 17mm), numbering: "1/1")
#set text(font: "Arrete Sans", size: 9.2pt, lang: "fr")
#set table(stroke: none)
"""


class Typesetter:
    """One page as Typst source in a folder of its own, its drawings beside it."""

    def __init__(self, page: str, folder: Path) -> None:
        self._folder = folder
        self._images = 0
        body = tinyhtml5.parse(page, namespace_html_elements=False).find("body")
        self._source = folder / "page.typ"
        self._source.write_text(_HEAD + self._block(body), encoding="utf-8")
        shutil.copytree(TEMPLATES / "fonts", folder / "fonts")

    def set(self) -> bytes:
        """Return the page as a tagged PDF/A-3a."""
        made = typst.compile(
            self._source,
            root=self._folder,
            font_paths=[self._folder / "fonts"],
            ignore_system_fonts=True,
            format="pdf",
            pdf_standards="a-3a",
        )
        assert isinstance(made, bytes)
        return made

    def _block(self, element: Element) -> str:
        parts = [_written(element.text)]
        for child in element:
            parts += [self._one(child), _written(child.tail)]
        return "".join(parts)

    def _one(self, child: Element) -> str:
        if child.tag == _SVG:
            return self._drawing(child)
        if child.tag == "img":
            content = b64decode(child.attrib["src"].partition(",")[2])
            return self._image(".png", content, child.attrib["alt"])
        inner = self._block(child)
        match child.tag:
            case "h1" | "h2":
                return f"\n\n{'=' * int(child.tag[1])} {' '.join(inner.split())}\n\n"
            case "li":
                return f"\n- {inner.strip()}\n"
            case "strong":
                return f"#strong[{inner}]"
            case "table":
                rows = list(child.iter("tr"))
                columns = max(sum(int(cell.get("colspan", 1)) for cell in row) for row in rows)
                cells = [
                    f"table.cell(colspan: {cell.get('colspan', 1)})[{self._block(cell).strip()}]"
                    for row in rows
                    for cell in row
                ]
                return f"\n\n#table(columns: {columns}, {', '.join(cells)})\n\n"
            case "br":
                return " \\\n"
            case "span" | "small" | "a":
                return inner
        return f"\n\n{inner.strip()}\n\n"

    def _drawing(self, svg: Element) -> str:
        svg.attrib = {name: value for name, value in svg.attrib.items() if "xmlns" not in name}
        return self._image(".svg", tostring(svg), " ".join("".join(svg.itertext()).split()))

    def _image(self, kind: str, content: bytes, words: str) -> str:
        self._images += 1
        name = f"image-{self._images}{kind}"
        (self._folder / name).write_bytes(content)
        return f'\n\n#image("{name}", alt: {json.dumps(words, ensure_ascii=False)})\n\n'


def _written(text: str | None) -> str:
    return _SPECIAL.sub(r"\\\1", re.sub(r"[ \t\n]+", " ", text or ""))
