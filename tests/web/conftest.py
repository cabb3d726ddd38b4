"""The HTTP application on a real register, with fakes around the desk."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from playwright.sync_api import Browser, Page, sync_playwright
from starlette.testclient import TestClient

from permits.document.quarantine import Quarantine
from permits.domain.calendar import PARIS
from permits.register.clients import add_client, authenticate, new_key
from permits.register.readings import note_reading
from permits.web.app import create_web_app
from permits.web.context import Context, Readiness
from tests.fakes import ROOT, FakeOffice, request_body
from tests.web.live import CodeSigner, served


@dataclass
class Api:
    """A caller with a key bound to the demonstration companies."""

    client: TestClient
    office: FakeOffice
    key: str
    readiness: list[Readiness]

    def post(self, body: Any = None, key: str | None = None, **headers: str) -> Any:
        return self.client.post(
            "/v1/applications",
            json=body or request_body(),
            headers={"Authorization": f"Bearer {self.key}", "Idempotency-Key": key or str(uuid4())} | headers,
        )

    def get(self, path: str) -> Any:
        return self.client.get(path, headers={"Authorization": f"Bearer {self.key}"})

    def another_key(self, *sirens: str) -> str:
        key = new_key()
        add_client(self.office.register.engine, "exemple", "autre", list(sirens), key, uuid4(), self.office.clock())
        return key.get_secret_value()


def plain(text: str) -> str:
    """Return a text with its unbreakable spaces as plain ones."""
    return re.sub("[\u00a0\u202f]", " ", text)


@cache
def declared() -> list[tuple[str, re.Pattern[str], set[str]]]:
    """Return the method, the path and the statuses of every operation of the committed contract."""
    paths = yaml.safe_load((ROOT / "openapi.yaml").read_text())["paths"]
    return [
        (method.upper(), re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), set(operation["responses"]))
        # A fixed path before one with a parameter: /preview is no identifier.
        for path, operations in sorted(paths.items(), key=lambda item: "{" in item[0])
        for method, operation in operations.items()
    ]


def in_contract(response: Any) -> None:
    """Hold every answer of every test to the contract: its status is one that the operation declares."""
    request = response.request
    for method, path, statuses in declared():
        if method == request.method and path.fullmatch(request.url.path):
            told = f"{method} {request.url.path} answers {response.status_code}, which openapi.yaml does not say"
            assert str(response.status_code) in statuses, told
            return


@pytest.fixture
def api(office: FakeOffice) -> Iterator[Api]:
    """The API, as one client sees it."""
    readiness: list[Readiness] = []
    context = Context(
        desk=office.desk,
        catalogue=office.register,
        authenticate=partial(authenticate, office.register.engine, "exemple"),
        readiness=lambda: readiness,
        note_reading=partial(note_reading, office.register.engine, "exemple"),
        read_stranger=Quarantine().read,
    )
    key = new_key()
    add_client(office.register.engine, "exemple", "test", ["999990013"], key, uuid4(), office.clock())
    with TestClient(create_web_app(context), raise_server_exceptions=False) as client:
        client.event_hooks["response"].append(in_contract)
        yield Api(client, office, key.get_secret_value(), readiness)


PHONE = {"width": 320, "height": 640}


@pytest.fixture(scope="module")
def chromium(program: Callable[[str], str]) -> Iterator[Browser]:
    path = program("chromium")
    with sync_playwright() as playwright:
        # Everything it opens is a page of ours, on this machine: it needs no sandbox, which not every account may make.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Street:
    """A permit, its file, what signs its code, and where its pages are served."""

    url: str
    code: str
    file: Path
    signer: CodeSigner

    @property
    def page(self) -> str:
        return f"{self.url}/v/{self.code}"


@pytest.fixture
def street(api: Api, tmp_path: Path) -> Iterator[Street]:
    api.office.press.is_specimen = False
    permit, signer = api.post().json()["permit"], CodeSigner()
    signer.publish(api.office.register.engine)
    file = tmp_path / "permis.pdf"
    file.write_bytes(api.office.register.document(permit["document_sha256"]))
    api.office.clock.now = datetime(2027, 1, 12, 12, tzinfo=PARIS)
    with served(api.client) as url:
        yield Street(url, permit["verification_url"].rsplit("/", 1)[1], file, signer)


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Page]:
    """A page of a small phone; an error of a script fails its test."""
    context = chromium.new_context(viewport=PHONE, locale="fr-FR")  # type: ignore[arg-type]
    errors: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert not errors
