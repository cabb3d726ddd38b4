"""Lists whose members have a name each."""

from typing import Protocol, TypeVar

from permits.domain.model import Misplaced


class _Named(Protocol):
    @property
    def id(self) -> str: ...


Named = TypeVar("Named", bound=_Named)


def one_of_each(items: tuple[Named, ...]) -> tuple[Named, ...]:
    """Return the items, or raise Misplaced on the first whose id was given before."""
    ids = [item.id for item in items]
    for position, each in enumerate(ids):
        if each in ids[:position]:
            raise Misplaced(f"donné deux fois : {each}", position, "id")
    return items
