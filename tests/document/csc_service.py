"""A remote trust service on this machine's loopback, which speaks the CSC API v1 and v2 and can misbehave."""

import base64
import json
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_urlsafe
from threading import Thread
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import SecretStr

from permits.document.sealing.csc import RemoteKey
from permits.document.sealing.keys import PrivateKey
from tests.document.issuing import Issuer

CREDENTIAL, TOKEN, PIN = "cachet-1", "jeton-tenu-secret", "314159"
SHA256_OID, ALGORITHMS = "2.16.840.1.101.3.4.2.1", {"1.2.840.113549.1.1.11", "1.2.840.10045.4.3.2"}
# What a call answers instead: a status, headers and a body.
Spoiled = tuple[int, dict[str, str], bytes]


@dataclass
class TrustService:
    """Keeps one key. `spoil` turns an answer into another; `calls` is what was asked, in order."""

    key: PrivateKey
    version: str = "v1"
    mode: str = "explicit"
    spoil: Callable[[str, dict[str, Any]], Spoiled | dict[str, Any] | None] = lambda _call, _answer: None
    url: str = ""
    calls: list[str] = field(default_factory=list)
    authorised: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.issuer = Issuer()
        self.certificate = self.issuer.certify(self.key.public_key())

    def where(self, **changes: Any) -> RemoteKey:
        """Return what the settings say of this service."""
        return replace(RemoteKey(self.url, CREDENTIAL, SecretStr(TOKEN), SecretStr(PIN)), **changes)

    def answer(self, call: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """Return what the API answers, None for what it refuses."""
        if body.get("credentialID") != CREDENTIAL:
            return None
        if call == "credentials/info":
            return self._info()
        hashes = body["hash" if self.version == "v1" else "hashes"]
        assert body["hashAlgo" if self.version == "v1" else "hashAlgorithmOID"] == SHA256_OID
        if call == "credentials/authorize":
            given = body.get("PIN") if self.version == "v1" else body.get("authData", [{}])[0].get("value")
            if self.mode == "explicit" and given != PIN:
                return None
            assert body["numSignatures"] == len(hashes) == 1
            self.authorised[sad := token_urlsafe()] = hashes
            return {"SAD": sad, "expiresIn": 60}
        assert call == "signatures/signHash" and body["signAlgo"] in ALGORITHMS
        # An authorisation is for one digest, once.
        if self.authorised.pop(body["SAD"], None) != hashes:
            return None
        return {"signatures": [base64.b64encode(self.sign(base64.b64decode(each))).decode() for each in hashes]}

    def sign(self, digest: bytes) -> bytes:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(digest, padding.PKCS1v15(), Prehashed(SHA256()))
        return self.key.sign(digest, ec.ECDSA(Prehashed(SHA256())))

    def _info(self) -> dict[str, Any]:
        chain = [self.certificate, self.issuer.certificate]
        encoded = [base64.b64encode(each.public_bytes(Encoding.DER)).decode() for each in chain]
        auth: dict[str, Any] = {"authMode": self.mode} if self.version == "v1" else {"auth": {"mode": self.mode}}
        algorithms = sorted(ALGORITHMS)
        return auth | {
            "key": {"status": "enabled", "algo": algorithms},
            "cert": {"certificates": encoded},
            "multisign": 1,
        }


@contextmanager
def serving(service: TrustService, tls: ssl.SSLContext | None = None) -> Iterator[TrustService]:
    """Serve on a free port of the loopback; the address is then in `service.url`."""
    base = f"/csc/{service.version}/"

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            call = self.path.removeprefix(base)
            service.calls.append(call)
            status, headers, content = self._answer(call, body)
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(content))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def _answer(self, call: str, body: dict[str, Any]) -> Spoiled:
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                return 401, {}, b'{"error": "invalid_token"}'
            told = service.answer(call, body)
            if told is None:
                return 400, {}, b'{"error": "invalid_request", "error_description": "<b>non</b>"}'
            spoiled = service.spoil(call, told)
            return spoiled if isinstance(spoiled, tuple) else (200, {}, json.dumps(spoiled or told).encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Tests read `calls`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    service.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}/csc/{service.version}"
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()


def slowly(seconds: float) -> Callable[[str, dict[str, Any]], None]:
    """Return a fault of everything but the description of the key: the answer comes late."""

    def wait(call: str, _answer: dict[str, Any]) -> None:
        if call != "credentials/info":
            time.sleep(seconds)

    return wait


def instead(
    call: str, spoiled: Spoiled | dict[str, Any]
) -> Callable[[str, dict[str, Any]], Spoiled | dict[str, Any] | None]:
    """Return a fault of one call: it answers this."""
    return lambda asked, _answer: spoiled if asked == call else None
