"""The one file of a form, hashed as it comes and never written: neither its name nor its type is read."""

import asyncio
import hashlib
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

MAX_FILE_BYTES = 10 * 1024**2
# What surrounds the file in a form: boundaries, and the headers of its parts.
MAX_FORM_BYTES = MAX_FILE_BYTES + 64 * 1024
SECONDS = 60
# Of all the files in memory at one instant: who sends little, or nothing, holds little, and keeps nobody out.
ROOM_BYTES = 8 * MAX_FILE_BYTES
RETRY_AFTER_S = 5


@dataclass(frozen=True)
class Upload:
    """A file as it came: its bytes, and their SHA-256."""

    content: bytes
    sha256: str


class UploadRefused(Exception):
    """The file was not taken: the HTTP status, and why, in French."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Room:
    """How many bytes of files may be held at one instant; safe to use from many threads."""

    def __init__(self, size: int = ROOM_BYTES) -> None:
        self._left = size
        self._lock = threading.Lock()

    def take(self, size: int) -> None:
        """Take so many bytes of it, or raise UploadRefused."""
        with self._lock:
            if size > self._left:
                raise UploadRefused(503, "Trop de fichiers arrivent en même temps : réessayez dans quelques secondes.")
            self._left -= size

    def give_back(self, size: int) -> None:
        with self._lock:
            self._left += size


_room = Room()


@asynccontextmanager
async def received(request: Request) -> AsyncIterator[Upload]:
    """Yield the first file of a multipart form; raise UploadRefused as soon as it is too long, late or unreadable.

    Its room is its own until the end of the block: until the file has been judged.
    """
    part = _FirstPart(_room)
    try:
        try:
            async with asyncio.timeout(SECONDS):
                upload = await _read(request, part)
        except TimeoutError:
            raise UploadRefused(408, f"Le fichier n’est pas arrivé en {SECONDS} secondes : réessayez.") from None
        except (MultipartParseError, ClientDisconnect) as error:
            raise UploadRefused(400, "L’envoi du fichier est illisible ou incomplet : réessayez.") from error
        yield upload
    finally:
        _room.give_back(len(part.content))


async def _read(request: Request, part: "_FirstPart") -> Upload:
    kind, options = parse_options_header(request.headers.get("Content-Type", ""))
    if kind != b"multipart/form-data" or b"boundary" not in options:
        raise UploadRefused(400, "Choisissez un fichier dans le formulaire.")
    size = 0
    parser = MultipartParser(options[b"boundary"], {"on_part_data": part.add, "on_part_end": part.end})
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_FORM_BYTES:
            raise _too_long()
        # Elsewhere: what is full of false boundaries takes seconds, and everybody else would wait for them.
        await run_in_threadpool(parser.write, chunk)
        if part.is_whole:
            break
    if not part.is_whole:
        raise UploadRefused(400, "L’envoi du fichier est illisible ou incomplet : réessayez.")
    if not part.content:
        raise UploadRefused(400, "Choisissez un fichier : celui-ci est vide.")
    return Upload(bytes(part.content), part.digest.hexdigest())


class _FirstPart:
    """The first part of a form; what follows it is not read."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.content = bytearray()
        self.digest = hashlib.sha256()
        self.is_whole = False

    def add(self, data: bytes, start: int, end: int) -> None:
        if self.is_whole:
            return
        if len(self.content) + end - start > MAX_FILE_BYTES:
            raise _too_long()
        self._room.take(end - start)
        self.content += data[start:end]
        self.digest.update(data[start:end])

    def end(self) -> None:
        self.is_whole = True


def _too_long() -> UploadRefused:
    return UploadRefused(413, "Ce fichier dépasse 10 Mio : aucun acte délivré ici n’est aussi long.")
