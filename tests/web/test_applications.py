"""Filing by HTTP: the contract of the API, answer by answer."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from permits.document.errors import PrintError
from tests.acting import rows
from tests.fakes import SIRET, open_establishment, request_body
from tests.web.conftest import Api

RING = "/occupancies/0/place/footprint/coordinates/0"
SMALL = [[-3.88, 48.375], [-3.8799, 48.375], [-3.8799, 48.3751], [-3.88, 48.3751], [-3.88, 48.375]]
KEYS = {
    "id",
    "received_at",
    "outcome",
    "amends",
    "establishment",
    "decision",
    "fee",
    "permit",
    "refusal",
    "acknowledgement",
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the first example with one value changed, by its JSON pointer."""
    body = request_body()
    *parents, last = path.strip("/").split("/")
    target: Any = body
    for part in parents:
        target = target[int(part)] if isinstance(target, list) else target[part]
    target[int(last) if isinstance(target, list) else last] = value
    return body


def test_a_granted_application_answers_201_with_its_permit(api: Api) -> None:
    response = api.post()
    answer = response.json()

    assert response.status_code == 201
    assert set(answer) == KEYS
    assert answer["outcome"] == "granted"
    assert answer["establishment"]["name"] == "ECHAFAUDAGES DU MODELE"
    assert answer["fee"]["currency"] == "EUR"
    assert answer["fee"]["total"] == "92.40"
    assert [line["amount"] for line in answer["fee"]["lines"]] == ["86.40", "6.00"]
    assert answer["permit"]["number"] == "EX-2026-000001"
    assert answer["permit"]["state"] == "issued"
    assert answer["acknowledgement"] is None
    assert answer["amends"] is None
    assert answer["decision"]["grounds"] == []
    assert len(answer["decision"]["rulebook"]["digest"]) == 64
    assert all(finding["citation"]["text"] for finding in answer["decision"]["findings"])
    assert response.headers["Location"].endswith(f"/v1/applications/{answer['id']}")


def test_a_referred_application_tells_every_ground_and_what_silence_means(api: Api) -> None:
    body = changed("/occupancies/0/footway_clear_width_m", 1.39)
    body["occupancies"][0]["lane_closed"] = True
    response = api.post(body)
    answer = response.json()

    assert response.status_code == 201
    assert answer["outcome"] == "referred"
    assert answer["permit"] is None
    assert {ground["rule"] for ground in answer["decision"]["grounds"]} == {"FOOTWAY-MIN", "LANE-CLOSED"}
    assert answer["acknowledgement"]["silence_means"] == "rejection"
    assert answer["acknowledgement"]["silence_on"] == "2027-02-01"
    assert answer["acknowledgement"]["service"]
    assert answer["acknowledgement"]["contact"]["email"]
    assert "tribunal administratif" in answer["acknowledgement"]["appeal"]


def test_an_outage_answers_202_and_the_application_is_decided_later(api: Api) -> None:
    api.office.registry.is_down = True
    response = api.post(key="patient")
    answer = response.json()

    assert response.status_code == 202
    assert answer["outcome"] == "awaiting_registry"
    assert answer["decision"] is None and answer["fee"] is None and answer["permit"] is None
    assert answer["acknowledgement"]["silence_on"] == "2027-02-01"
    assert api.get(f"/v1/applications/{answer['id']}").json() == answer


def test_a_replay_gives_the_present_state_and_says_so(api: Api) -> None:
    first = api.post(key='"quoted-key"')
    again = api.post(key="quoted-key")

    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.status_code == 201
    assert again.json() == first.json()


def test_another_body_under_a_used_key_is_422(api: Api) -> None:
    api.post(key="once")
    response = api.post(changed("/worksite", "un autre chantier"), key="once")

    assert response.status_code == 422
    assert response.json()["code"] == "idempotency_key_reused"


def test_a_permit_still_being_sealed_answers_409_with_a_delay(api: Api) -> None:
    api.office.press.broken = PrintError("encre")
    first = api.post(key="slow")
    second = api.post(key="slow")

    assert first.status_code == 201
    assert first.json()["permit"]["state"] == "reserved"
    assert first.json()["permit"]["document_url"] is None
    assert second.status_code == 409
    assert second.json()["code"] == "request_in_progress"
    assert int(second.headers["Retry-After"]) >= 1
    document = api.get(f"/v1/permits/{first.json()['permit']['number']}/document")
    assert document.status_code == 409


