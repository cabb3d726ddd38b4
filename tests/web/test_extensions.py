"""Asking for additional days by HTTP: an application like another, about a permit of one's own."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from permits import acts
from permits.document.errors import PrintError
from permits.issue import decide_waiting
from tests.acting import BREACH, BY, CHANGE, REASONS
from tests.fakes import SIRET, open_establishment
from tests.web.conftest import Api

LONGER = {"ends_on": "2027-01-20"}


def extend(api: Api, number: str, body: Any = None, key: str | None = None, **headers: str) -> Any:
    return api.client.post(
        f"/v1/permits/{number}/extension",
        json=LONGER if body is None else body,
        headers={"Authorization": f"Bearer {api.key}", "Idempotency-Key": key or str(uuid4())} | headers,
    )


def permit_of(api: Api) -> str:
    number: str = api.post().json()["permit"]["number"]
    return number


def test_a_granted_extension_answers_201_with_a_permit_for_the_additional_days(api: Api) -> None:
    number = permit_of(api)
    response = extend(api, number)
    answer = response.json()

    assert response.status_code == 201
    assert answer["outcome"] == "granted"
    permit = answer["permit"]
    assert (permit["number"], permit["kind"], permit["cites"]) == ("EX-2026-000002", "extension", number)
    assert (permit["starts_on"], permit["ends_on"]) == ("2027-01-16", "2027-01-20")
    assert (permit["state"], permit["fee_total"]) == ("issued", "86.40")
    assert response.headers["Location"].endswith(f"/v1/applications/{answer['id']}")
    assert api.get(f"/v1/applications/{answer['id']}").json() == answer
    assert "EXTENSION" in [finding["rule"] for finding in answer["decision"]["findings"]]
    assert api.get(f"/v1/permits/{number}").json()["state"] == "issued"


@pytest.mark.parametrize("ends_on", ["2027-01-20", "2027-02-28"], ids=["granted", "referred"])
def test_the_preview_of_an_extension_answers_as_asking_for_it_would(api: Api, ends_on: str) -> None:
    number = permit_of(api)
    headers = {"Authorization": f"Bearer {api.key}"}
    preview = api.client.post(
        f"/v1/permits/{number}/extension/preview", json={"ends_on": ends_on}, headers=headers
    ).json()
    answer = extend(api, number, {"ends_on": ends_on}).json()

    assert (preview["outcome"], preview["decision"], preview["fee"]) == (
        answer["outcome"],
        answer["decision"],
        answer["fee"],
    )


def test_the_preview_of_an_extension_is_of_one_s_own_permit(api: Api) -> None:
    number, path = permit_of(api), "/v1/permits/{}/extension/preview"
    other = {"Authorization": f"Bearer {api.another_key('999990021')}"}
    own = {"Authorization": f"Bearer {api.key}"}
    assert api.client.post(path.format(number), json={"ends_on": "2027-01-20"}, headers=other).status_code == 404
    early = api.client.post(path.format(number), json={"ends_on": "2027-01-01"}, headers=own)
    assert (early.status_code, early.json()["code"]) == (422, "ends_before_start")


def test_a_referred_extension_tells_every_ground(api: Api) -> None:
    number = permit_of(api)
    extend(api, number)
    answer = extend(api, number, {"ends_on": "2027-02-28"}).json()

    assert answer["outcome"] == "referred"
    assert answer["permit"] is None
    assert [ground["rule"] for ground in answer["decision"]["grounds"]] == ["DURATION-MAX", "EXTENSION"]
    assert answer["acknowledgement"]["silence_on"] == "2027-02-01"


def test_an_outage_answers_202_and_the_extension_is_decided_later(api: Api) -> None:
    number = permit_of(api)
    api.office.registry.is_down = True
    response = extend(api, number, key="patient")
    assert (response.status_code, response.json()["outcome"]) == (202, "awaiting_registry")
    assert response.json()["amends"] == number
    assert api.get(f"/v1/applications/{response.json()['id']}").json()["amends"] == number

    api.office.registry.is_down = False
    decide_waiting(api.office.desk, response.json()["id"])
    again = extend(api, number, key="patient")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.json()["permit"]["cites"]) == (201, number)


def test_a_replay_gives_the_same_extension_even_once_its_permit_is_ended(api: Api) -> None:
    number = permit_of(api)
    first = extend(api, number, key="once")
    acts.correct(api.office.desk, number, CHANGE, REASONS, BY)
    api.office.clock.move(days=400)
    again = extend(api, number, key="once")

    assert again.status_code == 201
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()


def test_another_day_or_another_permit_under_a_used_key_is_422(api: Api) -> None:
    number, other = permit_of(api), permit_of(api)
    extend(api, number, key="once")

    for response in (extend(api, number, {"ends_on": "2027-01-21"}, key="once"), extend(api, other, key="once")):
        assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")
    assert api.post(key="once").json()["code"] == "idempotency_key_reused"


def test_an_idempotency_key_is_required(api: Api) -> None:
    number = permit_of(api)
    headers = {"Authorization": f"Bearer {api.key}"}
    response = api.client.post(f"/v1/permits/{number}/extension", json=LONGER, headers=headers)

    assert (response.status_code, response.json()["code"]) == (400, "idempotency_key_missing")


def test_nobody_extends_the_permit_of_another(api: Api) -> None:
    number = permit_of(api)
    stranger = f"Bearer {api.another_key('999990013')}"

    for asked in (number, "EX-2026-000099"):
        response = extend(api, asked, Authorization=stranger)
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert extend(api, number, Authorization="Bearer nobody").status_code == 401


def test_an_abrogated_permit_is_not_extended_and_the_answer_says_why(api: Api) -> None:
    number = permit_of(api)
    acts.abrogate(api.office.desk, number, BREACH, date(2027, 1, 14), BY)
    response = extend(api, number)
    problem = response.json()

    assert (response.status_code, problem["code"]) == (409, "act_not_possible")
    assert problem["detail"] == f"{number} n’est pas un permis en vigueur : il ne peut pas être prolongé."
    assert "Retry-After" not in response.headers


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"ends_on": "2027-01-15"}, "ends_before_start", "/ends_on"),
        ({"ends_on": "2037-02-01"}, "period_too_long", "/ends_on"),
        ({"ends_on": "20/01/2027"}, "invalid_request", "/ends_on"),
        ({"ends_on": 1799625600}, "invalid_request", "/ends_on"),
        ({}, "invalid_request", "/ends_on"),
        (LONGER | {"starts_on": "2027-01-16"}, "invalid_request", "/starts_on"),
        ([], "invalid_request", ""),
    ],
)
def test_a_wrong_day_is_422_and_names_the_field(api: Api, body: Any, code: str, pointer: str) -> None:
    number = permit_of(api)
    problem = extend(api, number, body).json()

    assert (problem["status"], problem["code"]) == (422, code)
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert len(api.get("/v1/permits").json()["permits"]) == 1


def test_an_extension_asked_too_late_is_422(api: Api) -> None:
    number = permit_of(api)
    api.office.clock.now = api.office.clock.now.replace(year=2027, month=1, day=16)

    problem = extend(api, number).json()

    assert (problem["status"], problem["code"]) == (422, "starts_too_soon")
    assert problem["detail"] == "Une prolongation se demande avant la fin du permis, le 15 janvier 2027."
    assert [error["pointer"] for error in problem["errors"]] == [""], "its body has no first day to point at"


def test_what_is_wrong_with_the_permit_itself_points_at_no_field_of_the_request(api: Api) -> None:
    number = permit_of(api)
    api.office.registry.answers[SIRET] = open_establishment(SIRET, api.office.clock(), is_open=False)
    problem = extend(api, number).json()

    assert (problem["status"], problem["code"]) == (422, "establishment_closed")
    assert [error["pointer"] for error in problem["errors"]] == [""]


def test_an_extension_asked_while_a_correction_waits_for_its_seal_is_received_and_referred(api: Api) -> None:
    number = permit_of(api)
    api.office.press.broken = PrintError("encre")
    acts.correct(api.office.desk, number, CHANGE, REASONS, BY)
    answer = extend(api, number)

    assert (answer.status_code, answer.json()["outcome"]) == (201, "referred")
    assert [ground["rule"] for ground in answer.json()["decision"]["grounds"]] == ["EXTENSION"]
