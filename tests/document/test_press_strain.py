"""The press under strain: workers that go wrong are replaced, and none grows without end."""

import random
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from permits.document import pool
from permits.document.errors import PressFailed, PrintError
from permits.document.press import Press
from permits.document.sealing.seal import Seal
from permits.domain.permit import Permit
from tests.document import misbehaving_workers
from tests.document.pages import templates_with
from tests.document.sample import BENEFICIARY, occupancy, sample_permit
from tests.document.test_press import running, worker_ids

# A worker starts at about 130 MiB, and settles at about 145.
BOUND_MIB = 256


@pytest.fixture
def faulty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Templates beside which a test names the fault of the first document."""
    monkeypatch.setattr(pool, "_work", misbehaving_workers.fail_once)
    return templates_with(tmp_path, "<header>", "<header>", "act.html")


@pytest.mark.parametrize(
    "fault",
    [
        "breaks",
        "leaves",
        pytest.param("sleeps", marks=pytest.mark.proof),
        pytest.param("spins", marks=pytest.mark.proof),
    ],
)
def test_a_document_is_tried_again_when_its_worker(fault: str, faulty: Path, seal: Seal, permit: Permit) -> None:
    (faulty / misbehaving_workers.FAULT).write_text(fault)
    others = worker_ids()
    with running(Press(seal, workers=1, templates=faulty, time_limit=10)) as press:
        (first,) = worker_ids() - others
        assert press.print_and_lint(permit).content
        assert first not in worker_ids()
        assert not (faulty / misbehaving_workers.FAULT).exists()


@pytest.mark.parametrize(("worker", "why"), [("stall", "no document after 0.5 s"), ("ramble", "bad message length")])
def test_an_answer_begun_and_never_ended_is_given_up(
    worker: str, why: str, seal: Seal, permit: Permit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_work", getattr(misbehaving_workers, worker))
    with running(Press(seal, workers=1, time_limit=0.5)) as press:
        begun = time.monotonic()
        with pytest.raises(PressFailed, match=why):
            press.print_and_lint(permit)
        assert time.monotonic() - begun < 10


def test_a_document_that_takes_all_the_memory_is_refused_and_the_next_one_comes(
    faulty: Path, seal: Seal, permit: Permit
) -> None:
    (faulty / misbehaving_workers.FAULT).write_text("swells")
    with running(Press(seal, workers=1, templates=faulty)) as press:
        with pytest.raises(PrintError, match="MemoryError"):
            press.print_and_lint(permit)
        assert press.print_and_lint(permit).content


def varied_permit(number: int) -> Permit:
    """Return a permit whose company, street and size no other has."""
    chance = random.Random(number)

    def word() -> str:
        return "".join(chance.choices("abcdefghijklmnopqrstuvéèàçô", k=chance.randint(3, 11)))

    place = occupancy(address=f"{chance.randint(1, 99)} rue {word()} {word()}, 29999 Exemple-Ville")
    company = BENEFICIARY.model_copy(update={"name": f"{word()} {word()} {word()}".upper()})
    return sample_permit(number=f"EX-2027-{number:06d}", beneficiary=company, occupancies=(place,))


def resident_mib(process: int) -> float:
    """Return the memory that a process holds, in MiB."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(process)


def memory_over(documents: int, press: Press, *, every: int) -> dict[int, list[float]]:
    """Print so many permits from two threads; return what each worker held, in MiB, at intervals."""
    others, held = worker_ids(), defaultdict[int, list[float]](list)

    def print_one(number: int) -> None:
        press.print_and_lint(varied_permit(number))
        if number % every == 0:
            for worker in worker_ids() - others:
                with suppress(OSError):  # it has just been replaced
                    held[worker].append(resident_mib(worker))

    with running(press), ThreadPoolExecutor(2) as threads:
        list(threads.map(print_one, range(1, documents + 1)))
    return dict(held)


def highest(held: dict[int, list[float]]) -> float:
    return max(max(each) for each in held.values())


def test_a_worker_is_replaced_after_its_share_of_documents(seal: Seal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "DOCUMENTS_PER_WORKER", 4)
    held = memory_over(10, Press(seal, workers=1), every=1)
    assert len(held) == 3
    assert highest(held) < BOUND_MIB


def test_a_worker_that_leaks_is_seen(seal: Seal, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the measure: without replacement, what leaks goes over the bound; with it, it does not."""
    monkeypatch.setattr(pool, "_work", misbehaving_workers.leak)
    assert highest(memory_over(6, Press(seal, workers=1), every=1)) > BOUND_MIB
    monkeypatch.setattr(pool, "DOCUMENTS_PER_WORKER", 2)
    assert highest(memory_over(6, Press(seal, workers=1), every=1)) < BOUND_MIB


@pytest.mark.proof
@pytest.mark.timeout(3600)
def test_the_memory_of_workers_is_bounded_over_ten_thousand_documents(seal: Seal) -> None:
    held = memory_over(10_000, Press(seal, workers=2), every=50)
    lasts = sorted(each[-1] for each in held.values() if len(each) > 5)
    print(f"10,000 permits, {len(held)} workers: at most {highest(held):.0f} MiB held by one, bound {BOUND_MIB} MiB")
    print(f"  before its replacement a worker held {lasts[0]:.0f} to {lasts[-1]:.0f} MiB")
    assert len(held) >= 10_000 // pool.DOCUMENTS_PER_WORKER
    assert highest(held) < BOUND_MIB
