from io import BytesIO
from typing import Any

import pikepdf
import pytest

from permits.document import print as printing
from permits.document.print import print_act
from permits.domain.permit import Permit


def contents(pdf: bytes) -> dict[int, Any]:
    """Return each object of a PDF, for a stream what is inside; but not what only says where they are."""
    found: dict[int, Any] = {}
    with pikepdf.open(BytesIO(pdf)) as document:
        for number, each in enumerate(document.objects, start=1):
            if not isinstance(each, pikepdf.Stream):
                found[number] = each.unparse(resolved=True)
            elif each.get("/Type") not in ("/ObjStm", "/XRef"):
                found[number] = (each.keys(), each.read_bytes())
    return found


def test_a_file_holds_what_pydyf_writes(permit: Permit, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = print_act(permit)
    monkeypatch.setattr(printing, "write_once", lambda *_: None)
    theirs = print_act(permit)
    assert ours != theirs
    assert contents(ours) == contents(theirs)
    assert len(contents(ours)) > 400
    assert len(ours) < 1.02 * len(theirs)
