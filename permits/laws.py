"""The rulebook in force on a day, and each one that ever decided something: read from the book, loaded once.

A rulebook that is published takes effect without a restart. One that can't be read any more leaves the one before it in
place, and says so.
"""

import logging
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from threading import Lock

from permits.desk import Law
from permits.domain import canonical
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


def kept_law(publications: Publications, digest: str) -> Law:
    """Return the rulebook kept under a digest. Raises LookupError unless it is there as it was, or RulebookError."""
    files = publications.files(digest)
    if files is None:
        raise LookupError(f"le règlement {digest[:12]} n’est pas gardé")
    if canonical.digest(files) != digest:
        raise LookupError(f"le règlement {digest[:12]} n’est plus celui qui a été gardé sous cette empreinte")
    return law_of(files)


class KeptLaws:
    """The rulebooks of a book. `first` is what is left where none of those published can be read."""

    def __init__(self, publications: Publications, first: Law) -> None:
        self._publications, self._first = publications, first
        self._lock = Lock()
        self._known = {first.rulebook.digest: first}

    def on(self, day: date) -> Law:
        """Return the law in force on a day; when it can't be read, the one that was before it."""
        return self.read(day)[0]

    def read(self, day: date) -> tuple[Law, str | None]:
        """Return the law in force on a day, and in French why it is not the one published for it, None when it is."""
        fault = None
        for digest in self._publications.until(day):
            try:
                return self._law(digest), fault
            except (RulebookError, LookupError) as error:
                log.error("a published rulebook can't be read", extra={"rulebook": digest, "problem": str(error)})
                fault = fault or f"le règlement publié {digest[:12]} ne se lit pas, le précédent reste : {error}"
        return self._first, fault

    def rulebook(self, digest: str) -> Rulebook:
        """Return a rulebook that decided something. Raises LookupError when it is not kept, or RulebookError."""
        return self._law(digest).rulebook

    def _law(self, digest: str) -> Law:
        with self._lock:
            if digest not in self._known:
                self._known[digest] = kept_law(self._publications, digest)
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
