"""Permits by HTTP: lists, documents."""

import hashlib
from datetime import UTC, datetime, time

import pytest

from tests.web.conftest import Api


def test_the_document_is_always_the_same_bytes(api: Api) -> None:
    permit = api.post().json()["permit"]
    first = api.get(f"/v1/permits/{permit['number']}/document")
    second = api.get(f"/v1/permits/{permit['number']}/document")

    assert first.headers["Content-Type"] == "application/pdf"
    assert first.headers["Content-Disposition"] == 'attachment; filename="EX-2026-000001.pdf"'
    assert first.content == second.content
    assert hashlib.sha256(first.content).hexdigest() == permit["document_sha256"]


def test_pages_follow_each_other_without_hole_or_repeat(api: Api) -> None:
    for _ in range(5):
        api.post()
    seen, url = [], "/v1/permits?limit=2"
    for _ in range(5):
        page = api.get(url).json()
        seen += [permit["number"] for permit in page["permits"]]
        if page["next"] is None:
            break
        url = page["next"].removeprefix("https://permis.exemple-ville.example")

    assert seen == [f"EX-2026-00000{n}" for n in (5, 4, 3, 2, 1)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=issued", 1),
        ("state=annulled", 0),
        ("siret=99999001300024", 1),
        ("siret=99999002100019", 0),
        ("on=2027-01-10", 0),
        ("on=2027-01-11", 1),
        ("on=2027-01-15", 1),
        ("on=2027-01-16", 0),
    ],
)
def test_filters_select(api: Api, query: str, found: int) -> None:
    api.post()

    assert len(api.get(f"/v1/permits?{query}").json()["permits"]) == found


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=many", "cursor=DROP", "state=burnt"])
def test_a_wrong_filter_is_422(api: Api, query: str) -> None:
    assert api.get(f"/v1/permits?{query}").json()["code"] == "invalid_request"


def test_the_sign_is_given_on_the_paper_that_was_asked_for(api: Api) -> None:
    number = api.post().json()["permit"]["number"]
    usual, large = (api.get(f"/v1/permits/{number}/sign{query}") for query in ("", "?paper=a3"))

    assert (usual.content, large.content) == (
        b"a4: EX-2026-000001, EX-2026-000001",
        b"a3: EX-2026-000001, EX-2026-000001",
    )
    assert usual.headers["Content-Type"] == "application/pdf"
    assert usual.headers["Content-Disposition"] == 'inline; filename="EX-2026-000001-affiche-a4.pdf"'
    assert api.get(f"/v1/permits/{number}/sign?paper=letter").status_code == 422


def test_the_sign_of_another_client_s_permit_does_not_exist(api: Api) -> None:
    number = api.post().json()["permit"]["number"]
    stranger = {"Authorization": f"Bearer {api.another_key('999990013')}"}
    assert api.client.get(f"/v1/permits/{number}/sign", headers=stranger).status_code == 404


def test_a_permit_that_is_over_has_no_sign(api: Api) -> None:
    permit = api.post().json()["permit"]
    last = api.office.register.act_by_number(permit["number"])
    assert last is not None
    api.office.clock.now = datetime.combine(last.permit.ends_on, time(12), UTC)
    assert api.get(f"/v1/permits/{permit['number']}/sign").status_code == 200
    api.office.clock.move(days=1)
    over = api.get(f"/v1/permits/{permit['number']}/sign")
    assert (over.status_code, over.json()["code"]) == (409, "act_not_possible")


def test_a_permit_without_its_seal_has_no_sign_yet(api: Api) -> None:
    api.office.press.broken = RuntimeError("no seal today")
    number = api.post().json()["permit"]["number"]
    waiting = api.get(f"/v1/permits/{number}/sign")
    assert (waiting.status_code, waiting.json()["code"]) == (409, "document_not_ready")


def test_a_busy_press_prints_no_sign_now(api: Api) -> None:
    number = api.post().json()["permit"]["number"]
    api.office.press.is_busy = True
    assert api.get(f"/v1/permits/{number}/sign").status_code == 503
