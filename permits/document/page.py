"""A page for WeasyPrint, written as well-formed XML, and with the defaults of the elements that it uses alone.

WeasyPrint would repair it as a browser does with what anybody writes, and try on each element the rules of all of
HTML. Ours are written here: the same bytes come out, in a fraction of the time.
"""

from xml.etree import ElementTree

from cssselect2 import ElementWrapper  # type: ignore[import-untyped]
from weasyprint import CSS, HTML  # type: ignore[import-untyped]
from weasyprint.urls import URLFetcher  # type: ignore[import-untyped]

from permits.document.errors import PrintError


class Page(HTML):  # type: ignore[misc]
    """`text` as WeasyPrint has it once parsed. Raises PrintError when it is not well-formed."""

    def __init__(self, text: str, base_url: str, url_fetcher: URLFetcher, defaults: CSS) -> None:
        try:
            self.etree_element = ElementTree.fromstring(text)
        except ElementTree.ParseError as error:
            raise PrintError(f"the page is not well-formed: {error}") from error
        self.wrapper_element = ElementWrapper.from_html_root(self.etree_element, content_language=None)
        self.base_url = base_url
        self.url_fetcher = url_fetcher
        self.media_type = "print"
        self._defaults = defaults

    def _ua_stylesheets(self, forms: bool = False) -> list[CSS]:
        return [self._defaults]
