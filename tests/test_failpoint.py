"""The named points at which a test makes the service fail: where they are, and what happens there."""

import ast
import errno
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from psycopg.errors import DiskFull
from sqlalchemy.exc import OperationalError

from permits import failpoint
from permits.failpoint import FILING, POINTS, RECORDING, FailpointError, arm, disarm, reach
from permits.issue import finish_act, issue_permit
from permits.settings import Settings
from tests.fakes import ROOT, FakeOffice


@pytest.fixture(autouse=True)
def harmless_afterwards() -> Iterator[None]:
    yield
    disarm()


def reached_in(source: str) -> list[str | None]:
    """Return what each call of `reach` is given: a name, or None for what is not written there as one."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    given = [
        call.args[0] if call.args else None
        for call in calls
        if "reach" in (getattr(call.func, "id", None), getattr(call.func, "attr", None))
    ]
    return [each.value if isinstance(each, ast.Constant) else None for each in given]


def test_every_point_is_reached_at_exactly_one_place_and_no_other_name_is() -> None:
    sources = [ROOT / "app.py", *(ROOT / "permits").rglob("*.py")]
    reached = Counter(name for path in sources for name in reached_in(path.read_text()))

    assert reached == Counter(POINTS)
    assert len(POINTS) == 16


def test_a_point_reached_twice_or_by_a_computed_name_would_be_seen() -> None:
    """Negative control."""
    source = 'reach("a"); failpoint.reach("a"); reach(f"{b}"); reach(); reached("c")'

    assert reached_in(source) == ["a", "a", None, None]


def test_a_permit_passes_every_point_once_in_the_order_of_the_walk(
    office: FakeOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed: list[str] = []
    monkeypatch.setattr(failpoint, "_armed", [])
    monkeypatch.setattr(failpoint, "_pass", passed.append)

    filed, _ = issue_permit(office.desk, office.filing())
    assert filed.act is not None

    assert tuple(passed) == POINTS
    finish_act(office.desk, filed.act.id)
    assert tuple(passed) == POINTS, "an issued permit has nothing left to pass"


def test_nothing_happens_unless_it_was_asked_for() -> None:
    for name in POINTS:
        reach(name)


def test_no_setting_arms_it_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PERMITS_FAILPOINT", raising=False)

    assert Settings().failpoint is None


def test_a_fault_strikes_once_at_the_passage_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    arm("printed=raise@3, sealed=raise")

    reach("printed")
    reach("printed")
    with pytest.raises(FailpointError, match="printed"):
        reach("printed")
    reach("printed")
    with pytest.raises(FailpointError, match="sealed"):
        reach("sealed")
    reach("sealed")

    assert [record.failpoint for record in caplog.records] == ["printed", "sealed"]


def test_two_faults_at_one_point_each_count_every_passage() -> None:
    arm("printed=raise,printed=disk_full@3")

    with pytest.raises(FailpointError):
        reach("printed")
    reach("printed")
    with pytest.raises(OSError, match="No space left"):
        reach("printed")
    reach("printed")


def test_what_was_disarmed_does_not_strike() -> None:
    arm("printed=raise")
    disarm()

    reach("printed")


@pytest.mark.parametrize("name", POINTS)
def test_a_full_disk_is_told_as_it_would_be_there(name: str) -> None:
    arm(f"{name}=disk_full")

    if name in RECORDING + FILING:
        with pytest.raises(OperationalError) as refused:
            reach(name)
        assert isinstance(refused.value.orig, DiskFull)
    else:
        with pytest.raises(OSError, match="No space left") as full:
            reach(name)
        assert full.value.errno == errno.ENOSPC


def armed_elsewhere(specification: str) -> subprocess.Popen[bytes]:
    """Reach the point `printed` in another process, then end with the code 3."""
    code = f"from permits.failpoint import arm, reach; arm({specification!r}); reach('printed'); raise SystemExit(3)"
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL)


@pytest.mark.parametrize(("specification", "code"), [("printed=kill", -9), ("sealed=kill", 3)])
def test_a_kill_is_a_sigkill_of_the_process_itself(specification: str, code: int) -> None:
    assert armed_elsewhere(specification).wait(30) == code


def test_a_hang_lasts_until_it_is_killed() -> None:
    hanging = armed_elsewhere("printed=hang")
    with pytest.raises(subprocess.TimeoutExpired):
        hanging.wait(2)
    hanging.kill()
    hanging.wait(10)


def test_a_hang_ends_by_itself_at_last(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    arm("printed=hang")

    reach("printed")

    assert slept == [600.0]


@pytest.mark.parametrize(
    "specification",
    [
        "",
        "printed",
        "printed=",
        "printed=explode",
        "painted=raise",
        "printed=@2",
        "printed=raise@",
        "printed=raise@0",
        "printed=raise@x",
        "printed=raise@1@2",
        "printed=raise,",
    ],
)
def test_what_cannot_be_read_is_refused(specification: str) -> None:
    with pytest.raises(ValueError, match="'"):
        arm(specification)

    reach("printed")


def test_passing_an_unarmed_point_costs_next_to_nothing() -> None:
    began = time.perf_counter()
    for _ in range(100_000):
        reach("printed")

    assert time.perf_counter() - began < 1, "ten microseconds each would be a hundred times too much"
