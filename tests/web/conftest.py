"""The HTTP application on a real register, with fakes around the desk."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from permits.register.clients import add_client, authenticate, new_key
from permits.register.readings import note_reading
from permits.web.app import create_web_app
from permits.web.context import Context, Readiness
from tests.fakes import FakeOffice, request_body


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


@pytest.fixture
def api(office: FakeOffice) -> Iterator[Api]:
    """The API, as one client sees it."""
    readiness: list[Readiness] = []
    context = Context(
        desk=office.desk,
        catalogue=office.register,
        authenticate=partial(authenticate, office.register.engine),
        readiness=lambda: readiness,
        note_reading=partial(note_reading, office.register.engine, "exemple"),
    )
    key = new_key()
    add_client(office.register.engine, "exemple", "test", ["999990013"], key, uuid4(), office.clock())
    with TestClient(create_web_app(context), raise_server_exceptions=False) as client:
        yield Api(client, office, key.get_secret_value(), readiness)
