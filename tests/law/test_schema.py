"""The schemas that editors read accept what the loader accepts, and underline what it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from permits.domain.french_errors import PATTERNS
from permits.law.schema import schemas
from tests.domain.builders import RULEBOOK_DIRECTORY
from tests.fakes import ROOT

WRITTEN = ROOT / "rulebooks" / "schema"
FILES = sorted(RULEBOOK_DIRECTORY.rglob("*.yaml"))
CITIES = sorted((ROOT / "tests" / "cities").glob("*/tariff.yaml")) + sorted(
    (ROOT / "tests" / "cities").glob("*/questions.yaml")
)


class EditorLoader(yaml.SafeLoader):
    """YAML as an editor reads it: 1.2, where a day is text."""


EditorLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _NOT_IN_CORE]
    for _NOT_IN_CORE in ({"tag:yaml.org,2002:timestamp"},)
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def schema_of(path: Path) -> Draft202012Validator:
    name = f"limits/{path.stem}" if path.parent.name == "limits" else path.stem
    if "tariff" in (path.parent.name.removesuffix("s"), path.stem):
        name = "tariff"
    return Draft202012Validator(json.loads((WRITTEN / f"{name}.json").read_text(encoding="utf-8")))


def content(path: Path, before: str = "", after: str = "") -> Any:
    text = path.read_text(encoding="utf-8")
    assert before in text
    return yaml.load(text.replace(before, after, 1), Loader=EditorLoader)


def test_the_written_schemas_are_those_of_the_code() -> None:
    written = {path.relative_to(WRITTEN).as_posix(): path.read_text("utf-8") for path in WRITTEN.rglob("*.json")}
    assert written == schemas(), "run `permits rulebook schema`"


@pytest.mark.parametrize("path", [*FILES, *CITIES], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_the_loader_reads_is_valid(path: Path) -> None:
    validator = schema_of(path)
    Draft202012Validator.check_schema(validator.schema)
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(content(path))] == []


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("tariffs/droits_de_voirie.yaml", 'rate: "1.20"', "rate: 1.20"),
        ("tariffs/droits_de_voirie.yaml", 'rate: "1.20"', 'rat: "1.20"'),
        ("tariffs/droits_de_voirie.yaml", "unit: m2, per: day", "unit: m2, per: days"),
        ("limits/footway_min_clear_width_m.yaml", "label: ", "lable: "),
        ("authority.yaml", "    acts: [abrogation", "    acts: [refusal"),
        ("authority.yaml", "  parking_breach:", "  breach:"),
        ("questions.yaml", "if_silent:", "silent:"),
        ("forbidden_periods.yaml", "  zone: marche", "  area: marche"),
    ],
)
def test_a_mistake_is_underlined(name: str, before: str, after: str) -> None:
    path = RULEBOOK_DIRECTORY / name
    assert list(schema_of(path).iter_errors(content(path))) == []
    assert list(schema_of(path).iter_errors(content(path, before, after))) != []


def _patterns(schema: Any) -> set[str]:
    """Every pattern that a schema asks a text to match."""
    if isinstance(schema, list):
        return {pattern for each in schema for pattern in _patterns(each)}
    if not isinstance(schema, dict):
        return set()
    own = {schema["pattern"]} if isinstance(schema.get("pattern"), str) else set()
    return own | {pattern for each in schema.values() for pattern in _patterns(each)}


def test_each_pattern_is_told_in_words_to_who_writes_otherwise() -> None:
    asked = _patterns([json.loads(text) for text in schemas().values()])
    asked |= _patterns(yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8")))
    figure = r"^-?\d+(\.\d+)?$"
    assert figure in asked
    assert asked - PATTERNS.keys() == {figure}
