"""Keeps the last checkpoint in a file outside the database, where a restore can't take it back."""

import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Engine

from permits.domain.canonical import canonical_json
from permits.register.checkpoint import (
    Checkpoint,
    CheckpointRefused,
    file_for,
    last_checkpoint,
    put_in_place,
    sign,
    write_new,
)
from permits.register.floor import BookRolledBack, Floor, differences, read_checkpoint, snapshot

log = logging.getLogger(__name__)

EVERY_S = 300.0
_LOCK_WITHIN_S = 10.0


def hold(engine: Engine, floor: Floor, path: Path, key: Ed25519PublicKey) -> None:
    """Show the floor the last checkpoint of this file or directory, once the book is seen to follow it.

    Raises BookRolledBack when it doesn't, CheckpointRefused when the file is not ours or is missing
    while the book is not empty: a lost checkpoint must not go unnoticed.
    """
    shown = last_checkpoint(path, key, floor.authority)
    with snapshot(engine) as connection:
        if shown is not None and (found := differences(connection, shown)):
            raise BookRolledBack(found)
        if shown is None and read_checkpoint(connection, floor.authority, datetime.now(UTC)).position > 0:
            raise CheckpointRefused(
                f"aucun point de contrôle dans {path}, et le registre n’est pas vide : remettez le dernier ; "
                f"si c’est le premier, `permits checkpoint export {path}`"
            )
    if shown is not None:
        floor.show(shown)


def export_checkpoint(engine: Engine, authority: str, key: Ed25519PrivateKey, path: Path) -> Checkpoint:
    """Write the book's signed checkpoint to a file, or to the authority's own in a directory, whole or not at all.

    The checkpoint already there is compared first: raises BookRolledBack, and leaves it, when the book
    doesn't follow it. Raises CheckpointRefused when it is not ours or can't be written.
    """
    file = file_for(path, authority)
    try:
        with _alone(file.parent):
            shown = last_checkpoint(path, key.public_key(), authority)
            with snapshot(engine) as connection:
                if shown is not None and (found := differences(connection, shown)):
                    raise BookRolledBack(found)
                checkpoint = read_checkpoint(connection, authority, datetime.now(UTC))
            draft = file.with_name(file.name + ".part")
            draft.unlink(missing_ok=True)
            write_new(draft, signed_text(checkpoint, key), 0o644)
            put_in_place(draft, file)
    except OSError as error:
        raise CheckpointRefused(f"le point de contrôle {file} ne peut pas être écrit : {error}") from error
    return checkpoint


def signed_text(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> bytes:
    """Return the checkpoint as it is exported: one line of canonical JSON."""
    return f"{canonical_json(sign(checkpoint, key))}\n".encode()


class Witness:
    """Exports a checkpoint again and again while a service runs, and teaches its floor what it read."""

    def __init__(
        self, engine: Engine, key: Ed25519PrivateKey, path: Path, floor: Floor, *, every_s: float = EVERY_S
    ) -> None:
        self._export: Callable[[], Checkpoint] = lambda: export_checkpoint(engine, floor.authority, key, path)
        self._floor = floor
        self._every_s = every_s
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="witness", daemon=True)

    def export(self) -> None:
        """Export now. Raises BookRolledBack or CheckpointRefused."""
        self._floor.show(self._export())

    def start(self) -> None:
        """Begin to export every `every_s` seconds."""
        self._thread.start()

    def stop(self) -> None:
        """Export a last time, and stop."""
        self._stopping.set()
        self._thread.join(timeout=60)

    def _run(self) -> None:
        while True:
            stopping = self._stopping.wait(self._every_s)
            try:
                self.export()
            except Exception:
                log.exception("the checkpoint could not be exported")
            if stopping:
                return


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Keep other exports of this directory waiting: the older of two could otherwise be written last."""
    held = os.open(directory, os.O_RDONLY)
    try:
        deadline = time.monotonic() + _LOCK_WITHIN_S
        while True:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"un autre export est en cours dans {directory}") from None
                time.sleep(0.02)
        yield
    finally:
        os.close(held)
