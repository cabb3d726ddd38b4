"""The habits of the house, as tests: style, types, arrows, a pure domain, locked files."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes import ROOT

# What may compute in the domain: nothing here reads a file, a clock or a socket at the domain's request.
PURE_LIBRARIES = {"pydantic", "stdnum", "holidays"}
IMPURE_STANDARD = {
    "os",
    "io",
    "pathlib",
    "socket",
    "subprocess",
    "urllib",
    "http",
    "tempfile",
    "time",
    "random",
    "secrets",
}


def run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.xdist_group("house")
@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        ["lint-imports"],
    ],
    ids=["ruff", "format", "mypy", "arrows"],
)
def test_the_code_is_clean(command: list[str]) -> None:
    run(str(Path(sys.executable).parent / command[0]), *command[1:])


@pytest.mark.xdist_group("house")
@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="one process runs everything")
def test_tests_of_one_group_go_to_one_process(request: pytest.FixtureRequest) -> None:
    """Of a release of pytest that the plugin can't group for, nothing else would tell."""
    assert request.node.nodeid.endswith("@house")


def imports_of(path: Path) -> set[str]:
    """Return the top names that a module imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    return names


@pytest.mark.parametrize("path", sorted((ROOT / "permits" / "domain").rglob("*.py")), ids=lambda path: path.stem)
def test_the_domain_is_pure(path: Path) -> None:
    allowed = (set(sys.stdlib_module_names) - IMPURE_STANDARD) | PURE_LIBRARIES | {"permits"}

    assert imports_of(path) <= allowed, imports_of(path) - allowed
    assert not re.search(r"\bopen\(|datetime\.now|date\.today|utcnow|uuid[14]\(", path.read_text())


def test_the_purity_test_sees_an_impure_module() -> None:
    """Negative control."""
    assert "subprocess" in imports_of(ROOT / "permits" / "demo.py")


def test_only_the_commands_know_the_composition_root() -> None:
    knowing = {path.parent.name for path in (ROOT / "permits").rglob("*.py") if "app" in imports_of(path)}

    assert knowing == {"cli"}


def functions_of(path: Path) -> list[tuple[str, int]]:
    tree = ast.parse(path.read_text())
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [(f"{path.name}:{node.name}", (node.end_lineno or 0) - node.lineno + 1) for node in found]


def test_no_function_is_longer_than_seventy_lines() -> None:
    sources = [ROOT / "app.py", *(ROOT / "permits").rglob("*.py")]
    long = [(name, lines) for path in sources for name, lines in functions_of(path) if lines > 70]

    assert not long


def test_every_room_says_what_is_true_in_its_docstrings() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "permits").rglob("*.py")
        if not ast.get_docstring(ast.parse(path.read_text()))
    ]

    assert not silent


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_the_lock_pins_by_hash_and_names_no_index(name: str) -> None:
    lines = (ROOT / name).read_text().splitlines()
    pinned = [line for line in lines if re.match(r"^[a-z0-9]", line)]

    assert pinned and all("==" in line for line in pinned)
    assert not [line for line in lines if re.search(r"https?://|--index|--find-links", line)]
    text = "\n".join(lines)
    assert text.count("--hash=sha256:") >= len(pinned)


def test_the_test_lock_agrees_with_the_runtime_lock() -> None:
    def pins(name: str) -> dict[str, str]:
        found = re.findall(r"^([a-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", (ROOT / name).read_text(), re.MULTILINE)
        return dict(found)

    runtime, tests = pins("requirements.txt"), pins("requirements-dev.txt")
    assert runtime
    assert {name: version for name, version in tests.items() if name in runtime} == runtime
