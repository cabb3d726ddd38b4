"""What pydantic finds wrong with a value, in French."""

from typing import Any

_MESSAGES = {
    "missing": "champ obligatoire",
    "extra_forbidden": "champ inconnu : retirez-le",
    "json_invalid": "JSON mal formé",
    "string_type": "un texte est attendu",
    "string_too_short": "au moins {min_length} caractères",
    "string_too_long": "au plus {max_length} caractères",
    "string_pattern_mismatch": "format attendu : {pattern}",
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
    "too_short": "éléments attendus : {min_length} au moins",
    "too_long": "éléments attendus : {max_length} au plus",
    "model_type": "un objet est attendu",
    "model_attributes_type": "un objet est attendu",
    "dict_type": "un objet est attendu",
}


# What each pattern asks for, as a person reads it.
PATTERNS = {
    r"^[A-Z]{2,8}$": "2 à 8 capitales, par exemple EX",
    r"^[a-z_]{3,40}$": "minuscules et _, 3 au moins",
    r"^EPSG:\d{4,5}$": "EPSG: et un code, par exemple EPSG:3948",
    r"^[A-Z]{2}$": "le code d’un pays en deux capitales, par exemple FR",
    r"^[A-Z]{3}$": "le code d’une monnaie en trois capitales, par exemple EUR",
    r"^\+?[0-9 .()-]{6,20}$": "un numéro de téléphone, par exemple 02 99 00 00 00",
    r"^[a-z][a-z0-9_-]{0,39}$": "un mot en minuscules, chiffres, - et _, qui commence par une lettre",
    r"^[a-z0-9][a-z0-9_.-]{0,39}$": "un mot en minuscules, ou un nombre",
    r"^\d{2}-\d{2}$": "MM-JJ, par exemple 07-14",
    r"^(\d{4})-(\d{1,9})$": "le curseur que rend la page précédente",
    r"^[A-Za-z0-9_-]+$": "le code imprimé sur le document",
    r"^[0-9a-f]{64}$": "une empreinte SHA-256 : 64 chiffres et lettres de a à f",
    r"^[A-Z]{2,8}-\d{4}-\d{6,9}$": "un numéro d’acte, par exemple EX-2027-000001",
}


def french_message(error: Any) -> str:
    """Return what one of ValidationError.errors() says, as a person reads it."""
    kind = error["type"]
    if kind == "value_error":
        text = str(error["msg"]).removeprefix("Value error, ")
        return "adresse électronique invalide" if text.startswith("value is not a valid email") else text
    if kind in ("too_short", "too_long") and error.get("ctx", {}).get("field_type") == "Value":
        # Our own texts, whose length is looked at once they are cleaned.
        kind = f"string_{kind}"
    template = _MESSAGES.get(kind, "valeur refusée")
    context = {name: str(value).replace(" or ", " ou ") for name, value in error.get("ctx", {}).items()}
    if "pattern" in context:
        context["pattern"] = PATTERNS.get(context["pattern"], context["pattern"])
    return template.format_map(_Forgiving(context))


class _Forgiving(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "…"
