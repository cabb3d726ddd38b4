"""Who may call what: every route declares its policy, and one that declares none is closed."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from pydantic import SecretStr

from permits.web.context import Context
from permits.web.problems import Refusal

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class Policy(StrEnum):
    """Who may call a route."""

    PUBLIC = "public"
    CLIENT = "client"


def policy(declared: Policy) -> Callable[[Endpoint], Endpoint]:
    """Declare who may call an endpoint."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.__dict__["policy"] = declared
        return endpoint

    return mark


def policy_of(endpoint: Callable[..., Any]) -> Policy | None:
    """Return the declared policy of an endpoint."""
    declared = getattr(endpoint, "policy", None)
    return declared if isinstance(declared, Policy) else None


async def enforce(request: Request) -> None:
    """The application's first dependency: closed unless the route's policy opens it."""
    declared = policy_of(request.scope["route"].endpoint)
    if declared is Policy.PUBLIC:
        return
    if declared is None:
        raise Refusal("forbidden")
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Refusal("unauthenticated")
    context: Context = request.app.state.context
    client = await run_in_threadpool(context.authenticate, SecretStr(key.strip()))
    if client is None:
        raise Refusal("unauthenticated")
    request.state.client = client
