"""The door: who may enter, what is too big, what leaks, what the contract says."""

import json
from collections.abc import Iterator

import pytest
import yaml
from fastapi.routing import APIRoute, iter_route_contexts
from openapi_spec_validator import validate
from sqlalchemy.exc import OperationalError

from permits.web.app import contract_yaml, create_web_app
from permits.web.context import Readiness
from permits.web.policy import Policy, policy_of
from permits.web.problems import KINDS
from tests.fakes import ROOT, request_body
from tests.web.conftest import Api, in_contract


def routes() -> Iterator[tuple[str, APIRoute]]:
    for context in iter_route_contexts(create_web_app(None).routes):
        if isinstance(context.route, APIRoute):
            yield context.path, context.route


def test_every_route_declares_its_policy() -> None:
    declared = {path: policy_of(route.endpoint) for path, route in routes()}

    assert declared and None not in declared.values(), declared


def test_only_the_known_routes_are_public() -> None:
    public = {path for path, route in routes() if policy_of(route.endpoint) is Policy.PUBLIC}

    assert public == {
        "/",
        "/v/{code}",
        "/v/{code}/trace",
        "/verifier",
        "/patrouille",
        "/v1/documents/{sha256}",
        "/.well-known/permits-trust.json",
        "/.well-known/jwks.json",
        "/reglement",
        "/v1/rulebook",
        "/problemes/{code}",
        "/static/style.css",
        "/static/verify.js",
        "/static/patrol.js",
        "/healthz",
        "/readyz",
        "/openapi.json",
    }


def test_a_route_without_a_policy_is_closed(api: Api) -> None:
    @api.client.app.get("/forgotten")  # type: ignore[attr-defined, untyped-decorator]
    def forgotten() -> str:
        return "secret"

    response = api.client.get("/forgotten", headers={"Authorization": f"Bearer {api.key}"})
    assert response.status_code == 403
    assert "secret" not in response.text


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer pv_00000000_x_00000000"])
def test_without_a_known_key_every_client_route_is_401(api: Api, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    for path, route in routes():
        if policy_of(route.endpoint) is Policy.CLIENT:
            for method in route.methods or ():
                url = path.format(application_id="1", number="EX-2026-000001", siret="99999001300024")
                response = api.client.request(method, url, headers=headers)
                assert response.status_code == 401, (method, path)
                assert response.json()["code"] == "unauthenticated"
                assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("place", [3, 20, -1])
def test_a_key_with_one_character_changed_opens_nothing(api: Api, place: int) -> None:
    letters = list(api.key)
    letters[place] = "0" if letters[place] != "0" else "1"

    assert api.client.get("/v1/permits", headers={"Authorization": "Bearer " + "".join(letters)}).status_code == 401


def test_a_body_over_one_mebibyte_is_413(api: Api) -> None:
    whole = api.post(request_body() | {"worksite": "x" * 1024 * 1024})
    headers = {"Authorization": f"Bearer {api.key}", "Idempotency-Key": "k", "Content-Type": "application/json"}
    chunked = api.client.post("/v1/applications", content=iter([b" " * 65536] * 17), headers=headers)

    for response in (whole, chunked):
        assert response.status_code == 413
        assert response.json()["code"] == "body_too_large"
    assert api.post().status_code == 201


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe{}", b"[" * 100_000, b'{"siret": NaN}', b""])
def test_an_unreadable_body_is_a_problem_and_never_a_crash(api: Api, content: bytes) -> None:
    headers = {"Authorization": f"Bearer {api.key}", "Idempotency-Key": "k", "Content-Type": "application/json"}
    response = api.client.post("/v1/applications", content=content, headers=headers)

    assert response.status_code in (400, 422)
    assert response.headers["Content-Type"] == "application/problem+json"


def test_an_unexpected_error_leaks_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(_siret: str) -> None:
        raise RuntimeError("mot de passe : azerty")

    monkeypatch.setattr(api.office.registry, "lookup", explode)
    response = api.post()

    assert response.status_code == 500
    assert response.json()["code"] == "internal_error"
    assert "azerty" not in response.text and "RuntimeError" not in response.text


def test_a_lost_database_is_503_with_a_delay(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: object) -> None:
        raise OperationalError("SELECT secret", None, Exception("password=azerty"))

    monkeypatch.setattr(api.office.register, "find_filed", lost)
    response = api.post()

    assert response.status_code == 503
    assert response.json()["code"] == "database_unavailable"
    assert "azerty" not in response.text
    assert int(response.headers["Retry-After"]) >= 1


def test_every_answer_carries_its_safety_headers(api: Api) -> None:
    for path in ("/", "/healthz", "/nowhere", "/v1/permits"):
        headers = api.client.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Request-ID"]


def test_every_problem_has_a_page_that_explains_it(api: Api) -> None:
    for code, kind in KINDS.items():
        page = api.client.get(f"/problemes/{code}")
        assert page.status_code == 200
        assert kind.title in page.text.replace("&#39;", "'")
    assert api.client.get("/problemes/inconnu").status_code == 404


def test_health_depends_on_nothing_and_readiness_on_what_issues(api: Api) -> None:
    assert api.client.get("/healthz").json() == {"status": "ok"}
    api.readiness.append(Readiness("registry:api-entreprise", False, "502", failing=False))
    assert api.client.get("/readyz").status_code == 200
    api.readiness.append(Readiness("database", False, "la base ne répond pas"))
    response = api.client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["ready"] is False
    assert [check["name"] for check in response.json()["checks"]] == ["registry:api-entreprise", "database"]


def test_the_committed_contract_is_what_the_code_serves(api: Api) -> None:
    committed = (ROOT / "openapi.yaml").read_text()

    assert contract_yaml() == committed, "run `make openapi` and read the difference"
    served = api.client.get("/openapi.json").json()
    assert served == json.loads(json.dumps(yaml.safe_load(committed)))


def test_the_contract_is_valid_openapi_and_documents_every_problem() -> None:
    document = yaml.safe_load(contract_yaml())

    validate(document)
    assert document["openapi"].startswith("3.1")
    operation = document["paths"]["/v1/applications"]["post"]
    assert set(operation["responses"]) >= {"201", "202", "400", "401", "409", "413", "422", "500", "503"}
    assert operation["security"] == [{"bearer": []}]


def test_every_answer_of_these_tests_is_held_to_the_contract(api: Api) -> None:
    """Negative control of tests/web/conftest.py: a status that the contract does not say is seen."""
    response = api.get("/healthz")
    assert response.status_code == 200
    response.status_code = 418

    with pytest.raises(AssertionError, match="GET /healthz answers 418"):
        in_contract(response)


def test_the_contract_says_where_a_request_may_have_to_wait() -> None:
    paths = yaml.safe_load(contract_yaml())["paths"]
    waiting = {
        operation["operationId"]
        for operations in paths.values()
        for operation in operations.values()
        if "409" in operation["responses"]
    }

    assert waiting == {
        "file_application",
        "extend_permit",
        "get_permit_document",
        "get_permit_sign",
        "get_act_document",
    }
