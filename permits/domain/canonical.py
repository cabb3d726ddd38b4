"""Canonical JSON: the one way a value is written before its digest is taken."""

import hashlib
import json
from typing import Any

from pydantic import BaseModel


def canonical_json(value: BaseModel | dict[str, Any]) -> str:
    """Return compact JSON with sorted keys and Unicode as it is (the spirit of RFC 8785; no floats of ours)."""
    content = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def digest(value: BaseModel | dict[str, Any]) -> str:
    """Return the SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
