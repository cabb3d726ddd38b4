"""What of the book a client is shown is noted first; what is asked of the registry tells who asked, and why."""

from typing import Any

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import text

from permits.register.readings import Subject, readings_about
from permits.web.api import acts, applications, establishments, permits
from tests.fakes import OTHER_SIRET, SIRET, request_body
from tests.register.test_traces import FakeSource, traces, with_registry
from tests.web.conftest import Api


def noted(api: Api) -> list[Any]:
    with api.office.register.engine.connect() as connection:
        found = "SELECT access_log.*, client.name FROM access_log JOIN client ON client.id = client_id ORDER BY 1"
        return list(connection.execute(text(found)).all())


@pytest.mark.parametrize(
    ("path", "what", "subject"),
    [
        ("/v1/applications/{id}", "application", "{id}"),
        ("/v1/permits", "permits", None),
        ("/v1/permits/{number}", "act", "{number}"),
        ("/v1/permits/{number}/trace", "act", "{number}"),
        ("/v1/permits/{number}/document", "document", "{number}"),
        ("/v1/permits/{number}/sign", "act", "{number}"),
        ("/v1/acts/{number}", "act", "{number}"),
        ("/v1/acts/{number}/trace", "act", "{number}"),
        ("/v1/acts/{number}/document", "document", "{number}"),
    ],
)
def test_a_reading_is_noted(api: Api, path: str, what: str, subject: str | None) -> None:
    answer = api.post().json()
    names = {"id": answer["id"], "number": answer["permit"]["number"]}
    assert noted(api) == []
    shown = api.get(path.format(**names))
    (reading,) = noted(api)

    assert shown.status_code == 200
    assert (reading.authority, reading.at, reading.name) == ("exemple", api.office.clock(), "test")
    assert str(reading.request_id) == shown.headers["X-Request-ID"]
    assert (reading.what, reading.subject) == (what, subject.format(**names) if subject else None)


def test_no_route_that_reads_the_book_is_forgotten() -> None:
    """The list above has every route that a client may GET, but the registry's, which has traces of its own."""
    rooms = (acts, applications, establishments, permits)
    routes = [route for room in rooms for route in room.router.routes if isinstance(route, APIRoute)]
    known = {path.replace("{id}", "{application_id}") for path, *_ in listed()}

    assert {route.path for route in routes if "GET" in route.methods} == known | {"/v1/establishments/{siret}"}


def listed() -> list[Any]:
    (mark,) = (each for each in test_a_reading_is_noted.pytestmark if each.name == "parametrize")  # type: ignore[attr-defined]
    rows: list[Any] = mark.args[1]
    return rows


def test_a_replay_shows_the_application_again_and_is_noted(api: Api) -> None:
    first = api.post(key="once").json()
    assert noted(api) == []
    api.post(key="once")
    (reading,) = noted(api)

    assert (reading.what, reading.subject) == ("application", first["id"])


@pytest.mark.parametrize(
    "path", ["/v1/permits/EX-2026-000001", "/v1/permits/EX-2026-000001/document", "/v1/acts/EX-2026-000001"]
)
def test_what_is_not_shown_is_not_noted(api: Api, path: str) -> None:
    api.post()
    stranger = {"Authorization": f"Bearer {api.another_key()}"}

    assert api.client.get(path, headers=stranger).status_code == 404
    assert api.client.get(path).status_code == 401
    assert noted(api) == []


@pytest.mark.parametrize("path", ["/v1/permits", "/v1/permits/EX-2026-000001", "/v1/permits/EX-2026-000001/document"])
def test_what_cannot_be_noted_is_not_shown(api: Api, path: str) -> None:
    number = api.post().json()["permit"]["number"]
    with api.office.register.engine.begin() as connection:
        connection.execute(text("ALTER TABLE access_log RENAME TO elsewhere"))
    hidden = api.get(path)

    assert hidden.status_code == 500
    assert number not in hidden.text and "%PDF" not in hidden.text
    with api.office.register.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM act_notification")).scalar_one() == 0


def test_a_person_is_told_who_read_about_them_and_nothing_about_others(api: Api) -> None:
    mine = api.post().json()
    other = api.client.post(
        "/v1/applications",
        json=request_body()
        | {"siret": OTHER_SIRET, "worksite": "Ailleurs", "starts_on": "2027-02-01", "ends_on": "2027-02-05"},
        headers={"Authorization": f"Bearer {api.another_key(OTHER_SIRET[:9])}", "Idempotency-Key": "k"},
    ).json()
    api.get(f"/v1/applications/{mine['id']}")
    api.get(f"/v1/permits/{mine['permit']['number']}/document")
    api.get("/v1/permits")
    engine = api.office.register.engine

    assert other["permit"] is not None
    assert [reading.what for reading in readings_about(engine, "exemple", SIRET, 10)] == [
        Subject.PERMITS,
        Subject.DOCUMENT,
        Subject.APPLICATION,
    ]
    assert len(readings_about(engine, "exemple", SIRET, 2)) == 2
    assert readings_about(engine, "exemple", OTHER_SIRET, 10) == []
    assert readings_about(engine, "ailleurs", SIRET, 10) == []


@pytest.fixture
def traced(api: Api) -> Api:
    """The API, its registry traced."""
    office = with_registry(api.office, FakeSource(api.office.clock))
    # The context is frozen; the running application holds it.
    object.__setattr__(api.client.app.state.context, "desk", office.desk)  # type: ignore[attr-defined]
    return api


@pytest.mark.parametrize("purpose", ["filing", "preview", "consultation"])
def test_what_is_asked_of_the_registry_tells_who_asked_and_why(traced: Api, purpose: str) -> None:
    if purpose == "filing":
        answer = traced.post()
    elif purpose == "preview":
        headers = {"Authorization": f"Bearer {traced.key}"}
        answer = traced.client.post("/v1/applications/preview", json=request_body(), headers=headers)
    else:
        answer = traced.get(f"/v1/establishments/{SIRET}")
    (trace,) = traces(traced.office)

    assert answer.is_success
    assert (trace.purpose, trace.siret, trace.outcome) == (purpose, SIRET, "found")
    assert str(trace.request_id) == answer.headers["X-Request-ID"]
    assert trace.client_id is not None
    assert str(trace.about) == (answer.json()["id"] if purpose == "filing" else "None")


def test_an_extension_is_traced_as_a_filing(traced: Api) -> None:
    number = traced.post().json()["permit"]["number"]
    headers = {"Authorization": f"Bearer {traced.key}", "Idempotency-Key": "longer"}
    path = f"/v1/permits/{number}/extension"
    answer = traced.client.post(path, json={"ends_on": "2027-01-22"}, headers=headers)

    assert answer.status_code == 201
    assert [(trace.purpose, str(trace.about)) for trace in traces(traced.office)][1:] == [
        ("filing", answer.json()["id"])
    ]
