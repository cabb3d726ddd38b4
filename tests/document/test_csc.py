"""A remote seal: the trust service signs the digest it was asked to, or nothing is released."""

import base64
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pydantic import SecretStr
from pyhanko.pdf_utils.reader import PdfFileReader

from permits.document.errors import SealError
from permits.document.press import LintedDocument, Press
from permits.document.sealing.csc import MAX_BODY_BYTES, CscKey
from permits.document.sealing.pades import certify
from permits.document.sealing.seal import Seal
from permits.document.verify import verify_seal
from permits.domain.permit import Permit
from tests.document.csc_service import PIN, TOKEN, Spoiled, TrustService, instead, serving, slowly

INFO, AUTHORISE, SIGN = "credentials/info", "credentials/authorize", "signatures/signHash"


@pytest.fixture
def service() -> Iterator[TrustService]:
    with serving(TrustService(ec.generate_private_key(ec.SECP256R1()))) as service:
        yield service


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("mode", ["implicit", "explicit"])
def test_a_file_sealed_far_away_holds_and_carries_the_services_chain(version: str, mode: str, pdf: bytes) -> None:
    with serving(TrustService(ec.generate_private_key(ec.SECP256R1()), version, mode)) as service:
        key = CscKey(service.where(pin=SecretStr(PIN) if mode == "explicit" else None))
        sealed = certify(pdf, key.signer)
    verify_seal(sealed, service.certificate)
    (signature,) = PdfFileReader(BytesIO(sealed)).embedded_signatures
    assert [each.subject.native["common_name"] for each in signature.other_embedded_certs] == ["Autorité d’essai"]
    assert service.calls == [INFO, AUTHORISE, SIGN]


def test_another_program_finds_an_rsa_seal_whole(pdf: bytes, tmp_path: Path, program: Callable[[str], str]) -> None:
    with serving(TrustService(rsa.generate_private_key(65537, 3072))) as service:
        sealed = certify(pdf, CscKey(service.where()).signer)
    path = tmp_path / "sealed.pdf"
    path.write_bytes(sealed)
    told = subprocess.run([program("pdfsig"), str(path)], capture_output=True, text=True).stdout
    assert "Signature is Valid." in told and "Total document signed" in told


def test_threads_seal_at_once(service: TrustService, pdf: bytes) -> None:
    key = CscKey(service.where())
    with ThreadPoolExecutor(4) as threads:
        for sealed in threads.map(lambda _: certify(pdf, key.signer), range(8)):
            verify_seal(sealed, service.certificate)


class TestOverTls:
    @pytest.fixture
    def authority(self) -> trustme.CA:
        return trustme.CA()

    @pytest.fixture
    def service(self, authority: trustme.CA) -> Iterator[TrustService]:
        shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(shown)
        with serving(TrustService(ec.generate_private_key(ec.SECP256R1())), shown) as service:
            yield service

    def test_a_service_that_is_vouched_for_seals(
        self, service: TrustService, authority: trustme.CA, pdf: bytes
    ) -> None:
        trusting = ssl.create_default_context()
        authority.configure_trust(trusting)
        verify_seal(certify(pdf, CscKey(service.where(), tls=trusting).signer), service.certificate)

    def test_one_that_nobody_vouches_for_is_told_no_secret(self, service: TrustService) -> None:
        with pytest.raises(SealError, match="ne répond pas"):
            CscKey(service.where())
        assert service.calls == []


@pytest.mark.parametrize("url", ["http://cachet.example/csc/v1", "https://cachet.example/api", "ftp://a/csc/v1", ""])
def test_an_address_that_would_show_the_token_or_is_none_is_refused(url: str, service: TrustService) -> None:
    with pytest.raises(SealError, match="PERMITS_SEAL_CSC_URL"):
        CscKey(service.where(url=url))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"token": SecretStr("perime")}, "PERMITS_SEAL_CSC_TOKEN : le service de cachet refuse ce jeton"),
        ({"credential": "autre"}, r"refuse \(credentials/info : 400 invalid_request\)"),
        ({"pin": None}, "PERMITS_SEAL_CSC_PIN manque"),
    ],
    ids=["token", "credential", "no PIN"],
)
def test_what_is_wrong_with_the_settings_is_told_at_the_start(
    changes: dict[str, Any], told: str, service: TrustService
) -> None:
    with pytest.raises(SealError, match=told) as caught:
        CscKey(service.where(**changes))
    assert "perime" not in str(caught.value) and TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"authMode": "oauth2code"}, "l’accord d’une personne"),
        ({"key": {"status": "disabled"}}, "a désactivé cette clé"),
        ({"cert": {"certificates": []}}, "aucun certificat"),
        ({"cert": {"certificates": [base64.b64encode(b"rien").decode()]}}, "certificat illisible"),
        ({"cert": {"certificates": ["é"]}}, "base64"),
    ],
    ids=["a person", "disabled", "no certificate", "not a certificate", "not base64"],
)
def test_a_credential_that_can_not_seal_is_refused_at_the_start(
    change: dict[str, Any], told: str, service: TrustService
) -> None:
    service.spoil = lambda _call, answer: answer | change
    with pytest.raises(SealError, match=told):
        CscKey(service.where())


