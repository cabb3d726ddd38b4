"""What is told WeasyPrint about a page, so that it need not find out, changes nothing of what it prints."""

from collections.abc import Callable
from pathlib import Path

import pytest
from weasyprint import HTML  # type: ignore[import-untyped]

from permits.document import print as printing
from permits.document.errors import PrintError
from permits.document.print import print_act, print_sign
from permits.domain.permit import Paper
from permits.domain.ruling import RulingKind
from tests.document.pages import templates_with
from tests.document.sample import sample_permit
from tests.document.sample_acts import sample_ruling

FILES: dict[str, Callable[[], bytes]] = {
    "permit": lambda: print_act(sample_permit()),
    "permit of few words": lambda: print_act(sample_permit(prescriptions=(), fetched_data=(), specimen=False)),
    "refusal": lambda: print_act(sample_ruling(RulingKind.REFUSAL)),
    "abrogation": lambda: print_act(sample_ruling(RulingKind.ABROGATION)),
    "sign": lambda: print_sign(sample_permit(), Paper.A3),
}


@pytest.mark.parametrize("name", FILES)
def test_weasyprint_reads_the_page_by_itself_to_the_same_bytes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its own parser of HTML, and its own defaults for each element of HTML."""
    ours = FILES[name]()
    monkeypatch.setattr(
        printing, "Page", lambda text, base, fetch, _: HTML(string=text, base_url=base, url_fetcher=fetch)
    )
    assert FILES[name]() == ours


def test_a_default_that_is_missing_is_seen(tmp_path: Path) -> None:
    templates = templates_with(tmp_path, "th { font-weight: bold }", "", "defaults.css")
    assert print_sign(sample_permit(), Paper.A3, templates) != FILES["sign"]()


def test_a_page_that_is_not_well_formed_is_refused(tmp_path: Path) -> None:
    templates = templates_with(tmp_path, "<p>Chantier", "<p><p>Chantier")
    with pytest.raises(PrintError, match="not well-formed: mismatched tag: line"):
        print_act(sample_permit(), templates)
