"""Incremental updates: what a PDF editor does, one more revision after the seal."""

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from tests.document.attacks.target import (
    Attack,
    Target,
    changed_catalog,
    dictionary,
    first_page,
    name,
    number,
    numbers,
    text,
    updated,
)

ANOTHER_TEXT = b"BT /F1 24 Tf 60 400 Td (Valable jusqu'en 2099) Tj ET"


def one_more_revision(content: bytes) -> bytes:
    """Return the file with a revision that changes nothing."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        changed_catalog(writer)

    return updated(content, change)


def nothing_but_a_revision(target: Target) -> bytes:
    return one_more_revision(target.sealed)


def page_content_replaced(target: Target) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        first_page(writer)[name("/Contents")] = writer.add_object(generic.StreamObject(stream_data=ANOTHER_TEXT))

    return updated(target.sealed, change)


def text_added_to_the_page(target: Target) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        page = first_page(writer)
        more = writer.add_object(generic.StreamObject(stream_data=ANOTHER_TEXT))
        page[name("/Contents")] = generic.ArrayObject([page.raw_get("/Contents"), more])

    return updated(target.sealed, change)


def _annotated(target: Target, **entries: generic.PdfObject) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        note = dictionary(Type=name("/Annot"), Rect=numbers(0, 0, 595, 842), **entries)
        page = first_page(writer)
        page[name("/Annots")] = generic.ArrayObject([*page["/Annots"], writer.add_object(note)])

    return updated(target.sealed, change)


def evil_note_over_the_page(target: Target) -> bytes:
    said, style = text("Prolongé jusqu’au 31 décembre 2099"), text("/Helv 30 Tf 0 g")
    return _annotated(target, Subtype=name("/FreeText"), Contents=said, DA=style)


def evil_stamp_over_the_page(target: Target) -> bytes:
    return _annotated(target, Subtype=name("/Stamp"), F=number(4), Name=name("/Approved"))


def evil_whitening_of_the_page(target: Target) -> bytes:
    white = numbers(1, 1, 1)
    return _annotated(target, Subtype=name("/Square"), F=number(4), C=white, IC=white)


def link_to_elsewhere(target: Target) -> bytes:
    uri = dictionary(S=name("/URI"), URI=text("https://faux.example/"))
    return _annotated(target, Subtype=name("/Link"), A=uri)


def form_field_added(target: Target) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        field = dictionary(FT=name("/Tx"), T=text("date"), V=text("31 décembre 2099"))
        form = writer.root["/AcroForm"]
        form["/Fields"].append(writer.add_object(field))
        writer.mark_update(writer.root.raw_get("/AcroForm").reference)

    return updated(target.sealed, change)


def metadata_rewritten(target: Target) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        stream = generic.StreamObject({name("/Type"): name("/Metadata"), name("/Subtype"): name("/XML")})
        stream._data = writer.root["/Metadata"].data.replace(b"Exemple", b"Ailleurs")
        changed_catalog(writer)[name("/Metadata")] = writer.add_object(stream)

    return updated(target.sealed, change)


def title_rewritten(target: Target) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        information = writer.trailer_view["/Info"]
        information[name("/Title")] = text("Un autre arrêté")
        writer.mark_update(writer.trailer_view.raw_get("/Info").reference)

    return updated(target.sealed, change)


def _with_script(key: str) -> Attack:
    def change(writer: IncrementalPdfFileWriter) -> None:
        script = dictionary(S=name("/JavaScript"), JS=text("app.alert(1)"))
        catalog = changed_catalog(writer)
        catalog[name(key)] = dictionary(WP=script) if key == "/AA" else script

    return lambda target: updated(target.sealed, change)


def script_on_opening(target: Target) -> bytes:
    return _with_script("/OpenAction")(target)


def script_on_printing(target: Target) -> bytes:
    return _with_script("/AA")(target)


def catalog_replaced(target: Target) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        catalog = changed_catalog(writer)
        for key in [key for key in catalog if key not in ("/Type", "/Pages")]:
            del catalog[key]

    return updated(target.sealed, change)


def catalog_pointed_at_another(target: Target) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        writer._root = writer.add_object(dictionary(Type=name("/Catalog"), Pages=writer.root.raw_get("/Pages")))

    return updated(target.sealed, change)


def page_added(target: Target) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        pages = writer.root["/Pages"]
        page = dictionary(
            Type=name("/Page"),
            Parent=writer.root.raw_get("/Pages"),
            MediaBox=pages["/Kids"][0]["/MediaBox"],
            Contents=writer.add_object(generic.StreamObject(stream_data=ANOTHER_TEXT)),
        )
        pages["/Kids"].append(writer.add_object(page))
        pages[name("/Count")] = number(pages["/Count"] + 1)
        writer.mark_update(writer.root.raw_get("/Pages").reference)

    return updated(target.sealed, change)


def page_removed(target: Target) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        pages = writer.root["/Pages"]
        pages["/Kids"].pop()
        pages[name("/Count")] = number(pages["/Count"] - 1)
        writer.mark_update(writer.root.raw_get("/Pages").reference)

    return updated(target.sealed, change)


def _page_with(target: Target, key: str, value: generic.PdfObject) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        first_page(writer)[name(key)] = value

    return updated(target.sealed, change)


def page_rotated(target: Target) -> bytes:
    return _page_with(target, "/Rotate", number(90))


def page_cropped(target: Target) -> bytes:
    return _page_with(target, "/CropBox", numbers(0, 400, 595, 842))


def fonts_swapped(target: Target) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        resources = writer.root["/Pages"]["/Kids"][0]["/Resources"]
        fonts = resources["/Font"]
        keys, values = list(fonts), [fonts.raw_get(key) for key in fonts]
        for key, value in zip(keys, [*values[1:], values[0]], strict=True):
            fonts[key] = value
        reference = resources.raw_get("/Font")
        holder = reference if isinstance(reference, generic.IndirectObject) else fonts.container_ref
        assert holder is not None
        writer.mark_update(holder)

    return updated(target.sealed, change)


def _attachments(writer: IncrementalPdfFileWriter) -> generic.ArrayObject:
    names = writer.root["/Names"]["/EmbeddedFiles"]["/Names"]
    assert isinstance(names, generic.ArrayObject)
    return names


def attachment_replaced(target: Target) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        stream = generic.StreamObject(stream_data=b'{"number": "EX-2027-000002"}')
        specification = _attachments(writer)[1]
        specification["/EF"][name("/F")] = writer.add_object(stream)
        writer.mark_update(_attachments(writer).raw_get(1).reference)

    return updated(target.sealed, change)


def attachment_removed(target: Target) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        catalog = changed_catalog(writer)
        del catalog["/Names"], catalog["/AF"]

    return updated(target.sealed, change)


def language_changed(target: Target) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        changed_catalog(writer)[name("/Lang")] = text("en")

    return updated(target.sealed, change)


def later_version_claimed(target: Target) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        changed_catalog(writer)[name("/Version")] = name("/2.0")

    return updated(target.sealed, change)


ATTACKS = (
    nothing_but_a_revision,
    page_content_replaced,
    text_added_to_the_page,
    evil_note_over_the_page,
    evil_stamp_over_the_page,
    evil_whitening_of_the_page,
    link_to_elsewhere,
    form_field_added,
    metadata_rewritten,
    title_rewritten,
    script_on_opening,
    script_on_printing,
    catalog_replaced,
    catalog_pointed_at_another,
    page_added,
    page_removed,
    page_rotated,
    page_cropped,
    fonts_swapped,
    attachment_replaced,
    attachment_removed,
    language_changed,
    later_version_claimed,
)
