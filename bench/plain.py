"""The plain stack, as a first version would be written: one page after the other, WeasyPrint and pyHanko as they come.

It takes a page that is already written, asks no registry, checks nothing and keeps nothing.
"""

import time
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, SimpleSigner, sign_pdf
from weasyprint import HTML

from permits.document import TEMPLATES


@dataclass(frozen=True)
class Plain:
    """The seconds each document took, by the clock, and the mean of its processor time."""

    times: list[float]
    cpu: float

    @property
    def per_second(self) -> float:
        return len(self.times) / sum(self.times)


def seal_for(page: str, pkcs12: Path, passphrase: str, *, seconds: float) -> Plain:
    """Print and seal this page again and again, for so long."""
    signer = SimpleSigner.load_pkcs12(str(pkcs12), passphrase=passphrase.encode())
    _seal(page, signer)  # the first one also loads libraries
    times = []
    cpu, ends = time.process_time(), time.perf_counter() + seconds
    while time.perf_counter() < ends:
        started = time.perf_counter()
        _seal(page, signer)
        times.append(time.perf_counter() - started)
    return Plain(times, (time.process_time() - cpu) / len(times))


def _seal(page: str, signer: SimpleSigner) -> bytes:
    html = HTML(string=page, base_url=TEMPLATES.as_uri() + "/")
    pdf = html.write_pdf(stylesheets=[str(TEMPLATES / "arrete.css")])
    metadata = PdfSignatureMetadata(field_name="Cachet")
    sealed = sign_pdf(IncrementalPdfFileWriter(BytesIO(pdf)), metadata, signer=signer)
    return bytes(sealed.getvalue())
