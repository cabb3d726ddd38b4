"""A registry that misbehaves on a real loopback socket: what it answers well, where it goes wrong, and how."""

import gzip
import json
import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

Answer = tuple[int, dict[str, Any], dict[str, str]]
# What is done to a request once it came, and what is done before its connection can.
Fault = Callable[["Registry", socket.socket, str], None]
Spoil = Callable[["Registry"], None]


@dataclass
class Registry:
    """Answers well by the start of the path asked; goes wrong at one of these stages, the first unless told.

    Each answer closes its connection, so that a stage is always reached by a connection of its own.
    """

    answers: dict[str, Answer]
    fault: Fault | None = None
    spoil: Spoil | None = None
    stage: str = ""
    tls: ssl.SSLContext | None = None
    asked: list[str] = field(default_factory=list)
    connections: int = 0
    over: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        self._listening: socket.socket | None = None
        self._fillers: list[socket.socket] = []
        self._port = 0
        self.stage = self.stage or next(iter(self.answers))
        self._open()
        self._spoil_the_next()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self._port}"

    def heal(self) -> None:
        self.fault = self.spoil = None
        for filler in self._fillers:
            filler.close()
        if self._listening is None or self._fillers:
            self._open()
        self._fillers.clear()

    def shut(self) -> None:
        """Stop listening: whoever connects is refused."""
        if self._listening is not None:
            with suppress(OSError):
                self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
            self._listening = None

    def fill(self) -> None:
        """Listen, and never accept: the queue is full, so that connecting takes for ever."""
        self.shut()
        self._listening = socket.create_server(("127.0.0.1", self._port), backlog=0)
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self._port))
            self._fillers.append(filler)

    def close(self) -> None:
        self.over.set()
        for filler in self._fillers:
            filler.close()
        self.shut()

    def _open(self) -> None:
        self.shut()
        self._listening = socket.create_server(("127.0.0.1", self._port))
        self._port = self._listening.getsockname()[1]
        Thread(target=self._serve, args=(self._listening,), daemon=True).start()

    def _serve(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            self.connections += 1
            Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with suppress(OSError, ssl.SSLError), connection:
            connection.settimeout(10)
            if self.fault is reset_before_the_request and self._is_next(self.stage):
                return self.fault(self, connection, "")
            stream = self.tls.wrap_socket(connection, server_side=True) if self.tls else connection
            with stream:
                path = _path(stream)
                self.asked.append(path)
                if self.fault is not None and path.startswith(self.stage):
                    return self.fault(self, stream, path)
                self.answer(stream, path)
        return None

    def answer(self, stream: socket.socket, path: str) -> None:
        """Answer as a registry that is well; what breaks the next connection begins now."""
        for start, (status, body, headers) in self.answers.items():
            if path.startswith(start):
                self._spoil_the_next()
                return stream.sendall(http(status, json.dumps(body).encode(), **headers))
        return stream.sendall(http(404, b"not here"))

    def _spoil_the_next(self) -> None:
        if self.spoil is not None and self._is_next(self.stage):
            self.spoil(self)

    def _is_next(self, stage: str) -> bool:
        """Tell whether the next request to come is that of this stage: those before it were asked."""
        before = list(self.answers)[: list(self.answers).index(stage)]
        return all(any(path.startswith(start) for path in self.asked) for start in before)


@contextmanager
def serving(registry: Registry) -> Iterator[Registry]:
    try:
        yield registry
    finally:
        registry.close()


def http(status: int, body: bytes, **headers: str) -> bytes:
    """An HTTP answer, its length told."""
    told = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"} | headers
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in told.items())
    return f"HTTP/1.1 {status} Said\r\n{lines}\r\n".encode() + body


def _path(stream: socket.socket) -> str:
    request = b""
    while b"\r\n\r\n" not in request:
        more = stream.recv(65536)
        if not more:
            raise ConnectionError
        request += more
    return request.split(b" ", 2)[1].decode()


# The faults, each named for what it does.


def refused(registry: Registry) -> None:
    registry.shut()


def connect_timeout(registry: Registry) -> None:
    registry.fill()


def reset_before_the_request(_registry: Registry, stream: socket.socket, _path: str) -> None:
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.close()


def reset_after_the_request(_registry: Registry, stream: socket.socket, _path: str) -> None:
    reset_before_the_request(_registry, stream, _path)


def read_timeout(registry: Registry, _stream: socket.socket, _path: str) -> None:
    registry.over.wait(20)


def hang(registry: Registry, stream: socket.socket, _path: str) -> None:
    stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n{")
    registry.over.wait(20)


def one_byte_at_a_time(every_s: float, *, headers_too: bool) -> Fault:
    """Send a good answer, one byte at a time; what is before the body at once unless `headers_too`."""

    def drip(registry: Registry, stream: socket.socket, path: str) -> None:
        status, body, headers = next(told for start, told in registry.answers.items() if path.startswith(start))
        whole = http(status, json.dumps(body).encode(), **headers)
        at_once = 0 if headers_too else whole.index(b"\r\n\r\n") + 4
        stream.sendall(whole[:at_once])
        for byte in whole[at_once:]:
            stream.sendall(bytes([byte]))
            if registry.over.wait(every_s):
                return

    return drip


def truncated(_registry: Registry, stream: socket.socket, _path: str) -> None:
    stream.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n{"data": {')


def gzip_bomb(_registry: Registry, stream: socket.socket, _path: str) -> None:
    stream.sendall(http(200, _BOMB, Content_Encoding="gzip"))


_BOMB = gzip.compress(b" " * 20_000_000)


def saying(status: int, body: bytes | dict[str, Any] = b"", **headers: str) -> Fault:
    """Give this answer."""
    written = body if isinstance(body, bytes) else json.dumps(body).encode()

    def say(_registry: Registry, stream: socket.socket, _path: str) -> None:
        stream.sendall(http(status, written, **headers))

    return say
