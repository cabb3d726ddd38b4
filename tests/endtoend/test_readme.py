"""The commands of the README do what it says: they are taken from its text and run."""

import json
import re
import subprocess

import pytest

from tests.endtoend.running import Demo, bare_environment
from tests.fakes import ROOT

pytestmark = pytest.mark.xdist_group("endtoend")

README = (ROOT / "README.md").read_text()


def shell_blocks() -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def here(command: str, demo: Demo) -> str:
    """Return the command with this demonstration's port and folder in place of the usual ones."""
    moved = command.replace("http://127.0.0.1:8000", demo.url)
    return re.sub(r"(?<![\w/.])var/", f"{demo.home}/var/", moved.replace("@var/", f"@{demo.home}/var/"))


def test_the_newcomers_commands_are_two_and_make_knows_them() -> None:
    makes = [block.strip() for block in shell_blocks() if block.startswith("make ")]

    assert makes == ["make run", "make test"]
    for command in makes:
        # A dry run: this very test is part of `make test`, and `make run` is what the other tests start.
        done = subprocess.run([*command.split(), "--dry-run"], cwd=ROOT, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        assert "scripts/setup.sh" in done.stdout
    assert (
        "permits demo"
        in subprocess.run(["make", "run", "--dry-run"], cwd=ROOT, capture_output=True, text=True, timeout=30).stdout
    )


def test_the_curl_of_the_readme_gives_a_permit(demo: Demo) -> None:
    (curl,) = [block for block in shell_blocks() if block.startswith("curl")]
    done = subprocess.run(
        ["bash", "-c", here(curl, demo)], cwd=ROOT, env=bare_environment(), capture_output=True, text=True, timeout=60
    )

    answer = json.loads(done.stdout)
    assert answer["outcome"] == "granted"
    assert answer["fee"]["total"] == "92.40"


def test_what_the_readme_shows_of_permits_issue_is_what_it_says(demo: Demo, tmp_path: object) -> None:
    shown = re.search(r"^\$ (\.venv/bin/permits issue \S+)\n((?:.+\n)+)", README, re.MULTILINE)
    assert shown is not None
    command = f"{shown[1]} --url {demo.url} --key-file {demo.home}/var/demo-key --output {tmp_path}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, env=bare_environment(), capture_output=True, text=True, timeout=60
    )

    def shape(text: str) -> str:
        """Forget what differs from one permit to the next."""
        text = text.replace(str(tmp_path) + "/", "").replace(demo.url, "http://127.0.0.1:8000").replace("```", "")
        return re.sub(r"EX-\d{4}-\d{6}", "EX", re.sub(r"/v/\S+", "/v/…", text)).strip()

    assert shape(done.stdout) == shape(shown[2])
