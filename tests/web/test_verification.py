"""Files and codes as somebody who holds them has them checked; the trust bundle that they may take away."""

import asyncio
import hashlib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from fastapi import Request
from sqlalchemy import text

from permits.domain.claim import Claim
from permits.domain.permit import PressBusy
from permits.domain.trust import TrustBundle
from permits.register.trusted import remember_seal
from permits.web import upload
from tests.document.conftest import town_seal
from tests.fakes import request_body
from tests.web.conftest import Api
from tests.web.hostile_files import HEAD
from tests.web.live import CodeSigner
from tests.web.test_acts import correct, issued, withdraw


@pytest.fixture(autouse=True)
def under_the_seal_of_a_city(api: Api) -> None:
    """What these tests issue is real, unless they say otherwise."""
    api.office.press.is_specimen = False


def delivered(api: Api, permit: Any) -> bytes:
    return api.office.register.document(permit["document_sha256"])


def archived(api: Api, permit: Any) -> bytes:
    """Keep an archive copy of a delivered file, as the stamping does later."""
    copy = delivered(api, permit) + b" and a time stamp over all of it"
    act = api.office.register.act_by_number(permit["number"])
    assert act is not None
    with api.office.register.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO archive_copy (sha256, act_id, content, level, made_from, made_at)"
                " VALUES (:sha256, :act, :copy, 'B-LTA', :made_from, now())"
            ),
            {
                "sha256": hashlib.sha256(copy).hexdigest(),
                "act": act.id,
                "copy": copy,
                "made_from": permit["document_sha256"],
            },
        )
    return copy


def sent(api: Api, content: bytes, code: str | None = None) -> Any:
    """Send a file as the form does where no script runs."""
    path = "/verifier" if code is None else f"/verifier?code={code}"
    return api.client.post(path, files={"file": ("../../etc/permis.pdf", content, "application/pdf")})


def asked(api: Api, content: bytes) -> Any:
    """Ask by digest, as the page does where scripts run."""
    response = api.client.get(f"/v1/documents/{hashlib.sha256(content).hexdigest()}")
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    return response.json()


def code_of(permit: Any) -> str:
    return str(permit["verification_url"]).rsplit("/", 1)[1]


FORM = [(b"content-type", b"multipart/form-data; boundary=b")]


async def taken_in(receive: Callable[[], Awaitable[dict[str, Any]]]) -> upload.Upload:
    async with upload.received(Request({"type": "http", "headers": FORM}, receive)) as whole:
        return whole


def test_the_delivered_file_is_authentic_with_its_state_now(api: Api) -> None:
    permit = issued(api)
    content = delivered(api, permit)
    told = asked(api, content)

    assert (told["role"], told["number"], told["standing"]) == ("delivered", permit["number"], "not_yet")
    assert (told["title"], told["level"]) == ("Document authentique", "B-B")
    page = sent(api, content)
    assert page.status_code == 200
    assert 'data-band="not_yet"' in page.text and "Document authentique" in page.text

    withdraw(api, permit["number"])
    assert asked(api, content)["standing"] == "withdrawn"
    assert 'data-band="withdrawn"' in sent(api, content).text


def test_a_specimen_is_authentic_and_never_in_force(api: Api) -> None:
    api.office.press.is_specimen = True

    assert asked(api, delivered(api, issued(api)))["standing"] == "specimen"


def test_an_archive_copy_is_named_as_such_and_is_not_the_act(api: Api) -> None:
    copy = archived(api, issued(api))
    told = asked(api, copy)
    page = sent(api, copy).text

    assert (told["role"], told["level"], told["word"]) == ("archive", "B-LTA", "Copie d’archive")
    assert 'data-band="archive"' in page
    assert "Document authentique" not in page + told["title"]


def test_a_file_that_claims_a_number_is_told_not_to_be_its_document(api: Api) -> None:
    permit = issued(api)
    forged = HEAD + delivered(api, permit)
    page = sent(api, forged).text

    assert 'data-band="other"' in page and permit["number"] in page
    assert "Ce numéro existe, mais ce fichier n’est pas un document délivré" in page
    assert "authentique" not in page
    assert code_of(permit) in page, "who has the code may follow it"
    assert asked(api, forged)["role"] == "unknown"


def test_a_number_alone_never_gives_the_address_of_its_act(api: Api) -> None:
    permit = issued(api)
    page = sent(api, b'"number":"%s"' % permit["number"].encode()).text

    assert 'data-band="other"' in page and permit["number"] in page
    assert code_of(permit) not in page


