"""French typography of the templates themselves: what is written between their tags is set once, when they are read."""

import re

from jinja2.ext import Extension

from permits.document.french import typeset


class Typography(Extension):
    """Typesets the prose of a template; its code, its tags and what is quoted as code stay as they are."""

    _NOT_PROSE = re.compile(r"(\{[{%#].*?[}%#]\}|<(?:pre|code)>.*?</(?:pre|code)>|<[^>]*>|&#?\w+;)", re.DOTALL)

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        parts = self._NOT_PROSE.split(source)
        parts[::2] = [typeset(text) for text in parts[::2]]
        return "".join(parts)
