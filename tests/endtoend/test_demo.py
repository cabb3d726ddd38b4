"""What a newcomer sees: `make run`, the printed commands, and what is left when it ends, in whatever way."""

import hashlib
import json
import os
import re
import shlex
import signal
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from permits.document import french
from permits.examples import with_coming_dates
from tests.endtoend.running import (
    Demo,
    Running,
    bare_environment,
    besides_the_database,
    free_port,
    listening,
    nothing_runs,
    processes_of,
    wait,
)
from tests.fakes import ROOT

pytestmark = pytest.mark.xdist_group("endtoend")

EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.json"))
# Five on two quiet cores (make proof measures that); a test run is seldom quiet.
READY_WITHIN_S = 30


def post(demo: Demo, name: str, key: str | None = None) -> httpx.Response:
    """File one of the examples with coming dates."""
    body = with_coming_dates(json.loads((ROOT / "examples" / f"{name}.json").read_text()), date.today())
    headers = {"Authorization": f"Bearer {demo.key()}", "Idempotency-Key": key or str(uuid4())}
    return httpx.post(f"{demo.url}/v1/applications", json=body, headers=headers, timeout=30)


def switch(demo: Demo, trouble: str) -> None:
    """Begin the sandbox's "outage", or its "recovery"."""
    httpx.post(f"{demo.sandbox_url()}/_sandbox/{trouble}", timeout=10).raise_for_status()


