"""The sealed permit that is attacked, and the two ways to write in it: after it, and in its last revision."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

from asn1crypto import cms  # type: ignore[import-untyped]
from cryptography import x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from permits.document.errors import SealError
from permits.document.offline import Examined, examine
from permits.document.sealing.seal import Seal
from permits.document.verify import verify_seal
from permits.domain.sealing import SealLevel
from tests.document.bundles import bundle_of

name = generic.NameObject
text = generic.TextStringObject


def number(value: int) -> generic.NumberObject:
    return generic.NumberObject(value)  # type: ignore[no-untyped-call]


def numbers(*values: int) -> generic.ArrayObject:
    return generic.ArrayObject(number(value) for value in values)


def dictionary(**entries: generic.PdfObject) -> generic.DictionaryObject:
    """Return a PDF dictionary; its keys are given without their slash."""
    return generic.DictionaryObject({name(f"/{key}"): value for key, value in entries.items()})  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Target:
    """A permit before and after its seal. `seal` is only for what must be prepared before sealing."""

    pdf: bytes
    sealed: bytes
    seal: Seal
    level: SealLevel = SealLevel.B_B
    roots: tuple[x509.Certificate, ...] = ()

    def refuses(self, content: bytes) -> bool:
        """Tell whether whoever has the register refuses a file: its certificate, chain and level are known."""
        try:
            found = verify_seal(content, self.seal.certificate, self.roots, self.seal.key.chain)
        except SealError:
            return True
        return found.carried is not self.level

    def examined(self, content: bytes) -> Examined:
        """Return what whoever has only the trust bundle is told of a file."""
        return examine(content, bundle_of(self.seal, roots=self.roots))

    @property
    def gap(self) -> tuple[int, int]:
        """Where the hexadecimal digits of the signature begin and end."""
        start = self.sealed.rindex(b"/Contents <") + len(b"/Contents <")
        return start, self.sealed.index(b">", start)

    @property
    def signature(self) -> cms.ContentInfo:
        """The signature, read anew: a copy to change."""
        start, end = self.gap
        return cms.ContentInfo.load(bytes.fromhex(self.sealed[start:end].decode()))

    def with_digits(self, digits: bytes) -> bytes:
        """Return the file with other digits in the gap, zeros after them; a wider gap where they need one."""
        start, end = self.gap
        return self.sealed[:start] + digits.ljust(end - start, b"0") + self.sealed[end:]

    def with_signature(self, der: bytes) -> bytes:
        """Return the file with another signature in the gap, written as ours is."""
        return self.with_digits(der.hex().upper().encode())

    def replaced(self, old: bytes, new: bytes) -> bytes:
        """Return the file with words of its last revision replaced, and its pointers right again."""
        place = self.sealed.rindex(old)
        assert place > len(self.pdf)
        changed = self.sealed[:place] + new + self.sealed[place + len(old) :]
        longer = len(new) - len(old)
        return re.sub(
            rb"startxref\n(\d+)\n%%EOF\s*$", lambda m: b"startxref\n%d\n%%%%EOF\n" % (int(m[1]) + longer), changed
        )


def flipped(content: bytes, place: int, bit: int) -> bytes:
    """Return the file with one bit changed, given by its weight."""
    return content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]


Attack = Callable[[Target], bytes]


def updated(content: bytes, change: Callable[[IncrementalPdfFileWriter], None]) -> bytes:
    """Return the file with one more revision, in which `change` is made."""
    writer = IncrementalPdfFileWriter(BytesIO(content), strict=False)
    change(writer)
    output = BytesIO()
    writer.write(output)  # type: ignore[no-untyped-call]
    return output.getvalue()


def first_page(writer: IncrementalPdfFileWriter) -> generic.DictionaryObject:
    """Return the first page, to be changed."""
    reference, _ = writer.find_page_for_modification(0)  # type: ignore[no-untyped-call]
    page = reference.get_object()
    assert isinstance(page, generic.DictionaryObject)
    writer.mark_update(reference)
    return page


def changed_catalog(writer: IncrementalPdfFileWriter) -> generic.DictionaryObject:
    """Return the catalog, to be changed."""
    writer.update_root()  # type: ignore[no-untyped-call]
    return writer.root


def signature_field(writer: IncrementalPdfFileWriter) -> generic.DictionaryObject:
    """Return the seal's field, to be changed."""
    fields = writer.root["/AcroForm"]["/Fields"]
    writer.mark_update(fields.raw_get(0).reference)
    field = fields[0]
    assert isinstance(field, generic.DictionaryObject)
    return field
