"""The rulebook in force on a day, and each one that ever decided something: read from the book, loaded once.

A rulebook that is published takes effect without a restart. One that can't be read any more leaves the last one that
could in place, and says so.
"""

import logging
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from threading import Lock

from permits.desk import Law
from permits.domain.rulebook import Rulebook
from permits.law.load import RulebookError, check, digest_of, load, read_directory
from permits.register.publications import Publications
from permits.survey import Surveyor

log = logging.getLogger(__name__)


def law_of(files: Mapping[str, str]) -> Law:
    """Return the rulebook that these files describe, with its measuring. Raises RulebookError."""
    rulebook = load(files)
    return Law(rulebook=rulebook, files=files, surveyor=Surveyor(rulebook))


def checked_law_of(files: Mapping[str, str]) -> Law:
    """Return the same, of files that have not decided anything yet, and so have to be found right. RulebookError."""
    check(load(files), files)
    return law_of(files)


def load_law(directory: Path) -> Law:
    """Return the rulebook of a directory, found right. Raises RulebookError."""
    return checked_law_of(read_directory(directory))


class KeptLaws:
    """The rulebooks of a book. `first` is in force until another is published for a day that has come."""

    def __init__(self, publications: Publications, first: Law) -> None:
        self._publications = publications
        self._lock = Lock()
        self._known = {first.rulebook.digest: first}
        self._last = first
        self.fault: str | None = None

    def on(self, day: date) -> Law:
        """Return the law in force on a day; the last that could be read, when that one can't."""
        digest = self._publications.in_force(day)
        if digest is None or digest == self._last.rulebook.digest:
            return self._last
        try:
            law = self._law(digest)
        except (RulebookError, LookupError) as error:
            log.error("the rulebook in force can't be read", extra={"rulebook": digest, "problem": str(error)})
            self.fault = f"le règlement publié {digest[:12]} ne se lit pas : {error}"
            return self._last
        self._last, self.fault = law, None
        return law

    def rulebook(self, digest: str) -> Rulebook:
        """Return a rulebook that decided something. Raises LookupError when it is not kept, or RulebookError."""
        return self._law(digest).rulebook

    def _law(self, digest: str) -> Law:
        with self._lock:
            if digest not in self._known:
                files = self._publications.files(digest)
                if files is None:
                    raise LookupError(f"le règlement {digest[:12]} n’est pas gardé")
                self._known[digest] = law_of(files)
            return self._known[digest]


class Directory:
    """The rulebook as its directory holds it, which may be ahead of the one in force, or broken."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: str | None = None
        self._told = ""

    def state(self, in_force: str) -> str:
        """Return in French how the directory stands to the rulebook in force; parsed again only when it changed."""
        try:
            files = read_directory(self._path)
        except (RulebookError, OSError) as error:
            return f"le dossier ne se lit pas, le règlement en vigueur le reste : {error}"
        digest = digest_of(files)
        if digest == in_force:
            return "le dossier est celui qui est en vigueur"
        if digest != self._seen:
            self._told, self._seen = self._compared(files, digest), digest
        return self._told

    def _compared(self, files: Mapping[str, str], digest: str) -> str:
        try:
            checked_law_of(files)
        except RulebookError as error:
            return f"le dossier ne se lit pas, le règlement en vigueur le reste : {error}"
        return f"le dossier tient un autre règlement ({digest[:12]}) : proposez-le (`permits rulebook propose`)"
