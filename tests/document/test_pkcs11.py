"""A key that never leaves its token, on SoftHSM2: the interface is that of a hardware module, the safety is not."""

import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from pkcs11 import Attribute, KeyType, ObjectClass
from pydantic import SecretStr
from pyhanko.pdf_utils.reader import PdfFileReader

from permits.document.errors import SealError
from permits.document.sealing.pades import certify
from permits.document.sealing.pkcs11 import Pkcs11Key
from permits.document.verify import verify_seal
from tests.document.softhsm import PIN, TOKEN, SoftToken

RSA, CURVE = "cachet", "courbe"


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory, program: Callable[[str], str]) -> Iterator[SoftToken]:
    token = SoftToken.make(tmp_path_factory.mktemp("softhsm"), program("softhsm2-util"))
    token.make_key(RSA, KeyType.RSA)
    token.make_key(CURVE, KeyType.EC)
    yield token
    token.unload()


@pytest.fixture(params=[RSA, CURVE])
def key(request: pytest.FixtureRequest, token: SoftToken) -> Iterator[Pkcs11Key]:
    key = Pkcs11Key(token.where(request.param))
    yield key
    key.close()


def test_a_file_sealed_in_the_token_holds_and_carries_its_chain(
    key: Pkcs11Key, token: SoftToken, pdf: bytes, tmp_path: Path, program: Callable[[str], str]
) -> None:
    sealed = certify(pdf, key.signer)
    verify_seal(sealed, key.certificate)
    (signature,) = PdfFileReader(BytesIO(sealed)).embedded_signatures
    assert [each.subject.native["common_name"] for each in signature.other_embedded_certs] == ["Autorité d’essai"]
    path = tmp_path / "sealed.pdf"
    path.write_bytes(sealed)
    told = subprocess.run([program("pdfsig"), str(path)], capture_output=True, text=True).stdout
    assert "Signature is Valid." in told and "Total document signed" in told


@pytest.mark.parametrize("secret", [Attribute.PRIVATE_EXPONENT, Attribute.VALUE], ids=["RSA", "curve"])
def test_the_private_key_can_not_be_taken_out(secret: Attribute, token: SoftToken) -> None:
    label = RSA if secret is Attribute.PRIVATE_EXPONENT else CURVE
    with token.open() as session:
        (private,) = session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.LABEL: label})
        assert (private[Attribute.EXTRACTABLE], private[Attribute.SENSITIVE]) == (False, True)
        with pytest.raises(pkcs11.AttributeSensitive):
            private[secret]
        (public,) = session.get_objects({Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.LABEL: label})
        assert public[Attribute.MODULUS if label == RSA else Attribute.EC_POINT]


def test_threads_seal_at_once_with_one_session(key: Pkcs11Key, pdf: bytes) -> None:
    with ThreadPoolExecutor(4) as threads:
        for sealed in threads.map(lambda _: certify(pdf, key.signer), range(8)):
            verify_seal(sealed, key.certificate)


def test_a_removed_token_stops_sealing_and_its_return_is_enough(key: Pkcs11Key, token: SoftToken, pdf: bytes) -> None:
    (held,) = token.folder.iterdir()
    away = held.rename(token.folder.parent / "away")
    try:
        for _ in range(2):
            with pytest.raises(SealError, match="PERMITS_SEAL_PKCS11_TOKEN : aucun jeton"):
                certify(pdf, key.signer)
        assert key.signer.failure is not None and "aucun jeton" in key.signer.failure.why
    finally:
        away.rename(held)
    verify_seal(certify(pdf, key.signer), key.certificate)
    assert key.signer.failure is None


def test_a_session_lost_in_a_restart_is_opened_again(key: Pkcs11Key, token: SoftToken, pdf: bytes) -> None:
    pkcs11.lib(str(token.module)).reinitialize()
    verify_seal(certify(pdf, key.signer), key.certificate)


def test_a_closed_key_opens_again_when_it_is_asked_to_seal(key: Pkcs11Key, pdf: bytes) -> None:
    key.close()
    verify_seal(certify(pdf, key.signer), key.certificate)


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"module": Path("/nowhere/libmodule.so")}, r"PERMITS_SEAL_PKCS11_MODULE : .*/nowhere/libmodule\.so"),
        ({"token": "autre"}, "PERMITS_SEAL_PKCS11_TOKEN : aucun jeton « autre »"),
        ({"label": "absente"}, f"PERMITS_SEAL_PKCS11_KEY : 0 clés privées « absente » sur le jeton « {TOKEN} »"),
        ({"pin": SecretStr("161803")}, "PERMITS_SEAL_PKCS11_PIN : le jeton refuse ce code"),
    ],
    ids=["module", "token", "key", "pin"],
)
def test_what_is_wrong_is_told_by_the_name_of_the_setting(
    changes: dict[str, Any], setting: str, token: SoftToken
) -> None:
    with pytest.raises(SealError, match=setting) as caught:
        Pkcs11Key(replace(token.where(RSA), **changes))
    assert PIN not in str(caught.value) and "161803" not in str(caught.value)


def test_a_refused_pin_is_sent_once(key: Pkcs11Key, pdf: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules lock themselves after a few: a PIN changed under the service must not block the key."""
    module = _RefusingModule()
    key.close()
    monkeypatch.setattr(key, "_library", lambda: module)
    for _ in range(3):
        with pytest.raises(SealError, match="PERMITS_SEAL_PKCS11_PIN"):
            certify(pdf, key.signer)
    assert module.asked == 1


class _RefusingModule:
    """A module whose PIN was changed, and its only token."""

    asked = 0

    def reinitialize(self) -> None:
        """There is nothing to forget."""

    def get_token(self, token_label: str) -> "_RefusingModule":
        return self

    def open(self, user_pin: str) -> None:
        self.asked += 1
        raise pkcs11.PinIncorrect


def test_a_key_without_its_certificate_or_beside_another_ones_is_refused(token: SoftToken) -> None:
    token.make_key("nue", KeyType.EC, certified=False)
    with pytest.raises(SealError, match="PERMITS_SEAL_PKCS11_KEY : 0 certificats « nue »"):
        Pkcs11Key(token.where("nue"))
    with token.open() as session:
        token.hold(session, "nue", Pkcs11Key(token.where(CURVE)).certificate)
    with pytest.raises(SealError, match="ne vont pas ensemble"):
        Pkcs11Key(token.where("nue"))
