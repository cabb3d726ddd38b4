"""Stamps what was delivered without a time stamp, makes an archive copy of every act, and renews them in time."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime

from permits.document.errors import SealError, StampFailed
from permits.document.sealing.archive import Copy, EvidenceMissing, continued
from permits.document.sealing.seal import Seal
from permits.document.sealing.stamping import Stamping
from permits.register.archive import Archive, LastFile

log = logging.getLogger(__name__)

# What waits for its stamp stops issuing one day: all of it is in one run, so many read at a time. The rest has years.
AT_A_TIME, MOST_DUE = 200, 100


class Archiving:
    """The work on archive copies, in short runs. One run at a time."""

    def __init__(self, archive: Archive, seal: Seal, stamping: Stamping, clock: Callable[[], datetime]) -> None:
        self._archive, self._seal, self._stamping, self._clock = archive, seal, stamping, clock
        # Files that can't be continued: told once in the log, and not tried again by this process.
        self._broken: set[str] = set()

    def stamp_deferred(self, is_stopping: Callable[[], bool] = lambda: False) -> int:
        """Stamp the delivered files that wait for it, oldest first, until none can be; return how many were."""
        self._seal.renew_evidence()
        made = 0
        while stamped := self._copy(
            self._archive.awaiting_stamp(AT_A_TIME + len(self._broken)), is_stopping, waits_for_evidence=False
        ):
            made += stamped
        return made

    def continue_due(self, is_stopping: Callable[[], bool] = lambda: False) -> int:
        """Renew the copies that must be, then copy the files that have none; return how many were made.

        Nothing without roots: a copy that shows nothing of revocation proves no more than the file.
        """
        if not self._stamping.roots:
            return 0
        due = self._archive.due(self._clock(), MOST_DUE + len(self._broken))
        return self._copy(due, is_stopping, waits_for_evidence=True)

    def _copy(self, files: Iterable[LastFile], is_stopping: Callable[[], bool], *, waits_for_evidence: bool) -> int:
        made = 0
        for last in files:
            if is_stopping():
                break
            if last.sha256 in self._broken:
                continue
            at = self._clock()
            try:
                copy = self._continued(last, at, waits_for_evidence=waits_for_evidence)
            except (StampFailed, EvidenceMissing) as failure:
                # Nobody's file: the others would fail alike.
                log.warning("archive copies wait", extra={"reason": str(failure)})
                break
            except (SealError, ValueError):
                log.exception("a file can't be continued by an archive copy", extra={"act": last.number})
                self._broken.add(last.sha256)
                continue
            self._archive.keep(last, copy.content, copy.level, copy.renew_before, at)
            made += 1
        return made

    def _continued(self, last: LastFile, at: datetime, *, waits_for_evidence: bool) -> Copy:
        content = self._archive.content(last.sha256)
        try:
            return continued(content, self._stamping, at, waits_for_evidence=waits_for_evidence)
        except EvidenceMissing:
            if not self._seal.renew_evidence():
                raise
        # Sources answer for what is sealed today: only those of this file, a former seal's, do not.
        log.warning("an archive copy shows nothing of revocation", extra={"act": last.number})
        return continued(content, self._stamping, at, waits_for_evidence=False)
