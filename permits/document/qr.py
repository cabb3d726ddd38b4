"""The QR code as a picture: a PNG written into the page itself."""

import zlib
from base64 import b64encode
from collections.abc import Iterable, Sequence

import segno
from markupsafe import Markup

from permits.document.payload import QR_WORDS

PNG_URI = "data:image/png;base64,"
# Points of the picture for each square, so that a reader of PDF that smooths pictures blurs the edges only.
POINTS = 4
_SQUARES = b"\xff" * POINTS, b"\0" * POINTS


def qr_code(content: str, border: int = 4) -> Markup:
    """Return the QR code of `content` as an image of its squares; the content itself is not in the markup.

    `border` is its white edge, in squares: none where the page leaves it white.
    """
    # A signed code is long: large squares help a phone more than a second redundancy, and its bits are as mixed as
    # any: trying each of the eight masks would take longer than all the rest of it.
    code = segno.make_qr(content, error="l", mask=2 if "#" in content else None)
    picture = _png(code.matrix, border)
    return Markup('<img src="{}{}" alt="{}"/>').format(PNG_URI, b64encode(picture).decode(), QR_WORDS)


def _png(rows: Sequence[Iterable[int]], border: int) -> bytes:
    """Return rows of white (0) and black (1) squares as a picture in greys, in PNG (ISO/IEC 15948)."""
    size = (len(rows) + 2 * border) * POINTS
    edge, side = b"\xff" * size, b"\xff" * border * POINTS
    lines = [edge] * border
    for row in rows:
        lines.append(side + b"".join(map(_SQUARES.__getitem__, row)) + side)
    lines += [edge] * border
    header = size.to_bytes(4, "big") * 2 + bytes((8, 0, 0, 0, 0))  # eight bits of grey, nothing else
    filtered = b"".join((b"\0" + line) * POINTS for line in lines)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(filtered)) + _chunk(b"IEND")


def _chunk(kind: bytes, content: bytes = b"") -> bytes:
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")
