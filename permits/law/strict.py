"""Reads YAML and JSON strictly: what two people could read in two ways is refused, with its line and what to write.

Every scalar of YAML is read as text, so that no figure ever passes through a binary float.
"""

import json
import re
from typing import Any

import yaml

from permits.domain.model import plain_text

Location = tuple[int | str, ...]
# A rulebook is six levels deep at most; beyond, somebody tries the reader's patience.
MAX_DEPTH = 30
LONGEST_TEXT = 4000


class Malformed(Exception):
    """A text that can't be read: its line, from 1, and what is wrong, in French."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line


def read_yaml(text: str) -> Any:
    """Return what one YAML document says: mappings, lists and text, nothing else. Raises Malformed."""
    try:
        _check_events(text)
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        raise _told(error) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problem = f"caractère interdit U+{ord(text[error.position]):04X} : effacez-le"
        raise Malformed(line, problem) from None


def read_json(text: str) -> Any:
    """Return what a JSON text says; a key given twice is refused, NaN and Infinity are text. Raises Malformed."""
    try:
        return json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_unique_object, parse_constant=str)
    except json.JSONDecodeError as error:
        raise Malformed(error.lineno, f"JSON mal formé : {_json_problem(error)}") from None
    except RecursionError:
        raise Malformed(1, "trop de crochets ou d’accolades imbriqués") from None
    except _Twice as error:
        raise Malformed(_second_line(text, error.key), f"« {error.key} » est donné deux fois") from None


def line_of(text: str, path: Location) -> int:
    """Return the line, from 1, of the deepest part of `path` that a YAML or JSON text holds."""
    return _reach(text, path)[1]


def text_at(text: str, path: Location) -> str | None:
    """Return the text at `path`, None where there is none; whatever else is wrong with a YAML text is passed over."""
    node, _, reached = _reach(text, path)
    return node.value if reached and isinstance(node, yaml.ScalarNode) else None


def _reach(text: str, path: Location) -> tuple[yaml.Node | None, int, bool]:
    """Return the deepest node of `path` that a text holds, its line, and whether that is the end of the path."""
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError):
        return None, 1, False
    line, reached = 1, True
    for part in path:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if found is not None:
                line, node = found[0].start_mark.line + 1, found[1]
            reached &= found is not None
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            reached = False
    return node, line, reached


class _Loader(yaml.BaseLoader):
    """YAML whose scalars stay text; a key given twice (PyYAML keeps the last) and an unquoted decimal are refused."""


_UNQUOTED_DECIMAL = re.compile(
    r"[-+]?(\d[\d_]*\.[\d_]*|\.\d[\d_]*|\d[\d_]*)([eE][-+]?\d+)?|[-+]?\.(inf|nan)", re.IGNORECASE
)
_PLAIN_DECIMAL = re.compile(r"[-+]?[0-9]+\.[0-9]+")


def _refused(mark: Any, problem: str) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, problem, mark)


def _scalar(loader: _Loader, node: yaml.ScalarNode) -> str:
    plain = node.style is None and not re.fullmatch("[-+]?[0-9]+", node.value)
    if plain and _UNQUOTED_DECIMAL.fullmatch(node.value):
        told = f' : "{node.value}"' if _PLAIN_DECIMAL.fullmatch(node.value) else ', par exemple "1234.50"'
        raise _refused(node.start_mark, f"un nombre à décimales s’écrit entre guillemets{told}")
    if len(node.value) > LONGEST_TEXT:
        raise _refused(node.start_mark, f"un texte passe {LONGEST_TEXT} caractères ; un guillemet manque-t-il ?")
    try:
        return plain_text(str(node.value))
    except ValueError as error:
        raise _refused(node.start_mark, str(error)) from None


def _unique_mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise _refused(key_node.start_mark, "une clé est un mot")
        if key in seen:
            raise _refused(key_node.start_mark, f"« {key} » est donné deux fois")
        seen[key] = loader.construct_object(value_node, deep=True)
    return seen


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_SCALAR_TAG, _scalar)
_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _unique_mapping)


def _check_events(text: str) -> None:
    """Refuse what a rulebook never needs, before anything is built of it: anchors, tags, depth, a second document."""
    depth = documents = 0
    lines = text.splitlines()
    for event in yaml.parse(text, Loader=yaml.BaseLoader):
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise _refused(event.start_mark, "un second document commence (---) : un fichier n’en a qu’un")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refused(event.start_mark, "les renvois (& et *) sont refusés ; mettez le texte entre guillemets")
        if getattr(event, "tag", None):
            raise _refused(event.start_mark, "les étiquettes (!) sont refusées ; mettez le texte entre guillemets")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise _refused(event.start_mark, "trop de crochets ou d’accolades imbriqués")
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if isinstance(event, yaml.ScalarEvent) and event.style is None:
            _check_not_cut(event, lines)


def _check_not_cut(event: yaml.ScalarEvent, lines: list[str]) -> None:
    """Refuse a text that « #12 » cuts short: what follows a # is a comment, which is then written with a space."""
    mark: Any = event.end_mark
    rest = lines[mark.line][mark.column :] if mark.line < len(lines) else ""
    if re.match(r"\s+#[^\s#]", rest):
        raise _refused(
            event.start_mark,
            "un # coupe le texte ; mettez le texte entre guillemets, ou une espace après # pour un commentaire",
        )


