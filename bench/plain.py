"""The plain stack, as a first version would be written: one page after the other, WeasyPrint and pyHanko as they come.

It takes a page that is already written, asks no registry, checks nothing and keeps nothing.
"""

import time
from io import BytesIO
from pathlib import Path

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, SimpleSigner, sign_pdf
from weasyprint import HTML

from permits.document import TEMPLATES


def seal_for(page: str, pkcs12: Path, passphrase: str, *, seconds: float) -> list[float]:
    """Print and seal this page again and again, for so long; return the seconds each took."""
    signer = SimpleSigner.load_pkcs12(str(pkcs12), passphrase=passphrase.encode())
    _seal(page, signer)  # the first one also loads libraries
    times = []
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends:
        started = time.perf_counter()
        _seal(page, signer)
        times.append(time.perf_counter() - started)
    return times


def _seal(page: str, signer: SimpleSigner) -> bytes:
    html = HTML(string=page, base_url=TEMPLATES.as_uri() + "/")
    pdf = html.write_pdf(stylesheets=[str(TEMPLATES / "arrete.css")])
    metadata = PdfSignatureMetadata(field_name="Cachet")
    sealed = sign_pdf(IncrementalPdfFileWriter(BytesIO(pdf)), metadata, signer=signer)
    return bytes(sealed.getvalue())
