"""The verification pages on a cheap phone some years old: what its browser does not know is not asked of it."""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page

from permits.web import verification
from tests.web.conftest import Api, Street
from tests.web.live import band, ready
from tests.web.test_acts import withdraw

# What a phone of 2019 has not; a call to one of them throws.
NEWER = """
delete AbortSignal.timeout;
delete AbortSignal.any;
delete String.prototype.replaceAll;
delete Array.prototype.at;
delete Object.hasOwn;
delete Blob.prototype.arrayBuffer;
if (self.Element) {
  delete Element.prototype.replaceChildren;
  delete Document.prototype.replaceChildren;
  delete DocumentFragment.prototype.replaceChildren;
}
"""


@pytest.fixture
def old_phone(phone: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Page:
    """A phone of 2019: neither its pages nor its worker know what came later."""
    old = tmp_path / "web"
    shutil.copytree(verification.TEMPLATES, old)
    for name in ("patrol.js", "verify.js"):
        (old / name).write_text(NEWER + (old / name).read_text())
    monkeypatch.setattr(verification, "TEMPLATES", old)
    return phone


def test_on_an_old_phone_with_a_network_the_patrol_sees_the_live_state(
    street: Street, old_phone: Page, api: Api
) -> None:
    ready(street.url, old_phone)
    old_phone.context.set_offline(False)
    withdraw(api, "EX-2026-000001")
    old_phone.goto(f"{street.page}#{street.signer.sign()}")

    assert old_phone.evaluate("navigator.serviceWorker.controller !== null"), "its worker answers"
    assert band(old_phone, "#act")[0] == "withdrawn"
    assert band(old_phone, "#signed")[0] == "signed"


def test_on_an_old_phone_without_a_network_the_patrol_reads_the_signed_code(street: Street, old_phone: Page) -> None:
    ready(street.url, old_phone)
    old_phone.goto(f"{street.page}#{street.signer.sign()}")

    assert band(old_phone, "#signed")[0] == "signed"
    assert not old_phone.locator("h1").is_visible(), "what the code says is all that is read"


def test_on_an_old_phone_a_chosen_file_is_told_authentic(street: Street, old_phone: Page) -> None:
    old_phone.goto(street.page)
    old_phone.set_input_files("#file", street.file)

    assert band(old_phone, "#result")[0] == "in_force"


def test_a_browser_that_fails_at_a_signed_code_does_not_call_it_forged(street: Street, phone: Page) -> None:
    phone.add_init_script("crypto.subtle.importKey = () => { throw new TypeError('not here'); };")
    phone.goto(f"{street.page}#{street.signer.sign()}")

    assert band(phone, "#signed")[0] == "unchecked"


# What a parser or a stylesheet of 2019 does not read: one of these and nothing of the script runs.
UNREAD = {
    "js": r"\?\?|\?\.[a-zA-Z(\[]|\|\|=|&&=|\\p\{|^\s*static \{|#\w+ in |(?m:^(?:try|await|for await))",
    "css": r":has\(|:is\(|:where\(|-(?:block|inline):|\binset:|aspect-ratio|clamp\(|@layer|@container|\b\d*vh;|&",
}


@pytest.mark.parametrize("name", ["patrol.js", "verify.js", "style.css"])
def test_nothing_is_written_in_the_language_of_newer_phones(name: str) -> None:
    written = (verification.TEMPLATES / name).read_text()

    assert re.findall(UNREAD[name.rsplit(".")[1]], written) == []


@pytest.mark.parametrize(
    ("kind", "newer"),
    [
        ("js", "a ?? b"),
        ("js", "a?.b"),
        ("js", "x = 1;\ntry {\n  await f();"),
        ("js", "await f();"),
        ("css", "#a:has(.b) { }"),
        ("css", "p { padding-block: 1rem; }"),
    ],
)
def test_newer_language_is_seen(kind: str, newer: str) -> None:
    assert re.findall(UNREAD[kind], newer)
