"""The last look before the seal: the document says all it must, and holds nothing it may not.

The text is read back from the PDF by another library than the one that wrote it, and compared
without regard to spaces, to the shape of apostrophes, or to hyphens at the end of a line.
"""

import re
import unicodedata
from collections.abc import Iterator

import pypdfium2  # type: ignore[import-untyped]

from permits.document.anatomy import structure_defects
from permits.document.codes import code_defects
from permits.document.errors import LintError
from permits.document.glyphs import drawable
from permits.document.mentions import Mention
from permits.document.payload import Payload
from permits.document.permit_mentions import permit_mentions
from permits.document.ruling_mentions import ruling_mentions
from permits.document.wholeness import gaps
from permits.domain.permit import Permit
from permits.domain.ruling import Ruling

_SAME = str.maketrans({"\u2019": "'", "\u2010": "-", "\u2011": "-", "\x02": "-", "\u00ad": "-"})


def lint(pdf: bytes, payload: Payload, signed_code: str | None = None) -> None:
    """Raise LintError with every defect of `pdf` as the document of `payload`, whose QR code carries `signed_code`."""
    pages = _pages(pdf)
    defects = [*gaps(payload), *_text_defects(pages, payload), *structure_defects(pdf, payload)]
    if isinstance(payload, Permit) and signed_code is not None:
        defects += code_defects(payload, signed_code)
    if defects:
        raise LintError(tuple(defects))


def _pages(pdf: bytes) -> list[str]:
    try:
        document = pypdfium2.PdfDocument(pdf)
    except pypdfium2.PdfiumError as error:
        raise LintError((f"le fichier ne s’ouvre pas : {error}",)) from error
    try:
        # Within the page: words beyond its edges are in the file, and nobody sees them.
        return [_folded(page.get_textpage().get_text_bounded()) for page in document]
    finally:
        document.close()


def _folded(text: str) -> str:
    """Return `text` without spaces, in NFKC, with one kind of apostrophe and of hyphen."""
    return "".join(unicodedata.normalize("NFKC", text).translate(_SAME).split())


def _text_defects(pages: list[str], payload: Payload) -> Iterator[str]:
    # Apart: the number of a page, at its end, is not the beginning of a figure that the next one begins with.
    text = "\n".join(pages)
    for mention in ruling_mentions(payload) if isinstance(payload, Ruling) else permit_mentions(payload):
        if not _is_shown(mention, text):
            yield f"{mention.what} : « {mention.words} » manque"
    if payload.specimen and not all("SPÉCIMEN" in page for page in pages):
        yield "le mot SPÉCIMEN manque sur une page"


def _is_shown(mention: Mention, text: str) -> bool:
    words = _folded(drawable(mention.words))
    if mention.is_figure:
        return re.search(rf"(?<!\d){re.escape(words)}", text) is not None
    return words in text
