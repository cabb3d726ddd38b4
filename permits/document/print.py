"""From the payload to the PDF: Jinja2 writes the page, WeasyPrint lays it out as PDF/A-3a.

Templates are code, the payload is data: everything is escaped, nothing of it is ever read as
markup, and the renderer may open no other file than those beside the templates.
"""

import atexit
import hashlib
import logging
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError
from markupsafe import Markup
from weasyprint import CSS, Attachment  # type: ignore[import-untyped]
from weasyprint.text.fonts import FontConfiguration  # type: ignore[import-untyped]
from weasyprint.urls import URLFetcher, URLFetcherResponse  # type: ignore[import-untyped]

from permits.document import TEMPLATES, french
from permits.document.errors import PrintError
from permits.document.glyphs import drawable
from permits.document.kept_glyphs import keep_glyphs
from permits.document.kept_lines import keep_lines
from permits.document.kept_paths import keep_paths
from permits.document.kept_styles import keep_styles
from permits.document.occupancies import dimensions, named
from permits.document.page import Page
from permits.document.payload import Payload, attachment_name, payload_bytes, qr_content
from permits.document.plan import WIDTH_MM, draw_plans
from permits.document.qr import PNG_URI, qr_code
from permits.document.typography import Typography
from permits.document.wholeness import gaps
from permits.document.written import write_once
from permits.domain.permit import Paper, Permit
from permits.domain.ruling import Ruling
from permits.domain.signed_code import other_places

# The payload names the template it was frozen for; a new wording is a new name, the old files stay.
PAGES: dict[type[Payload], dict[str, str]] = {
    Permit: {"arrete/1": "arrete.html"},
    Ruling: {"decision/1": "decision.html"},
}


def print_act(payload: Payload, templates: Path = TEMPLATES, signed_code: str | None = None) -> bytes:
    """Return the act of `payload` as an unsealed PDF that carries it; the same payload and code give the same bytes.

    Raises PrintError when the page cannot be made exactly as the template says.
    """
    return _printer(templates).print(payload, signed_code)


def print_sign(permit: Permit, paper: Paper, templates: Path = TEMPLATES, signed_code: str | None = None) -> bytes:
    """Return the sign to post on site as a one-page PDF: not an act, and not sealed. Raises PrintError."""
    return _printer(templates).print_sign(permit, paper, signed_code)


def write_page(payload: Payload, templates: Path = TEMPLATES, signed_code: str | None = None) -> str:
    """Return the page of `payload` as HTML, before it is laid out."""
    return _printer(templates).write_page(payload, signed_code)


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
        keep_lines()
        keep_glyphs()
        keep_paths()
        keep_styles()
        self._fetcher = _OnlyBelow(templates)
        self._base = templates.resolve().as_uri() + "/"
        self._pages = _environment(templates)
        self._fonts = FontConfiguration()
        with _complaints_are_errors():
            self._defaults, self._style, self._sign_style = (
                CSS(filename=templates / name, url_fetcher=self._fetcher, font_config=self._fonts)
                for name in ("defaults.css", "arrete.css", "sign.css")
            )

    def print(self, payload: Payload, signed_code: str | None) -> bytes:
        content = payload_bytes(payload)
        attachment = Attachment(
            file_obj=BytesIO(content),
            name=attachment_name(payload),
            description=f"Données de l’acte, schéma {payload.payload_schema}",
            url_fetcher=self._fetcher,
            created=payload.decided_at.astimezone(UTC),
            modified=payload.decided_at.astimezone(UTC),
            relationship="Data",
        )
        with _complaints_are_errors():
            pdf: bytes = self._page(self.write_page(payload, signed_code)).write_pdf(
                stylesheets=[self._style],
                font_config=self._fonts,
                attachments=[attachment],
                pdf_variant="pdf/a-3a",
                pdf_identifier=hashlib.sha256(content).digest()[:16],
                finisher=write_once,
            )
        return pdf

    def print_sign(self, permit: Permit, paper: Paper, signed_code: str | None) -> bytes:
        hidden = permit.beneficiary.protected
        text = self._pages.get_template("sign.html").render(
            permit=permit,
            paper=paper,
            scanned=qr_content(permit, signed_code),
            kinds=", ".join(dict.fromkeys(named(each) for each in permit.occupancies)),
            place=permit.occupancies[0].address,
            others=other_places(permit),
            company="Entreprise au nom protégé" if hidden else permit.beneficiary.name,
        )
        with _complaints_are_errors():
            pdf: bytes = self._page(text).write_pdf(
                stylesheets=[self._sign_style],
                font_config=self._fonts,
                pdf_variant="pdf/ua-1",
                pdf_identifier=hashlib.sha256(text.encode()).digest()[:16],
                finisher=write_once,
            )
        return pdf

    def _page(self, text: str) -> Page:
        return Page(text, self._base, self._fetcher, self._defaults)

    def write_page(self, payload: Payload, signed_code: str | None = None) -> str:
        page = PAGES[type(payload)].get(payload.template)
        if page is None:
            raise PrintError(f"no template is named {payload.template!r}")
        if missing := gaps(payload):
            raise PrintError("; ".join(missing))
        try:
            scanned = qr_content(payload, signed_code)
            return self._pages.get_template(page).render(act=payload, scanned=scanned, **_shown(payload))
        except TemplateError as error:
            raise PrintError(f"template {payload.template}: {error}") from error


def _shown(payload: Payload) -> dict[str, Any]:
    """Return what only the page of this kind of act uses."""
    if isinstance(payload, Ruling):
        return {"ruling": payload}
    return {"permit": payload, "plans": draw_plans(payload)}


def _environment(templates: Path) -> Environment:
    pages = Environment(
        loader=FileSystemLoader(templates),
        extensions=[Typography],
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
        short=french.short,
        visa=french.visa,
        consideration=french.consideration,
        object=named,
        dimensions=dimensions,
        arms=_arms,
    )
    pages.globals.update(
        period=french.period,
        day_count=french.day_count,
        qr=qr_code,
        plan_width=WIDTH_MM,
    )
    return pages


def _arms(drawing: str, alternative: str) -> Markup:
    """Return a city's arms with the words that stand for them; a payload holds none that was not checked."""
    return Markup(drawing.replace(">", Markup("><title>{}</title>").format(alternative), 1))


class _OnlyBelow(URLFetcher):  # type: ignore[misc]
    """Answers for the files below one folder and for a picture the page holds, and for nothing else: no network."""

    def __init__(self, folder: Path) -> None:
        super().__init__(allowed_protocols=("file",), allow_redirects=False)
        self._folder = folder.resolve()

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        if url.startswith(PNG_URI):
            return URLFetcherResponse(url, b64decode(url.removeprefix(PNG_URI)), {"Content-Type": "image/png"})
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
