"""Which key seals here: the one kind that the settings tell."""

from collections.abc import Callable
from typing import NamedTuple

from pydantic import SecretStr

from permits.document.sealing.csc import CscKey, RemoteKey
from permits.document.sealing.keys import SealingKey
from permits.document.sealing.pkcs11 import Pkcs11Key, TokenKey
from permits.document.sealing.pkcs12 import Pkcs12Key
from permits.settings import Misconfigured, Settings


def open_key(settings: Settings) -> SealingKey:
    """Return the key of the seal, ready. Raises Misconfigured, or SealError when what is given does not work."""
    given = [kind for kind in _KINDS if kind.given(settings)]
    if not given:
        raise Misconfigured(
            "PERMITS_SEAL_PKCS12 manque : donnez le fichier PKCS#12 du cachet de l’autorité, ou, à sa place, "
            "PERMITS_SEAL_PKCS11_MODULE (module matériel) ou PERMITS_SEAL_CSC_URL (prestataire)"
        )
    if len(given) > 1:
        named = " et ".join(_variable(kind.given(settings)[0]) for kind in given)
        raise Misconfigured(f"{named} sont donnés : le cachet n’a qu’une clé, gardez une seule sorte de réglages")
    if missing := given[0].missing(settings):
        raise Misconfigured(f"le cachet demande aussi {' et '.join(map(_variable, missing))}")
    return given[0].open(settings)


def _in_a_file(settings: Settings) -> SealingKey:
    assert settings.seal_pkcs12
    return Pkcs12Key.load(settings.seal_pkcs12, settings.seal_passphrase or SecretStr(""))


def _in_a_module(settings: Settings) -> SealingKey:
    module, token = settings.seal_pkcs11_module, settings.seal_pkcs11_token
    label, pin = settings.seal_pkcs11_key, settings.seal_pkcs11_pin
    assert module and token and label and pin
    return Pkcs11Key(TokenKey(module, token, label, pin))


def _far_away(settings: Settings) -> SealingKey:
    url, credential, token = settings.seal_csc_url, settings.seal_csc_credential, settings.seal_csc_token
    assert url and credential and token
    return CscKey(RemoteKey(url, credential, token, settings.seal_csc_pin))


class _Kind(NamedTuple):
    """One kind of key: the settings it needs, those it may have, and how it is opened."""

    needs: tuple[str, ...]
    may_have: tuple[str, ...]
    open: Callable[[Settings], SealingKey]

    def given(self, settings: Settings) -> list[str]:
        return [name for name in self.needs + self.may_have if getattr(settings, name)]

    def missing(self, settings: Settings) -> list[str]:
        return [name for name in self.needs if not getattr(settings, name)]


_KINDS = (
    _Kind(("seal_pkcs12",), ("seal_passphrase",), _in_a_file),
    _Kind(("seal_pkcs11_module", "seal_pkcs11_token", "seal_pkcs11_key", "seal_pkcs11_pin"), (), _in_a_module),
    _Kind(("seal_csc_url", "seal_csc_credential", "seal_csc_token"), ("seal_csc_pin",), _far_away),
)


def _variable(name: str) -> str:
    return f"PERMITS_{name.upper()}"