def test_the_document_of_one_act_is_not_that_of_the_page_of_another(api: Api) -> None:
    one = issued(api)
    other = api.post(request_body() | {"starts_on": "2027-02-01", "ends_on": "2027-02-05"}).json()["permit"]
    page = sent(api, delivered(api, one), code_of(other)).text

    assert 'data-band="other"' in page
    assert "Ce fichier est celui d’un autre acte" in page and one["number"] in page
    assert 'data-band="not_yet"' in sent(api, delivered(api, one), code_of(one)).text


def test_any_other_file_dropped_on_a_permit_s_page_is_not_its_document(api: Api) -> None:
    page = sent(api, b"%PDF-1.7 a scan", code_of(issued(api))).text

    assert 'data-band="other"' in page and "EX-2026-000001" in page


def test_a_file_nobody_knows_is_unknown_and_told_when_it_is_no_pdf(api: Api) -> None:
    assert 'data-band="unknown"' in sent(api, b"%PDF-1.7 nothing of ours").text
    assert "Ce n’est pas un PDF." in sent(api, b"\x89PNG").text


def test_a_known_file_is_never_parsed_and_an_unknown_one_is(api: Api) -> None:
    read: list[bytes] = []

    def reader(content: bytes) -> Claim:
        read.append(content)
        return Claim(is_pdf=True)

    known = delivered(api, issued(api))
    api.client.app.state.context = replace(api.client.app.state.context, read_stranger=reader)  # type: ignore[attr-defined]
    assert "Document authentique" in sent(api, known).text
    assert not read
    sent(api, known + b" ")
    assert read == [known + b" "]


def test_too_many_strangers_at_once_are_asked_to_come_back(api: Api) -> None:
    def busy(_content: bytes) -> Claim:
        raise PressBusy(2)

    api.client.app.state.context = replace(api.client.app.state.context, read_stranger=busy)  # type: ignore[attr-defined]
    response = sent(api, b"%PDF-1.7")

    assert response.status_code == 503 and int(response.headers["Retry-After"]) >= 1
    assert 'data-band="refused"' in response.text


def test_too_many_bytes_at_once_are_asked_to_come_back_and_give_their_room_back(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "_room", upload.Room(1000))
    assert sent(api, b"x" * 1000).status_code == 200
    response = sent(api, b"x" * 1001)
    assert response.status_code == 503 and int(response.headers["Retry-After"]) >= 1
    assert sent(api, b"x" * 1000).status_code == 200


def test_a_file_keeps_its_room_until_it_is_judged(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "_room", upload.Room(1000))
    left: list[int] = []

    def reader(content: bytes) -> Claim:
        left.append(vars(upload._room)["_left"])
        return Claim(is_pdf=True)

    api.client.app.state.context = replace(api.client.app.state.context, read_stranger=reader)  # type: ignore[attr-defined]
    sent(api, b"x" * 600)
    assert left == [400]


def test_forms_that_send_nothing_keep_nobody_out(api: Api) -> None:
    async def idle(started: asyncio.Event) -> None:
        async def silence() -> dict[str, Any]:
            started.set()
            await asyncio.sleep(60)
            raise AssertionError("nobody waits that long here")

        async with upload.received(Request({"type": "http", "headers": FORM}, silence)):
            pass

    async def crowd() -> int:
        events = [asyncio.Event() for _ in range(50)]
        waiting = [asyncio.ensure_future(idle(event)) for event in events]
        for event in events:
            await event.wait()
        response = await asyncio.to_thread(sent, api, b"%PDF-1.7")
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return int(response.status_code)

    assert asyncio.run(crowd()) == 200


def test_what_follows_the_file_is_not_read() -> None:
    taken = 0
    more = b"".join(b'--b\r\nContent-Disposition: form-data; name="f"\r\n\r\nx\r\n' for _ in range(1000))

    async def parts() -> dict[str, Any]:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": more, "more_body": True}

    assert asyncio.run(taken_in(parts)).content == b"x"
    assert taken == 1


def test_a_file_over_ten_mebibytes_is_refused(api: Api) -> None:
    response = sent(api, b"x" * (upload.MAX_FILE_BYTES + 1))

    assert response.status_code == 413
    assert "10 Mio" in response.text and 'data-band="refused"' in response.text
    # The control: one of just the right length is taken, and read.
    assert sent(api, b"x" * upload.MAX_FILE_BYTES).status_code == 200


