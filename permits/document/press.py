"""The press: what the walk uses to turn a recorded act into a sealed document.

Pages are laid out in other processes; this one holds the key and never loads the renderer. Nothing
is sealed that the lint has not passed, byte for byte; nothing is released whose seal does not verify.
"""

import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from permits.document import TEMPLATES
from permits.document.errors import LintError, PrintError, SealError
from permits.document.payload import Payload, payload_bytes
from permits.document.pool import DEFECTIVE, PRINTED, Pool
from permits.document.seal import Seal, check_validity
from permits.document.verify import verify_seal
from permits.domain.permit import PressBusy

TIME_LIMIT_S = 20.0
# About what a document takes when every place is held.
RETRY_AFTER_S = 2


@dataclass(frozen=True)
class LintedDocument:
    """An unsealed PDF that the lint passed. `proof` can only be made by the press that linted it."""

    content: bytes
    sha256: str
    proof: bytes


@dataclass(frozen=True)
class SealedDocument:
    """A sealed PDF, verified, and the SHA-256 of its bytes."""

    content: bytes
    sha256: str


class Press:
    """Prints, lints and seals; safe to use from many threads, none of them running an event loop."""

    def __init__(
        self,
        seal: Seal,
        *,
        workers: int = 2,
        capacity: int = 24,
        templates: Path = TEMPLATES,
        time_limit: float = TIME_LIMIT_S,
    ) -> None:
        self._seal = seal
        self._pool = Pool(workers, templates, time_limit)
        self._places = threading.BoundedSemaphore(capacity)
        self._secret = secrets.token_bytes(32)

    @property
    def is_specimen(self) -> bool:
        """True while the seal is a demonstration one: acts must say so."""
        return self._seal.is_demo

    def start(self) -> None:
        """Start the workers."""
        self._pool.start()

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold a place among the documents in hand; raise PressBusy at once when there is none."""
        if not self._places.acquire(blocking=False):
            raise PressBusy(RETRY_AFTER_S)
        try:
            yield
        finally:
            self._places.release()

    def print_and_lint(self, payload: Payload) -> LintedDocument:
        """Return the checked PDF of `payload`, or raise PrintError, LintError or PressFailed."""
        if self._seal.is_demo and not payload.specimen:
            raise PrintError("a demonstration seal only goes on an act that says it is a specimen")
        reply = self._pool.ask(payload_bytes(payload))
        kind, rest = reply[:1], reply[1:]
        if kind == DEFECTIVE:
            raise LintError(tuple(json.loads(rest)))
        if kind != PRINTED:
            raise PrintError(rest.decode(errors="replace"))
        digest = hashlib.sha256(rest).hexdigest()
        return LintedDocument(rest, digest, self._proof(digest))

    def seal(self, linted: LintedDocument) -> SealedDocument:
        """Return the sealed document, or raise SealError: only for what this press linted, byte for byte."""
        digest = hashlib.sha256(linted.content).hexdigest()
        if digest != linted.sha256 or not hmac.compare_digest(linted.proof, self._proof(digest)):
            raise SealError("this is not a document that the lint passed")
        content = self._seal.seal(linted.content)
        if not content.startswith(linted.content):
            raise SealError("sealing changed the document")
        verify_seal(content, self._seal.certificate)
        return SealedDocument(content, hashlib.sha256(content).hexdigest())

    def check(self) -> None:
        """Raise a DocumentError when a document could not be made now."""
        check_validity(self._seal.certificate, datetime.now(UTC))
        self._pool.check()

    def close(self) -> None:
        """Finish the documents in hand, and end the workers."""
        self._pool.close()

    def _proof(self, digest: str) -> bytes:
        return hmac.digest(self._secret, digest.encode(), "sha256")