def shell(command: str) -> str:
    """Run a line as a newcomer would, in a shell that knows nothing of the demonstration's settings."""
    done = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, env=bare_environment(), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def document_of(demo: Demo, number: str) -> bytes:
    headers = {"Authorization": f"Bearer {demo.key()}"}
    answer = httpx.get(f"{demo.url}/v1/permits/{number}/document", headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.content


def squeezed(text: str) -> str:
    """Return the text without any space: lines break where they like."""
    return "".join(text.split())


def test_it_is_ready(demo: Demo) -> None:
    answer = httpx.get(f"{demo.url}/readyz", timeout=30)

    assert answer.status_code == 200
    assert all(check["ok"] for check in answer.json()["checks"] if check["failing"]), answer.text


@pytest.fixture(scope="session")
def waiting(installed: Demo) -> httpx.Response:
    """The answer to an application filed while the registry is out of order. The outage then ends."""
    answer = post(installed.up(), "10-registry-outage-awaiting")
    switch(installed, "recovery")
    return answer


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_ends_as_its_name_says(name: str, demo: Demo, request: pytest.FixtureRequest) -> None:
    expected = name.rsplit("-", 1)[1]

    answer = request.getfixturevalue("waiting") if expected == "awaiting" else post(demo, name)

    if expected == "problem":
        assert answer.status_code == 422
        assert answer.headers["Content-Type"] == "application/problem+json"
    else:
        assert answer.status_code == (202 if expected == "awaiting" else 201), answer.text
        assert answer.json()["outcome"].removesuffix("_registry") == expected
        assert (answer.json()["permit"] is None) == (expected != "granted")


def test_the_printed_curl_gives_a_permit(demo: Demo, program: Callable[[str], str]) -> None:
    program("curl")

    *body, status = shell(demo.printed("curl") + r" --write-out '\n%{http_code}'").splitlines()

    answer = json.loads("".join(body))
    assert status == "201"
    assert answer["outcome"] == "granted"
    assert re.fullmatch(r"EX-\d{4}-\d{6}", answer["permit"]["number"])
    assert answer["permit"]["state"] == "issued"
    assert (
        hashlib.sha256(document_of(demo, answer["permit"]["number"])).hexdigest()
        == (answer["permit"]["document_sha256"])
    )


@pytest.fixture(scope="module")
def arrete(installed: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The PDF that the printed `permits issue` saves."""
    folder = tmp_path_factory.mktemp("arrete")
    shell(f"{installed.up().printed('.venv/bin/permits issue')} --output {shlex.quote(str(folder))}")
    (path,) = folder.glob("EX-*.pdf")
    return path


def test_its_seal_is_valid_and_covers_every_byte(arrete: Path, program: Callable[[str], str]) -> None:
    told = subprocess.run([program("pdfsig"), "-nocert", arrete], capture_output=True, text=True, timeout=30).stdout

    assert "Signature is Valid" in told
    assert "Total document signed" in told
    assert "Not total document signed" not in told


def test_one_byte_more_is_told_by_the_same_program(arrete: Path, tmp_path: Path, program: Callable[[str], str]) -> None:
    longer = tmp_path / "longer.pdf"
    longer.write_bytes(arrete.read_bytes() + b"\n")

    told = subprocess.run([program("pdfsig"), "-nocert", longer], capture_output=True, text=True, timeout=30).stdout

    assert "Not total document signed" in told


def test_its_structure_is_sound(arrete: Path, program: Callable[[str], str]) -> None:
    done = subprocess.run([program("qpdf"), "--check", arrete], capture_output=True, text=True, timeout=30)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "No syntax or stream encoding errors found" in done.stdout


def test_its_data_are_attached(arrete: Path, tmp_path: Path, program: Callable[[str], str]) -> None:
    listed = subprocess.run([program("pdfdetach"), "-list", arrete], capture_output=True, text=True, timeout=30).stdout
    assert re.search(r"^1 embedded files\n1: \S+\.json$", listed, re.MULTILINE)

    saved = tmp_path / "permit.json"
    subprocess.run([program("pdfdetach"), "-save", "1", "-o", saved, arrete], check=True, timeout=30)

    permit = json.loads(saved.read_text())
    assert f"{permit['number']}.pdf" == arrete.name
    assert permit["beneficiary"]["siret"] == "99999001300024"


def test_it_says_all_it_must(arrete: Path, program: Callable[[str], str]) -> None:
    body = with_coming_dates(json.loads((ROOT / "examples" / f"{EXAMPLES[0]}.json").read_text()), date.today())
    starts_on, ends_on = date.fromisoformat(body["starts_on"]), date.fromisoformat(body["ends_on"])

    text = subprocess.run([program("pdftotext"), arrete, "-"], capture_output=True, text=True, timeout=30).stdout

    must_be_there = [
        f"n° {arrete.stem}",
        "999 990 013 00024",
        "ECHAFAUDAGES DU MODELE",
        french.period(starts_on, ends_on),
        french.long_date(ends_on),
        "Total 92,40 €",
        "traitement algorithmique",
        "CADA",
        "SPÉCIMEN",
    ]
    found = squeezed(text).translate({0x2011: "-", 0x2010: "-"})
    assert [words for words in must_be_there if squeezed(words).translate({0x2011: "-"}) not in found] == []


def test_what_waited_for_the_registry_is_granted_by_itself(demo: Demo, waiting: httpx.Response) -> None:
    address = f"{demo.url}/v1/applications/{waiting.json()['id']}"
    headers = {"Authorization": f"Bearer {demo.key()}"}

    def present() -> dict[str, Any]:
        answer: dict[str, Any] = httpx.get(address, headers=headers, timeout=30).json()
        return answer

    switch(demo, "recovery")
    try:
        assert wait(lambda: (present()["permit"] or {}).get("state") == "issued", 60), present()
    finally:
        switch(demo, "outage")
    assert present()["outcome"] == "granted"
    assert document_of(demo, present()["permit"]["number"])


def test_a_second_start_finds_its_data_again(demo: Demo, record_property: Callable[[str, object], None]) -> None:
    key, permit = demo.key(), post(demo, EXAMPLES[0]).json()["permit"]
    document = document_of(demo, permit["number"])
    assert len(demo.processes()) >= 7, "the service, its workers, their server, the sandbox, PostgreSQL"

    assert demo.running is not None
    assert demo.running.press_ctrl_c() == 0
    assert nothing_runs(demo.home), demo.processes()

    seconds = demo.start()

    record_property("second_start_seconds", round(seconds, 2))
    print(f"second start: {seconds:.1f} s")
    assert seconds < READY_WITHIN_S
    assert demo.key() == key
    assert document_of(demo, permit["number"]) == document


def test_a_killed_service_ends_the_demonstration_and_leaves_nothing(demo: Demo) -> None:
    assert demo.running is not None

    os.kill(demo.pid("permits serve"), signal.SIGKILL)

    assert demo.running.process.wait(30) == 1
    assert "rien n’est perdu" in demo.running.said()
    assert nothing_runs(demo.home), demo.processes()


def test_a_killed_demonstration_leaves_only_the_database_which_is_found_again(demo: Demo) -> None:
    assert demo.running is not None
    database = (demo.home / "var" / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0]
    number = post(demo, EXAMPLES[0]).json()["permit"]["number"]

    demo.running.kill()

    assert wait(lambda: not besides_the_database(demo.home), 30), besides_the_database(demo.home)
    assert int(database) in demo.processes()
    demo.start()
    assert (demo.home / "var" / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0] == database
    assert document_of(demo, number)


def test_ctrl_c_while_it_starts_leaves_nothing(home: Path) -> None:
    elsewhere = home / "interrupted"
    elsewhere.mkdir(mode=0o755)
    starting = Running(elsewhere, "demo", PERMITS_PORT=str(free_port()))
    starting.until(lambda: "permits serve" in "".join(processes_of(elsewhere).values()), "the service is being started")

    assert starting.press_ctrl_c() == 0

    assert nothing_runs(elsewhere), processes_of(elsewhere)
    assert "Traceback" not in starting.said()


def test_a_port_in_use_is_told_in_one_line(home: Path) -> None:
    with listening() as port:
        refused = Running(home, "demo", PERMITS_PORT=str(port))
        assert refused.process.wait(30) == 1

    assert re.fullmatch(rf"permits : le port {port} est déjà pris[^\n]*\n", refused.said())
