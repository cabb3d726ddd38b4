"""What a process does to itself before it reads bytes that a stranger sent.

The standard library only: a process that starts for each file must start at once.
"""

import resource
import sys

_PROGRAMS = ("subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system")


def lock_in(memory_bytes: int, cpu_seconds: int, descriptors: int = 3) -> None:
    """Bound memory and processor time, and refuse to write files and to open more than `descriptors` of anything.

    All by the system itself. With the three that every process has, nothing can be opened afterwards, not even the
    libraries of another program: import everything before. Asking for more than the limits ends in MemoryError,
    OSError, or the end of the process.
    """
    for kind, value in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, descriptors),
    ):
        _, hard = resource.getrlimit(kind)
        least = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (least, least))


def refuse_outside() -> None:
    """Refuse connections, datagrams, names to look up, and processes; for one that needs descriptors of its own."""
    sys.addaudithook(_refuse)


def _refuse(event: str, _arguments: object) -> None:
    # A new socket leads nowhere yet, and an event loop makes itself a pair of them.
    if (event.startswith("socket.") and event != "socket.__new__") or event.startswith(_PROGRAMS):
        raise PermissionError(f"this process may not do {event}")
