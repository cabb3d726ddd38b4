"""Takes stored decisions again, from what was stored and the rulebook kept under its digest, and tells any difference.

The same input gives the same decision for ever: a difference means that the record, the rulebook or the
rules themselves are no longer what they were.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Engine

from permits.domain.application import Application
from permits.domain.dated import NotInForce
from permits.domain.decide import decide
from permits.domain.facts import Facts
from permits.domain.rulebook import Rulebook
from permits.law.load import RulebookError, load
from permits.register.decisions import Decisions, decisions

# How many decisions have been looked at, and how many there are.
Progress = Callable[[int, int], None]

# Rulebooks held loaded at once: a city changes its own a few times a year.
_MOST_RULEBOOKS = 20
_ABSENT = "(absent)"


@dataclass(frozen=True)
class Difference:
    """One field of one decision: `what` is its number or its application, `path` leads to the field."""

    what: str
    path: str
    old: Any
    new: Any


@dataclass
class Replay:
    """What taking decisions again has shown. `erased` could not be: the registry's answer is no longer kept.

    `fields` counts every difference; of them, the first are kept.
    """

    taken: int = 0
    erased: int = 0
    differing: int = 0
    fields: int = 0
    differences: list[Difference] = field(default_factory=list)

    def note(self, found: list[Difference] | None, most: int) -> None:
        """Count one decision and its differences, None when it could not be taken again."""
        if found is None:
            self.erased += 1
            return
        self.taken += 1
        self.differing += bool(found)
        self.fields += len(found)
        self.differences += found[: max(0, most - len(self.differences))]


def replay(
    engine: Engine,
    authority: str,
    *,
    since: date | None = None,
    number: str | None = None,
    limit: int | None = None,
    most_differences: int = 1000,
    progress: Progress = lambda _taken, _total: None,
) -> Replay:
    """Take an authority's decisions again, oldest first; nothing is written.

    `since` is the first day of decision, in Paris; `number` that of a permit or refusal. Beyond
    `most_differences`, decisions that differ are counted and their differences no longer kept.
    """
    done = Replay()
    with decisions(engine, authority, since=since, number=number, limit=limit) as recorded:
        rulebooks = _Rulebooks(recorded)
        for row in recorded.rows:
            done.note(None if row.answer is None else list(_differences(row, rulebooks)), most_differences)
            progress(done.taken + done.erased, recorded.total)
    return done


def _differences(row: Any, rulebooks: "_Rulebooks") -> Iterator[Difference]:
    what = row.label or str(row.id)
    try:
        rulebook = rulebooks.get(row.rulebook_digest)
        if rulebook.digest != row.rulebook_digest:
            yield Difference(what, "rulebook", row.rulebook_digest, rulebook.digest)
        application = Application.model_validate(row.body)
        facts = Facts.model_validate(row.facts | {"registry": row.answer})
        again = decide(application, facts, rulebook).model_dump(mode="json")
    except (RulebookError, NotInForce, ValueError, TypeError, LookupError) as error:
        yield Difference(what, "", "(décidée)", f"ne se décide plus : {error}")
        return
    for path, old, new in compare(row.decision, again):
        yield Difference(what, path, old, new)


def compare(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Give the path, the old and the new value of each leaf in which two JSON values differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from compare(old.get(key, _ABSENT), new.get(key, _ABSENT), f"{path}.{key}" if path else key)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            mine, theirs = (each[index] if index < len(each) else _ABSENT for each in (old, new))
            yield from compare(mine, theirs, f"{path}[{index}]")
    elif old != new or type(old) is not type(new):
        yield path, old, new


class _Rulebooks:
    """The rulebooks of a book, read from the files kept under their digest, each once."""

    def __init__(self, recorded: Decisions) -> None:
        self._recorded = recorded
        self._loaded: dict[str, Rulebook] = {}

    def get(self, digest: str) -> Rulebook:
        """Return the rulebook kept under that digest; its own `digest` is that of the files that are there."""
        if digest not in self._loaded:
            files = self._recorded.rulebook_files(digest)
            if files is None:
                raise LookupError(f"le règlement {digest[:12]} n’est pas gardé")
            while len(self._loaded) >= _MOST_RULEBOOKS:
                self._loaded.pop(next(iter(self._loaded)))
            self._loaded[digest] = load(files)
        return self._loaded[digest]
