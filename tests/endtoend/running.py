"""The product as a newcomer runs it: `permits demo` and `permits serve`, started, watched and killed."""

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.fakes import ROOT

# Alone, the slowest of these takes a few seconds; other tests may be using every core.
PATIENCE_S = 60.0


class Running:
    """One `permits …` command on a folder and a port of its own; what it says goes to a file."""

    def __init__(self, home: Path, command: str, **settings: str) -> None:
        self.home = home
        self.log = home / f"{command}.log"
        self.since = time.monotonic()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "permits", command],
                cwd=ROOT,
                env=bare_environment() | {"PERMITS_VAR": str(home / "var")} | settings,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # A shell's background job ignores Ctrl-C, and so would its children.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
            )

    def until(self, condition: Callable[[], bool], what: str) -> float:
        """Wait for `condition`; return the seconds since the command was started."""
        assert wait(lambda: condition() or self.process.poll() is not None), f"never: {what}\n{self.said()}"
        assert condition(), f"it ended before: {what}\n{self.said()}"
        return time.monotonic() - self.since

    def said(self) -> str:
        return self.log.read_text()

    def press_ctrl_c(self) -> int:
        """Interrupt it as a terminal does, the whole foreground group; return its exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(PATIENCE_S)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_S)


class Demo:
    """The demonstration: `start` it as often as needed, on the same data and port."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.running: Running | None = None

    def start(self) -> float:
        """Start it and wait for its last line; return how long that took, in seconds."""
        self.running = Running(self.home, "demo", PERMITS_PORT=str(self.port))
        running = self.running
        return running.until(lambda: "Quitter la démonstration" in running.said(), "the demonstration is ready")

    def up(self) -> "Demo":
        """Start it, unless it runs already."""
        if self.running is None or self.running.process.poll() is not None:
            self.start()
        return self

    def stop(self) -> None:
        """Stop it in the ordinary way, if it runs."""
        if self.running is not None and self.running.process.poll() is None:
            self.running.press_ctrl_c()

    def processes(self) -> dict[int, str]:
        return processes_of(self.home)

    def pid(self, words: str) -> int:
        """Return the one process whose command line ends with these words."""
        found = [pid for pid, command in self.processes().items() if command.endswith(words)]
        assert len(found) == 1, self.processes()
        return found[0]

    def key(self) -> str:
        return (self.home / "var" / "demo-key").read_text().strip()

    def printed(self, first_word: str) -> str:
        """Return the shell command that the banner shows, its continued lines included."""
        match = re.search(rf"^ +({re.escape(first_word)}(?:.*\\\n)*.*)$", self.banner(), re.MULTILINE)
        assert match is not None, self.banner()
        return match[1]

    def sandbox_url(self) -> str:
        match = re.search(r"^Bac à sable .*: (http://127\.0\.0\.1:\d+)$", self.banner(), re.MULTILINE)
        assert match is not None, self.banner()
        return match[1]

    def banner(self) -> str:
        assert self.running is not None
        return self.running.said()


def processes_of(home: Path) -> dict[int, str]:
    """Return every live process whose command line, environment or working directory names this folder."""
    mark, found = os.fsencode(home), {}
    for process in Path("/proc").glob("[0-9]*"):
        # Zombies have none of the three left; a process may end while it is looked at.
        with suppress(OSError):
            command = (process / "cmdline").read_bytes()
            about = command + (process / "environ").read_bytes() + os.fsencode((process / "cwd").readlink())
            if mark in about and int(process.name) != os.getpid():
                found[int(process.name)] = command.replace(b"\0", b" ").decode(errors="replace").strip()
    return found


def besides_the_database(home: Path) -> dict[int, str]:
    return {pid: command for pid, command in processes_of(home).items() if "postgres" not in command.split(" -")[0]}


def nothing_runs(home: Path) -> bool:
    """Tell whether every process of this folder has ended, soon."""
    return wait(lambda: not processes_of(home), 20)


def forget(home: Path) -> None:
    """Kill whatever still runs in this folder, and remove it."""
    for pid in processes_of(home):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    nothing_runs(home)
    shutil.rmtree(home, ignore_errors=True)


def bare_environment() -> dict[str, str]:
    """Return our environment without any setting of the product."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PERMITS_")}


def free_port() -> int:
    """Return a port below those of outgoing connections, any of which could take it between two starts."""
    for port in random.sample(range(20000, 32000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no free port")


def wait(condition: Callable[[], bool], timeout: float = PATIENCE_S, every_s: float = 0.02) -> bool:
    """Return True as soon as the condition holds, False when it still doesn't after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every_s)
    return True


@contextmanager
def listening() -> Iterator[int]:
    """Hold a port of the loopback, as another program would."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]
