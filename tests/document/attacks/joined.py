"""Files put together: something before the permit, after it, or around it."""

import gzip
import zipfile
from io import BytesIO

from tests.document.attacks.target import Target


def line_feed_after(target: Target) -> bytes:
    return target.sealed + b"\n"


def space_after(target: Target) -> bytes:
    return target.sealed + b" "


def zero_after(target: Target) -> bytes:
    return target.sealed + b"\0"


def comment_after(target: Target) -> bytes:
    return target.sealed + b"% lu et approuve\n"


def end_of_file_after(target: Target) -> bytes:
    return target.sealed + b"%%EOF\n"


def unsealed_permit_after(target: Target) -> bytes:
    return target.sealed + target.pdf


def unsealed_permit_before(target: Target) -> bytes:
    return target.pdf + target.sealed


def itself_twice(target: Target) -> bytes:
    return target.sealed + target.sealed


def line_feed_before(target: Target) -> bytes:
    return b"\n" + target.sealed


def page_of_the_web_before(target: Target) -> bytes:
    return b"<!doctype html><script>location='https://faux.example'</script><!--\n" + target.sealed


def program_before(target: Target) -> bytes:
    return b"MZ\n" + target.sealed


def archive_after(target: Target) -> bytes:
    """A ZIP archive whose directory lies at the end: a file of two kinds."""
    archive = BytesIO(target.sealed)
    archive.seek(0, 2)
    with zipfile.ZipFile(archive, "a") as packed:
        packed.writestr("permis.txt", "un autre texte")
    return archive.getvalue()


def packed(target: Target) -> bytes:
    return gzip.compress(target.sealed, mtime=0)


def other_header(target: Target) -> bytes:
    return b"%PDF-2.0" + target.sealed[8:]


def other_line_ends(target: Target) -> bytes:
    return target.sealed.replace(b"\n", b"\r\n")


ATTACKS = (
    line_feed_after,
    space_after,
    zero_after,
    comment_after,
    end_of_file_after,
    unsealed_permit_after,
    unsealed_permit_before,
    itself_twice,
    line_feed_before,
    page_of_the_web_before,
    program_before,
    archive_after,
    packed,
    other_header,
    other_line_ends,
)
