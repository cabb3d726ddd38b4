"""From the payload to the PDF: Jinja2 writes the page, WeasyPrint lays it out as PDF/A-3a.

Templates are code, the payload is data: everything is escaped, nothing of it is ever read as
markup, and the renderer may open no other file than those beside the templates.
"""

import atexit
import hashlib
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError
from jinja2.ext import Extension
from markupsafe import Markup
from weasyprint import CSS, HTML, Attachment  # type: ignore[import-untyped]
from weasyprint.text.fonts import FontConfiguration  # type: ignore[import-untyped]
from weasyprint.urls import URLFetcher, URLFetcherResponse  # type: ignore[import-untyped]

from permits.document import TEMPLATES, french
from permits.document.errors import PrintError
from permits.document.glyphs import drawable
from permits.document.payload import Payload, attachment_name, payload_bytes
from permits.document.plan import WIDTH_MM, draw_plans
from permits.document.wholeness import gaps
from permits.domain.permit import Permit
from permits.domain.ruling import Ruling

# The payload names the template it was frozen for; a new wording is a new name, the old files stay.
PAGES: dict[type[Payload], dict[str, str]] = {
    Permit: {"arrete/1": "arrete.html"},
    Ruling: {"decision/1": "decision.html"},
}


def print_act(payload: Payload, templates: Path = TEMPLATES) -> bytes:
    """Return the act of `payload` as an unsealed PDF that carries it; the same payload gives the same bytes.

    Raises PrintError when the page cannot be made exactly as the template says.
    """
    return _printer(templates).print(payload)


def warm_up(templates: Path = TEMPLATES) -> None:
    """Read the templates and fonts now, so that the first document does not wait for them."""
    _printer(templates)


@cache
def _printer(templates: Path) -> "_Printer":
    return _Printer(templates)


# The fonts were copied to a temporary folder, which goes with the printer: not left to a dying interpreter.
atexit.register(_printer.cache_clear)


class _Printer:
    """One folder of templates, read once: stylesheet and fonts serve every document of the process."""

    def __init__(self, templates: Path) -> None:
        self._fetcher = _OnlyBelow(templates)
        self._base = templates.resolve().as_uri() + "/"
        self._pages = _environment(templates)
        self._fonts = FontConfiguration()
        with _complaints_are_errors():
            self._style = CSS(
                filename=templates / "arrete.css",
                url_fetcher=self._fetcher,
                font_config=self._fonts,
            )

    def print(self, payload: Payload) -> bytes:
        content = payload_bytes(payload)
        attachment = Attachment(
            file_obj=BytesIO(content),
            name=attachment_name(payload),
            description="Données de l’acte (JSON)",
            created=payload.decided_at.astimezone(UTC),
            modified=payload.decided_at.astimezone(UTC),
            relationship="Data",
        )
        with _complaints_are_errors():
            page = HTML(string=self.write_page(payload), base_url=self._base, url_fetcher=self._fetcher)
            pdf: bytes = page.write_pdf(
                stylesheets=[self._style],
                font_config=self._fonts,
                attachments=[attachment],
                pdf_variant="pdf/a-3a",
                pdf_identifier=hashlib.sha256(content).digest()[:16],
            )
        return pdf

    def write_page(self, payload: Payload) -> str:
        page = PAGES[type(payload)].get(payload.template)
        if page is None:
            raise PrintError(f"no template is named {payload.template!r}")
        if missing := gaps(payload):
            raise PrintError("; ".join(missing))
        try:
            return self._pages.get_template(page).render(act=payload, **_shown(payload))
        except TemplateError as error:
            raise PrintError(f"template {payload.template}: {error}") from error


def _shown(payload: Payload) -> dict[str, Any]:
    """Return what only the page of this kind of act uses."""
    if isinstance(payload, Ruling):
        return {"ruling": payload}
    return {"permit": payload, "plans": draw_plans(payload)}


class _Typography(Extension):
    """Typesets the French of the templates themselves, once, when they are read."""

    _CODE = re.compile(r"(\{[{%#].*?[}%#]\}|<[^>]*>)", re.DOTALL)

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        parts = self._CODE.split(source)
        parts[::2] = [french.typeset(text) for text in parts[::2]]
        return "".join(parts)


def _environment(templates: Path) -> Environment:
    pages = Environment(
        loader=FileSystemLoader(templates),
        extensions=[_Typography],
        autoescape=True,
        finalize=lambda value: drawable(value) if type(value) is str else value,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    pages.filters.update(
        number=french.number,
        money=french.money,
        metres=french.metres,
        square_metres=french.square_metres,
        siret=french.spaced_siret,
        day=french.long_date,
        eve=french.eve,
        paris_date=french.paris_date,
        paris_moment=french.paris_moment,
        hour=french.hour,
        fr=french.typeset,
        capital=french.capital,
        clause=french.clause,
        visa=french.visa,
        consideration=french.consideration,
    )
    pages.globals.update(
        period=french.period,
        day_count=french.day_count,
        qr=_qr_code,
        plan_width=WIDTH_MM,
    )
    return pages


def _qr_code(url: str) -> Markup:
    """Return the QR code of `url` as SVG: only its modules, the address itself is not in the markup."""
    code = segno.make_qr(url, error="m")
    return Markup(code.svg_inline(title="Code QR de vérification", omitsize=True))


class _OnlyBelow(URLFetcher):  # type: ignore[misc]
    """Answers for the files below one folder, and for nothing else: no network, no other file."""

    def __init__(self, folder: Path) -> None:
        super().__init__(allowed_protocols=("file",), allow_redirects=False)
        self._folder = folder.resolve()

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        parts = urlsplit(url)
        path = Path(unquote(parts.path)).resolve()
        if parts.scheme != "file" or parts.netloc or not path.is_relative_to(self._folder):
            raise PermissionError(f"the renderer may not open {url}")
        return URLFetcherResponse(url, path.read_bytes())


@contextmanager
def _complaints_are_errors() -> Iterator[None]:
    """Raise PrintError for what WeasyPrint only logs: a missing image, a font that does not load."""
    complaints: list[str] = []
    listener = logging.Handler(logging.WARNING)
    listener.emit = lambda record: complaints.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("weasyprint")
    logger.addHandler(listener)
    try:
        yield
    except OSError as error:
        raise PrintError(str(error)) from error
    finally:
        logger.removeHandler(listener)
    if complaints:
        raise PrintError("; ".join(complaints))
