import hashlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from permits.document import TEMPLATES
from permits.document.errors import DocumentError, LintError, PressFailed, PrintError, SealError
from permits.document.lint import lint
from permits.document.payload import Payload
from permits.document.press import LintedDocument, Press
from permits.document.print import print_act
from permits.document.sealing.demo import make_demo_seal
from permits.document.sealing.seal import Seal, SealedPdf
from permits.document.verify import verify_seal
from permits.domain.permit import Permit, PressBusy, SealingStopped
from permits.domain.ruling import RulingKind
from permits.domain.sealing import SealLevel
from tests.document.conftest import town_seal
from tests.document.pages import templates_with
from tests.document.sample import sample_permit
from tests.document.sample_acts import sample_correction, sample_extension, sample_ruling


@contextmanager
def running(press: Press) -> Iterator[Press]:
    press.start()
    try:
        yield press
    finally:
        press.close()


def until(condition: Callable[[], bool], within: float = 10) -> bool:
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_a_permit_becomes_a_sealed_document(press: Press, seal: Seal, permit: Permit, pdf: bytes) -> None:
    with press.slot():
        linted = press.print_and_lint(permit)
        sealed = press.seal(linted)
    assert linted.content == pdf
    assert sealed.sha256 == hashlib.sha256(sealed.content).hexdigest()
    verify_seal(sealed.content, seal.certificate)


@pytest.mark.parametrize(
    "act", [*map(sample_ruling, RulingKind), sample_extension(), sample_correction()], ids=lambda act: act.number
)
def test_so_does_every_other_kind_of_act(act: Payload, press: Press, seal: Seal) -> None:
    linted = press.print_and_lint(act)
    assert linted.content == print_act(act)
    verify_seal(press.seal(linted).content, seal.certificate)


def test_many_threads_get_each_their_own_permit(press: Press) -> None:
    permits = [sample_permit(number=f"EX-2027-{n:06d}") for n in range(1, 9)]
    with ThreadPoolExecutor(4) as threads:
        documents = list(threads.map(press.print_and_lint, permits))
    for permit, document in zip(permits, documents, strict=True):
        lint(document.content, permit)


def test_beyond_its_capacity_it_says_at_once_when_to_come_back(press: Press) -> None:
    with press.slot(), press.slot(), press.slot():
        with pytest.raises(PressBusy) as caught, press.slot():
            pass
        assert caught.value.retry_after > 0
    with press.slot():
        pass


def test_with_an_expired_seal_it_has_no_place_for_anybody(permit: Permit) -> None:
    with (
        pytest.raises(SealingStopped, match=r"a expiré le .+\.$") as caught,
        Press(town_seal(since=timedelta(days=3))).slot(),
    ):
        pass
    assert caught.value.retry_after > 0


def test_it_knows_that_its_seal_is_a_demonstration(press: Press) -> None:
    assert press.is_specimen
    assert not Press(town_seal()).is_specimen


@pytest.mark.parametrize(
    "real", [sample_permit(specimen=False), sample_ruling(RulingKind.REFUSAL, specimen=False)], ids=["permit", "ruling"]
)
def test_a_demonstration_seal_never_goes_on_a_real_act(real: Payload, press: Press) -> None:
    with pytest.raises(PrintError, match="specimen"):
        press.print_and_lint(real)


def test_only_what_the_lint_passed_is_sealed(press: Press, seal: Seal, permit: Permit) -> None:
    linted = press.print_and_lint(permit)
    changed = linted.content + b"\n"
    digest = hashlib.sha256(changed).hexdigest()
    for forged in (
        replace(linted, content=changed),
        replace(linted, content=changed, sha256=digest),
        replace(linted, proof=bytes(32)),
        LintedDocument(changed, digest, hashlib.sha256(digest.encode()).digest()),
        replace(linted, proof=Press(seal)._proof(linted.sha256)),
    ):
        with pytest.raises(SealError, match="not a document that the lint passed"):
            press.seal(forged)
    press.seal(linted)


