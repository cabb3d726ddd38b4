"""The pages as a browser has them: served on a socket of this machine, signed codes and their keys included."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from playwright.sync_api import Page
from sqlalchemy import Engine
from starlette.testclient import TestClient

from permits.register.floor import Floor
from permits.register.trusted import remember_code_key

SIGNED = {
    "n": "EX-2026-000001",
    "k": "échafaudage",
    "s": "99999001300024",
    "c": "ECHAFAUDAGES DU MODELE",
    "p": "12 rue des Exemples, 29999 Exemple-Ville",
    "f": "2027-01-11",
    "l": "2027-01-15",
    "h": "07:30–19:00",
}


@dataclass
class CodeSigner:
    """Signs QR codes as the authority does."""

    kid: str = "essai-1"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def publish(self, engine: Engine, authority: str = "exemple") -> None:
        """Put the public key where the service keeps those that signed."""
        public = ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        remember_code_key(engine, Floor(authority), self.kid, public, datetime.now(UTC))

    def sign(self, **changes: Any) -> str:
        return jwt.encode(SIGNED | changes, self.key, "ES256", headers={"kid": self.kid, "typ": None})


@contextmanager
def served(client: TestClient) -> Iterator[str]:
    """Serve the application of a test client on a free port of this machine; give its address."""
    server = uvicorn.Server(uvicorn.Config(client.app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


def band(page: Page, where: str) -> tuple[str, str]:
    """Return what a band says, as its name and its words, once it is there."""
    found = page.locator(f"{where} .band")
    found.wait_for()
    return found.get_attribute("data-band") or "", found.inner_text()


def ready(url: str, phone: Page) -> None:
    """Open the patrol's page once with a network, then lose it."""
    phone.goto(f"{url}/patrouille")
    phone.wait_for_selector("#ready[data-ready=yes]")
    phone.context.set_offline(True)
