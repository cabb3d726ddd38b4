"""Assembles the HTTP application: routes, policies, problems, headers and limits."""

import json
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from uuid import uuid4

import yaml
from fastapi import Depends, FastAPI, Request, Response
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from permits.web import health, problems, public, trust, verification
from permits.web.api import acts, applications, documents, establishments, permits, rulebook
from permits.web.context import Context
from permits.web.openapi import describe
from permits.web.policy import enforce

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 1024 * 1024
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def create_web_app(
    context: Context | None, lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None
) -> FastAPI:
    """Return the application that serves `context`; without one it can only describe itself.

    Every route is closed unless it declares a policy.
    """
    app = FastAPI(
        title="Permis de stationnement",
        dependencies=[Depends(enforce)],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
        separate_input_output_schemas=False,
    )
    app.state.context = context
    app.state.base_url = context.desk.public_url if context else ""
    for room in (
        applications,
        permits,
        acts,
        documents,
        establishments,
        rulebook,
        trust,
        verification,
        public,
        health,
    ):
        app.include_router(room.router)
    app.include_router(public.contract(app))
    problems.install(app)
    # Inside the envelope, which turns the limit's plain answer into a problem.
    app.add_middleware(_BodyLimit)
    app.middleware("http")(_envelope)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    return app


def contract_yaml() -> str:
    """Return the OpenAPI document as the YAML text of openapi.yaml."""
    document = create_web_app(None).openapi()
    header = "# Written by `permits openapi` from the code; a test compares them.\n"
    # Through JSON, so that enumerations and other subclasses are written as plain values.
    plain = json.loads(json.dumps(document))
    return header + yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=120)


class _BodyLimit:
    """Bounds what is sent; the route that takes a file has a limit of its own, told on a page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._limited = RequestBodyLimitMiddleware(app, MAX_BODY_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        bounds_itself = scope["type"] == "http" and scope["path"] == verification.UPLOAD_PATH
        await (self._app if bounds_itself else self._limited)(scope, receive, send)


async def _envelope(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Give each request an id, each answer its safety headers, and the log one line."""
    request.state.request_id = uuid4()
    started = time.perf_counter()
    response = await call_next(request)
    if response.status_code == 413 and response.headers.get("Content-Type", "").startswith("text/plain"):
        # The limit answers in plain text, before any handler of ours.
        response = problems.problem_response(request, "body_too_large")
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-ID"] = str(request.state.request_id)
    route = request.scope.get("route")
    log.info(
        "request",
        extra={
            "request_id": str(request.state.request_id),
            "method": request.method,
            "route": getattr(route, "path", "-"),
            "status": response.status_code,
            "milliseconds": round((time.perf_counter() - started) * 1000, 1),
        },
    )
    return response
