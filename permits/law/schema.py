"""The JSON Schema of each file of a rulebook, for editors: they complete words and underline mistakes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from permits.domain.decision import Citation
from permits.domain.limits import Limits
from permits.domain.rulebook import CITED_RULES, Rulebook

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_OF_RULEBOOK = ("authority", "calendars", "forbidden_periods", "prescriptions", "questions", "retention", "tariff")


class _AsWritten(GenerateJsonSchema):
    """A figure with decimals is quoted (permits.law.load); the rest is as pydantic says."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        quoted = {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}
        return {"anyOf": [quoted, {"type": "integer"}]}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """What may be left out is left out, and never written null."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        found = super().default_schema(schema)
        return {name: value for name, value in found.items() if (name, value) != ("default", None)}


def schemas() -> dict[str, str]:
    """Return the text of each schema, by the name of its file."""
    models: dict[str, Any] = {name: Rulebook.model_fields[name].rebuild_annotation() for name in _OF_RULEBOOK}
    models |= {f"limits/{name}": Limits.model_fields[name].rebuild_annotation() for name in Limits.model_fields}
    found = {name: TypeAdapter(model).json_schema(schema_generator=_AsWritten) for name, model in models.items()}
    citation = TypeAdapter(Mapping[str, Citation]).json_schema(schema_generator=_AsWritten)
    found["rules"] = citation | {
        "properties": dict.fromkeys(sorted(CITED_RULES), citation["additionalProperties"]),
        "additionalProperties": False,
        "required": sorted(CITED_RULES),
    }
    return {f"{name}.json": _text(schema) for name, schema in found.items()}


def write(directory: Path) -> list[Path]:
    """Write every schema below `directory`; return the files."""
    written = []
    for name, text in schemas().items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def _text(schema: dict[str, Any]) -> str:
    return json.dumps({"$schema": DIALECT} | _without_titles(schema), ensure_ascii=False, indent=1) + "\n"


def _without_titles(schema: Any, *, of_properties: bool = False) -> Any:
    """Leave out the titles that pydantic makes of names, which say nothing more; not a property of that name."""
    if isinstance(schema, list):
        return [_without_titles(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _without_titles(value, of_properties=name in ("properties", "$defs") and not of_properties)
        for name, value in schema.items()
        if of_properties or name != "title"
    }
