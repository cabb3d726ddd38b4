"""One failure, one test: what the caller is told to do next, and how often the registry was asked."""

import gzip
import logging
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from email.utils import format_datetime

import httpx
import pytest
import respx

from permits.sirene.budget import BUDGET_S
from permits.sirene.errors import SourceError, SourceMisconfigured, SourceNotAsked, SourceUnavailable
from tests.sirene.answers import SIREN, SIRET, TOKEN, error, establishment, extract, recorded
from tests.sirene.asking import Alone
from tests.sirene.clock import StoppedClock

Lookup = Callable[..., SourceError]


@pytest.fixture
def route(network: respx.MockRouter, api_entreprise: Alone) -> respx.Route:
    """The route of the establishment, after twenty calls that went well: two retries were earned."""
    route = network.get(path=f"/v4/insee/sirene/etablissements/{SIRET}")
    route.respond(451, json=error("01005"))
    for _ in range(20):
        api_entreprise.lookup(SIRET)
    route.calls.clear()
    return route


@pytest.fixture
def failure_of(route: respx.Route, api_entreprise: Alone) -> Lookup:
    """Ask once while every request gets this answer, and return the error that came out."""

    def ask(answer: httpx.Response | type[Exception]) -> SourceError:
        route.mock(return_value=answer) if isinstance(answer, httpx.Response) else route.mock(side_effect=answer)
        with pytest.raises(SourceError) as caught:
            api_entreprise.lookup(SIRET)
        return caught.value

    return ask


@pytest.mark.parametrize(
    ("status", "code"), [(401, "00101"), (401, "00103"), (403, "00100"), (403, "00107"), (410, ""), (422, "00201")]
)
def test_a_refusal_of_ours_is_told_apart_and_never_retried(
    failure_of: Lookup, route: respx.Route, status: int, code: str
) -> None:
    failure = failure_of(httpx.Response(status, json=error(code)))
    assert isinstance(failure, SourceMisconfigured)
    assert failure.reason == f"HTTP {status} {code}".strip()
    assert route.call_count == 1


def test_a_recorded_refusal_with_a_four_digit_code_is_classified_by_its_status(failure_of: Lookup) -> None:
    refusal = recorded("api-entreprise/successions/403.yaml")
    assert isinstance(failure_of(httpx.Response(403, json=refusal)), SourceMisconfigured)


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_server_error_is_asked_three_times_with_growing_pauses(
    failure_of: Lookup, route: respx.Route, stopped: StoppedClock, status: int
) -> None:
    failure = failure_of(httpx.Response(status, json=error("01001")))
    assert isinstance(failure, SourceUnavailable)
    assert failure.retry_after is None
    assert route.call_count == 3
    assert len(stopped.pauses) == 2
    assert stopped.pauses[0] <= 0.5
    assert stopped.pauses[1] <= 1


@pytest.mark.parametrize("sample", ["502.yaml", "504.yaml"])
def test_a_recorded_server_error_without_meta_is_an_outage(failure_of: Lookup, sample: str) -> None:
    answer = httpx.Response(int(sample[:3]), json=recorded(f"api-entreprise/successions/{sample}"))
    assert isinstance(failure_of(answer), SourceUnavailable)


def test_a_502_then_an_answer_is_an_answer(
    network: respx.MockRouter, route: respx.Route, api_entreprise: Alone
) -> None:
    route.side_effect = [httpx.Response(502, json=error("01001")), httpx.Response(200, json=establishment())]
    network.get(path=f"/v3/infogreffe/rcs/unites_legales/{SIREN}/extrait_kbis").respond(200, json=extract())
    assert api_entreprise.lookup(SIRET).evidence
    assert route.call_count == 2


def test_a_502_that_names_its_wait_is_not_asked_again_before(failure_of: Lookup, route: respx.Route) -> None:
    failure = failure_of(httpx.Response(502, json=error("00501", retry_in=10)))
    assert failure.retry_after == timedelta(seconds=10)
    assert route.call_count == 1


