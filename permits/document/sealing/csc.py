"""A key kept by a remote trust service, asked by the API of the Cloud Signature Consortium (v1 and v2).

The service is asked twice a signature: to authorise this one digest, then to sign it. Each exchange
is bounded in time and size, never follows a redirect, and never repeats the token or the PIN in a message.
"""

import asyncio
import base64
import hashlib
import json
import re
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
from asn1crypto import algos  # type: ignore[import-untyped]
from cryptography import x509
from pydantic import SecretStr

from permits.document.errors import SealError
from permits.document.sealing.pades import DIGEST
from permits.document.sealing.signer import KeySigner
from permits.document.sealing.within import Answer, within

TIME_LIMIT_S = 10.0
MAX_BODY_BYTES = 256 * 1024
DIGEST_OID = algos.DigestAlgorithmId(DIGEST).dotted
_BASE_URL = re.compile(r"https?://.+/csc/(v1|v2)")
_LOOPBACK = ("127.0.0.1", "localhost")


@dataclass(frozen=True)
class RemoteKey:
    """The service's base address, up to /csc/v1 or /csc/v2, the credential, the bearer token, and its PIN if any."""

    url: str
    credential: str
    token: SecretStr
    pin: SecretStr | None = None


class CscKey:
    """The certificate and chain that the service tells once, and its signatures, one at a time.

    Raises SealError, which says in French what to give.
    """

    kind = "dans un service à distance (CSC)"

    def __init__(
        self, where: RemoteKey, *, time_limit: float = TIME_LIMIT_S, tls: ssl.SSLContext | None = None
    ) -> None:
        self._service = _Service(where, time_limit, tls or httpx.create_ssl_context())
        told = self._service.within(self._service.describe)
        _check_usable(told, where.pin)
        self._certificate, *chain = _certificates(told)
        self._signer = _RemoteSigner(self._service, self._certificate, chain)

    @property
    def certificate(self) -> x509.Certificate:
        return self._certificate

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        return self._signer.chain

    @property
    def signer(self) -> KeySigner:
        return self._signer

    def close(self) -> None:
        """Nothing is held open: each signature has a connection of its own, on the loop it is made on."""


class _RemoteSigner(KeySigner):
    def __init__(self, service: "_Service", certificate: x509.Certificate, chain: list[x509.Certificate]) -> None:
        super().__init__(certificate, chain)
        self._service = service

    async def sign(self, data: bytes) -> bytes:
        mechanism = self.get_signature_mechanism_for_digest(DIGEST)["algorithm"].dotted
        digest = hashlib.sha256(data).digest()
        return self._service.within(lambda: self._service.sign(digest, mechanism))


