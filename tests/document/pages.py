"""How the tests change the templates, and read a document back."""

import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
import zxingcpp
from PIL import Image

from permits.document import TEMPLATES
from permits.document.errors import LintError
from permits.document.lint import lint
from permits.document.payload import Payload


def text_of(file: Path, program: Callable[[str], str]) -> str:
    """Return the text of a PDF as another program reads it, with single plain spaces."""
    output = subprocess.run([program("pdftotext"), str(file), "-"], check=True, capture_output=True, text=True).stdout
    return " ".join(output.split())


def codes_on(pdf: bytes, dpi: int, program: Callable[[str], str]) -> list[zxingcpp.Barcode]:
    """Return the QR codes that a scanner reads from the first page, rendered at `dpi`.

    Of no other kind: of 1,200 signs, two had squares among which a short bar code was read too.
    """
    command = [program("pdftoppm"), "-r", str(dpi), "-f", "1", "-l", "1", "-png", "-singlefile", "-"]
    picture = subprocess.run(command, input=pdf, check=True, capture_output=True).stdout
    return list(zxingcpp.read_barcodes(Image.open(BytesIO(picture)), formats=zxingcpp.BarcodeFormat.QRCode))


def defects_of(pdf: bytes, payload: Payload) -> list[str]:
    """Return what the lint finds in `pdf`; fail if it finds nothing."""
    with pytest.raises(LintError) as caught:
        lint(pdf, payload)
    return list(caught.value.defects)


def templates_with(tmp_path: Path, old: str, new: str, name: str = "arrete.html") -> Path:
    """Return a copy of the templates where `new` stands for `old` in one file."""
    copy = tmp_path / "templates"
    shutil.copytree(TEMPLATES, copy, ignore=shutil.ignore_patterns("web"))
    page = (copy / name).read_text(encoding="utf-8")
    assert old in page
    (copy / name).write_text(page.replace(old, new), encoding="utf-8")
    return copy


def blank_templates(tmp_path: Path, name: str) -> Path:
    """Return a copy of the templates where one page says nothing."""
    copy = tmp_path / "templates"
    shutil.copytree(TEMPLATES, copy, ignore=shutil.ignore_patterns("web"))
    (copy / name).write_text('<html lang="fr"><title>Rien</title><p>Rien.</p></html>', encoding="utf-8")
    return copy


@cache
def blank_page() -> bytes:
    """Return a PDF that says nothing: quickly read, for tests of what is put around it."""
    output = BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(output)
    return output.getvalue()