def test_a_conflict_is_asked_once_more(failure_of: Lookup, route: respx.Route) -> None:
    assert isinstance(failure_of(httpx.Response(409, json=error("00015"))), SourceUnavailable)
    assert route.call_count == 2


def test_a_maintenance_carries_its_end_and_is_not_retried(failure_of: Lookup, route: respx.Route) -> None:
    failure = failure_of(httpx.Response(503, json=error("01020", retry_in=3600)))
    assert isinstance(failure, SourceUnavailable)
    assert failure.retry_after == timedelta(hours=1)
    assert route.call_count == 1


def test_a_429_carries_the_wait_and_the_source_is_left_alone_until_then(
    failure_of: Lookup, route: respx.Route, stopped: StoppedClock
) -> None:
    limited = httpx.Response(429, json=error("00429"), headers={"Retry-After": "30"})
    assert failure_of(limited).retry_after == timedelta(seconds=30)
    stopped.elapsed_s += 10
    assert failure_of(limited).retry_after == timedelta(seconds=20)
    assert route.call_count == 1
    stopped.elapsed_s += 20
    failure_of(limited)
    assert route.call_count == 2


def test_a_429_may_name_an_instant(failure_of: Lookup, stopped: StoppedClock) -> None:
    instant = format_datetime(stopped.now() + timedelta(seconds=45), usegmt=True)
    assert failure_of(httpx.Response(429, headers={"Retry-After": instant})).retry_after == timedelta(seconds=45)


def test_a_429_without_wait_is_not_retried_either(failure_of: Lookup, route: respx.Route) -> None:
    failure = failure_of(httpx.Response(429, text="slow down"))
    assert isinstance(failure, SourceUnavailable)
    assert failure.retry_after is None
    assert route.call_count == 1


@pytest.mark.parametrize(
    ("asked", "understood"),
    [
        ("-5", None),
        ("soon", None),
        ("9" * 500, timedelta(days=1)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", timedelta(0)),
    ],
)
def test_an_absurd_wait_is_ignored_or_bounded(failure_of: Lookup, asked: str, understood: timedelta | None) -> None:
    assert failure_of(httpx.Response(429, headers={"Retry-After": asked})).retry_after == understood


@pytest.mark.parametrize("wait", ["NaN", "1e999", "-3", '"soon"', "null", "1" + "0" * 400])
def test_an_absurd_maintenance_is_an_outage_like_another(failure_of: Lookup, wait: str) -> None:
    body = '{"errors": [{"code": "01020", "meta": {"retry_in": WAIT}}]}'.replace("WAIT", wait)
    failure = failure_of(httpx.Response(503, text=body))
    assert isinstance(failure, SourceUnavailable)
    assert failure.retry_after is None or timedelta(0) <= failure.retry_after <= timedelta(days=1)


@pytest.mark.parametrize(
    "error_class", [httpx.ConnectError, httpx.ConnectTimeout, httpx.ReadError, httpx.RemoteProtocolError]
)
def test_a_network_failure_is_asked_three_times(
    failure_of: Lookup, route: respx.Route, error_class: type[Exception]
) -> None:
    failure = failure_of(error_class)
    assert isinstance(failure, SourceUnavailable)
    assert failure.reason == error_class.__name__
    assert route.call_count == 3


def test_a_request_that_was_received_and_is_late_is_not_made_again(failure_of: Lookup, route: respx.Route) -> None:
    assert failure_of(httpx.ReadTimeout).reason == "ReadTimeout"
    assert route.call_count == 1


def test_a_location_that_is_no_address_is_an_outage(failure_of: Lookup) -> None:
    assert isinstance(failure_of(httpx.Response(301, headers={"Location": "https:moved"})), SourceUnavailable)


def test_a_client_that_is_closed_calls_nobody(api_entreprise: Alone) -> None:
    api_entreprise.close()
    with pytest.raises(SourceNotAsked, match="closed"):
        api_entreprise.lookup(SIRET)
    api_entreprise.close()


def test_timeouts_stay_inside_the_budget(route: respx.Route, api_entreprise: Alone, stopped: StoppedClock) -> None:
    def time_out(request: httpx.Request) -> httpx.Response:
        stopped.elapsed_s += request.extensions["timeout"]["read"]
        raise httpx.ReadTimeout("")

    route.side_effect = time_out
    with pytest.raises(SourceUnavailable):
        api_entreprise.lookup(SIRET)
    assert stopped.elapsed_s <= BUDGET_S
    first = route.calls[0].request.extensions["timeout"]
    assert (first["connect"], first["read"]) == (1.0, 5.0)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>OK</body></html>",
        b'{"data": {"siret": "5520494',
        b"[]",
        b"null",
        b'{"data": NaN}',
        b"\xff\xfe",
        b'{"a":' * 100_000,
        b"{}",
    ],
    ids=["empty", "html", "truncated", "list", "null", "nan", "not-utf8", "too-deep", "no-data"],
)
def test_a_200_without_the_expected_document_is_unusable(failure_of: Lookup, route: respx.Route, body: bytes) -> None:
    failure = failure_of(httpx.Response(200, content=body))
    assert isinstance(failure, SourceUnavailable)
    assert failure.reason.startswith("unusable answer")
    assert route.call_count == 1


