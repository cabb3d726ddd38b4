"""What a person decided, as its holder reads it by HTTP: the permit that ended, the act that ended it, a refusal."""

import hashlib
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from permits import acts
from permits.document.errors import PrintError
from permits.domain.act import Act, Channel, Notification
from permits.issue import finish_act
from tests.acting import BREACH, BY, CHANGE, HEARING, ILLEGAL, MARKET, REASONS, events
from tests.fakes import request_body
from tests.web.conftest import Api

PERMIT = {
    "number",
    "kind",
    "state",
    "cites",
    "siret",
    "worksite",
    "starts_on",
    "ends_on",
    "fee_total",
    "decided_at",
    "issued_at",
    "ended_on",
    "ended_by",
    "annulled_because",
    "notification",
    "document_url",
    "document_sha256",
    "verification_url",
}
ACT = PERMIT - {"siret", "worksite", "starts_on", "ends_on", "fee_total"} | {"effective_on"}


def issued(api: Api) -> Any:
    """Return a permit as the answer to its application told it."""
    return api.post().json()["permit"]


def abrogate(api: Api, number: str, day: int = 14) -> Act:
    return acts.abrogate(api.office.desk, number, BREACH, date(2027, 1, day), BY)


def withdraw(api: Api, number: str) -> Act:
    return acts.withdraw(api.office.desk, number, ILLEGAL, BY)


def correct(api: Api, number: str) -> Act:
    return acts.correct(api.office.desk, number, CHANGE, REASONS, BY)


def refuse(api: Api) -> tuple[str, Act]:
    """Refuse an application of this client; return its identifier and the refusal."""
    asked = api.post(request_body("04-parking-and-lane-referred")).json()
    filed = api.office.register.application(UUID(asked["id"]))
    assert filed is not None
    return asked["id"], acts.refuse(api.office.desk, filed, (MARKET,), HEARING, BY)


def test_a_fresh_permit_has_neither_end_nor_notification(api: Api) -> None:
    permit = issued(api)

    assert set(permit) == PERMIT
    assert (permit["kind"], permit["state"]) == ("permit", "issued")
    empty = ("cites", "ended_on", "ended_by", "annulled_because", "notification")
    assert [permit[name] for name in empty] == [None] * 5


@pytest.mark.parametrize(
    ("end", "state", "ended_on", "ended_by"),
    [
        (abrogate, "abrogated", "2027-01-14", "EXA-2026-000001"),
        (withdraw, "withdrawn", None, "EXA-2026-000001"),
        (correct, "superseded", None, "EX-2026-000002"),
    ],
)
def test_an_ended_permit_tells_by_what_it_ended_and_from_when(
    api: Api, end: Any, state: str, ended_on: str | None, ended_by: str
) -> None:
    first = issued(api)
    end(api, first["number"])
    permit = api.get(f"/v1/permits/{first['number']}").json()

    changed = {"state": state, "ended_on": ended_on, "ended_by": ended_by}
    assert permit == first | changed
    act = api.get(f"/v1/acts/{first['number']}").json()
    assert {name: act[name] for name in changed} == changed
    assert api.get(f"/v1/permits/{first['number']}/document").status_code == 200


@pytest.mark.parametrize(
    ("end", "kind", "effective_on"),
    [(abrogate, "abrogation", "2027-01-14"), (withdraw, "withdrawal", None), (correct, "correction", None)],
)
def test_the_holder_reads_the_act_that_ended_a_permit_and_fetches_its_document(
    api: Api, end: Any, kind: str, effective_on: str | None
) -> None:
    permit = issued(api)
    ender = end(api, permit["number"])
    act = api.get(f"/v1/acts/{ender.number}").json()
    document = api.get(f"/v1/acts/{ender.number}/document")

    assert set(act) == ACT
    assert (act["kind"], act["state"], act["cites"]) == (kind, "issued", permit["number"])
    assert act["effective_on"] == effective_on
    assert act["document_url"].endswith(f"/v1/acts/{ender.number}/document")
    assert document.headers["Content-Type"] == "application/pdf"
    assert document.headers["Content-Disposition"] == f'attachment; filename="{ender.number}.pdf"'
    assert hashlib.sha256(document.content).hexdigest() == act["document_sha256"]
    assert document.headers["ETag"] == f'"{act["document_sha256"]}"'


