"""What goes wrong with a source is told to people in French."""

import pytest

from permits.sirene import reasons
from permits.sirene.reasons import in_french

WORDS = [value for name, value in vars(reasons).items() if name.isupper() and isinstance(value, str)]


@pytest.mark.parametrize("reason", WORDS)
def test_each_reason_has_its_french(reason: str) -> None:
    told = in_french(f"insee: {reason}; api-entreprise: HTTP 502 01001")
    assert reason not in told
    assert told.startswith("insee: ")
    assert told.endswith("; api-entreprise: HTTP 502 01001")


def test_what_is_wrong_with_an_answer_is_for_the_log() -> None:
    assert in_french("insee: unusable answer: establishment of another shape") == "insee: réponse inutilisable"