def test_a_compressed_answer_is_refused_unread(failure_of: Lookup) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    failure = failure_of(httpx.Response(200, stream=httpx.ByteStream(bomb), headers={"Content-Encoding": "gzip"}))
    assert failure.reason == "unusable answer: compressed although identity was asked"


def test_a_compressed_error_page_is_still_that_error(failure_of: Lookup, route: respx.Route) -> None:
    page = httpx.ByteStream(gzip.compress(b"<html>"))
    failure = failure_of(httpx.Response(502, stream=page, headers={"Content-Encoding": "gzip"}))
    assert failure.reason == "HTTP 502"
    assert route.call_count == 3


def test_an_oversized_answer_is_cut_off(failure_of: Lookup) -> None:
    read = 0

    class Flood(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            nonlocal read
            for _ in range(64):
                read += 65536
                yield b" " * 65536

    failure = failure_of(httpx.Response(200, stream=Flood()))
    assert failure.reason == "unusable answer: longer than 1048576 bytes"
    assert read <= 1048576 + 65536


def test_a_redirect_is_not_followed_and_the_token_stays_home(
    network: respx.MockRouter, failure_of: Lookup, route: respx.Route
) -> None:
    elsewhere = network.get(host="elsewhere.test").respond(200, json=establishment())
    failure = failure_of(httpx.Response(301, headers={"Location": f"https://elsewhere.test/{SIRET}"}))
    assert isinstance(failure, SourceUnavailable)
    assert not elsewhere.called
    assert route.call_count == 1


def test_a_404_that_is_not_the_registrys_is_not_a_not_found(failure_of: Lookup) -> None:
    assert isinstance(failure_of(httpx.Response(404, text="<h1>Not Found</h1>")), SourceUnavailable)


def test_every_request_says_who_asks_and_why(failure_of: Lookup, route: respx.Route) -> None:
    failure_of(httpx.Response(401, json=error("00101")))
    request = route.calls.last.request
    assert request.headers["User-Agent"].startswith("permits/")
    assert request.headers["User-Agent"].endswith("(+mailto:test@exemple.example)")
    assert request.headers["Accept-Encoding"] == "identity"
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert set(request.url.params) == {"context", "object", "recipient"}
    assert len(request.url.params["object"]) <= 50


def test_the_log_names_the_request_but_neither_the_siret_nor_the_token(
    failure_of: Lookup, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="permits"):
        failure_of(httpx.Response(502, json=error("01001"), headers={"X-Request-ID": "f3a9"}))
        failure_of(httpx.ConnectError)
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("permits"))
    assert "f3a9" in ours
    assert SIRET not in ours
    assert TOKEN not in ours


def test_a_request_id_that_would_forge_a_log_line_is_dropped(api_entreprise: Alone, route: respx.Route) -> None:
    route.respond(451, json=error("01005"), headers={"X-Request-ID": "a\tforged"})
    assert api_entreprise.lookup(SIRET).evidence[0].request_id is None