def test_a_permit_can_also_be_read_as_an_act(api: Api) -> None:
    permit = issued(api)
    act = api.get(f"/v1/acts/{permit['number']}").json()

    assert (act["kind"], act["cites"], act["document_sha256"]) == ("permit", None, permit["document_sha256"])


def test_a_ruling_is_not_a_permit(api: Api) -> None:
    ender = abrogate(api, issued(api)["number"])

    for path in (f"/v1/permits/{ender.number}", f"/v1/permits/{ender.number}/document"):
        assert api.get(path).json()["code"] == "not_found"
    headers = {"Authorization": f"Bearer {api.key}", "Idempotency-Key": "k"}
    path = f"/v1/permits/{ender.number}/extension"
    assert api.client.post(path, json={"ends_on": "2027-01-20"}, headers=headers).status_code == 404


def test_nobody_reads_an_act_addressed_to_another(api: Api) -> None:
    _, refusal = refuse(api)
    ender = abrogate(api, issued(api)["number"])
    stranger = {"Authorization": f"Bearer {api.another_key('999990013')}"}

    for number in (refusal.number, ender.number, "EXA-2026-000099"):
        for path in (f"/v1/acts/{number}", f"/v1/acts/{number}/document"):
            answer = api.client.get(path, headers=stranger)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert "notified" not in events(api.office)


def test_an_act_still_without_its_seal_has_no_document_yet(api: Api) -> None:
    permit = issued(api)
    api.office.press.broken = PrintError("encre")
    ender = abrogate(api, permit["number"])
    act = api.get(f"/v1/acts/{ender.number}").json()
    document = api.get(f"/v1/acts/{ender.number}/document")

    assert (act["state"], act["document_url"], act["issued_at"]) == ("reserved", None, None)
    assert (document.status_code, document.json()["code"]) == (409, "document_not_ready")
    assert api.get(f"/v1/permits/{permit['number']}").json()["state"] == "issued"


def test_a_refused_application_tells_its_refusal_instead_of_what_silence_means(api: Api) -> None:
    application, refusal = refuse(api)
    answer = api.get(f"/v1/applications/{application}").json()

    assert answer["outcome"] == "referred"
    assert answer["permit"] is None and answer["acknowledgement"] is None
    assert set(answer["refusal"]) == ACT
    assert answer["refusal"] == api.get(f"/v1/acts/{refusal.number}").json()
    assert (answer["refusal"]["kind"], answer["refusal"]["number"]) == ("refusal", "EXR-2026-000001")


def test_until_a_refusal_is_sealed_nothing_has_answered_and_silence_still_counts(api: Api) -> None:
    api.office.press.broken = PrintError("encre")
    application, refusal = refuse(api)
    answer = api.get(f"/v1/applications/{application}").json()

    assert answer["refusal"]["state"] == "reserved"
    assert answer["acknowledgement"]["silence_on"] == "2027-02-01"
    api.office.press.broken = None
    finish_act(api.office.desk, refusal.id)
    assert api.get(f"/v1/applications/{application}").json()["acknowledgement"] is None