def test_an_idempotency_key_is_required(api: Api) -> None:
    headers = {"Authorization": f"Bearer {api.key}"}
    response = api.client.post("/v1/applications", json=request_body(), headers=headers)

    assert response.status_code == 400
    assert response.json()["code"] == "idempotency_key_missing"


@pytest.mark.parametrize("key", ["x" * 256, "avec espace", '""'])
def test_an_unusable_idempotency_key_is_400(api: Api, key: str) -> None:
    assert api.post(key=key).json()["code"] == "idempotency_key_invalid"


@pytest.mark.parametrize(
    ("path", "value", "pointer"),
    [
        ("/siret", "123", "/siret"),
        ("/siret", "00000000000000", "/siret"),
        ("/siret", None, "/siret"),
        ("/worksite", "a\u202eb\u202cc", "/worksite"),
        ("/worksite", "x" * 201, "/worksite"),
        ("/starts_on", "12/01/2027", "/starts_on"),
        ("/starts_on", 1799625600, "/starts_on"),
        ("/occupancies/0/anchored_in_ground", "no", "/occupancies/0/anchored_in_ground"),
        ("/occupancies/0/lane_closed", 0, "/occupancies/0/lane_closed"),
        ("/occupancies/0/parking_spaces_taken", False, "/occupancies/0/parking_spaces_taken"),
        ("/occupancies/0/lane_closed", None, "/occupancies/0/lane_closed"),
        ("/surprise", 1, "/surprise"),
        ("/occupancies", [], "/occupancies"),
        ("/occupancies/0/kind", "castle", "/occupancies/0/kind"),
        ("/occupancies/0/length_m", -1, "/occupancies/0/length_m"),
        ("/occupancies/0/length_m", 1.234, "/occupancies/0/length_m"),
        ("/occupancies/0/pieces", 51, "/occupancies/0/pieces"),
        ("/occupancies/0/place/footprint/type", "Point", "/occupancies/0/place/footprint/type"),
        ("/occupancies/0/place/footprint", None, "/occupancies/0/place/footprint"),
        ("/contact/email", "personne", "/contact/email"),
        ("/daily_hours", {"from": "18:00", "to": "08:00"}, "/daily_hours"),
    ],
)
def test_a_wrong_field_is_named_by_its_pointer_in_french(api: Api, path: str, value: Any, pointer: str) -> None:
    response = api.post(changed(path, value))
    problem = response.json()

    assert response.status_code == 422
    assert response.headers["Content-Type"] == "application/problem+json"
    assert problem["code"] == "invalid_request"
    assert pointer in [error["pointer"] for error in problem["errors"]]
    assert not any("Input should" in error["detail"] or "Value error" in error["detail"] for error in problem["errors"])


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("/ends_on", "2027-01-10", "ends_before_start"),
        ("/starts_on", "2026-12-01", "starts_too_soon"),
        (RING, [[y, x] for x, y in SMALL], "coordinates_swapped"),
        (RING, [[x * 1000, y * 100_000] for x, y in SMALL], "coordinates_projected"),
        (RING, [[x + 6, y] for x, y in SMALL], "place_too_far"),
        (RING, [*SMALL[:-1], [-3.8801, 48.3751]], "footprint_not_closed"),
        (RING, [SMALL[0], SMALL[2], SMALL[1], SMALL[3], SMALL[0]], "footprint_self_crossing"),
    ],
)
def test_what_cannot_be_filed_is_told_at_once_and_nothing_is_kept(api: Api, path: str, value: Any, code: str) -> None:
    problem = api.post(changed(path, value)).json()

    assert problem["status"] == 422
    assert problem["code"] == code
    assert problem["errors"][0]["pointer"]
    assert rows(api.office, "SELECT 1 FROM application") == []


def test_a_fault_in_the_only_occupancy_is_told_once(api: Api) -> None:
    problem = api.post(changed("/occupancies/0/pieces", 51)).json()

    assert [error["pointer"] for error in problem["errors"]] == ["/occupancies/0/pieces"]


