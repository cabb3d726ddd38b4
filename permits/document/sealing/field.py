"""The field that holds the seal: invisible on the page, and told in the structure that a screen reader follows."""

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, append_signature_field, enumerate_sig_fields


def add_field(writer: IncrementalPdfFileWriter, name: str, words: str) -> None:
    """Add the empty signature field `name` on the first page, as the last element of the structure, in this revision.

    `words` is how it is read aloud.
    """
    append_signature_field(writer, SigFieldSpec(sig_field_name=name, readable_field_name=words))
    ((_, _, widget),) = enumerate_sig_fields(writer, filled_status=False, with_name=name)
    if "/StructTreeRoot" not in writer.root:  # a file without structure has nobody to tell
        return
    tree = writer.root["/StructTreeRoot"]
    kids = tree["/K"]
    document = kids.raw_get(0) if isinstance(kids, generic.ArrayObject) else tree.raw_get("/K")
    element = writer.add_object(_form(document, widget, writer.root["/Pages"]["/Kids"].raw_get(0), words))
    document.get_object()["/K"].append(element)
    writer.mark_update(document)
    _number(writer, tree["/ParentTree"], widget.get_object(), element)


def _form(
    parent: generic.IndirectObject, widget: generic.IndirectObject, page: generic.IndirectObject, words: str
) -> generic.DictionaryObject:
    """Return a structure element that stands for the widget (ISO 32000-1, 14.7.4.3)."""
    shown = _dictionary({"Type": pdf_name("/OBJR"), "Obj": widget, "Pg": page})
    entries = {"P": parent, "Pg": page, "K": shown, "Alt": generic.TextStringObject(words)}
    return _dictionary({"Type": pdf_name("/StructElem"), "S": pdf_name("/Form"), **entries})


def _dictionary(entries: dict[str, generic.PdfObject]) -> generic.DictionaryObject:
    named = {pdf_name(f"/{name}"): value for name, value in entries.items()}
    return generic.DictionaryObject(named)  # type: ignore[no-untyped-call]


def _number(
    writer: IncrementalPdfFileWriter,
    parents: generic.DictionaryObject,
    widget: generic.DictionaryObject,
    element: generic.IndirectObject,
) -> None:
    """Note the widget's element in the parent tree, under the first number that is free."""
    numbers = parents["/Nums"]
    used = [int(numbers[place]) for place in range(0, len(numbers), 2)]
    key = generic.NumberObject(max(used, default=-1) + 1)  # type: ignore[no-untyped-call]
    numbers.extend((key, element))
    writer.update_container(numbers)
    widget[pdf_name("/StructParent")] = key
    writer.update_container(widget)