def test_a_permit_that_could_not_be_sealed_answered_nobody_and_its_applicant_reads_why(api: Api) -> None:
    api.office.press.broken = PrintError("encre")
    asked = api.post(key="stuck").json()
    assert (asked["permit"]["state"], asked["acknowledgement"]["silence_on"]) == ("reserved", "2027-02-01")
    number = asked["permit"]["number"]
    acts.annul(api.office.desk, number, "le document ne se compose pas", BY)
    api.office.press.broken = None

    answer = api.get(f"/v1/applications/{asked['id']}").json()
    assert answer["acknowledgement"] == asked["acknowledgement"]
    assert (answer["permit"]["state"], answer["permit"]["annulled_because"]) == (
        "annulled",
        "le document ne se compose pas",
    )
    assert api.get(f"/v1/acts/{number}").json()["annulled_because"] == "le document ne se compose pas"
    # What the guide says to do: the place is free for the same request under another key.
    assert api.post(key="stuck").json() == answer
    assert api.post(key="another").json()["permit"]["state"] == "issued"


def test_the_list_holds_permits_extensions_and_corrections_and_no_ruling(api: Api) -> None:
    first, second = issued(api)["number"], issued(api)["number"]
    correct(api, first)
    headers = {"Authorization": f"Bearer {api.key}", "Idempotency-Key": "longer"}
    api.client.post(f"/v1/permits/{second}/extension", json={"ends_on": "2027-01-20"}, headers=headers)
    withdraw(api, issued(api)["number"])
    refuse(api)
    permits = api.get("/v1/permits").json()["permits"]

    assert [(permit["number"], permit["kind"], permit["state"], permit["cites"]) for permit in permits] == [
        ("EX-2026-000005", "permit", "withdrawn", None),
        ("EX-2026-000004", "extension", "issued", second),
        ("EX-2026-000003", "correction", "issued", first),
        ("EX-2026-000002", "permit", "issued", None),
        ("EX-2026-000001", "permit", "superseded", None),
    ]


@pytest.mark.parametrize("state", ["reserved", "issued", "abrogated", "withdrawn", "superseded", "annulled"])
def test_the_list_is_filtered_by_every_state(api: Api, state: str) -> None:
    for end in (abrogate, withdraw, correct):
        end(api, issued(api)["number"])
    api.office.press.broken = PrintError("encre")
    acts.annul(api.office.desk, issued(api)["number"], "le document ne se compose pas", BY)
    issued(api)
    permits = api.get(f"/v1/permits?state={state}").json()["permits"]

    assert [permit["state"] for permit in permits] == [state]


# --- notification ------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ["permits", "acts"])
def test_the_first_download_is_the_notification_and_the_next_change_nothing(api: Api, route: str) -> None:
    permit = issued(api)
    path = f"/v1/{route}/{permit['number']}"
    first = api.get(f"{path}/document")
    api.office.clock.move(days=3)
    api.get(f"{path}/document")
    notification = api.get(path).json()["notification"]

    assert notification == {
        "notified_on": "2026-12-01",
        "channel": "online",
        "proof": f"téléchargement, requête {first.headers['X-Request-ID']}",
    }
    assert events(api.office).count("notified") == 1


def test_reading_without_downloading_notifies_nothing(api: Api) -> None:
    permit = issued(api)
    for path in ("/v1/permits", f"/v1/permits/{permit['number']}", f"/v1/acts/{permit['number']}"):
        assert api.get(path).status_code == 200
    api.client.get("/v/" + permit["verification_url"].rsplit("/", 1)[1])

    assert api.get(f"/v1/permits/{permit['number']}").json()["notification"] is None


def test_a_download_after_a_recorded_notification_keeps_the_recorded_one(api: Api) -> None:
    ender = abrogate(api, issued(api)["number"])
    by_hand = Notification(notified_on=date(2026, 12, 1), channel=Channel.HAND_DELIVERY, proof="récépissé n° 12")
    acts.notify(api.office.desk, ender.number, by_hand, BY)
    api.office.clock.move(days=1)
    assert api.get(f"/v1/acts/{ender.number}/document").status_code == 200

    kept = api.get(f"/v1/acts/{ender.number}").json()["notification"]
    assert kept == {"notified_on": "2026-12-01", "channel": "hand_delivery", "proof": "récépissé n° 12"}
