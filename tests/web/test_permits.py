"""Permits by HTTP: lists, documents, the public page."""

import hashlib

import pytest

from tests.fakes import request_body
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


def test_the_public_page_tells_the_state_on_the_day_it_is_read(api: Api) -> None:
    answer = api.post().json()
    path = "/v/" + answer["permit"]["verification_url"].rsplit("/", 1)[1]
    before = api.client.get(path)
    assert before.status_code == 200
    assert "prend effet le 11 janvier 2027" in before.text
    assert "ECHAFAUDAGES DU MODELE" in before.text
    assert answer["permit"]["document_sha256"] in before.text

    api.office.clock.now = api.office.clock.now.replace(year=2027, month=1, day=15, hour=22, minute=59)
    assert "en vigueur jusqu’au 15 janvier 2027 inclus" in api.client.get(path).text
    api.office.clock.move(minutes=1)
    assert "a pris fin le 15 janvier 2027" in api.client.get(path).text


def test_the_public_page_holds_no_contact(api: Api) -> None:
    answer = api.post().json()
    page = api.client.get("/v/" + answer["permit"]["verification_url"].rsplit("/", 1)[1]).text

    assert request_body()["contact"]["email"] not in page
    assert request_body()["contact"]["phone"] not in page


def test_an_unknown_code_is_never_called_authentic(api: Api) -> None:
    response = api.client.get("/v/" + "x" * 22)

    assert response.status_code == 404
    assert "authentique" not in response.text and "délivré par ce service" in response.text


def test_markup_in_an_application_is_text_on_the_page(api: Api) -> None:
    body = request_body()
    body["occupancies"][0]["place"]["address"] = "<script>alert(1)</script>"
    answer = api.post(body).json()
    page = api.client.get("/v/" + answer["permit"]["verification_url"].rsplit("/", 1)[1]).text

    assert "<script>" not in page
    assert "&lt;script&gt;" in page
