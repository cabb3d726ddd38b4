"""The frozen bytes of an act, and what is made of them again."""

import json
from typing import Any

import pytest

from permits.document import TEMPLATES
from permits.document.payload import Payload, attachment_name, payload_bytes, read_payload
from permits.document.pool import FAILED, PRINTED
from permits.document.worker import answer
from permits.domain.ruling import RulingKind
from tests.document.sample import sample_permit
from tests.document.sample_acts import sample_correction, sample_extension, sample_ruling

PERMITS = [sample_permit(), sample_extension(), sample_correction()]
RULINGS = [sample_ruling(kind) for kind in RulingKind]


def changed(payload: Payload, **changes: Any) -> bytes:
    content = json.loads(payload_bytes(payload)) | changes
    return json.dumps({key: value for key, value in content.items() if value != "left out"}).encode()


@pytest.mark.parametrize("payload", [*PERMITS, *RULINGS], ids=lambda payload: payload.number)
def test_what_is_frozen_is_read_back_as_what_it_was(payload: Payload) -> None:
    again = read_payload(payload_bytes(payload))
    assert (type(again), again) == (type(payload), payload)
    assert payload_bytes(again) == payload_bytes(payload)


LATER = {
    "permit": ("answers", "kept"),
    "ruling": ("fee_terms", "algorithm_contact", "rulebook_digest", "fetched_data", "kept"),
}


@pytest.mark.parametrize(
    ("payload", "later"), [(PERMITS[0], LATER["permit"]), (RULINGS[1], LATER["ruling"])], ids=LATER
)
def test_what_was_frozen_before_a_field_existed_is_still_read(payload: Payload, later: tuple[str, ...]) -> None:
    again = read_payload(changed(payload, **dict.fromkeys(later, "left out")))
    assert again == payload.model_copy(update={name: type(payload).model_fields[name].default for name in later})


def test_only_what_allows_is_called_a_permit() -> None:
    assert {attachment_name(permit) for permit in PERMITS} == {"permis.json"}
    assert {attachment_name(ruling) for ruling in RULINGS} == {"acte.json"}


@pytest.mark.parametrize(
    "content",
    [
        changed(RULINGS[0], payload_schema="permis-de-stationnement/1"),
        changed(PERMITS[0], payload_schema="decision/1"),
        changed(PERMITS[0], payload_schema="permis-de-stationnement/2"),
        changed(RULINGS[0], payload_schema="left out"),
        changed(RULINGS[0], kind="annulment"),
        b"not JSON",
    ],
    ids=["ruling as permit", "permit as ruling", "to come", "no schema", "unknown kind", "not JSON"],
)
def test_what_is_neither_a_permit_nor_a_ruling_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):
        read_payload(content)
    assert answer(content, TEMPLATES)[:1] == FAILED


@pytest.mark.parametrize("payload", [PERMITS[0], RULINGS[0]], ids=["permit", "ruling"])
def test_the_unchanged_payload_is_printed(payload: Payload) -> None:
    """The control of the test above."""
    assert answer(changed(payload), TEMPLATES)[:1] == PRINTED
