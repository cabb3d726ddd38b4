"""Reads a rulebook from its files: a mistake is told with its file, its line, and what to write instead."""

import difflib
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from permits.domain.arms import drawing
from permits.domain.french_errors import french_message
from permits.domain.limits import Limits
from permits.domain.rulebook import Rulebook, Zone
from permits.law.lint import first_fault
from permits.law.strict import Location, Malformed, line_of, read_json, read_yaml, text_at

_LIMITS = {limit: f"limits/{limit}.yaml" for limit in Limits.model_fields}
_ZONES = "zones.geojson"
_ARMS = "arms.svg"
_FILES = ("authority.yaml", "rules.yaml", "forbidden_periods.yaml", "prescriptions.yaml", _ZONES)
# What a city may leave out, and rulebooks stored before it existed have not.
_OPTIONAL = {"retention": "retention.yaml", "questions": "questions.yaml", "calendars": "calendars.yaml"}
_SHORTEST_CITATION = 3
_WEB_ADDRESS = re.compile(r"https?://[^\s/]+(/\S*)?")
# The extensions that are read, by what people write.
_MEANT = {".yaml": ".yaml", ".yml": ".yaml", ".geojson": ".geojson", ".svg": ".svg"}
MAX_FILES = 500
MAX_FILE_BYTES = 2_000_000


class RulebookError(Exception):
    """A rulebook that can't be used: the file, where in it, and what is wrong."""

    def __init__(self, file: str, where: str, problem: str) -> None:
        super().__init__(f"{file}: {where}: {problem}")
        self.file = file


def read_directory(directory: Path) -> dict[str, str]:
    """Return the text of every rulebook file below `directory`, by its path relative to it."""
    if not directory.is_dir():
        raise RulebookError(str(directory), "dossier", "aucun dossier ne porte ce nom")
    found = sorted(path for path in directory.rglob("*") if path.is_file())
    for path in found:
        expected = _MEANT.get(path.suffix.lower())
        if expected is not None and path.suffix != expected:
            name = path.relative_to(directory).as_posix()
            raise RulebookError(name, "fichier", f"serait ignoré : l’extension s’écrit {expected}")
    paths = [path for path in found if path.suffix in _MEANT.values()]
    if not paths or len(paths) > MAX_FILES:
        raise RulebookError(
            str(directory),
            "dossier",
            f"de 1 à {MAX_FILES} fichiers .yaml, .geojson ou .svg sont attendus, {len(paths)} trouvés",
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
            line = content.count(b"\n", 0, error.start) + 1
            raise RulebookError(name, f"ligne {line}", "n’est pas en UTF-8 : enregistrez le fichier en UTF-8") from None
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
        "authority": _with_arms(_parse(files, "authority.yaml"), files),
        "limits": _limits(files),
        "rules": _parse(files, "rules.yaml"),
        "forbidden_periods": _parse(files, "forbidden_periods.yaml"),
        "prescriptions": _parse(files, "prescriptions.yaml"),
        "tariff": _parse(files, tariff),
        "zones": _zones(files),
    }
    content |= {key: _parse(files, name) for key, name in _OPTIONAL.items() if name in files}
    for place, citation in _citations(content):
        if (fault := _citation_fault(citation)) is not None:
            field, problem = fault
            file, path = _place_of((*place, field), tariff)
            raise RulebookError(file, _where(files[file], path), problem)
    try:
        return Rulebook.model_validate(content)
    except ValidationError as error:
        first = _first(error)
        inner = getattr(first.get("ctx", {}).get("error"), "path", ())
        file, path = _place_of((*first["loc"], *inner), tariff)
        raise RulebookError(file, _where(files.get(file, ""), path), _message(first, file)) from None


def check(rulebook: Rulebook, files: Mapping[str, str]) -> None:
    """Raise RulebookError on the first thing that must be right before a rulebook that reads well comes into force."""
    if (fault := first_fault(rulebook)) is not None:
        location, problem = fault
        file, path = _place_of(location, _tariff(files))
        raise RulebookError(file, _where(files[file], path), problem)


