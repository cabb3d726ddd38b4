"""Reads a file that nobody here knows, in a process of its own: bytes come in, one line of JSON goes out.

It does not read as a PDF reader does: no object, no reference and no table of the file is followed, so none can lead
anywhere. Streams are inflated a piece at a time and forgotten, and what passes is searched for the address and the
number that an act of ours carries. What it finds is what the file claims, and proves nothing.
"""

import json
import re
import sys
import zlib
from collections.abc import Iterator

from permits.document.confined import lock_in

MEMORY_BYTES = 256 * 1024**2
CPU_SECONDS = 2
PIECE = 64 * 1024
# The longest thing looked for, so that one cut in two by the end of a piece is still seen.
OVERLAP = 128
MOST = 8

_CODE = re.compile(rb"/v/([A-Za-z0-9_-]{22})(?![A-Za-z0-9_-])")
_NUMBER = re.compile(rb'"number":\s?"([A-Z]{2,8}-\d{4}-\d{6,9})"')
_STREAM = re.compile(rb"(?<!end)stream\r?\n")


def read(content: bytes) -> dict[str, object]:
    """Return what `permits.domain.claim.Claim` is made of."""
    codes: dict[str, None] = {}
    numbers: dict[str, None] = {}
    for text in _texts(content):
        for found, pattern in ((codes, _CODE), (numbers, _NUMBER)):
            for match in pattern.finditer(text):
                if len(found) < MOST:
                    found[match[1].decode()] = None
    return {"is_pdf": content.startswith(b"%PDF-"), "codes": list(codes), "numbers": list(numbers)}


def _texts(content: bytes) -> Iterator[bytes]:
    """Yield the file, then each of its streams inflated, in pieces that overlap."""
    yield content
    for start in _STREAM.finditer(content):
        tail = b""
        for piece in _inflated(memoryview(content)[start.end() :]):
            yield tail + piece
            tail = piece[-OVERLAP:]


def _inflated(deflated: memoryview) -> Iterator[bytes]:
    inflater = zlib.decompressobj()
    try:
        for start in range(0, len(deflated), PIECE):
            waiting = bytes(deflated[start : start + PIECE])
            while waiting and not inflater.eof:
                yield inflater.decompress(waiting, PIECE)
                waiting = inflater.unconsumed_tail
            if inflater.eof:
                return
    except zlib.error:
        return


def main() -> None:
    """Read the standard input, locked in."""
    lock_in(MEMORY_BYTES, CPU_SECONDS)
    json.dump(read(sys.stdin.buffer.read()), sys.stdout)


if __name__ == "__main__":
    main()
