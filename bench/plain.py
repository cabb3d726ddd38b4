"""The plain stack, as a first version would be written: one page after the other, WeasyPrint and pyHanko as they come.

It takes a page that is already written, asks no registry, checks nothing and keeps nothing. It runs in a process of
its own: what the service does to be quicker would quicken it too.
"""

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from multiprocessing.connection import Connection
from pathlib import Path

from permits.document import TEMPLATES


@dataclass(frozen=True)
class Plain:
    """The seconds each document took, by the clock, and the mean of its processor time."""

    times: list[float]
    cpu: float

    @property
    def per_second(self) -> float:
        return len(self.times) / sum(self.times)


class PlainStack:
    """Another process that prints and seals one page at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def seal(self, page: str) -> tuple[float, float]:
        """Print and seal this page; return the seconds it took, by the clock and of processor time."""
        self._connection.send(page)
        clock, cpu = self._connection.recv()
        return clock, cpu

    def seal_for(self, page: str, *, seconds: float) -> Plain:
        """Print and seal this page again and again, for so long."""
        times, ends = [], time.perf_counter() + seconds
        while time.perf_counter() < ends:
            times.append(self.seal(page))
        clocks, cpus = zip(*times, strict=True)
        return Plain(list(clocks), sum(cpus) / len(cpus))


@contextmanager
def plain_stack(page: str, pkcs12: Path, passphrase: str) -> Iterator[PlainStack]:
    """Start it, and have it print `page` once: the first one also loads libraries."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, pkcs12, passphrase), daemon=True)
    process.start()
    theirs.close()
    stack = PlainStack(ours)
    try:
        stack.seal(page)
        yield stack
    finally:
        ours.close()
        process.join(10)
        process.kill()


def _serve(connection: Connection, pkcs12: Path, passphrase: str) -> None:
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import PdfSignatureMetadata, SimpleSigner, sign_pdf
    from weasyprint import HTML

    signer = SimpleSigner.load_pkcs12(str(pkcs12), passphrase=passphrase.encode())
    while True:
        try:
            page = connection.recv()
        except EOFError:
            return
        clock, cpu = time.perf_counter(), time.process_time()
        html = HTML(string=page, base_url=TEMPLATES.as_uri() + "/")
        pdf = html.write_pdf(stylesheets=[str(TEMPLATES / "arrete.css")])
        metadata = PdfSignatureMetadata(field_name="Cachet")
        sign_pdf(IncrementalPdfFileWriter(BytesIO(pdf)), metadata, signer=signer)
        connection.send((time.perf_counter() - clock, time.process_time() - cpu))