class _CarelessSeal(Seal):
    """Seals something else than what it is given, or nothing at all."""

    def __init__(self, good: Seal, spoil: Callable[[bytes], bytes]) -> None:
        super().__init__(good.key)
        self._spoil = spoil

    def seal(self, pdf: bytes) -> SealedPdf:
        good = super().seal(pdf)
        return replace(good, content=self._spoil(good.content))


def test_a_seal_of_another_level_than_it_says_is_not_released(seal: Seal, permit: Permit) -> None:
    class Boastful(Seal):
        def seal(self, pdf: bytes) -> SealedPdf:
            return replace(super().seal(pdf), level=SealLevel.B_LT)

    with running(Press(Boastful(seal.key), workers=1)) as boastful, pytest.raises(SealError, match="is B-B"):
        boastful.seal(boastful.print_and_lint(permit))


def test_nothing_is_sealed_while_something_outside_forbids_it(seal: Seal, permit: Permit) -> None:
    def stop() -> None:
        raise SealingStopped("essai", 5)

    with running(Press(seal, workers=1, may_seal=stop)) as stopped:
        linted = stopped.print_and_lint(permit)
        with pytest.raises(SealingStopped):
            stopped.seal(linted)
        with pytest.raises(SealingStopped), stopped.slot():
            raise AssertionError("a place was given")


@pytest.mark.parametrize(
    "spoil",
    [lambda sealed: sealed[:-1], lambda sealed: sealed + b"\n", lambda sealed: b" " + sealed],
    ids=["cut", "longer", "shifted"],
)
def test_a_seal_that_does_not_hold_is_not_released(
    spoil: Callable[[bytes], bytes], press: Press, seal: Seal, permit: Permit
) -> None:
    careless = Press(_CarelessSeal(seal, spoil))
    careless._secret = press._secret
    with pytest.raises(SealError):
        careless.seal(press.print_and_lint(permit))


def test_defects_come_back_one_by_one(seal: Seal, tmp_path: Path) -> None:
    templates = templates_with(tmp_path, "précaire et révocable (", "durable (")
    with running(Press(seal, workers=1, templates=templates)) as press, pytest.raises(LintError) as caught:
        press.print_and_lint(sample_permit())
    assert caught.value.defects == ("caractère précaire et révocable : « à titre précaire et révocable » manque",)


def test_a_print_error_comes_back_and_the_press_goes_on(press: Press, permit: Permit) -> None:
    with pytest.raises(PrintError, match="arrete/9"):
        press.print_and_lint(sample_permit(template="arrete/9"))
    press.print_and_lint(permit)


def worker_ids() -> set[int]:
    return {child.pid for child in multiprocessing.active_children() if child.pid is not None}


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL], ids=["hung", "dead"])
def test_a_lost_worker_is_replaced_and_the_document_still_comes(
    how: signal.Signals, seal: Seal, permit: Permit
) -> None:
    others = worker_ids()
    with running(Press(seal, workers=1, time_limit=5)) as press:
        press.print_and_lint(permit)
        (lost,) = worker_ids() - others
        os.kill(lost, how)
        assert press.print_and_lint(permit).content
        (new,) = worker_ids() - others
        assert new != lost
    assert worker_ids() == others


def test_a_document_that_never_comes_is_given_up(seal: Seal, tmp_path: Path) -> None:
    endless = "{% for n in range(10 ** 12) %}{% endfor %}"
    templates = templates_with(tmp_path, "<header>", f"<header>{endless}", "act.html")
    with (
        running(Press(seal, workers=1, templates=templates, time_limit=1)) as press,
        pytest.raises(PressFailed, match="no document after 1 s"),
    ):
        press.print_and_lint(sample_permit())


def test_readiness_brings_dead_workers_back(seal: Seal) -> None:
    others = worker_ids()
    with running(Press(seal, workers=1)) as press:
        (dead,) = worker_ids() - others
        os.kill(dead, signal.SIGKILL)
        assert until(lambda: dead not in worker_ids())
        press.check()
        assert len(worker_ids() - others) == 1


def test_a_press_with_an_expired_seal_is_not_ready() -> None:
    with running(Press(town_seal(since=timedelta(days=3)), workers=1)) as press, pytest.raises(SealError):
        press.check()


