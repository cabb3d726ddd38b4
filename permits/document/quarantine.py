"""Where a stranger's file is read: each in a process of its own, that ends with it or is ended.

The process starts anew for each file, with nothing of ours in it, and what it answers is short and checked. Starting
one takes some hundredths of a second: it loads nothing but the standard library.
"""

import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from permits.domain.claim import Claim
from permits.domain.permit import PressBusy

PLACES = 4
# Of the two in which somebody is answered, also while the machine is busy.
SECONDS = 1.0
ANSWER_BYTES = 64 * 1024
RETRY_AFTER_S = 2
_ROOT = Path(__file__).resolve().parents[2]
# -S: neither site-packages nor what they run at start; -E, -s: nothing that the environment or a user adds.
READER = (sys.executable, "-E", "-s", "-S", "-m", "permits.document.stranger")


class Quarantine:
    """Reads strangers' files, `places` at once; safe to use from many threads."""

    def __init__(self, places: int = PLACES, reader: Sequence[str] = READER, seconds: float = SECONDS) -> None:
        self._places = threading.BoundedSemaphore(places)
        self._reader = reader
        self._seconds = seconds

    def read(self, content: bytes) -> Claim:
        """Return what a file says of itself; raise PressBusy at once when every place is taken."""
        if not self._places.acquire(blocking=False):
            raise PressBusy(RETRY_AFTER_S)
        try:
            answer = ask(self._reader, content, self._seconds)
        finally:
            self._places.release()
        try:
            return Claim.model_validate_json(answer)
        except ValidationError:  # it was ended, by its limits or by us, or was made to say something else
            return Claim(is_pdf=content.startswith(b"%PDF-"), is_whole=False)


def ask(command: Sequence[str], content: bytes, seconds: float) -> bytes:
    """Return what a command answers to `content`, or as much of it as it had said when its time was over.

    Its errors are not read: nobody but the file's author would be told.
    """
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=_ROOT, env={}
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        over = threading.Timer(seconds, process.kill)
        over.start()
        try:
            with suppress(BrokenPipeError):
                process.stdin.write(content)
            with suppress(BrokenPipeError):  # what it would not read is thrown away here
                process.stdin.close()
            return process.stdout.read(ANSWER_BYTES)
        finally:
            over.cancel()
            process.kill()