def test_a_closed_establishment_is_422_and_says_since_when(api: Api) -> None:
    api.office.registry.answers[SIRET] = open_establishment(is_open=False, closed_on=date(2024, 6, 30))
    problem = api.post().json()

    assert problem["code"] == "establishment_closed"
    assert "30 juin 2024" in problem["detail"]
    assert problem["errors"][0]["pointer"] == "/siret"


def test_the_preview_answers_as_filing_would_and_stores_nothing(api: Api) -> None:
    headers = {"Authorization": f"Bearer {api.key}"}
    preview = api.client.post("/v1/applications/preview", json=request_body(), headers=headers)
    filed = api.post().json()

    assert preview.status_code == 200
    assert preview.json()["outcome"] == filed["outcome"]
    assert preview.json()["decision"] == filed["decision"]
    assert preview.json()["fee"] == filed["fee"]
    assert filed["permit"]["number"] == "EX-2026-000001"


def test_a_preview_during_an_outage_is_503_with_a_delay(api: Api) -> None:
    api.office.registry.is_down = True
    headers = {"Authorization": f"Bearer {api.key}"}
    response = api.client.post("/v1/applications/preview", json=request_body(), headers=headers)

    assert response.status_code == 503
    assert response.json()["code"] == "registry_unavailable"
    assert int(response.headers["Retry-After"]) >= 1


def test_a_key_not_bound_to_the_company_is_referred(api: Api) -> None:
    answer = api.post(Authorization=f"Bearer {api.another_key('999990021')}").json()

    assert answer["outcome"] == "referred"
    assert [ground["rule"] for ground in answer["decision"]["grounds"]] == ["APPLICANT"]


def test_nobody_makes_a_debt_in_another_firms_name(api: Api) -> None:
    answer = api.post(changed("/payer_siret", "99999002100019")).json()

    assert [ground["rule"] for ground in answer["decision"]["grounds"]] == ["PAYER"]


def test_protected_data_are_never_answered(api: Api) -> None:
    api.office.registry.answers[SIRET] = open_establishment(
        partially_diffusible=True, name="ALIX SECRET", address=("1 RUE CACHEE",)
    )
    answer = api.post()

    assert answer.json()["outcome"] == "granted"
    assert "SECRET" not in answer.text and "CACHEE" not in answer.text
    assert "SECRET" not in api.get(f"/v1/establishments/{SIRET}").text
    code = answer.json()["permit"]["verification_url"].rsplit("/", 1)[1]
    page = api.client.get(f"/v/{code}").text
    assert "SECRET" not in page and SIRET not in page


def test_overload_is_503_with_a_delay_and_nothing_is_recorded(api: Api) -> None:
    api.office.press.is_busy = True
    response = api.post(key="later")
    assert response.status_code == 503
    assert response.json()["code"] == "overloaded"
    assert int(response.headers["Retry-After"]) >= 1

    api.office.press.is_busy = False
    assert api.post(key="later").status_code == 201


def test_without_a_seal_it_is_503_with_the_reason_and_nothing_is_recorded(api: Api) -> None:
    api.office.press.stopped = "Le certificat du cachet a expiré le 31 décembre 2026 à 23 h 59."
    response = api.post(key="later")
    assert (response.status_code, response.json()["code"]) == (503, "sealing_stopped")
    assert response.json()["detail"].startswith("Le certificat du cachet a expiré le 31 décembre 2026 à 23 h 59. Aucun")
    assert int(response.headers["Retry-After"]) >= 60

    api.office.press.stopped = None
    assert api.post(key="later").json()["permit"]["number"].endswith("-000001")


def test_one_client_never_sees_anothers_application_or_permit(api: Api) -> None:
    answer = api.post().json()
    stranger = {"Authorization": f"Bearer {api.another_key('999990013')}"}
    number = answer["permit"]["number"]

    for path in (f"/v1/applications/{answer['id']}", f"/v1/permits/{number}", f"/v1/permits/{number}/document"):
        assert api.get(path).status_code == 200
        foreign, absent = api.client.get(path, headers=stranger), api.get(f"/v1/applications/{uuid4()}")
        assert foreign.status_code == absent.status_code == 404
    assert api.client.get("/v1/permits", headers=stranger).json()["permits"] == []
