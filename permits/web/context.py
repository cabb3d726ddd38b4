"""What the routes need: the desk, the book's reads, who calls, and whether the service can issue."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from pydantic import SecretStr

from permits.desk import Desk
from permits.domain.claim import Claim
from permits.register.catalogue import Catalogue
from permits.register.clients import Client
from permits.register.readings import Reading


@dataclass(frozen=True)
class Readiness:
    """One thing the service needs, and what is wrong with it; `failing` is False for what is only told."""

    name: str
    ok: bool
    detail: str
    failing: bool = True


@dataclass(frozen=True)
class Context:
    """Built in app.py, one a service."""

    desk: Desk
    catalogue: Catalogue
    authenticate: Callable[[SecretStr], Client | None]
    readiness: Callable[[], list[Readiness]]
    note_reading: Callable[[Reading], None]
    # What a file that nobody here knows says of itself; raises PressBusy when too many are read at once.
    read_stranger: Callable[[bytes], Claim]
    # The roots (PEM) to which the chains of seals and time stamps lead.
    trusted_roots: tuple[str, ...] = ()


def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


def _client(request: Request) -> Client:
    client: Client = request.state.client
    return client


CurrentContext = Annotated[Context, Depends(_context)]
CurrentClient = Annotated[Client, Depends(_client)]
