"""Reads a rulebook from YAML and GeoJSON, strictly: a mistake is told with its file and its line or key.

Every scalar is read as text, so that no figure ever passes through a binary float.
"""

import difflib
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from permits.domain.french_errors import french_message
from permits.domain.limits import Limits
from permits.domain.rulebook import Rulebook

_LIMITS = {limit: f"limits/{limit}.yaml" for limit in Limits.model_fields}
_FILES = ("authority.yaml", "rules.yaml", "forbidden_periods.yaml", "prescriptions.yaml", "zones.geojson")
# What a city may leave out, and rulebooks stored before it existed have not.
_OPTIONAL = {"retention": "retention.yaml", "questions": "questions.yaml", "calendars": "calendars.yaml"}
_SHORTEST_CITATION = 3
MAX_FILES = 500
MAX_FILE_BYTES = 2_000_000


Location = tuple[int | str, ...]


class RulebookError(Exception):
    """A rulebook that can't be used: the file, where in it, and what is wrong."""

    def __init__(self, file: str, where: str, problem: str) -> None:
        super().__init__(f"{file}: {where}: {problem}")
        self.file = file


class StrictLoader(yaml.BaseLoader):
    """YAML whose scalars stay text; a key given twice (PyYAML keeps the last) and an unquoted decimal are refused."""


_UNQUOTED_DECIMAL = re.compile(
    r"[-+]?(\d[\d_]*\.[\d_]*|\.\d[\d_]*|\d[\d_]*)([eE][-+]?\d+)?|[-+]?\.(inf|nan)", re.IGNORECASE
)


def _scalar(loader: StrictLoader, node: yaml.ScalarNode) -> str:
    plain = node.style is None and not node.value.lstrip("+-").isdecimal()
    if plain and _UNQUOTED_DECIMAL.fullmatch(node.value):
        problem = f'un nombre à décimales s’écrit entre guillemets : "{node.value}"'
        raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
    return str(node.value)


def _unique_mapping(loader: StrictLoader, node: yaml.MappingNode) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(None, None, "une clé est un mot", key_node.start_mark)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"« {key} » est donné deux fois", key_node.start_mark)
        seen[key] = loader.construct_object(value_node, deep=True)
    return seen


StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_SCALAR_TAG, _scalar)
StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _unique_mapping)


def read_directory(directory: Path) -> dict[str, str]:
    """Return the text of every rulebook file below `directory`, by its path relative to it."""
    paths = sorted(p for p in directory.rglob("*") if p.suffix in {".yaml", ".geojson"} and p.is_file())
    if not paths or len(paths) > MAX_FILES:
        raise RulebookError(
            str(directory),
            "dossier",
            f"de 1 à {MAX_FILES} fichiers .yaml ou .geojson sont attendus, {len(paths)} trouvés",
        )
    files = {}
    for path in paths:
        content = path.read_bytes()
        name = path.relative_to(directory).as_posix()
        if len(content) > MAX_FILE_BYTES:
            raise RulebookError(name, "fichier", f"plus de {MAX_FILE_BYTES} octets")
        try:
            files[name] = content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise RulebookError(name, f"octet {error.start}", "n’est pas en UTF-8") from None
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
    content |= {key: _parse(files, name) for key, name in _OPTIONAL.items() if name in files}
    for place, text in _citations(content):
        if len(text.strip()) < _SHORTEST_CITATION:
            file, path = _place_of(place, tariff)
            raise RulebookError(file, _where(files[file], path), "une citation a un titre : écrivez le texte cité")
    try:
        return Rulebook.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        inner = getattr(first.get("ctx", {}).get("error"), "path", ())
        file, path = _place_of((*first["loc"], *inner), tariff)
        raise RulebookError(file, _where(files.get(file, ""), path), _message(first)) from None


def _citations(value: Any, path: Location = ()) -> Iterator[tuple[Location, str]]:
    """Give the place and the text of each citation: whatever has a text and may have an address, or stands as cites."""
    if isinstance(value, dict):
        text = value.get("text")
        if isinstance(text, str) and value.keys() <= {"text", "url", "verification"}:
            yield (*path, "text"), text
        for key, inner in value.items():
            yield from _citations(inner, (*path, key))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _citations(inner, (*path, position))


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
        raise RulebookError(name, "fichier", " ".join(str(error).split())) from None
    except (KeyError, TypeError):
        given = None
    if not isinstance(given, str) or not given:
        raise RulebookError(name, "identity > id", "champ obligatoire")
    return given


def _parse(files: Mapping[str, str], name: str) -> Any:
    if name not in files:
        raise RulebookError(name, "fichier", "il manque")
    try:
        return yaml.load(files[name], Loader=StrictLoader)
    except yaml.MarkedYAMLError as error:
        line = f"ligne {error.problem_mark.line + 1}" if error.problem_mark else "contenu"
        raise RulebookError(name, line, _yaml_problem(error)) from None
    except yaml.YAMLError as error:
        raise RulebookError(name, "contenu", " ".join(str(error).split())) from None


