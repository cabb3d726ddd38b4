"""Named points of the walk at which a test can make the service fail; they do nothing in production.

A fault is armed once, at the start of the process, by a specification such as

    job_enqueued=kill                 at the first passage
    printed=raise@3                   at the third, counted from the arming, whoever passes
    sealed=raise,sealed=hang@2        several, each on its own

and strikes once: it is then spent, and later passages go on. The log tells each fault as it strikes.
"""

import errno
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)

# In the order of the walk. Those of a transaction are reached before its commit, the others outside any.
RECORDING = ("recording_begun", "application_inserted", "footprints_taken", "job_enqueued")
FILING = ("filing_begun", "document_stored", "act_issued")
POINTS = (
    "request_received",
    "registry_answered",
    "facts_gathered",
    "decided",
    *RECORDING,
    "number_given",
    "recorded",
    "printed",
    "sealed",
    *FILING,
    "filed",
)
HANG_S = 600.0


class FailpointError(Exception):
    """A fault that a test asked for."""


@dataclass
class _Fault:
    """What strikes where, and after how many more passages."""

    point: str
    action: str
    passages_left: int


_armed: list[_Fault] | None = None
_counting = threading.Lock()


def reach(name: str) -> None:
    """Fail here if a test asked for it."""
    if _armed is not None:
        _pass(name)


def arm(specification: str) -> None:
    """Arm the faults of a specification in place of any armed before; raise ValueError when it can't be read."""
    global _armed
    _armed = [_fault(part.strip()) for part in specification.split(",")]


def disarm() -> None:
    """Forget every fault that has not struck."""
    global _armed
    _armed = None


def _fault(part: str) -> _Fault:
    name, equals, rest = part.partition("=")
    action, at, nth = rest.partition("@")
    if not equals or name not in POINTS:
        raise ValueError(f"no point of the walk is named {name!r}; there are {', '.join(POINTS)}")
    if action not in _ACTIONS:
        raise ValueError(f"no fault is named {action!r}; there are {', '.join(_ACTIONS)}")
    if at and not (nth.isascii() and nth.isdigit() and int(nth) > 0):
        raise ValueError(f"{nth!r} is not the number of a passage")
    return _Fault(name, action, int(nth or 1))


def _pass(name: str) -> None:
    due = []
    with _counting:
        for fault in _armed or ():
            if fault.point == name:
                fault.passages_left -= 1
                if fault.passages_left == 0:
                    due.append(fault)
    for fault in due:
        log.warning("a fault strikes, as asked", extra={"failpoint": name, "action": fault.action})
        _ACTIONS[fault.action](name)


def _raise(name: str) -> None:
    raise FailpointError(name)


def _kill(_name: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _hang(_name: str) -> None:
    time.sleep(HANG_S)


def _disk_full(name: str) -> None:
    """Fail as the full disk would there: PostgreSQL's inside a transaction, this machine's elsewhere."""
    if name not in RECORDING + FILING:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    from psycopg.errors import DiskFull
    from sqlalchemy.exc import OperationalError

    told = DiskFull("could not extend file: No space left on device")
    raise OperationalError(f"-- {name}", None, told)


_ACTIONS: dict[str, Callable[[str], None]] = {
    "raise": _raise,
    "kill": _kill,
    "hang": _hang,
    "disk_full": _disk_full,
}
