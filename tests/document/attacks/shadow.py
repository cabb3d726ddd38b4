"""Shadow attacks: the file is prepared before it is sealed, and what was hidden in it is shown afterwards.

Our files come from our own templates, and the lint reads what they show; here somebody got past both,
and the seal itself must still refuse what comes after it.
"""

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from tests.document.attacks.target import Target, changed_catalog, dictionary, first_page, name, number, text, updated
from tests.document.attacks.updates import ANOTHER_TEXT


def hidden_then_shown(target: Target) -> bytes:
    """Hide: a cover lies on the other text; the update takes the cover away."""

    def prepare(writer: IncrementalPdfFileWriter) -> None:
        page = first_page(writer)
        below = writer.add_object(generic.StreamObject(stream_data=ANOTHER_TEXT))
        cover = writer.add_object(generic.StreamObject(stream_data=b"1 g 0 0 595 842 re f"))
        page[name("/Contents")] = generic.ArrayObject([below, cover, page.raw_get("/Contents")])

    def reveal(writer: IncrementalPdfFileWriter) -> None:
        page = first_page(writer)
        page[name("/Contents")] = page["/Contents"].raw_get(0)

    return updated(target.seal.seal(updated(target.pdf, prepare)).content, reveal)


def value_replaced(target: Target) -> bytes:
    """Replace: a form field shows one value when sealed, and another after an update that only "fills" it."""

    def prepare(writer: IncrementalPdfFileWriter) -> None:
        field = dictionary(FT=name("/Tx"), T=text("date"), V=text("12 janvier 2027"))
        form = dictionary(Fields=generic.ArrayObject([writer.add_object(field)]))
        changed_catalog(writer)[name("/AcroForm")] = writer.add_object(form)

    def fill(writer: IncrementalPdfFileWriter) -> None:
        field = writer.root["/AcroForm"]["/Fields"][0]
        field[name("/V")] = text("31 décembre 2099")
        writer.mark_update(writer.root["/AcroForm"]["/Fields"].raw_get(0).reference)

    return updated(target.seal.seal(updated(target.pdf, prepare)).content, fill)


def second_document_revealed(target: Target) -> bytes:
    """Hide and replace: a whole second document lies unused in the file; the update points at it."""

    def prepare(writer: IncrementalPdfFileWriter) -> None:
        catalog = changed_catalog(writer)
        pages = dictionary(Type=name("/Pages"), Count=number(0), Kids=generic.ArrayObject())
        catalog[name("/Shadow")] = writer.add_object(pages)

    def reveal(writer: IncrementalPdfFileWriter) -> None:
        catalog = changed_catalog(writer)
        catalog[name("/Pages")] = catalog.raw_get("/Shadow")

    return updated(target.seal.seal(updated(target.pdf, prepare)).content, reveal)


def font_replaced(target: Target) -> bytes:
    """Replace: the sealed digits stay, the font that draws them is another."""

    def prepare(writer: IncrementalPdfFileWriter) -> None:
        font = dictionary(Type=name("/Font"), Subtype=name("/Type1"), BaseFont=name("/Courier"))
        changed_catalog(writer)[name("/Shadow")] = writer.add_object(font)

    def swap(writer: IncrementalPdfFileWriter) -> None:
        writer.root["/Shadow"][name("/BaseFont")] = name("/Symbol")
        writer.mark_update(writer.root.raw_get("/Shadow").reference)

    return updated(target.seal.seal(updated(target.pdf, prepare)).content, swap)


ATTACKS = (hidden_then_shown, value_replaced, second_document_revealed, font_replaced)
