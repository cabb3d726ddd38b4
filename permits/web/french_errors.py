"""Pydantic's findings about a request, in French, with JSON pointers."""

from collections.abc import Iterator, Sequence
from typing import Any

from permits.domain.french_errors import french_message


def field_errors(errors: Sequence[Any], limit: int = 50) -> Iterator[tuple[str, str, str]]:
    """Yield (JSON pointer, code, French message) for each finding, at most `limit`."""
    for error in errors[:limit]:
        if error["type"] == "too_short" and _is_explained(error["loc"], errors):
            continue
        where, *path = error["loc"]
        yield _pointer(where, path), error["type"], french_message(error)


def _is_explained(place: tuple[Any, ...], errors: Sequence[Any]) -> bool:
    """True when an element of this list is itself wrong: pydantic then counts it as missing."""
    return any(len(error["loc"]) > len(place) and error["loc"][: len(place)] == place for error in errors)


def _pointer(where: object, path: list[Any]) -> str:
    parts = [str(part).replace("~", "~0").replace("/", "~1") for part in path]
    pointer = "".join(f"/{part}" for part in parts)
    return pointer if where == "body" else f"{where}:{pointer.lstrip('/')}"