class _Service:
    """The three calls, as each version of the API words them."""

    def __init__(self, where: RemoteKey, time_limit: float, tls: ssl.SSLContext) -> None:
        url = where.url.rstrip("/")
        matched = _BASE_URL.fullmatch(url)
        if matched is None or (urlsplit(url).scheme != "https" and urlsplit(url).hostname not in _LOOPBACK):
            raise SealError("PERMITS_SEAL_CSC_URL : une adresse https://…/csc/v1 ou https://…/csc/v2 est attendue")
        self._where, self._time_limit, self._tls = where, time_limit, tls
        self._url, self._is_v1 = url, matched[1] == "v1"

    def within(self, ask: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
        """Wait for what the service answers, and return it; raises SealError.

        In a loop of its own: one whose thread looks up a name can't be closed.
        """
        # Twice: each of two exchanges has its own limit.
        limit = 2 * self._time_limit + 1
        try:
            return within(limit, lambda: asyncio.run(ask()))
        except TimeoutError:
            raise SealError(f"le service de cachet n’a pas répondu en {limit:g} s") from None

    async def describe(self) -> dict[str, Any]:
        """Return what the service tells of the credential."""
        asked = {"credentialID": self._where.credential, "certificates": "chain", "certInfo": False, "authInfo": True}
        async with self._client() as client:
            return await self._ask(client, "credentials/info", asked)

    async def sign(self, digest: bytes, mechanism: str) -> bytes:
        """Have the service sign one digest, which its authorisation is for."""
        async with self._client() as client:
            told = await self._ask(client, "credentials/authorize", self._authorisation(digest))
            body = self._common(digest) | {"SAD": _text(told, "SAD"), "signAlgo": mechanism}
            told = await self._ask(client, "signatures/signHash", body)
        signatures = told.get("signatures")
        if not isinstance(signatures, list) or len(signatures) != 1:
            raise SealError("le service de cachet ne rend pas une signature")
        return _decoded(signatures[0])

    def _authorisation(self, digest: bytes) -> dict[str, Any]:
        body = self._common(digest) | {"numSignatures": 1}
        if self._where.pin is None:
            return body
        pin = self._where.pin.get_secret_value()
        return body | ({"PIN": pin} if self._is_v1 else {"authData": [{"id": "PIN", "value": pin}]})

    def _common(self, digest: bytes) -> dict[str, Any]:
        hashes, algorithm = ("hash", "hashAlgo") if self._is_v1 else ("hashes", "hashAlgorithmOID")
        encoded = [base64.b64encode(digest).decode()]
        return {"credentialID": self._where.credential, hashes: encoded, algorithm: DIGEST_OID}

    def _client(self) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self._where.token.get_secret_value()}", "Accept-Encoding": "identity"}
        return httpx.AsyncClient(
            headers=headers,
            verify=self._tls,
            follow_redirects=False,
            # A proxy of the environment has no way to this machine's own loopback.
            mounts={f"all://{host}": None for host in _LOOPBACK},
        )

    async def _ask(self, client: httpx.AsyncClient, call: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            async with asyncio.timeout(self._time_limit):
                async with client.stream("POST", f"{self._url}/{call}", json=body) as response:
                    content = await _read(response)
        except TimeoutError:
            raise SealError(f"le service de cachet n’a pas répondu en {self._time_limit:g} s ({call})") from None
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as error:
            raise SealError(f"le service de cachet ne répond pas ({call} : {type(error).__name__})") from None
        if response.status_code in (401, 403):
            raise SealError(f"PERMITS_SEAL_CSC_TOKEN : le service de cachet refuse ce jeton ({call})")
        told = _object(content)
        if response.status_code != 200:
            raise SealError(f"le service de cachet refuse ({call} : {response.status_code}{_code(told)})")
        if told is None:
            raise SealError(f"le service de cachet rend autre chose que du JSON ({call})")
        return told


async def _read(response: httpx.Response) -> bytes:
    """Return the raw body; one that is too long, or compressed although that was not asked, is nothing."""
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return b""
    return bytes(body)


def _object(content: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _code(told: dict[str, Any] | None) -> str:
    """Return a blank and the service's own word for an error, when it is one word: sentences may hold anything."""
    word = (told or {}).get("error")
    return f" {word}" if isinstance(word, str) and re.fullmatch(r"\w{1,40}", word, re.ASCII) else ""


def _text(told: dict[str, Any], name: str) -> str:
    value = told.get(name)
    if not isinstance(value, str) or not value:
        raise SealError(f"le service de cachet ne rend pas « {name} »")
    return value


def _decoded(value: object) -> bytes:
    try:
        return base64.b64decode(str(value), validate=True)
    except ValueError:
        raise SealError("le service de cachet rend une valeur qui n’est pas en base64") from None


def _check_usable(told: dict[str, Any], pin: SecretStr | None) -> None:
    """Refuse a credential that a machine alone can't use; v1 and v2 name the way of authorising differently."""
    auth, key = told.get("auth"), told.get("key")
    mode = told.get("authMode") or (auth.get("mode") if isinstance(auth, dict) else None)
    if mode not in ("implicit", "explicit"):
        raise SealError("PERMITS_SEAL_CSC_CREDENTIAL : ce certificat demande l’accord d’une personne à chaque cachet")
    if mode == "explicit" and pin is None:
        raise SealError("PERMITS_SEAL_CSC_PIN manque : le service de cachet demande un code pour ce certificat")
    if isinstance(key, dict) and key.get("status", "enabled") != "enabled":
        raise SealError("PERMITS_SEAL_CSC_CREDENTIAL : le service de cachet a désactivé cette clé")


def _certificates(told: dict[str, Any]) -> list[x509.Certificate]:
    """Return the certificate of the key and those above it; the consortium's order is kept."""
    held = told.get("cert")
    encoded = held.get("certificates") if isinstance(held, dict) else None
    if not isinstance(encoded, list) or not encoded:
        raise SealError("le service de cachet ne rend aucun certificat")
    try:
        return [x509.load_der_x509_certificate(_decoded(each)) for each in encoded]
    except ValueError:
        raise SealError("le service de cachet rend un certificat illisible") from None
