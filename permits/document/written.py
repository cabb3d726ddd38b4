"""The last step of a print: each object of a PDF is written once, and compressed once, at zlib's usual level.

pydyf, which WeasyPrint writes with, writes each of them a second time to hash them all, and compresses some twice, at
its slowest, for a few bytes less.
"""

import zlib
from functools import partial
from typing import Any, BinaryIO

import pydyf  # type: ignore[import-untyped]


def write_once(_document: object, pdf: Any) -> None:
    """Have `pdf` write itself like this: WeasyPrint calls it once the PDF is complete."""
    pdf.write = partial(_write, pdf)


def _write(pdf: Any, output: BinaryIO, version: str, identifier: bytes, _compress: bool) -> None:
    """Write a PDF with one object stream and one cross-reference stream (ISO 32000-1, 7.5.7 and 7.5.8)."""
    pdf.add_object(pdf.info)
    content = bytearray(f"%PDF-{version}\n".encode() + b"%\xe2\xe3\xcf\xd3\n")
    first, *others = pdf.objects
    pack = len(pdf.objects)
    places = {0: (0, 0, first.generation)}
    for each in others:
        if isinstance(each, pydyf.Stream):
            places[each.number] = (1, len(content), 0)
            content += _compressed(each) if each.compress else each.indirect + b"\n"
    packed = sorted((each for each in others if not isinstance(each, pydyf.Stream)), key=_is_element)
    places |= {each.number: (2, pack, index) for index, each in enumerate(packed)}
    places |= {pack: (1, len(content), 0)}
    content += _object_stream(pack, packed)
    places |= {pack + 1: (1, len(content), 0)}
    rows = [places[number] for number in range(len(places))]
    trailer = {
        "Type": "/XRef",
        "W": pydyf.Array((1, 4, 2)),
        "Size": len(places),
        "Root": pdf.catalog.reference,
        "Info": pdf.info.reference,
        "ID": pydyf.Array([b"<" + identifier.hex().encode() + b">"] * 2),
    }
    table = b"".join(b"%c%b%b" % (kind, at.to_bytes(4, "big"), rest.to_bytes(2, "big")) for kind, at, rest in rows)
    output.write(content + _stream(pack + 1, table, trailer) + b"startxref\n%d\n%%%%EOF\n" % len(content))


def _compressed(stream: Any) -> bytes:
    stream.compress = False
    content = stream.data.partition(b"\nstream\n")[2].removesuffix(b"\nendstream")
    return _stream(stream.number, content, stream.extra)


def _is_element(each: Any) -> bool:
    """Tell the many elements of the structure from what readers look for, some of them from the start each time."""
    return isinstance(each, dict) and each.get("Type") == "/StructElem" and each["S"] != "/Document"


def _object_stream(number: int, packed: list[Any]) -> bytes:
    places, contents, at = [], [], 0
    for each in packed:
        places.append(b"%d %d" % (each.number, at))
        contents.append(each.data)
        at += len(contents[-1]) + 1
    head = b" ".join(places)
    entries = {"Type": "/ObjStm", "N": len(packed), "First": len(head) + 1}
    return _stream(number, b"\n".join((head, *contents)), entries)


def _stream(number: int, content: bytes, entries: dict[str, Any]) -> bytes:
    body = zlib.compress(content)
    head = pydyf.Dictionary({**entries, "Filter": "/FlateDecode", "Length": len(body)})
    return b"%d 0 obj\n%b\nstream\n%b\nendstream\nendobj\n" % (number, head.data, body)
