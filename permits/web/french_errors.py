"""Pydantic's findings about a request, in French, with JSON pointers."""

from collections.abc import Iterator, Sequence
from typing import Any

_MESSAGES = {
    "missing": "champ obligatoire",
    "extra_forbidden": "champ inconnu : retirez-le",
    "json_invalid": "JSON mal formé",
    "string_type": "un texte est attendu",
    "string_too_short": "au moins {min_length} caractères",
    "string_too_long": "au plus {max_length} caractères",
    "string_pattern_mismatch": "format inattendu",
    "int_type": "un entier est attendu",
    "int_parsing": "un entier est attendu",
    "int_from_float": "un entier est attendu",
    "float_type": "un nombre est attendu",
    "float_parsing": "un nombre est attendu",
    "finite_number": "un nombre fini est attendu",
    "decimal_type": "un nombre est attendu",
    "decimal_parsing": "un nombre est attendu",
    "decimal_max_digits": "trop de chiffres",
    "decimal_max_places": "au plus {decimal_places} décimales",
    "decimal_whole_digits": "nombre trop grand",
    "bool_type": "true ou false est attendu",
    "bool_parsing": "true ou false est attendu",
    "greater_than": "doit être supérieur à {gt}",
    "greater_than_equal": "doit être au moins {ge}",
    "less_than_equal": "doit être au plus {le}",
    "less_than": "doit être inférieur à {lt}",
    "enum": "valeur inconnue ; attendu : {expected}",
    "literal_error": "valeur inconnue ; attendu : {expected}",
    "date_type": "une date est attendue : AAAA-MM-JJ",
    "date_parsing": "une date est attendue : AAAA-MM-JJ",
    "date_from_datetime_parsing": "une date est attendue : AAAA-MM-JJ",
    "date_from_datetime_inexact": "une date sans heure est attendue : AAAA-MM-JJ",
    "time_parsing": "une heure est attendue : HH:MM",
    "time_type": "une heure est attendue : HH:MM",
    "uuid_parsing": "identifiant mal formé",
    "list_type": "une liste est attendue",
    "tuple_type": "une liste est attendue",
    "too_short": "au moins {min_length} éléments",
    "too_long": "au plus {max_length} éléments",
    "model_type": "un objet est attendu",
    "model_attributes_type": "un objet est attendu",
    "dict_type": "un objet est attendu",
}


def field_errors(errors: Sequence[Any], limit: int = 50) -> Iterator[tuple[str, str, str]]:
    """Yield (JSON pointer, code, French message) for each finding, at most `limit`."""
    for error in errors[:limit]:
        if error["type"] == "too_short" and _is_explained(error["loc"], errors):
            continue
        where, *path = error["loc"]
        yield _pointer(where, path), error["type"], _message(error)


def _is_explained(place: tuple[Any, ...], errors: Sequence[Any]) -> bool:
    """True when an element of this list is itself wrong: pydantic then counts it as missing."""
    return any(len(error["loc"]) > len(place) and error["loc"][: len(place)] == place for error in errors)


def _pointer(where: object, path: list[Any]) -> str:
    parts = [str(part).replace("~", "~0").replace("/", "~1") for part in path]
    pointer = "".join(f"/{part}" for part in parts)
    return pointer if where == "body" else f"{where}:{pointer.lstrip('/')}"


def _message(error: dict[str, Any]) -> str:
    kind = error["type"]
    if kind == "value_error":
        text = str(error["msg"]).removeprefix("Value error, ")
        return "adresse électronique invalide" if text.startswith("value is not a valid email") else text
    template = _MESSAGES.get(kind, "valeur refusée")
    context = {name: str(value).replace(" or ", " ou ") for name, value in error.get("ctx", {}).items()}
    return template.format_map(_Forgiving(context))


class _Forgiving(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "…"
