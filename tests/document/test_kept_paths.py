from typing import Any

import pytest

from permits.document import kept_paths
from permits.document.print import print_act
from permits.domain.permit import Permit


@pytest.fixture
def read(permit: Permit, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that WeasyPrint reads, the first being those of a page that was never seen."""
    paths: list[str] = []
    path = kept_paths._path

    def noted(svg: Any, node: Any, font_size: float) -> None:
        paths.append(node.get("d"))
        path(svg, node, font_size)

    monkeypatch.setattr(kept_paths, "_path", noted)
    print_act(permit)
    kept_paths._kept.clear()
    paths.clear()
    return paths


def test_the_watermark_is_read_once_for_all_pages_and_documents(permit: Permit, read: list[str]) -> None:
    first = print_act(permit)
    assert len(read) == len(set(read)) > 3
    read.clear()
    assert print_act(permit) == first
    assert read == []


def test_the_paths_kept_are_bounded(permit: Permit, read: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_paths, "AT_MOST", 2)
    first = print_act(permit)
    assert 0 < len(kept_paths._kept) <= 2
    assert print_act(permit) == first
    assert len(read) > len(set(read))