def test_a_wrong_pin_is_refused_by_the_service_and_repeated_nowhere(service: TrustService, pdf: bytes) -> None:
    key = CscKey(service.where(pin=SecretStr("161803")))
    with pytest.raises(SealError, match=r"refuse \(credentials/authorize : 400 invalid_request\)") as caught:
        certify(pdf, key.signer)
    assert "161803" not in str(caught.value) and "<b>" not in str(caught.value)


@pytest.mark.parametrize("call", [AUTHORISE, SIGN])
@pytest.mark.parametrize(
    ("spoiled", "told"),
    [
        ((401, {}, b"{}"), "PERMITS_SEAL_CSC_TOKEN"),
        ((500, {}, b"<html>"), r"refuse \(.+ : 500\)"),
        ((200, {}, b"<html>"), "autre chose que du JSON"),
        ((200, {}, b"[" * 100_000), "autre chose que du JSON"),
        ((200, {}, b"[]"), "autre chose que du JSON"),
        ((200, {}, b" " * (MAX_BODY_BYTES + 1)), "autre chose que du JSON"),
        ((200, {}, b"{}"), "ne rend pas"),
        ((307, {"Location": "/csc/v1/elsewhere"}, b""), r"refuse \(.+ : 307\)"),
        ((200, {"Content-Length": "9"}, b"{}"), "ne répond pas"),
    ],
    ids=["401", "500", "page", "deep", "list", "long", "empty", "redirect", "cut"],
)
def test_an_answer_that_is_none_seals_nothing(
    call: str, spoiled: Spoiled, told: str, service: TrustService, pdf: bytes
) -> None:
    key = CscKey(service.where(), time_limit=2)
    service.spoil = instead(call, spoiled)
    with pytest.raises(SealError, match=told):
        certify(pdf, key.signer)
    assert service.calls[-1] == call, "a redirect is not followed"


def test_a_service_that_hangs_is_given_up_until_it_answers(service: TrustService, pdf: bytes) -> None:
    key = CscKey(service.where(), time_limit=0.3)
    service.spoil = slowly(1.0)
    begun = time.monotonic()
    with pytest.raises(SealError, match=r"n’a pas répondu en 0\.3 s"):
        certify(pdf, key.signer)
    assert time.monotonic() - begun < 0.9

    service.spoil = lambda _call, _answer: None
    verify_seal(certify(pdf, key.signer), service.certificate)


def test_a_service_that_is_gone_is_told(pdf: bytes) -> None:
    with ExitStack() as stack:
        service = stack.enter_context(serving(TrustService(ec.generate_private_key(ec.SECP256R1()))))
        key = CscKey(service.where())
    with pytest.raises(SealError, match="ne répond pas"):
        certify(pdf, key.signer)


@pytest.mark.parametrize("wrong", ["of another digest", "of another key", "of nothing"])
def test_a_wrong_signature_is_not_released(
    wrong: str, service: TrustService, press: Press, permit: Permit, pdf: bytes
) -> None:
    other = TrustService(ec.generate_private_key(ec.SECP256R1()))
    made = {
        "of another digest": service.sign(bytes(32)),
        "of another key": other.sign(bytes(32)),
        "of nothing": b"",
    }[wrong]
    remote = Press(Seal(CscKey(service.where())))
    linted = press.print_and_lint(permit)
    passed = LintedDocument(linted.content, linted.sha256, remote._proof(linted.sha256))
    service.spoil = instead(SIGN, {"signatures": [base64.b64encode(made).decode()]})
    with pytest.raises(SealError):
        remote.seal(passed)

    service.spoil = lambda _call, _answer: None
    verify_seal(remote.seal(passed).content, service.certificate)
