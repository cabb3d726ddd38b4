"""Every step of the walk fails in every way, on the real service: whatever was left behind is finished, once.

A cell is a point of the walk and a fault. One application is filed, the fault is seen to strike it, what it left
behind is exactly what it must be, the service is started again unarmed, and the application is repeated under its key
until its permit is issued.

`make proof` does the 16 × 4 cells one by one, each with two starts of the service. `make test` does 30 of them with
four starts in all:

- one service is armed with faults that don't end it, and each strikes an application of its own: a failure at every
  point and a full disk where the database would meet it, in the order of the walk; then what hangs, once for each
  thing that it leaves behind, with the point that holds up the others at the end;
- a kill is done at a point that a kill at random hardly ever meets (test_crash.py does those).
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for

import httpx
import pytest

from permits.failpoint import FILING, POINTS, RECORDING
from tests.endtoend.book import Promises, faults, unfinished
from tests.endtoend.running import wait
from tests.endtoend.town import Town, open_town, told

pytestmark = pytest.mark.xdist_group("failpoints")

ACTIONS = ("raise", "disk_full", "hang", "kill")
# Whoever hangs there holds the head of the audit chain, which every other transaction waits for.
HOLDS_UP_OTHERS = "act_issued"
# Before and after the number, the record, the seal and the document; whoever holds up the others comes last.
HANGING = ("request_received", "job_enqueued", "recorded", "sealed", "document_stored", HOLDS_UP_OTHERS)
SELDOM_MET = "act_issued"
FINISHED_WITHIN_S = 60
# The database ends a session that holds the chain and does nothing for fifteen seconds.
HELD_UP_S = 45

Cell = tuple[str, str]


class Broken:
    """A town whose service fails where it is told, and all that was filed there."""

    def __init__(self, town: Town) -> None:
        self.town, self.promises = town, Promises()
        self.cells: dict[str, Cell] = {}
        self._threads = ThreadPoolExecutor(len(POINTS))

    def start(self, cells: list[Cell]) -> None:
        """Start a service that each of these faults will strike, one application each, filed in this order."""
        each = [f"{point}={action}@{passage(cells, nth)}" for nth, (point, action) in enumerate(cells)]
        self.town.start(PERMITS_FAILPOINT=",".join(each))
        assert "this service will fail on purpose" in self.town.said()

    def file(self, cell: Cell) -> Future[httpx.Response]:
        """File the application of this cell; return its answer to come."""
        self.town.put_jobs_off()
        return self._threads.submit(self.file_now, self.new_key(cell))

    def new_key(self, cell: Cell) -> str:
        """Return a key to file under, kept among those that have to be finished."""
        key = f"{len(self.cells)}-{cell[0]}-{cell[1]}"
        self.cells[key] = cell
        return key

    def file_now(self, key: str) -> httpx.Response:
        """File under this key and return the answer, its promise kept."""
        with self.town.caller(timeout=2 * FINISHED_WITHIN_S) as client:
            answer = self.town.file(client, key)
            if answer.status_code == 201:
                self.promises.add(key, answer.json()["permit"])
            return answer

    def has_struck(self, cell: Cell) -> None:
        """Negative control: the fault was met, once, and left exactly what it must."""
        struck = "a fault strikes, as asked action={1} failpoint={0}\n".format(*cell)
        assert wait(lambda: struck in self.town.said(), 30), f"{cell} was never met\n{self.town.said()}"
        assert self.town.said().count(struck) == 1
        key = next(reversed(self.cells))
        line = next((line for line in self.town.book(hashing=False).lines if line.key == key), None)
        assert (line.state if line else None) == must_be_left(cell), cell

    def finish(self) -> None:
        """Start the service unarmed, repeat every application under its key, and look at the whole book."""
        self.town.start()
        assert "on purpose" not in self.town.said()
        left = self.cells.keys() - self.promises.told.keys()
        # More at once, and the service would leave some waiting for the registry.
        with ThreadPoolExecutor(8) as callers:
            for each in [callers.submit(self._repeat, key) for key in left]:
                each.result(2 * FINISHED_WITHIN_S)
        book = self.town.book()
        assert faults(book, self.promises) + unfinished(book, self.cells) == []
        assert self.promises.told.keys() == self.cells.keys()
        self.town.check_documents({key: self.promises.told[key] for key in left}.values(), seals=len(left))
        self.town.stop()

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)

    def _repeat(self, key: str) -> None:
        def is_issued() -> bool:
            answer = self.file_now(key)
            assert answer.status_code in (201, 409), answer.text
            return key in self.promises.told

        assert wait(is_issued, FINISHED_WITHIN_S, every_s=0.3), f"{key} is still not issued"


@pytest.fixture(scope="module")
def broken() -> Iterator[Broken]:
    """One town for all the cells: what one leaves is seen by the next. No process outlives it."""
    with open_town() as town:
        broken = Broken(town)
        yield broken
        town.stop()
        town.check_by_fsck()
        broken.close()


def passage(cells: list[Cell], nth: int) -> int:
    """Return how many of the applications up to the nth come as far as the point at which the nth is struck."""
    here = POINTS.index(cells[nth][0])
    return sum(POINTS.index(point) >= here for point, _ in cells[: nth + 1])


def must_be_left(cell: Cell) -> str | None:
    """Return what a fault leaves in the book: nothing, a number without its document, or all."""
    point, _ = cell
    if POINTS.index(point) < POINTS.index("number_given"):
        return None
    return "issued" if point == "filed" else "reserved"


def must_be_answered(cell: Cell) -> tuple[int, str]:
    """Return what the caller is told: the status, with the code of the problem or the state of the permit.

    Until the walk knows that the decision is recorded, the request has failed. From then on the permit stands, and
    will be finished.
    """
    point, action = cell
    if POINTS.index(point) > POINTS.index("recorded"):
        return 201, "reserved"
    if action == "disk_full" and point in RECORDING + FILING:
        return 503, "database_unavailable"
    return 500, "internal_error"


def strike_and_answer(broken: Broken, cell: Cell) -> None:
    """The fault ends the request, not the service."""
    answer = broken.file(cell).result(FINISHED_WITHIN_S)
    broken.has_struck(cell)
    assert told(answer) == must_be_answered(cell), cell


def strike_and_hang(broken: Broken, cell: Cell) -> Future[httpx.Response]:
    asked = broken.file(cell)
    broken.has_struck(cell)
    return asked


def kill_while_they_hang(broken: Broken, hanging: list[Future[httpx.Response]]) -> None:
    """Nobody is answered, and nothing but a kill ends it."""
    answered, _ = wait_for(hanging, 1)
    assert not answered
    assert broken.town.gone(broken.town.kill())
    for asked in hanging:
        assert isinstance(asked.exception(10), httpx.TransportError)


def strike_and_die(broken: Broken, cell: Cell) -> None:
    """The service is gone, its processes with it, and the connection is dead."""
    doomed = broken.town.own_processes()
    assert isinstance(broken.file(cell).exception(FINISHED_WITHIN_S), httpx.TransportError)
    assert broken.town.service is not None
    assert broken.town.service.process.wait(10) == -9
    assert broken.town.gone(doomed)
    broken.has_struck(cell)


@pytest.mark.timeout(400)
def test_whatever_fails_or_hangs_in_one_service_is_finished_by_the_next(broken: Broken) -> None:
    answering = [(point, "raise") for point in POINTS]
    answering += [(point, "disk_full") for point in POINTS if point in RECORDING + FILING]
    hanging = [(point, "hang") for point in HANGING]

    broken.start(answering + hanging)
    for cell in answering:
        strike_and_answer(broken, cell)
    kill_while_they_hang(broken, [strike_and_hang(broken, cell) for cell in hanging])

    broken.finish()


@pytest.mark.timeout(300)
def test_a_kill_just_after_a_commit_is_finished_by_the_next_service(broken: Broken) -> None:
    broken.start([(SELDOM_MET, "kill")])
    strike_and_die(broken, (SELDOM_MET, "kill"))

    broken.finish()


@pytest.mark.proof
@pytest.mark.timeout(300)
def test_a_service_that_hangs_with_the_chain_in_hand_holds_up_the_others_for_a_while_only(broken: Broken) -> None:
    cell = (HOLDS_UP_OTHERS, "hang")
    broken.start([cell])
    hanging = strike_and_hang(broken, cell)
    key, answers = broken.new_key(cell), []

    def is_issued() -> bool:
        answers.append(told(broken.file_now(key)))
        return answers[-1] == (201, "issued")

    assert wait(is_issued, HELD_UP_S), answers
    assert answers[0] == (503, "database_unavailable"), "while the first holds the chain, nobody else gets through"
    kill_while_they_hang(broken, [hanging])
    broken.finish()


@pytest.mark.proof
@pytest.mark.timeout(300)
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("point", POINTS)
def test_every_fault_at_every_point_is_finished_by_the_next_service(broken: Broken, point: str, action: str) -> None:
    cell = (point, action)
    broken.start([cell])
    if action == "kill":
        strike_and_die(broken, cell)
    elif action == "hang":
        kill_while_they_hang(broken, [strike_and_hang(broken, cell)])
    else:
        strike_and_answer(broken, cell)
        broken.town.stop()

    broken.finish()


def test_a_fault_that_cannot_be_read_prevents_the_start(broken: Broken) -> None:
    said = broken.town.refuses_to_start(PERMITS_FAILPOINT="printed=explode")

    assert said.startswith("permits : réglage PERMITS_FAILPOINT : no fault is named 'explode'")
