"""The press: what the walk uses to turn a recorded act into a sealed document.

Pages are laid out in other processes; this one holds the key and never loads the renderer. Nothing
is sealed that the lint has not passed, byte for byte; nothing is released whose seal does not verify.
"""

import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from permits.document import TEMPLATES
from permits.document.errors import LintError, PrintError, SealError
from permits.document.payload import Payload, payload_bytes
from permits.document.pool import DEFECTIVE, PRINTED, Pool
from permits.document.sealing.seal import Seal
from permits.document.verify import verify_seal
from permits.domain.permit import Paper, Permit, PressBusy, SealingStopped
from permits.domain.sealing import SealLevel

TIME_LIMIT_S = 20.0
# About what a document takes when every place is held.
RETRY_AFTER_S = 2
# A stopped seal takes a person, or another service, to come back.
STOPPED_RETRY_AFTER_S = 300


@dataclass(frozen=True)
class LintedDocument:
    """An unsealed PDF that the lint passed. `proof` can only be made by the press that linted it."""

    content: bytes
    sha256: str
    proof: bytes


@dataclass(frozen=True)
class SealedDocument:
    """A sealed PDF, verified, the SHA-256 of its bytes and the level of its seal.

    `stamp_deferred` when it should have had a time stamp, and has none.
    """

    content: bytes
    sha256: str
    level: SealLevel
    stamp_deferred: bool


class Press:
    """Prints, lints and seals; safe to use from many threads, none of them running an event loop.

    `may_seal` raises SealingStopped while no act may be sealed, for a reason outside the press.
    """

    def __init__(
        self,
        seal: Seal,
        *,
        may_seal: Callable[[], None] = lambda: None,
        workers: int = 2,
        capacity: int = 24,
        templates: Path = TEMPLATES,
        time_limit: float = TIME_LIMIT_S,
    ) -> None:
        self._seal = seal
        self._may_seal = may_seal
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
        """Hold a place among the documents in hand; raise PressBusy or SealingStopped at once when there is none."""
        if (reason := self._seal.why_not(datetime.now(UTC))) is not None:
            raise SealingStopped(reason, STOPPED_RETRY_AFTER_S)
        self._may_seal()
        if not self._places.acquire(blocking=False):
            raise PressBusy(RETRY_AFTER_S)
        try:
            yield
        finally:
            self._places.release()

    def print_and_lint(self, payload: Payload, signed_code: str | None = None) -> LintedDocument:
        """Return the checked PDF of `payload`, or raise PrintError, LintError or PressFailed."""
        if self._seal.is_demo and not payload.specimen:
            raise PrintError("a demonstration seal only goes on an act that says it is a specimen")
        content = self._ask(f" {signed_code or ''}\n".encode() + payload_bytes(payload))
        digest = hashlib.sha256(content).hexdigest()
        return LintedDocument(content, digest, self._proof(digest))

    def print_sign(self, permit: Permit, paper: Paper, signed_code: str) -> bytes:
        """Return the sign to post on site, which is no act: it is never sealed. Raises PrintError or PressFailed."""
        return self._ask(f"{paper} {signed_code}\n".encode() + payload_bytes(permit))

    def _ask(self, request: bytes) -> bytes:
        """Return the PDF that a worker made, or raise what it answered."""
        reply = self._pool.ask(request)
        kind, rest = reply[:1], reply[1:]
        if kind == DEFECTIVE:
            raise LintError(tuple(json.loads(rest)))
        if kind != PRINTED:
            raise PrintError(rest.decode(errors="replace"))
        return rest

    def seal(self, linted: LintedDocument) -> SealedDocument:
        """Return the sealed document, or raise SealError or SealingStopped: only for what this press linted."""
        digest = hashlib.sha256(linted.content).hexdigest()
        if digest != linted.sha256 or not hmac.compare_digest(linted.proof, self._proof(digest)):
            raise SealError("this is not a document that the lint passed")
        self._may_seal()
        sealed = self._seal.seal(linted.content)
        content = sealed.content
        if not content.startswith(linted.content):
            raise SealError("sealing changed the document")
        proven = verify_seal(content, self._seal.certificate, self._seal.roots, self._seal.key.signer.sent)
        # Without roots nothing of its time can be proven, here as elsewhere.
        level = proven.level if self._seal.roots else proven.carried
        if level is not sealed.level:
            raise SealError(f"the seal is {level}, and should be {sealed.level}")
        return SealedDocument(content, hashlib.sha256(content).hexdigest(), sealed.level, sealed.stamp_deferred)

    def check(self) -> None:
        """Raise a DocumentError when a document could not be made now."""
        if (reason := self._seal.why_not(datetime.now(UTC))) is not None:
            raise SealError(reason)
        self._pool.check()

    def close(self) -> None:
        """Finish the documents in hand, and end the workers."""
        self._pool.close()

    def _proof(self, digest: str) -> bytes:
        return hmac.digest(self._secret, digest.encode(), "sha256")
