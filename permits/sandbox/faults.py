"""Faults on demand: what a registry does on a bad day, asked for by whoever tries the service on it."""

import asyncio
import gzip
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

DRIP_S, DRIPS = 1.0, 60
RETRY_AFTER_S = 2
MAINTENANCE_S = 5

Headers = dict[str, str]

_PATHS = {
    "api-entreprise": ("/v3/", "/v4/"),
    "insee": ("/api-sirene/",),
    "recherche-entreprises": ("/search",),
}
# The codes that API Entreprise writes with its statuses; its 404 here is that of a proxy, which has none.
_CODES = {
    401: "00101",
    403: "00100",
    409: "00015",
    422: "00201",
    429: "00429",
    451: "01005",
    500: "00999",
    502: "01001",
    503: "01020",
    504: "01002",
}
_OTHERS = ("99999001300024", "99999002100019")
_HTML = b"<html><body><h1>It works!</h1></body></html>"
_BOMB = gzip.compress(b'{"results": []}' + b" " * 20_000_000)
_DRIFT = {"data": {"etat": "actif"}, "etablissement": {"etat": "actif"}, "results": [{"etat": "actif"}]}

FaultName = Literal[
    "hang",
    "slow",
    "drip",
    "truncated",
    "empty",
    "html",
    "other_siret",
    "drift",
    "redirect",
    "401",
    "403",
    "404",
    "409",
    "422",
    "429",
    "429_without_wait",
    "451",
    "500",
    "502",
    "503",
    "504",
    "gzip_bomb",
    "garbage",
]


class Fault(BaseModel):
    """One fault of one registry. `times` is how many answers it still spoils; None until it is cleared."""

    model_config = ConfigDict(extra="forbid")

    source: Literal["api-entreprise", "insee", "recherche-entreprises"]
    path_contains: str = ""
    fault: FaultName
    times: Annotated[int, Field(ge=1)] | None = None

    def spoils(self, path: str) -> bool:
        return path.startswith(_PATHS[self.source]) and self.path_contains in path


class Faults:
    """The faults asked for, the first asked serving first."""

    def __init__(self) -> None:
        self._asked: list[Fault] = []

    def take(self, path: str) -> Fault | None:
        """Return the fault that spoils the answer of this path, and count it."""
        fault = next((one for one in self._asked if one.spoils(path)), None)
        if fault is not None and fault.times is not None:
            fault.times -= 1
            if fault.times == 0:
                self._asked.remove(fault)
        return fault

    def router(self) -> APIRouter:
        routes = APIRouter(prefix="/_sandbox/faults")

        @routes.get("")
        async def asked() -> list[Fault]:
            return self._asked

        @routes.post("", status_code=201)
        async def ask(fault: Fault) -> Fault:
            self._asked.append(fault)
            return fault

        @routes.delete("", status_code=204)
        async def clear() -> None:
            self._asked.clear()

        return routes


class FaultyServer:
    """Stands before the registries and spoils what it was asked to; the rest passes."""

    def __init__(self, app: ASGIApp, faults: Faults, slow_s: float) -> None:
        self._app = app
        self._faults = faults
        self._slow_s = slow_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self._faults.take(scope["path"]) if scope["type"] == "http" else None
        if fault is None:
            await self._app(scope, receive, send)
        elif fault.fault == "slow":
            await asyncio.sleep(self._slow_s)
            await self._app(scope, receive, send)
        elif fault.fault == "other_siret":
            await self._app(_about_another(scope), receive, send)
        elif fault.fault == "hang":
            await _until_they_leave(receive)
        elif fault.fault == "drip":
            await _drip(receive, send)
        else:
            for message in _spoilt(fault):
                await send(message)


async def _until_they_leave(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _drip(receive: Receive, send: Send) -> None:
    """One byte a second, of a body that is long enough to outlast anybody's patience."""
    await send(_start(200, {"Content-Length": str(DRIPS)}))
    for sent in range(1, DRIPS + 1):
        await send({"type": "http.response.body", "body": b" ", "more_body": sent < DRIPS})
        with suppress(TimeoutError):
            await asyncio.wait_for(_until_they_leave(receive), DRIP_S)
            return


def _spoilt(fault: Fault) -> Iterator[Message]:
    """The messages of an answer that is wrong from end to end."""
    name = fault.fault
    if name == "truncated":
        # Announced, never sent: the server closes the connection on it.
        yield _start(200, {"Content-Length": "4000"})
        yield {"type": "http.response.body", "body": b'{"header": ', "more_body": True}
    elif name == "empty":
        yield from _whole(200, b"")
    elif name == "html":
        yield from _whole(200, _HTML, {"Content-Type": "text/html"})
    elif name == "garbage":
        yield from _whole(200, bytes(range(256)))
    elif name == "gzip_bomb":
        yield from _whole(200, _BOMB, {"Content-Encoding": "gzip"})
    elif name == "drift":
        yield from _whole(200, json.dumps(_DRIFT).encode())
    elif name == "redirect":
        yield from _whole(301, _HTML, {"Content-Type": "text/html", "Location": "https://ailleurs.example/"})
    else:
        yield from _refusal(fault)


def _refusal(fault: Fault) -> Iterator[Message]:
    """The status a fault is named for: in API Entreprise's own shape there, in a gateway's anywhere else."""
    status = int(fault.fault.partition("_")[0])
    headers = {"Retry-After": str(RETRY_AFTER_S)} if fault.fault == "429" else {}
    if fault.source == "api-entreprise" and status in _CODES:
        meta = {"retry_in": MAINTENANCE_S} if status == 503 else {}
        error = {"code": _CODES[status], "title": "Panne", "detail": "Demandée au bac à sable", "source": None}
        body: dict[str, Any] = {"errors": [error | {"meta": meta}]}
    else:
        body = {"message": "Demandé au bac à sable", "http_status_code": status}
    yield from _whole(status, json.dumps(body).encode(), headers)


def _about_another(scope: Scope) -> Scope:
    """The same question about another establishment, or about another unit."""
    path, query = scope["path"], scope["query_string"].decode("ascii")
    asked = re.search(r"[0-9]{9,14}", path) or re.search(r"(?<=q=)[0-9]{9,14}", query)
    if asked is None:
        return scope
    other = next(siret for siret in _OTHERS if not siret.startswith(asked[0][:9]))[: len(asked[0])]
    path = path.replace(asked[0], other)
    query = query.replace(f"q={asked[0]}", f"q={other}")
    return {**scope, "path": path, "raw_path": path.encode("ascii"), "query_string": query.encode("ascii")}


def _whole(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Iterator[Message]:
    yield _start(status, {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})})
    yield {"type": "http.response.body", "body": body}


def _start(status: int, headers: Mapping[str, str]) -> Message:
    written = [(name.lower().encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": written}
