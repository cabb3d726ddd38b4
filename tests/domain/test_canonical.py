"""Canonical JSON: one way to write a value, one digest of it."""

import hashlib
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from permits.domain.canonical import canonical_json, digest
from tests.domain.builders import an_application

SCALARS = st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
OBJECTS = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), SCALARS, max_size=6)


def test_it_is_compact_sorted_and_keeps_unicode() -> None:
    value = {"b": [1, "é€’\u202f"], "a": {"z": None, "y": True}}
    assert canonical_json(value) == '{"a":{"y":true,"z":null},"b":[1,"é€’\u202f"]}'


def test_the_digest_is_the_sha256_of_its_utf_8_bytes() -> None:
    assert digest({"é": 1}) == hashlib.sha256('{"é":1}'.encode()).hexdigest()
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_a_model_is_written_as_its_json() -> None:
    application = an_application()
    assert json.loads(canonical_json(application)) == application.model_dump(mode="json")
    assert digest(application) == digest(application.model_dump(mode="json"))
    assert '"daily_hours":{"from":"08:00:00","to":"18:00:00"}' in canonical_json(application)


@given(OBJECTS, st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_change_the_digest(value: dict[str, Any], chance: Any) -> None:
    items = list(value.items())
    chance.shuffle(items)
    assert digest(dict(items)) == digest(value)
    assert json.loads(canonical_json(value)) == value


@given(OBJECTS, OBJECTS)
def test_two_contents_have_two_digests(one: dict[str, Any], other: dict[str, Any]) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (digest(one) == digest(other)) == same


def test_an_application_that_changes_by_a_letter_has_another_digest() -> None:
    assert digest(an_application()) == digest(an_application())
    assert digest(an_application()) != digest(an_application(worksite="Façade 12 rue des Exemples"))