# What PyYAML finds wrong, by the beginning of what it says.
_YAML_PROBLEMS = {
    "mapping values are not allowed": "un « : » de trop, ou une ligne mal alignée ; mettez le texte entre guillemets",
    "found character '\\t'": "une tabulation ; alignez avec des espaces",
    "could not find expected ':'": "il manque un « : » après le mot",
    "expected <block end>": "une ligne mal alignée",
    "found undefined alias": "un renvoi (*) sans son ancre (&)",
    "found unexpected end of stream": "des guillemets ou des accolades ne sont pas fermés",
    "expected ',' or": "une virgule, un crochet ou une accolade manque",
}


def _yaml_problem(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or ""
    known = next((told for begins, told in _YAML_PROBLEMS.items() if problem.startswith(begins)), None)
    if isinstance(error, yaml.constructor.ConstructorError):
        return problem
    return known or f"YAML mal formé ({problem})"


def _tariff(files: Mapping[str, str]) -> str:
    tariffs = sorted(name for name in files if name.startswith("tariffs/"))
    if len(tariffs) != 1:
        found = ", ".join(tariffs) or "aucun"
        raise RulebookError("tariffs/", "dossier", f"un seul fichier de tarif est attendu, trouvé : {found}")
    return tariffs[0]


def _check_names(files: Mapping[str, str], tariff: str) -> None:
    known = {*_FILES, *_OPTIONAL.values(), tariff, *_LIMITS.values()}
    for name in sorted(files.keys() - known):
        raise RulebookError(name, "fichier", f"aucun fichier ne porte ce nom ; connus : {', '.join(sorted(known))}")


def _limits(files: Mapping[str, str]) -> dict[str, Any]:
    return {limit: _parse(files, name) for limit, name in _LIMITS.items()}


def _zones(files: Mapping[str, str]) -> list[dict[str, Any]]:
    name = "zones.geojson"
    if name not in files:
        raise RulebookError(name, "fichier", "il manque")
    try:
        collection = json.loads(files[name], object_pairs_hook=_unique_object)
        features = enumerate(collection["features"])
    except json.JSONDecodeError as error:
        raise RulebookError(name, f"ligne {error.lineno}", f"JSON mal formé ({error.msg})") from None
    except (KeyError, TypeError, ValueError) as error:
        raise RulebookError(name, "features", f"une FeatureCollection est attendue ({error})") from None
    return [_zone(name, files[name], position, feature) for position, feature in features]


def _zone(name: str, text: str, position: int, feature: dict[str, Any]) -> dict[str, Any]:
    try:
        properties = feature["properties"]
        zone = {"id": properties["id"], "label": properties["label"], "ring": _single_ring(feature["geometry"])}
        return zone | {name: properties[name] for name in ("road", "in_agglomeration") if name in properties}
    except (KeyError, TypeError, ValueError) as error:
        problem = f"chaque zone a un id, un label et un Polygon simple ({error})"
        raise RulebookError(name, _where(text, ("features", position)), problem) from None


def _unique_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("une clé est donnée deux fois parmi " + ", ".join(key for key, _ in pairs))
    return content


def _single_ring(geometry: dict[str, Any]) -> Any:
    if geometry["type"] != "Polygon" or len(geometry["coordinates"]) != 1:
        raise ValueError("une zone est un Polygon sans trou")
    return geometry["coordinates"][0]


def _place_of(location: Location, tariff: str) -> tuple[str, Location]:
    """Return the file of a mistake, and where in it."""
    first, rest = str(location[0]) if location else "", location[1:]
    if first == "limits" and rest:
        return f"limits/{rest[0]}.yaml", rest[1:]
    if first == "zones":
        # One ring a feature is what the rulebook keeps of the collection.
        inside = ("properties", *rest[1:]) if rest[1:2] != ("ring",) else ("geometry", "coordinates", 0, *rest[2:])
        return "zones.geojson", ("features", *rest[:1], *(inside if rest[1:] else ()))
    return (tariff if first == "tariff" else f"{first}.yaml" if first else "rulebook"), rest


def _where(text: str, path: Location) -> str:
    """Return the line of the deepest part of `path` that the text holds, and the path for the reader."""
    shown = " > ".join(str(part) for part in path if part != "[key]")
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError:
        node = None
    line = 1
    for part in (str(each) if not isinstance(each, int) else each for each in path):
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == part), None)
            if found is not None:
                line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return f"ligne {line}" + (f", {shown}" if shown else "")


def _message(error: Any) -> str:
    """Return what is wrong, in French, and for an unknown word the nearest that is known."""
    if error["type"] != "extra_forbidden":
        return french_message(error)
    word = str(error["loc"][-1])
    near = difflib.get_close_matches(word, _known_words(), n=1)
    return f"« {word} » est inconnu ici" + (f" : vouliez-vous écrire « {near[0]} » ?" if near else " : ôtez-le")


@cache
def _known_words() -> list[str]:
    definitions = Rulebook.model_json_schema()["$defs"].values()
    return sorted({word for definition in definitions for word in definition.get("properties", ())})
