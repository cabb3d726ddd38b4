"""What runs in a worker process: payloads come in, printed and linted documents go out.

A worker reads text that strangers wrote, so it holds no key, opens no connection, and what it
answers is bytes, never a pickle: nothing it says is executed by the process that holds the key.
"""

import json
import math
import os
import resource
import signal
import sys
import threading
import time
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path

from permits.document.errors import LintError, PrintError
from permits.document.lint import lint
from permits.document.pool import DEFECTIVE, FAILED, PRINTED
from permits.document.print import print_permit, warm_up
from permits.domain.permit import Permit

MEMORY_BYTES = 2 * 1024**3


def serve(connection: Connection, templates: Path, time_limit: float) -> None:
    """Answer each payload until the other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then closes the pool
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _lock_down()
    with suppress(PrintError):  # each document will say it again, to whoever asks for it
        warm_up(templates)
    while True:
        try:
            payload = connection.recv_bytes()
        except EOFError:
            return
        _allow_cpu(2 * time_limit)
        connection.send_bytes(answer(payload, templates))


def answer(payload: bytes, templates: Path) -> bytes:
    """Print and lint one payload."""
    try:
        permit = Permit.model_validate_json(payload)
        pdf = print_permit(permit, templates)
        lint(pdf, permit)
    except LintError as error:
        return DEFECTIVE + json.dumps(error.defects).encode()
    except Exception as error:  # whatever the page did to its renderer, the parent must hear of it
        return FAILED + f"{type(error).__name__}: {error}".encode()
    return PRINTED + pdf


def _end_with_parent() -> None:
    """End this process as soon as its parent does, even killed: an orphan would hold memory for nobody."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _lock_down() -> None:
    """Refuse connections and programs, and bound the memory: a page needs none of them."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.addaudithook(_refuse_outside)


def _refuse_outside(event: str, _arguments: object) -> None:
    if event in {"socket.connect", "socket.getaddrinfo", "socket.bind", "subprocess.Popen", "os.system", "os.exec"}:
        raise PermissionError(f"a worker may not do {event}")


def _allow_cpu(seconds: float) -> None:
    """Let the system end this process if one document takes far too long and nobody is left to kill it."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time() + seconds), hard))
