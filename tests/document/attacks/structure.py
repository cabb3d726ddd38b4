"""Tricks with what a PDF reader looks up: validation data, cross-references, names, and copies saved again."""

import hashlib
import re
from io import BytesIO

import pikepdf
import pypdfium2  # type: ignore[import-untyped]
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer

from permits.document.sealing.pades import to_asn1
from tests.document.attacks.hole import stranger
from tests.document.attacks.target import Target, changed_catalog, dictionary, first_page, name, updated


def _with_validation_data(target: Target, store: generic.DictionaryObject, *certificates: bytes) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        streams = [writer.add_object(generic.StreamObject(stream_data=each)) for each in certificates]
        store[name("/Certs")] = generic.ArrayObject(streams)
        changed_catalog(writer)[name("/DSS")] = writer.add_object(store)

    return updated(target.sealed, change)


def empty_validation_data(target: Target) -> bytes:
    """A document security store, which ISO 32000-2 lets anybody add after P 1."""
    return _with_validation_data(target, dictionary(Type=name("/DSS")))


def certificates_in_validation_data(target: Target) -> bytes:
    certificates = to_asn1(stranger()[0]).dump(), to_asn1(target.seal.certificate).dump()
    return _with_validation_data(target, dictionary(), *certificates)


def validation_data_of_the_seal(target: Target) -> bytes:
    entry = dictionary(Cert=generic.ArrayObject())
    of_each = dictionary(**{hashlib.sha1(target.signature.dump()).hexdigest().upper(): entry})
    return _with_validation_data(target, dictionary(VRI=of_each))


def _start(content: bytes) -> int:
    return int(re.findall(rb"startxref\n(\d+)", content)[-1])


def _after(target: Target, objects: bytes, trailer: bytes) -> bytes:
    """Append objects written by hand, and a classic cross-reference table for them alone."""
    base = target.sealed
    places = [(int(m[1]), len(base) + m.start()) for m in re.finditer(rb"^(\d+) 0 obj", objects, re.MULTILINE)]
    table = b"xref\n" + b"".join(b"%d 1\n%010d 00000 n \n" % each for each in places)
    start = len(base) + len(objects)
    return base + objects + table + b"trailer\n<<" + trailer + b">>\nstartxref\n%d\n%%%%EOF\n" % start


def _trailer(target: Target) -> bytes:
    return b"/Size 9999 /Root 2 0 R /Prev %d" % _start(target.sealed)


OTHER_CATALOG = b"2 0 obj\n<</Type /Catalog /Pages 1 0 R>>\nendobj\n"


def classic_table_appended(target: Target) -> bytes:
    return _after(target, OTHER_CATALOG, _trailer(target))


def hybrid_table_appended(target: Target) -> bytes:
    return _after(target, OTHER_CATALOG, _trailer(target) + b" /XRefStm %d" % _start(target.sealed))


def table_that_points_at_itself(target: Target) -> bytes:
    whole = _after(target, OTHER_CATALOG, b"/Size 9999 /Root 2 0 R /Prev 0000000000")
    return whole.replace(b"/Prev 0000000000", b"/Prev %010d" % _start(whole))


def same_object_twice(target: Target) -> bytes:
    return _after(target, OTHER_CATALOG + OTHER_CATALOG, _trailer(target))


def object_no_table_knows(target: Target) -> bytes:
    return target.sealed + OTHER_CATALOG


def catalog_in_an_object_stream(target: Target) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        first_page(writer)
        packed = writer.prepare_object_stream()  # type: ignore[no-untyped-call]
        catalog = dictionary(Type=name("/Catalog"), Pages=writer.root["/Pages"])
        writer._root = writer.add_object(catalog, obj_stream=packed)

    return updated(target.sealed, change)


def first_revision_pointed_at(target: Target) -> bytes:
    """The last pointer goes back to the tables before the seal."""
    digits, first = len(str(_start(target.sealed))), _start(target.pdf)
    return re.sub(rb"startxref\n\d+\n%%EOF\n$", b"startxref\n%0*d\n%%%%EOF\n" % (digits, first), target.sealed)