def test_a_press_that_does_not_run_says_so(seal: Seal, permit: Permit) -> None:
    press = Press(seal, workers=1)
    for attempt in (press.check, lambda: press.print_and_lint(permit)):
        with pytest.raises(PressFailed, match="not running"):
            attempt()
    press.close()


def test_its_errors_are_one_family() -> None:
    assert all(issubclass(each, DocumentError) for each in (LintError, PressFailed, PrintError, SealError))


PARENT = """
import json, multiprocessing, multiprocessing.forkserver, sys, threading, time
from pathlib import Path
from permits.document import TEMPLATES
from permits.document.press import Press
from permits.document.sealing.demo import load_demo_seal
from tests.document.sample import sample_permit

if __name__ == "__main__":
    seal, templates = sys.argv[1:]
    press = Press(load_demo_seal(Path(seal)), workers=2, templates=Path(templates))
    press.start()
    threading.Thread(target=press.print_and_lint, args=(sample_permit(),), daemon=True).start()
    time.sleep(1)
    workers = [child.pid for child in multiprocessing.active_children()]
    server = multiprocessing.forkserver._forkserver._forkserver_pid
    loaded = [name for name in ("weasyprint", "jinja2", "pypdfium2") if name in sys.modules]
    print(json.dumps({"workers": workers, "server": server, "loaded": loaded}), flush=True)
    time.sleep(60)
"""


def is_running(process: int) -> bool:
    """True unless the process is gone, or only waits to be reaped."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@contextmanager
def parent(tmp_path: Path, templates: Path = TEMPLATES) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Run a process that holds a press and prints a permit; yield it and what it tells of itself."""
    make_demo_seal(tmp_path / "seal")
    script = tmp_path / "parent.py"
    script.write_text(PARENT, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd()), "TMPDIR": str(tmp_path)}
    command = [sys.executable, str(script), str(tmp_path / "seal"), str(templates)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


@pytest.mark.parametrize("endless", [False, True], ids=["idle", "hung"])
def test_nothing_survives_a_killed_parent(endless: bool, tmp_path: Path) -> None:
    loop = "{% for n in range(10 ** 12) %}{% endfor %}" if endless else ""
    templates = templates_with(tmp_path, "<header>", f"<header>{loop}", "act.html")
    with parent(tmp_path, templates) as (process, told):
        family = [told["server"], *told["workers"]]
        assert len(family) == 3
        assert all(is_running(each) for each in family)
        process.kill()
        process.wait()
        assert until(lambda: not any(is_running(each) for each in family))
    assert not list(tmp_path.glob("permits-page-*"))


def test_the_process_that_holds_the_key_never_loads_the_renderer(tmp_path: Path) -> None:
    with parent(tmp_path) as (_, told):
        assert told["loaded"] == []


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.create_connection(('127.0.0.1', 9))",
        "datagrams.sendto(b'x', ('127.0.0.1', 9))",
        "datagrams.sendmsg([b'x'], [], 0, ('127.0.0.1', 9))",
        "datagrams.bind(('127.0.0.1', 0))",
        "socket.getaddrinfo('localhost', 9)",
        "socket.gethostbyname('localhost')",
        "socket.gethostbyaddr('127.0.0.1')",
        "subprocess.run(['true'])",
        "os.fork() or os._exit(0)",
        "os.spawnv(os.P_WAIT, '/bin/true', ['true'])",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.execv('/bin/true', ['true'])",
        "os.system('true')",
    ],
)
def test_a_worker_cannot_reach_outside(attempt: str) -> None:
    opened = "datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)"
    for locked in ("", "from permits.document.confined import refuse_outside; refuse_outside(); "):
        script = f"import os, socket, subprocess; {opened}; {locked}{attempt}"
        ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        assert ("PermissionError: this process may not do" in ended.stderr) == bool(locked)


def test_a_worker_is_locked_before_it_reads_anything() -> None:
    script = "from permits.document.worker import _lock_down; _lock_down(); import os; os.system('true')"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "PermissionError: this process may not do os.system" in ended.stderr