def test_an_endless_file_is_refused_while_it_comes() -> None:
    taken = 0

    async def drip() -> dict[str, Any]:
        nonlocal taken
        taken += 1
        first = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n' if taken == 1 else b""
        return {"type": "http.request", "body": first + bytes(1024**2), "more_body": True}

    with pytest.raises(upload.UploadRefused) as refused:
        asyncio.run(taken_in(drip))

    assert refused.value.status == 413
    assert taken == 11


def test_a_file_that_comes_too_slowly_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "SECONDS", 0.05)

    async def drip() -> dict[str, Any]:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"", "more_body": True}

    with pytest.raises(upload.UploadRefused) as refused:
        asyncio.run(taken_in(drip))

    assert refused.value.status == 408


def test_a_form_without_a_whole_file_says_so(api: Api) -> None:
    form = "multipart/form-data; boundary=b"
    for content, kind in (
        (b"", form),
        (b"--b--\r\n", form),
        (b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\ncut', form),
        (b"\x00" * 100, form),
        (b"--b", "multipart/form-data"),
        (b"%PDF-1.7", "application/pdf"),
        (b"file=x", "application/x-www-form-urlencoded"),
    ):
        response = api.client.post("/verifier", content=content, headers={"Content-Type": kind})
        assert response.status_code == 400, content
        assert 'data-band="refused"' in response.text


def test_only_a_digest_is_looked_up(api: Api) -> None:
    for wrong in ("0" * 63, "0" * 65, "A" * 64, "g" * 64):
        assert api.client.get(f"/v1/documents/{wrong}").status_code == 422


def test_every_page_with_a_script_allows_those_of_this_service_and_no_other(api: Api) -> None:
    permit = issued(api)
    for path in (f"/v/{code_of(permit)}", "/v/unknown", "/verifier", "/patrouille"):
        response = api.client.get(path)
        allowed = response.headers["Content-Security-Policy"].split("; ")
        assert "script-src 'self'" in allowed and "default-src 'none'" in allowed
        assert not [part for part in allowed if "unsafe" in part or "http" in part]
        assert response.text.count("<script") == 1 and "style=" not in response.text


def test_a_permit_s_page_is_light_enough_for_a_poor_network(api: Api) -> None:
    page = api.client.get(f"/v/{code_of(issued(api))}")
    style, script = (api.client.get(f"/static/{name}") for name in ("style.css", "verify.js"))

    assert len(page.content) < 8_000
    assert len(style.content) + len(script.content) < 18_000


def test_the_patrol_s_script_has_a_version_of_what_it_keeps(api: Api) -> None:
    script = api.client.get("/static/patrol.js")

    assert script.headers["Service-Worker-Allowed"] == "/"
    assert script.text.startswith('const VERSION = "')
    assert script.text == api.client.get("/static/patrol.js").text


def test_the_bundle_holds_every_seal_and_every_public_key_and_no_private_one(api: Api) -> None:
    signer, seal = CodeSigner(), town_seal()
    signer.publish(api.office.register.engine)
    der = seal.certificate.public_bytes(Encoding.DER)
    remember_seal(api.office.register.engine, api.office.register.floor, seal.certificate, (), api.office.clock())
    response = api.client.get("/.well-known/permits-trust.json")
    bundle = TrustBundle.model_validate_json(response.content)

    assert [ssl.PEM_cert_to_DER_cert(each.certificate) for each in bundle.seals] == [der]
    assert bundle.authority.id == "exemple"
    keys = api.client.get("/.well-known/jwks.json").json()
    assert response.json()["code_keys"] == keys
    (key,) = keys["keys"]
    assert key.keys() == {"kid", "kty", "crv", "x", "y", "use", "alg"} and key["kid"] == signer.kid


def test_another_authority_s_keys_are_not_in_the_bundle(api: Api) -> None:
    CodeSigner().publish(api.office.register.engine, "ailleurs")

    assert api.client.get("/.well-known/jwks.json").json() == {"keys": []}


def test_the_file_of_what_was_replaced_is_authentic_and_says_by_what(api: Api) -> None:
    permit = issued(api)
    content = delivered(api, permit)
    corrected = correct(api, permit["number"])

    told = asked(api, content)
    assert (told["title"], told["standing"]) == ("Document authentique", "superseded")
    assert corrected.number in told["sentence"]
