"""Whoever is asked while an act is sealed may take their time, or send too much: it is bounded all the same."""

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import ocsp as asn1_ocsp  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from pydantic import SecretStr

from permits.document.errors import SealError, StampFailed
from permits.document.sealing import revocation
from permits.document.sealing.csc import CscKey, RemoteKey
from permits.document.sealing.evidence import AT_MOST, Chain, Evidence
from permits.document.sealing.pades import to_asn1
from permits.document.sealing.revocation import RevocationSources
from permits.document.sealing.tsa import TimeStampAuthority
from permits.document.sealing.within import within

MB, DAY = 1024**2, timedelta(days=1)

KEY = ec.generate_private_key(ec.SECP256R1())

Answer = Callable[[], Iterator[bytes]]


def drip() -> Iterator[bytes]:
    """Send headers a byte at a time, each well within any limit between two."""
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"o" * 100:
        yield bytes([byte])
        time.sleep(0.05)


def inflate() -> Iterator[bytes]:
    body = gzip.compress(bytes(64 * MB), 9)
    yield b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def flood() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    for _ in range(64):
        yield bytes(MB)


@contextmanager
def answering(answer: Answer) -> Iterator[tuple[str, list[int]]]:
    """Serve on the loopback until the block ends; tell the address, and the lengths of what was sent."""
    sent: list[int] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    def one(connection: socket.socket) -> None:
        try:
            connection.recv(65536)
            for part in answer():
                connection.sendall(part)
                sent.append(len(part))
        except OSError:
            pass
        finally:
            connection.close()

    threading.Thread(target=serve, daemon=True).start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}", sent
    listening.close()


def chain_naming(url: str) -> Chain:
    """Return a certificate whose revocation is told at that address, and its root."""
    name = x509.Name.from_rfc4514_string("CN=Racine")
    now = datetime.now(UTC)

    def certificate(subject: str) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder(name, x509.Name.from_rfc4514_string(subject), KEY.public_key(), 1)
        return builder.not_valid_before(now - DAY).not_valid_after(now + DAY)

    point = x509.DistributionPoint([x509.UniformResourceIdentifier(f"{url}/list.crl")], None, None, None)
    leaf = certificate("CN=Cachet").add_extension(x509.CRLDistributionPoints([point]), critical=False)
    root = certificate("CN=Racine").add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return tuple(to_asn1(each.sign(KEY, SHA256())) for each in (leaf, root))


def asked_of(url: str) -> None:
    """Ask a source, which has to fail."""
    leaf, root = chain_naming(url)
    sources = RevocationSources([x509.load_der_x509_certificate(root.dump())], lambda: datetime.now(UTC))
    if sources.evidence((leaf,)) is None:
        raise StampFailed("no source")


def stamped_by(url: str) -> None:
    TimeStampAuthority(url, time_limit=0.5).known()


def opened_at(url: str) -> None:
    CscKey(RemoteKey(f"{url}/csc/v2", "key", SecretStr("sesame")), time_limit=0.2)


@pytest.fixture(autouse=True)
def sources_have_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revocation, "TOGETHER_S", 1.0)


@pytest.mark.parametrize("asked", [stamped_by, asked_of, opened_at])
@pytest.mark.parametrize("answer", [drip, inflate, flood])
def test_nobody_may_take_longer_or_send_more(asked: Callable[[str], None], answer: Answer) -> None:
    with answering(answer) as (url, sent):
        begun = time.monotonic()
        with pytest.raises((StampFailed, SealError)):
            asked(url)
        assert time.monotonic() - begun < 3
        assert sum(sent) < 40 * MB, "it was not read to its end"


@pytest.mark.parametrize("asked", [stamped_by, asked_of])
def test_a_name_that_is_looked_up_for_ever_is_not_waited_for(
    asked: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look-up is in a thread of the loop, which waits for it as it closes."""
    found = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found.wait(10) and [])
    begun = time.monotonic()
    with pytest.raises(StampFailed):
        asked("http://horodatage.exemple")
    assert time.monotonic() - begun < 3
    found.set()


def test_what_is_asked_in_time_is_answered_or_raised() -> None:
    assert within(5, lambda: "yes") == "yes"
    with pytest.raises(ZeroDivisionError):
        within(5, lambda: 1 // 0)


def test_an_answer_that_does_not_say_until_when_serves_for_a_while() -> None:
    leaf, root = (x509.load_der_x509_certificate(each.dump()) for each in chain_naming("http://exemple"))
    said = datetime.now(UTC).replace(microsecond=0)
    builder = ocsp.OCSPResponseBuilder().responder_id(ocsp.OCSPResponderEncoding.NAME, root)
    builder = builder.add_response(leaf, root, SHA256(), ocsp.OCSPCertStatus.GOOD, said, None, None, None)
    answer = asn1_ocsp.OCSPResponse.load(builder.sign(KEY, SHA256()).public_bytes(Encoding.DER))

    assert Evidence(ocsps=(answer,)).valid_until == said + AT_MOST
