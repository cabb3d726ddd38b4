"""Reads a rulebook from YAML and GeoJSON, strictly: a mistake is told with its file and its line or key.

Every scalar is read as text, so that no figure ever passes through a binary float.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from permits.domain.rulebook import Limits, Rulebook

_LIMITS = {limit: f"limits/{limit}.yaml" for limit in Limits.model_fields}
_FILES = ("authority.yaml", "rules.yaml", "forbidden_periods.yaml", "prescriptions.yaml", "zones.geojson")
# Rulebooks stored before it existed have none.
_RETENTION = "retention.yaml"
MAX_FILES = 500
MAX_FILE_BYTES = 2_000_000


class RulebookError(Exception):
    """A rulebook that can't be used: the file, where in it, and what is wrong."""

    def __init__(self, file: str, where: str, problem: str) -> None:
        super().__init__(f"{file}: {where}: {problem}")
        self.file = file


class StrictLoader(yaml.BaseLoader):
    """YAML whose scalars stay text and whose duplicate keys are refused (PyYAML keeps the last one, silently)."""


def _unique_mapping(loader: StrictLoader, node: yaml.MappingNode) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(None, None, "a key is a word", key_node.start_mark)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"key {key!r} is given twice", key_node.start_mark)
        seen[key] = loader.construct_object(value_node, deep=True)
    return seen


StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _unique_mapping)


def read_directory(directory: Path) -> dict[str, str]:
    """Return the text of every rulebook file below `directory`, by its path relative to it."""
    paths = sorted(p for p in directory.rglob("*") if p.suffix in {".yaml", ".geojson"} and p.is_file())
    if not paths or len(paths) > MAX_FILES:
        raise RulebookError(
            str(directory), "directory", f"between 1 and {MAX_FILES} files expected, {len(paths)} found"
        )
    files = {}
    for path in paths:
        content = path.read_bytes()
        name = path.relative_to(directory).as_posix()
        if len(content) > MAX_FILE_BYTES:
            raise RulebookError(name, "file", f"larger than {MAX_FILE_BYTES} bytes")
        try:
            files[name] = content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise RulebookError(name, f"byte {error.start}", "not UTF-8") from None
    return files


def digest_of(files: Mapping[str, str]) -> str:
    """Return the SHA-256 that names exactly these files."""
    canonical = json.dumps(dict(files), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def load(files: Mapping[str, str]) -> Rulebook:
    """Return the rulebook these files describe, or raise RulebookError on the first mistake."""
    tariff = _tariff(files)
    _check_names(files, tariff)
    content = {
        "digest": digest_of(files),
        "authority": _parse(files, "authority.yaml"),
        "limits": _limits(files),
        "rules": _parse(files, "rules.yaml"),
        "forbidden_periods": _parse(files, "forbidden_periods.yaml"),
        "prescriptions": _parse(files, "prescriptions.yaml"),
        "tariff": _parse(files, tariff),
        "zones": _zones(files),
    }
    if _RETENTION in files:
        content["retention"] = _parse(files, _RETENTION)
    try:
        return Rulebook.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = [str(part) for part in first["loc"]]
        where = " > ".join(place[2:] if place[0] == "limits" else place[1:]) or "file"
        raise RulebookError(_file_of(place, tariff), where, first["msg"].removeprefix("Value error, ")) from None


def load_directory(directory: Path) -> tuple[Rulebook, dict[str, str]]:
    """Return the rulebook in `directory` and the files it was read from, to be kept under its digest."""
    files = read_directory(directory)
    return load(files), files


def read_authority(directory: Path) -> str:
    """Return the authority's id from authority.yaml alone, whatever else is wrong with the rulebook.

    Raises RulebookError when that file can't be read or names no id.
    """
    name = "authority.yaml"
    try:
        content = yaml.load((directory / name).read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
        given = content["identity"]["id"]
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RulebookError(name, "file", " ".join(str(error).split())) from None
    except (KeyError, TypeError):
        given = None
    if not isinstance(given, str) or not given:
        raise RulebookError(name, "identity > id", "missing")
    return given


def _parse(files: Mapping[str, str], name: str) -> Any:
    if name not in files:
        raise RulebookError(name, "file", "missing")
    try:
        return yaml.load(files[name], Loader=StrictLoader)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}" if error.problem_mark else "content"
        raise RulebookError(name, line, error.problem or "not YAML") from None
    except yaml.YAMLError as error:
        raise RulebookError(name, "content", str(error)) from None


def _tariff(files: Mapping[str, str]) -> str:
    tariffs = sorted(name for name in files if name.startswith("tariffs/"))
    if len(tariffs) != 1:
        raise RulebookError("tariffs/", "directory", f"one tariff file expected, found: {', '.join(tariffs) or 'none'}")
    return tariffs[0]


def _check_names(files: Mapping[str, str], tariff: str) -> None:
    known = {*_FILES, _RETENTION, tariff, *_LIMITS.values()}
    for name in sorted(files.keys() - known):
        raise RulebookError(name, "file", f"no file has this name; known: {', '.join(sorted(known))}")


def _limits(files: Mapping[str, str]) -> dict[str, Any]:
    return {limit: _parse(files, name) for limit, name in _LIMITS.items()}


def _zones(files: Mapping[str, str]) -> list[dict[str, Any]]:
    name = "zones.geojson"
    if name not in files:
        raise RulebookError(name, "file", "missing")
    try:
        collection = json.loads(files[name], object_pairs_hook=_unique_object)
        features = enumerate(collection["features"])
    except json.JSONDecodeError as error:
        raise RulebookError(name, f"line {error.lineno}", error.msg) from None
    except (KeyError, TypeError, ValueError) as error:
        raise RulebookError(name, "features", f"a FeatureCollection is expected ({error})") from None
    return [_zone(name, position, feature) for position, feature in features]


def _zone(name: str, position: int, feature: dict[str, Any]) -> dict[str, Any]:
    try:
        properties = feature["properties"]
        return {"id": properties["id"], "label": properties["label"], "ring": _single_ring(feature["geometry"])}
    except (KeyError, TypeError, ValueError) as error:
        problem = f"each feature needs an id, a label and a simple Polygon ({error})"
        raise RulebookError(name, f"features > {position}", problem) from None


def _unique_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a key is given twice among " + ", ".join(key for key, _ in pairs))
    return content


def _single_ring(geometry: dict[str, Any]) -> Any:
    if geometry["type"] != "Polygon" or len(geometry["coordinates"]) != 1:
        raise ValueError("a zone is one Polygon without holes")
    return geometry["coordinates"][0]


def _file_of(place: list[str], tariff: str) -> str:
    if place[:1] == ["limits"] and len(place) > 1:
        return f"limits/{place[1]}.yaml"
    if place[:1] == ["tariff"]:
        return tariff
    return {"zones": "zones.geojson"}.get(place[0], f"{place[0]}.yaml") if place else "rulebook"
