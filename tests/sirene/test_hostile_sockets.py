"""What a mock cannot show: bytes on a real loopback socket that break off, lie, or never were HTTP."""

import gzip
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest

from permits.sirene.errors import SourceUnavailable
from permits.sirene.recherche_entreprises import RechercheEntreprises
from tests.sirene.asking import Alone
from tests.sirene.clock import StoppedClock
from tests.sirene.conftest import CONTACT

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BOMB = gzip.compress(b'{"results": []}' + b" " * 20_000_000)

Connections = list[None]


@contextmanager
def answering(raw: bytes) -> Iterator[tuple[str, Connections]]:
    """Send the same bytes to whoever connects and hang up; every connection is counted."""
    connections: Connections = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                connections.append(None)
                with connection:
                    connection.recv(65536)
                    try:
                        connection.sendall(raw)
                    except OSError:
                        continue

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", connections
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=5)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "RemoteProtocolError"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "RemoteProtocolError"),
        (OK + b"Content-Length: 4000\r\n\r\n{", "RemoteProtocolError"),
        (OK + b"X: " + b"x" * 500_000, "RemoteProtocolError"),
        (OK + b"Content-Length: 0\r\n\r\n", "unusable answer: not a JSON object"),
        (OK + b"\r\n" + b" " * 3_000_000, "unusable answer: longer than 1048576 bytes"),
        (OK + b"Content-Encoding: gzip\r\n\r\n" + BOMB, "unusable answer: compressed although identity was asked"),
        (b"HTTP/1.1 301 Moved\r\nLocation: /search\r\nContent-Length: 0\r\n\r\n", "HTTP 301"),
    ],
    ids=["hang-up", "not-http", "cut-short", "endless-header", "empty", "oversize", "gzip-bomb", "redirect-to-itself"],
)
def test_no_bytes_are_mistaken_for_an_answer(stopped: StoppedClock, raw: bytes, reason: str) -> None:
    with answering(raw) as (url, connections):
        source = Alone(RechercheEntreprises(url, contact=CONTACT, clock=stopped.clock), stopped.clock)
        with pytest.raises(SourceUnavailable) as caught:
            source.lookup("99999001300024")
        source.close()
    assert caught.value.reason == reason
    # A retry is earned by ten calls: none is yet.
    assert len(connections) == 1
