"""A real public-key infrastructure on the loopback (an authority, CRLs, OCSP, RFC 3161 time stamps), that can fail."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any, Literal

import yaml
from certomancer.integrations.animator import Animator, AnimatorArchStore
from certomancer.registry import ArchLabel, CertLabel, CertomancerConfig, PKIArchitecture
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from permits.document.sealing.pkcs12 import Pkcs12Key

_CONFIG = Path(__file__).with_name("pki.yml")
_NAMES = ("root", "seals", "signer", "stamps", "responder")

Fault = Literal["down", "hang", "garbage", "refuse"]


class Pki:
    """Its services answer at `url`; `faults` says how those whose path has a word in it fail instead."""

    def __init__(self, keys: Path) -> None:
        self._keys = keys
        for name in _NAMES:
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            (keys / f"{name}.pem").write_bytes(pem)
        self.faults: dict[str, Fault] = {}
        self.asked: Counter[str] = Counter()
        self.authorizations: set[str] = set()
        self.stamps_are_late_by = timedelta(0)
        self._resumed = Event()
        self._server: BaseWSGIServer = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=_Silent)
        self.url = f"http://127.0.0.1:{self._server.port}"
        self.issue()
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def tsa_url(self) -> str:
        return f"{self.url}/town/tsa/stamps"

    @property
    def root(self) -> x509.Certificate:
        return self.certificate("root")

    def certificate(self, name: str) -> x509.Certificate:
        return x509.load_der_x509_certificate(self._town.get_cert(CertLabel(name)).dump())

    def key(self) -> Pkcs12Key:
        """Return the key of a seal, with its chain up to the root, which is left out."""
        key = load_pem_private_key((self._keys / "signer.pem").read_bytes(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        return Pkcs12Key(key, self.certificate("signer"), (self.certificate("seals"),))

    def pkcs12(self, passphrase: str) -> bytes:
        """Return that key in a file, with its certificate and its chain."""
        key = load_pem_private_key((self._keys / "signer.pem").read_bytes(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        protection = BestAvailableEncryption(passphrase.encode())
        own, above = self.certificate("signer"), [self.certificate("seals")]
        return pkcs12.serialize_key_and_certificates(b"seal", key, own, above, protection)

    def issue(
        self,
        *,
        until: dict[str, datetime] | None = None,
        revoked: Iterable[str] = (),
        stamped_by: Literal["stamps", "renewed"] = "stamps",
        stamps_send: Iterable[str] = (),
    ) -> None:
        """Issue every certificate again under the same keys, some of them shorter or revoked.

        Stamps are then made with that certificate, and send those along.
        """
        self._is_changed = bool(until or revoked or stamps_send) or stamped_by != "stamps"
        config: dict[str, Any] = yaml.safe_load(_CONFIG.read_text())
        certificates = config["pki-architectures"]["town"]["certs"]
        for name, end in (until or {}).items():
            certificates[name]["validity"]["valid-to"] = end.isoformat()
        for name in revoked:
            certificates[name]["revocation"] = {"revoked-since": "2021-01-01T00:00:00+0000", "reason": "key_compromise"}
        stamps = config["pki-architectures"]["town"]["services"]["time-stamping"]["stamps"]
        stamps.update({"signing-cert": stamped_by, "certs-to-embed": list(stamps_send)})
        made = CertomancerConfig(config, key_search_dir=str(self._keys), external_url_prefix=self.url)
        self._town: PKIArchitecture = made.pki_archs[ArchLabel("town")]
        self._app = Animator(AnimatorArchStore(made.pki_archs), with_web_ui=False)

    def close(self) -> None:
        self.resume()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def reset(self) -> None:
        """Nothing fails any more, and nothing is revoked or shorter than it was."""
        self.resume()
        if self._is_changed:
            self.issue()

    def resume(self) -> None:
        """Nothing fails any more; whoever hangs is let go."""
        self.faults.clear()
        self.stamps_are_late_by = timedelta(0)
        self._resumed.set()
        self._resumed = Event()

    def _answer(self, environ: Any, start_response: Any) -> Any:
        path, resumed = environ["PATH_INFO"], self._resumed
        for word in ("tsa", "ocsp", "crls"):
            self.asked[word] += f"/{word}/" in path
        if "HTTP_AUTHORIZATION" in environ:
            self.authorizations.add(environ["HTTP_AUTHORIZATION"])
        if "/tsa/" in path and self.stamps_are_late_by:
            environ["HTTP_X_CERTOMANCER_FAKE_TIME"] = (datetime.now(UTC) - self.stamps_are_late_by).isoformat()
        fault = next((fault for word, fault in self.faults.items() if f"/{word}/" in path), None)
        if fault is None:
            return self._app(environ, start_response)
        if fault == "hang":
            resumed.wait(30)
        kind = "application/timestamp-reply" if "/tsa/" in path else "application/octet-stream"
        start_response(
            "200 OK" if fault in ("garbage", "refuse") else "503 Service Unavailable", [("Content-Type", kind)]
        )
        # A rejection without a token (RFC 3161, 2.4.2), or nothing that anybody can read.
        return [b"\x30\x05\x30\x03\x02\x01\x02" if fault == "refuse" else b"\x30\x82garbage"]


class _Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def open_pki(keys: Path) -> Iterator[Pki]:
    """Run one until the block ends."""
    pki = Pki(keys)
    try:
        yield pki
    finally:
        pki.close()
