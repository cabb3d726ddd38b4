"""Where an address is, and the difference between not found and not answered."""

import gzip
import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from permits.domain.place import GeocoderUnavailable
from permits.geocoding.geoplateforme import Geoplateforme
from permits.sandbox.streets import point_of
from tests.sandbox.server import running_sandbox

ADDRESS = "rue Jules Ferry, 64110 Mazères-Lezons"
RECORDED = json.loads((Path(__file__).parents[1] / "samples/geocoding/ban-search.json").read_text(encoding="utf-8"))


@pytest.fixture
def route() -> Iterator[respx.Route]:
    with respx.mock(assert_all_called=False) as router:
        yield router.get("https://geocodeur.test/geocodage/search")


@pytest.fixture(scope="module")
def geocoder() -> Iterator[Geoplateforme]:
    client = Geoplateforme("https://geocodeur.test/geocodage/", contact="mailto:test@exemple.example")
    yield client
    client.close()


def answer(**changes: object) -> dict[str, Any]:
    """The recorded answer, with some properties of its only feature changed."""
    body = deepcopy(RECORDED)
    body["features"][0]["properties"].update(changes)
    return body


def test_an_address_is_located(route: respx.Route, geocoder: Geoplateforme) -> None:
    route.respond(200, json=RECORDED)
    found = geocoder.locate(ADDRESS)
    assert found
    assert (found.longitude, found.latitude) == (-0.356241, 43.277531)
    assert (found.label, found.kind) == ("rue Jules Ferry 64110 Mazères-Lezons", "street")
    assert found.score == pytest.approx(0.95, abs=0.01)


def test_the_question_is_about_one_address_around_the_footprint(route: respx.Route, geocoder: Geoplateforme) -> None:
    route.respond(200, json=RECORDED)
    geocoder.locate(ADDRESS, near=(-3.88, 48.375))
    request = route.calls.last.request
    assert dict(request.url.params) == {
        "q": ADDRESS,
        "limit": "1",
        "index": "address",
        "lon": "-3.880000",
        "lat": "48.375000",
    }
    assert request.headers["User-Agent"].startswith("permits/")
    assert request.extensions["timeout"]["connect"] == 1
    assert request.extensions["timeout"]["read"] == 2


@pytest.mark.parametrize(
    "body",
    [{"type": "FeatureCollection", "features": []}, answer(score=0.49), answer(type="municipality")],
    ids=["nothing", "a-guess", "a-town"],
)
def test_what_is_not_sure_is_not_found(route: respx.Route, geocoder: Geoplateforme, body: dict[str, Any]) -> None:
    route.respond(200, json=body)
    assert geocoder.locate(ADDRESS) is None


def test_one_half_is_enough(route: respx.Route, geocoder: Geoplateforme) -> None:
    route.respond(200, json=answer(score=0.5))
    assert geocoder.locate(ADDRESS)


@pytest.mark.parametrize(
    ("asked", "sent"),
    [("« 12 rue X »", "12 rue X »"), ("-- 12\n rue   X", "12 rue X"), ("a" * 300, "a" * 200)],
)
def test_a_query_is_made_fit_for_the_service(
    route: respx.Route, geocoder: Geoplateforme, asked: str, sent: str
) -> None:
    route.respond(200, json=RECORDED)
    geocoder.locate(asked)
    assert route.calls.last.request.url.params["q"] == sent


@pytest.mark.parametrize("short", ["", "12", "--", "  a  "])
def test_a_query_too_short_is_not_asked(route: respx.Route, geocoder: Geoplateforme, short: str) -> None:
    assert geocoder.locate(short) is None
    assert not route.called


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_is_asked_twice(route: respx.Route, geocoder: Geoplateforme, status: int) -> None:
    route.respond(status)
    with pytest.raises(GeocoderUnavailable):
        geocoder.locate(ADDRESS)
    assert route.call_count == 2


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError])
def test_a_network_failure_is_asked_twice_and_never_tells_the_address(
    route: respx.Route, geocoder: Geoplateforme, error: type[Exception]
) -> None:
    route.mock(side_effect=error)
    with pytest.raises(GeocoderUnavailable) as caught:
        geocoder.locate(ADDRESS)
    assert route.call_count == 2
    assert str(caught.value) == error.__name__


def test_a_passing_failure_then_an_answer_is_an_answer(route: respx.Route, geocoder: Geoplateforme) -> None:
    route.side_effect = [httpx.Response(502), httpx.Response(200, json=RECORDED)]
    assert geocoder.locate(ADDRESS)


@pytest.mark.parametrize("status", [301, 400, 404, 429])
def test_a_refusal_is_asked_once_and_is_no_answer(route: respx.Route, geocoder: Geoplateforme, status: int) -> None:
    route.respond(status, json=RECORDED, headers={"Location": "https://elsewhere.test/"})
    with pytest.raises(GeocoderUnavailable):
        geocoder.locate(ADDRESS)
    assert route.call_count == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"features": [{}]}',
        b'{"features": null}',
        json.dumps(answer(score="?")).encode(),
    ],
)
def test_another_shape_is_no_answer(route: respx.Route, geocoder: Geoplateforme, content: bytes) -> None:
    route.respond(200, content=content)
    with pytest.raises(GeocoderUnavailable):
        geocoder.locate(ADDRESS)


@pytest.mark.parametrize("point", [[200, 43], [0, -91], [float("nan"), 43], [0]])
def test_a_point_off_the_earth_is_no_answer(route: respx.Route, geocoder: Geoplateforme, point: list[float]) -> None:
    body = answer()
    body["features"][0]["geometry"]["coordinates"] = point
    route.respond(200, content=json.dumps(body))
    with pytest.raises(GeocoderUnavailable):
        geocoder.locate(ADDRESS)


def test_a_label_made_to_deceive_is_no_answer(route: respx.Route, geocoder: Geoplateforme) -> None:
    route.respond(200, json=answer(label="rue \u202eyrreF seluJ"))
    with pytest.raises(GeocoderUnavailable):
        geocoder.locate(ADDRESS)


def test_a_compressed_or_endless_answer_is_refused(route: respx.Route, geocoder: Geoplateforme) -> None:
    bomb = gzip.compress(b" " * 1_000_000)
    route.respond(200, stream=httpx.ByteStream(bomb), headers={"Content-Encoding": "gzip"})
    with pytest.raises(GeocoderUnavailable, match="compressed"):
        geocoder.locate(ADDRESS)
    route.respond(200, content=b" " * 1_000_000)
    with pytest.raises(GeocoderUnavailable, match="too long"):
        geocoder.locate(ADDRESS)


def test_the_fictional_town_over_a_real_socket() -> None:
    with running_sandbox() as url:
        client = Geoplateforme(f"{url}/geocodage", contact="mailto:test@exemple.example")
        house = client.locate("12 rue des Exemples, 29999 Exemple-Ville", near=(-3.88, 48.375))
        street = client.locate("quai des Essais, 29999 Exemple-Ville")
        assert house
        assert (house.kind, (house.longitude, house.latitude)) == ("housenumber", point_of("12 rue des Exemples"))
        assert street
        assert street.kind == "street"
        assert client.locate("Exemple-Ville") is None
        assert client.locate("12 rue Inconnue, 29999 Exemple-Ville") is None
        client.close()
