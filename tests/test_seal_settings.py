"""Which key seals, by the settings: one kind, all of it, and what is missing told by its name."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pkcs11 import KeyType
from pydantic import SecretStr, ValidationError

from permits.document.sealing.csc import CscKey
from permits.document.sealing.demo import DEMO_FILE, DEMO_PASSPHRASE_FILE, make_demo_seal
from permits.document.sealing.pkcs11 import Pkcs11Key
from permits.document.sealing.pkcs12 import Pkcs12Key
from permits.seal import open_key
from permits.settings import Misconfigured, Settings
from tests.document.csc_service import CREDENTIAL, TOKEN, TrustService, serving
from tests.document.softhsm import PIN, SoftToken
from tests.document.softhsm import TOKEN as TOKEN_LABEL

FILE: dict[str, Any] = {"seal_pkcs12": Path("cachet.p12"), "seal_passphrase": SecretStr("phrase")}
MODULE: dict[str, Any] = {
    "seal_pkcs11_module": Path("/usr/lib/module.so"),
    "seal_pkcs11_token": "jeton",
    "seal_pkcs11_key": "cachet",
    "seal_pkcs11_pin": SecretStr("1234"),
}
FAR: dict[str, Any] = {
    "seal_csc_url": "https://cachet.example/csc/v1",
    "seal_csc_credential": "cachet-1",
    "seal_csc_token": SecretStr("jeton"),
}


def settings(**changes: Any) -> Settings:
    return Settings().model_copy(update=changes)


def test_a_file_is_one_kind(tmp_path: Path) -> None:
    make_demo_seal(tmp_path)
    passphrase = SecretStr((tmp_path / DEMO_PASSPHRASE_FILE).read_text())
    key = open_key(settings(seal_pkcs12=tmp_path / DEMO_FILE, seal_passphrase=passphrase))
    assert isinstance(key, Pkcs12Key)


@pytest.mark.parametrize("url", ["https://horodatage.exemple/tsa", "http://127.0.0.1:8318/tsa", "http://[::1]/tsa"])
def test_what_the_authority_asks_for_is_sent_over_tls_or_on_this_machine(url: str) -> None:
    assert Settings(tsa_url=url, tsa_authorization=SecretStr("Bearer sesame")).tsa_url == url


def test_what_the_authority_asks_for_is_not_sent_in_the_clear() -> None:
    with pytest.raises(ValidationError, match="ne part qu’en https") as refused:
        Settings(tsa_url="http://horodatage.exemple/tsa", tsa_authorization=SecretStr("Bearer sesame"))

    assert "sesame" not in str(refused.value)
    assert Settings(tsa_url="http://horodatage.exemple/tsa").tsa_authorization is None


@pytest.fixture
def token(tmp_path: Path, program: Callable[[str], str]) -> Iterator[SoftToken]:
    token = SoftToken.make(tmp_path, program("softhsm2-util"))
    token.make_key("cachet", KeyType.EC)
    yield token
    token.unload()


def test_a_hardware_module_is_another(token: SoftToken) -> None:
    given = MODULE | {"seal_pkcs11_module": token.module, "seal_pkcs11_token": TOKEN_LABEL}
    key = open_key(settings(**given | {"seal_pkcs11_pin": SecretStr(PIN)}))
    assert isinstance(key, Pkcs11Key)
    assert key.chain == (token.issuer.certificate,)
    key.close()


def test_a_trust_service_is_the_third() -> None:
    with serving(TrustService(ec.generate_private_key(ec.SECP256R1()), mode="implicit")) as service:
        known = {"seal_csc_url": service.url, "seal_csc_credential": CREDENTIAL, "seal_csc_token": SecretStr(TOKEN)}
        key = open_key(settings(**known))
    assert isinstance(key, CscKey)
    assert key.chain == (service.issuer.certificate,)


def test_no_key_at_all_is_told_with_the_three_ways() -> None:
    with pytest.raises(
        Misconfigured, match=r"PERMITS_SEAL_PKCS12 manque.+PERMITS_SEAL_PKCS11_MODULE.+PERMITS_SEAL_CSC_URL"
    ):
        open_key(settings())


@pytest.mark.parametrize("given", [FILE | MODULE, FILE | FAR, MODULE | FAR, FILE | {"seal_csc_pin": SecretStr("1")}])
def test_two_kinds_are_one_too_many(given: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured, match=r"PERMITS_SEAL_.+ et PERMITS_SEAL_.+ sont donnés"):
        open_key(settings(**given))


@pytest.mark.parametrize(("whole", "name"), [(MODULE, name) for name in MODULE] + [(FAR, name) for name in FAR])
def test_what_is_missing_of_a_kind_is_named(whole: dict[str, Any], name: str) -> None:
    with pytest.raises(Misconfigured, match=f"le cachet demande aussi PERMITS_{name.upper()}$"):
        open_key(settings(**{key: value for key, value in whole.items() if key != name}))


def test_no_secret_of_the_seal_is_ever_shown() -> None:
    told = repr(settings(**FILE | MODULE | FAR | {"seal_csc_pin": SecretStr("9876")}))
    assert not [secret for secret in ("phrase", "1234", "9876") if f"'{secret}'" in told]
