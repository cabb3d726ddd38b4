"""Rulebooks that a book may hold from an earlier release are read for ever: decisions rest on them.

`tests/samples/rulebooks/` has the files of one as the book keeps them, named by their digest. One more is added at each
release that changes the format; none is ever edited or taken away. What makes one unreadable belongs in
`permits/law/lint.py`, which looks at what is to come into force, and not in `load` (ADR 0017).
"""

import json
from pathlib import Path

import pytest

from permits.law.load import RulebookError, digest_of
from permits.laws import law_of
from tests.fakes import ROOT

STORED = sorted((ROOT / "tests" / "samples" / "rulebooks").iterdir())


def files_of(stored: Path) -> dict[str, str]:
    files: dict[str, str] = json.loads(stored.read_text(encoding="utf-8"))
    return files


@pytest.mark.parametrize("stored", STORED, ids=lambda stored: str(stored.stem[:12]))
def test_a_rulebook_kept_by_a_release_is_still_read_as_it_was(stored: Path) -> None:
    files = files_of(stored)

    assert digest_of(files) == stored.stem, "it was edited"
    assert law_of(files).rulebook.digest == stored.stem


def test_a_stored_rulebook_that_is_not_whole_is_seen() -> None:
    """Negative control, and none of them was lost."""
    assert STORED
    for stored in STORED:
        with pytest.raises(RulebookError):
            law_of(files_of(stored) | {"rules.yaml": "- {}"})