def _citation_fault(citation: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return which field of a citation is wrong, and why."""
    url = citation.get("url")
    if len(citation["text"].strip()) < _SHORTEST_CITATION:
        return "text", "une citation a un titre : écrivez le texte cité"
    if isinstance(url, str) and not _WEB_ADDRESS.fullmatch(url):
        return "url", "une adresse web est attendue : https://…"
    return None


def _citations(value: Any, path: Location = ()) -> Iterator[tuple[Location, Mapping[str, Any]]]:
    """Give each citation and its place: whatever has a text and nothing but what a citation may have."""
    if isinstance(value, dict):
        if isinstance(value.get("text"), str) and value.keys() <= {"text", "url", "verification"}:
            yield path, value
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
        given = text_at((directory / name).read_text(encoding="utf-8"), ("identity", "id"))
    except (OSError, UnicodeDecodeError) as error:
        raise RulebookError(name, "fichier", " ".join(str(error).split())) from None
    if not given:
        raise RulebookError(name, "identity > id", "champ obligatoire")
    return given


def _parse(files: Mapping[str, str], name: str) -> Any:
    if name not in files:
        raise RulebookError(name, "fichier", "il manque")
    try:
        return read_json(files[name]) if name == _ZONES else read_yaml(files[name])
    except Malformed as error:
        raise RulebookError(name, f"ligne {error.line}", str(error)) from None


def _with_arms(authority: Any, files: Mapping[str, str]) -> Any:
    """Return the authority with its arms, which a city may leave out."""
    if _ARMS not in files or not isinstance(authority, dict) or not isinstance(authority.get("identity"), dict):
        return authority
    try:
        return authority | {"identity": authority["identity"] | {"arms": drawing(files[_ARMS])}}
    except ValueError as error:
        raise RulebookError(_ARMS, "fichier", str(error)) from None


def _tariff(files: Mapping[str, str]) -> str:
    tariffs = sorted(name for name in files if name.startswith("tariffs/"))
    if len(tariffs) != 1:
        found = ", ".join(tariffs) or "aucun"
        raise RulebookError("tariffs/", "dossier", f"un seul fichier de tarif est attendu, trouvé : {found}")
    return tariffs[0]


def _check_names(files: Mapping[str, str], tariff: str) -> None:
    known = {*_FILES, *_OPTIONAL.values(), _ARMS, tariff, *_LIMITS.values()}
    for name in sorted(files.keys() - known):
        raise RulebookError(name, "fichier", f"aucun fichier ne porte ce nom ; connus : {', '.join(sorted(known))}")


def _limits(files: Mapping[str, str]) -> dict[str, Any]:
    return {limit: _parse(files, name) for limit, name in _LIMITS.items()}


def _zones(files: Mapping[str, str]) -> list[dict[str, Any]]:
    collection = _parse(files, _ZONES)
    features = collection.get("features") if isinstance(collection, dict) else None
    if not isinstance(features, list):
        raise RulebookError(_ZONES, "features", "une FeatureCollection est attendue, avec ses features")
    return [_zone(files[_ZONES], position, feature) for position, feature in enumerate(features)]


def _zone(text: str, position: int, feature: Any) -> dict[str, Any]:
    """Return a zone as the rulebook keeps it: the properties of the feature, and its ring."""
    properties = feature.get("properties") if isinstance(feature, dict) else None
    geometry = feature.get("geometry") if isinstance(feature, dict) else None
    if not isinstance(properties, dict) or not isinstance(geometry, dict) or "ring" in properties:
        problem = "chaque zone est une Feature : properties (id, label) et geometry (Polygon)"
        raise RulebookError(_ZONES, _where(text, ("features", position)), problem)
    rings = geometry.get("coordinates")
    if geometry.get("type") != "Polygon" or not isinstance(rings, list) or len(rings) != 1:
        problem = "une zone est un Polygon d’un seul tenant, sans trou : découpez-la en plusieurs zones"
        raise RulebookError(_ZONES, _where(text, ("features", position, "geometry")), problem)
    return properties | {"ring": rings[0]}


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
    shown = " > ".join(str(part) for part in path if not str(part).startswith("["))
    return f"ligne {line_of(text, path)}" + (f", {shown}" if shown else "")


def _first(error: ValidationError) -> Any:
    """Return the first mistake; of a word misspelt, both missing and unknown, that it is unknown."""
    found = error.errors(include_url=False)
    first = found[0]
    if first["type"] != "missing":
        return first
    unknown = (each for each in found if each["type"] == "extra_forbidden" and each["loc"][:-1] == first["loc"][:-1])
    return next(unknown, first)


def _message(error: Any, file: str) -> str:
    """Return what is wrong, in French, and for an unknown word the nearest that its file may hold."""
    if error["type"] in ("model_type", "model_attributes_type", "dict_type"):
        return "des champs sont attendus ici, chacun avec sa valeur : « mot: valeur »"
    if error["type"] != "extra_forbidden":
        return french_message(error)
    word = str(error["loc"][-1])
    if not word.isidentifier():
        return f"« {word} » est inconnu ici ; un texte qui contient une virgule ou « : » se met entre guillemets"
    near = difflib.get_close_matches(word, [known for known in _words_of(file) if known != word], n=1)
    return f"« {word} » est inconnu ici" + (f" : vouliez-vous écrire « {near[0]} » ?" if near else " : ôtez-le")


def _words_of(file: str) -> list[str]:
    """Return every word that is the name of a field somewhere in a file."""
    name = "tariff" if file.startswith("tariffs/") else file.rsplit(".", 1)[0]
    model = Zone if file == _ZONES else Limits if name.startswith("limits/") else Rulebook
    field = name.removeprefix("limits/")
    schema = TypeAdapter(model if model is Zone else model.model_fields[field].rebuild_annotation()).json_schema()
    found = [schema, *schema.get("$defs", {}).values()]
    return sorted({word for each in found for word in each.get("properties", ())})