def previous_tables_unlinked(target: Target) -> bytes:
    return target.replaced(b"/Prev %d" % _start(target.pdf), b"/Prev 0")


def name_escaped(target: Target) -> bytes:
    return target.replaced(b"/SubFilter", b"/Sub#46ilter")


def kind_of_object_escaped(target: Target) -> bytes:
    return target.replaced(b"/Type /Sig\n", b"/Type /S#69g\n")


def filter_renamed(target: Target) -> bytes:
    return target.replaced(b"/Adobe.PPKLite", b"/Adobe.PPKLitf")


def date_moved(target: Target) -> bytes:
    place = target.sealed.index(b"Z)", target.sealed.rindex(b"/M (D")) - 1
    other = b"7" if target.sealed[place : place + 1] != b"7" else b"3"
    return target.sealed[:place] + other + target.sealed[place + 1 :]


def permission_in_place(target: Target) -> bytes:
    return target.replaced(b"/P 1\n", b"/P 3\n")


def revision_taken_away(target: Target) -> bytes:
    return target.pdf


def cut_before_the_signature(target: Target) -> bytes:
    return target.sealed[: target.gap[0]]


def cut_in_the_middle(target: Target) -> bytes:
    return target.sealed[: len(target.pdf) // 2]


def cut_at_the_last_table(target: Target) -> bytes:
    return target.sealed[: _start(target.sealed)]


def without_its_last_byte(target: Target) -> bytes:
    return target.sealed[:-1]


def without_its_first_byte(target: Target) -> bytes:
    return target.sealed[1:]


def _saved_by_qpdf(target: Target, **how: object) -> bytes:
    output = BytesIO()
    with pikepdf.open(BytesIO(target.sealed)) as document:
        document.save(output, **how)  # type: ignore[arg-type]
    return output.getvalue()


def saved_again(target: Target) -> bytes:
    return _saved_by_qpdf(target)


def linearised(target: Target) -> bytes:
    return _saved_by_qpdf(target, linearize=True)


def unpacked(target: Target) -> bytes:
    return _saved_by_qpdf(target, compress_streams=False, object_stream_mode=pikepdf.ObjectStreamMode.disable, qdf=True)


def repacked(target: Target) -> bytes:
    return _saved_by_qpdf(target, recompress_flate=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)


def encrypted(target: Target) -> bytes:
    return _saved_by_qpdf(target, encryption=pikepdf.Encryption(owner="x", user="", R=6))


def saved_by_a_browser(target: Target) -> bytes:
    output = BytesIO()
    pypdfium2.PdfDocument(target.sealed).save(output)
    return output.getvalue()


def pages_copied_out(target: Target) -> bytes:
    output = BytesIO()
    with pikepdf.open(BytesIO(target.sealed)) as document, pikepdf.new() as other:
        other.add_pages_from(document)
        other.save(output)
    return output.getvalue()


def written_anew(target: Target) -> bytes:
    output = BytesIO()
    copy_into_new_writer(PdfFileReader(BytesIO(target.sealed))).write(output)  # type: ignore[no-untyped-call]
    return output.getvalue()


ATTACKS = (
    empty_validation_data,
    certificates_in_validation_data,
    validation_data_of_the_seal,
    classic_table_appended,
    hybrid_table_appended,
    table_that_points_at_itself,
    same_object_twice,
    object_no_table_knows,
    catalog_in_an_object_stream,
    first_revision_pointed_at,
    previous_tables_unlinked,
    name_escaped,
    kind_of_object_escaped,
    filter_renamed,
    date_moved,
    permission_in_place,
    revision_taken_away,
    cut_before_the_signature,
    cut_in_the_middle,
    cut_at_the_last_table,
    without_its_last_byte,
    without_its_first_byte,
    saved_again,
    linearised,
    unpacked,
    repacked,
    encrypted,
    saved_by_a_browser,
    pages_copied_out,
    written_anew,
)
