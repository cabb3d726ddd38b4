"""What runs in a worker process: payloads come in, printed and linted documents go out.

A worker reads text that strangers wrote, so it holds no key, opens no connection, and what it
answers is bytes, never a pickle: nothing it says is executed by the process that holds the key.
"""

import gc
import itertools
import json
import math
import os
import resource
import shutil
import signal
import tempfile
import threading
import time
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import NoReturn

from permits.document.confined import refuse_outside
from permits.document.errors import LintError, PrintError
from permits.document.lint import lint
from permits.document.payload import read_payload, read_permit
from permits.document.pool import DEFECTIVE, FAILED, PRINTED
from permits.document.print import print_act, print_sign, warm_up
from permits.domain.permit import Paper

MEMORY_BYTES = 2 * 1024**3
# Often enough that what a document leaves behind is still few, and in the processor's cache.
DOCUMENTS_PER_COLLECTION = 4

_leaving = threading.Lock()


def serve(connection: Connection, templates: Path, time_limit: float, scratch: Path) -> NoReturn:
    """Answer each payload until the other end closes; temporary files go to `scratch`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then closes the pool
    tempfile.tempdir = str(scratch)
    threading.Thread(target=_end_with_parent, args=(scratch,), daemon=True).start()
    _lock_down()
    with suppress(PrintError):  # each document will say it again, to whoever asks for it
        warm_up(templates)
    spare_collections()
    with suppress(EOFError):
        for served in itertools.count(1):
            content = connection.recv_bytes()
            _allow_cpu(2 * time_limit)
            connection.send_bytes(answer(content, templates))
            if served % DOCUMENTS_PER_COLLECTION == 0:
                gc.collect()
    _leave(scratch)


def answer(request: bytes, templates: Path) -> bytes:
    """Print and lint the act of a payload; where a paper is named, print the sign of that permit.

    A request is the payload's JSON, after a line with the paper, if any, and the signed code.
    """
    try:
        head, _, content = request.rpartition(b"\n")  # JSON writes no line of its own
        paper, _, code = head.decode().partition(" ")
        if paper:
            return PRINTED + print_sign(read_permit(content), Paper(paper), templates, code)
        payload = read_payload(content)
        pdf = print_act(payload, templates, code or None)
        lint(pdf, payload, code or None)
    except LintError as error:
        return DEFECTIVE + json.dumps(error.defects).encode()
    except Exception as error:  # whatever the page did to its renderer, the parent must hear of it
        return FAILED + f"{type(error).__name__}: {error}".encode()
    return PRINTED + pdf


def _end_with_parent(scratch: Path) -> None:
    """End this process as soon as its parent does, even killed: an orphan would hold memory for nobody."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        _leave(scratch)


def _leave(scratch: Path) -> NoReturn:
    # Both threads may come here at once: who exits first must have removed everything.
    with _leaving:
        shutil.rmtree(scratch, ignore_errors=True)
        os._exit(0)


def spare_collections() -> None:
    """Collect garbage between documents only: within one, nearly everything lives to its end."""
    gc.collect()
    gc.freeze()
    gc.disable()


def _lock_down() -> None:
    """Refuse connections and programs, and bound the memory: a page needs none of them."""
    _limit(resource.RLIMIT_AS, MEMORY_BYTES)
    _limit(resource.RLIMIT_CORE, 0)
    refuse_outside()


def _allow_cpu(seconds: float) -> None:
    """Let the system end this process if one document takes far too long and nobody is left to kill it."""
    _limit(resource.RLIMIT_CPU, math.ceil(time.process_time() + seconds))


def _limit(kind: int, value: int) -> None:
    """Set a limit, or keep a stricter one that this process was given."""
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))
