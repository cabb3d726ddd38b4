"""How the pages for people are made: in the words and the typography of the acts themselves."""

import re
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from permits.document import french
from permits.document.occupancies import dimensions, named
from permits.document.typography import Typography
from permits.domain.trace import figure_text
from permits.web.context import Context

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "web"

_NUMBER = re.compile(r"[A-Z]{2,8}-\d{4}-\d+")


def _said(sentence: str) -> Markup:
    """Typeset a sentence; a number in it is not cut at the end of a line."""
    return Markup(_NUMBER.sub(r'<span class="number">\g<0></span>', str(escape(french.typeset(sentence)))))


_pages = Environment(
    loader=FileSystemLoader(TEMPLATES),
    extensions=[Typography],
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_pages.filters.update(
    day=french.long_date,
    moment=french.paris_moment,
    hour=french.hour,
    money=french.money,
    metres=french.metres,
    square_metres=french.square_metres,
    siret=french.spaced_siret,
    figure=figure_text,
    object=named,
    dimensions=dimensions,
    fr=french.typeset,
    capital=french.capital,
    said=_said,
)
_pages.globals["period"] = french.period


def page(context: Context, name: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Return the page of that template, of this authority."""
    identity = context.desk.today().law.rulebook.authority.identity
    html = _pages.get_template(name).render(authority=identity, **values)
    return HTMLResponse(html, status, headers={"Content-Language": "fr"})


def unkept(response: HTMLResponse) -> HTMLResponse:
    """Tell caches and search engines to keep nothing of what is true only now."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
