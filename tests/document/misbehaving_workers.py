"""Workers that go wrong, each in its way. They take the place of `pool._work`, in a process of their own."""

import ctypes
import os
import struct
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from permits.document import worker
from permits.document.payload import Payload
from permits.document.print import print_act

FAULT = "fault"
LEAK_BYTES = 32 * 1024**2


def _sleep() -> None:
    time.sleep(3600)


def _spin() -> None:
    while True:
        pass


def _break() -> None:
    ctypes.string_at(0)


def _leave() -> None:
    os._exit(3)


def _swell() -> None:
    kept = []
    while True:
        kept.append(b"x" * LEAK_BYTES)


FAULTS: dict[str, Callable[[], None]] = {
    "sleeps": _sleep,
    "spins": _spin,
    "breaks": _break,
    "leaves": _leave,
    "swells": _swell,
}


def fail_once(connection: Connection, templates: Path, time_limit: float, scratch: Path) -> None:
    """Misbehave at the first document, as the file `fault` beside the templates says; its heirs find it gone."""
    worker.MEMORY_BYTES = 700 * 1024**2

    def print_or_fail(payload: Payload, templates: Path, signed_code: str | None) -> bytes:
        fault = templates / FAULT
        if fault.exists():
            named = fault.read_text()
            fault.unlink()
            FAULTS[named]()
        return print_act(payload, templates, signed_code)

    vars(worker)["print_act"] = print_or_fail
    worker.serve(connection, templates, time_limit, scratch)


def leak(connection: Connection, templates: Path, time_limit: float, scratch: Path) -> None:
    """Print well, and keep something of every document."""
    kept = []

    def print_and_keep(payload: Payload, templates: Path, signed_code: str | None) -> bytes:
        kept.append(b"x" * LEAK_BYTES)
        return print_act(payload, templates, signed_code)

    vars(worker)["print_act"] = print_and_keep
    worker.serve(connection, templates, time_limit, scratch)


def stall(connection: Connection, templates: Path, time_limit: float, scratch: Path) -> None:
    """Say how long the answer is, and nothing more."""
    connection.recv_bytes()
    os.write(connection.fileno(), struct.pack("!i", 80_000))
    _sleep()


def ramble(connection: Connection, templates: Path, time_limit: float, scratch: Path) -> None:
    """Announce an answer of two gigabytes."""
    connection.recv_bytes()
    os.write(connection.fileno(), struct.pack("!i", 2**31 - 1))
    _sleep()
