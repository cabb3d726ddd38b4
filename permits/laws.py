"""The rulebook in force on a day, and each one that ever decided something: read from the book, loaded once.

A rulebook that is published takes effect without a restart. One that can't be read any more leaves the one before it in
place, and says so.
"""

import logging
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from threading import Lock

from pyproj.exceptions import ProjError
from sqlalchemy import Engine

from permits.desk import Law, RulebookUnreadable
from permits.domain import canonical
from permits.domain.rulebook import Rulebook
from permits.law.load import RulebookError, check, digest_of, load, read_authority, read_directory
from permits.register.publications import Publications, only_authority
from permits.survey import Surveyor

log = logging.getLogger(__name__)


def authority_of(engine: Engine, directory: Path) -> str:
    """Return the authority's id as the directory tells it; where it can't be read, that of the one the book holds.

    Raises RulebookError when neither tells it.
    """
    try:
        return read_authority(directory)
    except RulebookError as error:
        if (held := only_authority(engine)) is None:
            # A book to begin: the first mistake of the directory is told with its line.
            load_law(directory)
            raise
        log.warning("the rulebook's directory can't be read: the book goes on", extra={"problem": str(error)})
        return held


def law_of(files: Mapping[str, str]) -> Law:
    """Return the rulebook that these files describe, with its measuring. Raises RulebookError."""
    return _measured(load(files), files)


def checked_law_of(files: Mapping[str, str]) -> Law:
    """Return the same, of files that have not decided anything yet, and so have to be found right. RulebookError."""
    rulebook = load(files)
    check(rulebook, files)
    return _measured(rulebook, files)


def _measured(rulebook: Rulebook, files: Mapping[str, str]) -> Law:
    try:
        return Law(rulebook=rulebook, files=files, surveyor=Surveyor(rulebook))
    except ProjError as error:
        raise RulebookError("authority.yaml", "crs", " ".join(str(error).split())) from None


def load_law(directory: Path) -> Law:
    """Return the rulebook of a directory, found right. Raises RulebookError."""
    return checked_law_of(read_directory(directory))


def kept_files(publications: Publications, digest: str) -> Mapping[str, str]:
    """Return the files kept under a digest, as they were kept. Raises RulebookUnreadable."""
    files = publications.files(digest)
    if files is None:
        raise RulebookUnreadable(f"le règlement {digest[:12]} n’est pas gardé")
    if canonical.digest(files) != digest:
        raise RulebookUnreadable(f"le règlement {digest[:12]} n’est plus celui qui a été gardé sous cette empreinte")
    return files


class KeptLaws:
    """The rulebooks of a book, each read once. What was asked before never changes an answer."""

    def __init__(self, publications: Publications) -> None:
        self._publications = publications
        # By digest; of one whose text can't be read, why. A text that is what its digest says never changes.
        self._known: dict[str, Law | str] = {}
        self._locks: dict[str, Lock] = {}

    def on(self, day: date) -> Law:
        """Return the law in force on a day; when it can't be read, the one that was before it."""
        return self.read(day)[0]

    def read(self, day: date) -> tuple[Law, str | None]:
        """Return the law in force on a day, and in French why it is not the one published for it, None when it is.

        Raises RulebookUnreadable when the book has no rulebook, or none of that day and those before it can be read.
        """
        digests, why = self._publications.until(day), None
        for digest in digests:
            try:
                law = self._law(digest)
            except RulebookUnreadable as error:
                why = why or error
            else:
                told = f"le règlement publié {digests[0][:12]} ne se lit pas, le précédent reste : {why}"
                return law, told if why else None
        raise why or RulebookUnreadable("ce registre n’a pas encore de règlement")

    def rulebook(self, digest: str) -> Rulebook:
        """Return a rulebook that decided something. Raises RulebookUnreadable."""
        return self._law(digest).rulebook

    def _law(self, digest: str) -> Law:
        if digest not in self._known:
            # Whoever asks for this one waits until it is read, and nobody else.
            with self._locks.setdefault(digest, Lock()):
                if digest not in self._known:
                    self._known[digest] = self._read(digest)
        known = self._known[digest]
        if isinstance(known, str):
            raise RulebookUnreadable(known)
        return known

    def _read(self, digest: str) -> Law | str:
        try:
            return law_of(kept_files(self._publications, digest))
        except RulebookUnreadable as error:
            # Altered by hand: it may be mended by hand too, and is looked at again.
            log.error("a kept rulebook is not what was kept", extra={"rulebook": digest, "problem": str(error)})
            raise
        except RulebookError as error:
            log.error("a kept rulebook can't be read", extra={"rulebook": digest, "problem": str(error)})
            return f"le règlement {digest[:12]} ne se lit plus : {error}"


class Directory:
    """The rulebook as its directory holds it, which may be ahead of the one in force, or broken."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._compared: tuple[str, str] | None = None

    def state(self, in_force: str) -> str:
        """Return in French how the directory stands to the rulebook in force; parsed again only when it changed."""
        try:
            files = read_directory(self._path)
        except (RulebookError, OSError) as error:
            return f"le dossier ne se lit pas, le règlement en vigueur le reste : {error}"
        digest = digest_of(files)
        if digest == in_force:
            return "le dossier est celui qui est en vigueur"
        seen = self._compared
        if seen is None or seen[0] != digest:
            self._compared = seen = digest, _compared(files, digest)
        return seen[1]


def _compared(files: Mapping[str, str], digest: str) -> str:
    try:
        checked_law_of(files)
    except RulebookError as error:
        return f"le dossier ne se lit pas, le règlement en vigueur le reste : {error}"
    return f"le dossier tient un autre règlement ({digest[:12]}) : proposez-le (`permits rulebook propose`)"
