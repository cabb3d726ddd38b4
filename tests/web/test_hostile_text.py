"""What strangers wrote is text on the page behind a QR code: no element, no request, nothing wider than a phone."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Page

from permits.document import french
from permits.document.payload import Payload
from permits.domain.act import Act, ActKind, ActState
from permits.domain.ruling import RulingKind
from permits.web import pages
from tests.document.hostile import FAMILIES, hostile_texts
from tests.document.sample import AUTHORITY, BENEFICIARY, occupancy, sample_permit
from tests.document.sample_acts import sample_ruling
from tests.web.conftest import Api
from tests.web.live import served

TEXTS = hostile_texts()
CODE, WIDTH = "a-code", 320


def act_with(text: str, kind: ActKind) -> Act:
    """Return an issued act with `text` in each field that its page shows."""
    by = {"authority": AUTHORITY.model_copy(update=dict.fromkeys(("name", "service", "email", "phone"), text))}
    by["authority"] = by["authority"].model_copy(update={"postal_address": (text,)})
    payload: Payload = sample_permit(
        **by,
        beneficiary=BENEFICIARY.model_copy(update={"name": text}),
        occupancies=(occupancy(address=text, label=text),),
    )
    if not kind.allows:
        payload = sample_ruling(RulingKind(kind), **by)
    now, nobody = datetime.now(UTC), UUID(int=0)
    return Act(nobody, kind, payload.number, ActState.ISSUED, CODE, payload, nobody, nobody, now, now, "0" * 64)


@dataclass
class Shelf:
    """Knows one act, whatever the code."""

    act: Act | None = None

    def act_by_code(self, code: str) -> Act | None:
        return self.act

    def extensions(self, act_id: UUID) -> tuple[Act, ...]:
        return ()


@dataclass
class Street:
    """A phone that looks at the pages of acts, and all that it asks for meanwhile."""

    api: Api
    phone: Page
    url: str
    asked: list[str]
    plain: dict[ActKind, list[str]] = field(default_factory=dict)

    def skeleton_of(self, text: str, kind: ActKind) -> list[str]:
        """Open the page of such an act; return its elements, in order."""
        act = act_with(text, kind)
        state: Any = self.api.client.app.state  # type: ignore[attr-defined]
        identity = SimpleNamespace(authority=SimpleNamespace(identity=act.payload.authority))
        day = SimpleNamespace(law=SimpleNamespace(rulebook=identity))
        desk: Any = SimpleNamespace(today=lambda: day, clock=state.context.desk.clock)
        catalogue: Any = Shelf(act)
        state.context = replace(state.context, desk=desk, catalogue=catalogue)
        self.asked.clear()
        self.phone.goto(f"{self.url}/v/{CODE}")
        found: list[str] = self.phone.evaluate("[...document.querySelectorAll('*')].map(each => each.tagName)")
        return found

    def defects_of(self, text: str, kind: ActKind) -> list[str]:
        """Return what the page of an act with this text asks for elsewhere, adds, leaves out or shows too wide."""
        if kind not in self.plain:
            self.plain[kind] = self.skeleton_of("Échafaudage", kind)
        found = [] if self.skeleton_of(text, kind) == self.plain[kind] else ["elements"]
        own = {f"{self.url}{path}" for path in (f"/v/{CODE}", "/static/style.css", "/static/verify.js")}
        found += [each for each in self.asked if each not in own and each != "data:,"]
        shown: str = self.phone.evaluate("document.body.textContent")
        said = {text, french.typeset(text)} | ({french.capital(french.typeset(text))} if kind.allows else set())
        found += [f"not said: {each}" for each in sorted(said) if " ".join(each.split()) not in " ".join(shown.split())]
        wide: int = self.phone.evaluate("document.documentElement.scrollWidth")
        return found + [f"{wide} points wide"] * (wide > WIDTH)


@pytest.fixture
def street(api: Api, chromium: Browser) -> Iterator[Street]:
    """A small phone in the street; whatever a page says or does by itself fails its test."""
    context = chromium.new_context(viewport={"width": WIDTH, "height": 640})
    page, asked, done = context.new_page(), list[str](), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: done.append(dialog.message))
    page.on("pageerror", lambda error: done.append(str(error)))
    with served(api.client) as url:
        yield Street(api, page, url, asked)
    context.close()
    assert done == []


KINDS = [ActKind.PERMIT, ActKind.WITHDRAWAL]


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_of_each_family_is_text_on_a_phone(kind: ActKind, street: Street) -> None:
    for text in TEXTS[: len(FAMILIES)]:
        assert street.defects_of(text, kind) == [], text


@pytest.mark.proof
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", KINDS)
def test_each_text_is_text_on_a_phone(kind: ActKind, street: Street) -> None:
    found = {text: defects for text in TEXTS if (defects := street.defects_of(text, kind))}
    print(f"{len(TEXTS)} texts in each field of the page of a {kind}, {len(found)} with a defect")
    assert found == {}


@pytest.mark.parametrize(
    "text",
    ["<b>Rue</b> du Four", "<img src='http://127.0.0.1:9/i.png'>", "<span hidden>Rue</span>"],
)
def test_a_page_that_trusts_a_text_is_caught(text: str, street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    assert street.defects_of(text, ActKind.PERMIT) == []
    monkeypatch.setattr(pages._pages, "autoescape", False)
    monkeypatch.setattr(pages._pages, "cache", None)  # what was read before is not read again
    assert street.defects_of(text, ActKind.PERMIT) != []


def test_a_page_that_lets_words_grow_wider_than_a_phone_is_caught(street: Street) -> None:
    assert street.defects_of("W" * 200, ActKind.PERMIT) == []
    street.phone.route("**/style.css", lambda route: route.fulfill(content_type="text/css", body="main { margin: 0 }"))
    assert any(each.endswith("points wide") for each in street.defects_of("W" * 200, ActKind.PERMIT))
