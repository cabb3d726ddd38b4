"""Permits by HTTP: lists, documents."""

import hashlib

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