# What PyYAML finds wrong, by the beginning of what it says; `where` it began tells more than where it was noticed.
_YAML_PROBLEMS = {
    "mapping values are not allowed": "un « : » de trop, ou une ligne mal alignée ; mettez le texte entre guillemets",
    "found character '\\t'": "une tabulation ; alignez avec des espaces",
    "found character": "un caractère réservé commence le texte ; mettez le texte entre guillemets",
    "could not find expected ':'": "il manque un « : » après le mot",
    "expected <block end>": "une ligne mal alignée",
    "found unexpected end of stream": "des guillemets ou des accolades ne sont pas fermés",
    "found unexpected document separator": "des guillemets ne sont pas fermés avant ---",
    "found unknown escape": "une barre \\ entre guillemets doubles ; prenez des guillemets simples",
    "expected escape sequence": "une barre \\ entre guillemets doubles ; prenez des guillemets simples",
    "expected ',' or": "une virgule, un crochet ou une accolade manque, ou un texte à mettre entre guillemets",
    "expected the node content": "un crochet, une accolade ou une virgule de trop",
    "expected alphabetic or numeric": "un & ou un * commence le texte ; mettez le texte entre guillemets",
    "expected '<document start>'": "une ligne mal alignée, ou un second document",
}
_TOLD_WHERE_IT_BEGAN = ("could not find expected ':'", "found unexpected end of stream", "expected ',' or")


def _told(error: yaml.MarkedYAMLError) -> Malformed:
    problem = error.problem or ""
    mark = error.problem_mark
    if problem.startswith(_TOLD_WHERE_IT_BEGAN) and error.context_mark is not None:
        mark = error.context_mark
    known = next(
        (told for begins, told in _YAML_PROBLEMS.items() if problem.startswith(begins)),
        "YAML mal formé ; voyez l’alignement et les guillemets",
    )
    told = problem if isinstance(error, yaml.constructor.ConstructorError) else known
    return Malformed(mark.line + 1 if mark else 1, told)


_JSON_PROBLEMS = {
    "Expecting ',' delimiter": "une virgule ou une fermeture manque",
    "Expecting ':' delimiter": "un « : » manque après la clé",
    "Expecting property name": "une clé entre guillemets est attendue ; peut-être une virgule de trop",
    "Illegal trailing comma": "une virgule de trop avant la fermeture",
    "Expecting value": "une valeur manque",
    "Unterminated string": "des guillemets ne sont pas fermés",
    "Extra data": "du texte suit la fin",
    "Invalid control character": "un retour à la ligne ou une tabulation dans un texte",
    "Invalid \\escape": "une barre \\ suivie d’un caractère inattendu",
}


def _json_problem(error: json.JSONDecodeError) -> str:
    return next((told for begins, told in _JSON_PROBLEMS.items() if error.msg.startswith(begins)), "ponctuation")


class _Twice(Exception):
    def __init__(self, key: str) -> None:
        self.key = key


def _unique_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for key, value in pairs:
        if key in content:
            raise _Twice(key)
        content[key] = value
    return content


def _second_line(text: str, key: str) -> int:
    """Return the line where an object gives `key` again, as a YAML reader finds it; 1 when it does not."""
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError):
        return 1
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.MappingNode):
            given = [name for name, _ in node.value if name.value == key]
            if len(given) > 1:
                return int(given[1].start_mark.line) + 1
            waiting += [value for _, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value
    return 1
