"""What this process opens and whom it calls, seen by the interpreter itself."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from permits.document import TEMPLATES

_OUTSIDE = ("socket.", "urllib.", "subprocess.", "os.exec", "os.system", "os.posix_spawn", "ftplib.")
_watchers: list[list[tuple[str, str]]] = []


def _watch(event: str, arguments: Any) -> None:
    if _watchers and (event == "open" or event.startswith(_OUTSIDE)):
        _watchers[-1].append((event, str(arguments[0])))


sys.addaudithook(_watch)


@contextmanager
def watched() -> Iterator[list[tuple[str, str]]]:
    """Give the files opened and the connections and programs tried meanwhile, but for code and templates."""
    seen: list[tuple[str, str]] = []
    _watchers.append(seen)
    try:
        yield seen
    finally:
        _watchers.pop()
        seen[:] = [(event, name) for event, name in seen if event != "open" or not _is_code_or_template(name)]


def _is_code_or_template(name: str) -> bool:
    """Modules loaded late, and the renderer's own colour profile, come from the interpreter's folders."""
    return any(Path(name).is_relative_to(root) for root in (TEMPLATES, sys.prefix, sys.base_prefix))
