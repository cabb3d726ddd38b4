"""Processor time, by what uses it: on a machine that others use too, steadier than the clock."""

import os
import time
from contextlib import suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
# The first word found in a command line says whose process it is.
_ROLES = {
    "multiprocessing": "print + lint (workers)",
    "permits serve": "the service itself",
    "permits sandbox": "the sandbox registry",
    "postgres": "PostgreSQL",
}
CLIENTS = "the clients"
EVERYTHING = "everything on this machine"


def cpu_seconds(processes: dict[int, str]) -> dict[str, float]:
    """Return what each kind of process has used so far, this one, which plays the clients, and everything."""
    used = dict.fromkeys(_ROLES.values(), 0.0) | {CLIENTS: time.process_time(), EVERYTHING: _busy_seconds()}
    for pid, command in processes.items():
        role = next((role for word, role in _ROLES.items() if word in command), None)
        # A process may have ended; the name in parentheses may hold spaces.
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
            if role is not None:
                used[role] += (int(fields[11]) + int(fields[12])) / _TICKS
    return used


def _busy_seconds() -> float:
    """Return the time that all cores together have spent on anything but waiting."""
    user, nice, system, _idle, _iowait, *rest = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    return sum(int(ticks) for ticks in (user, nice, system, *rest)) / _TICKS


def between(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    return {role: after[role] - before[role] for role in after}
