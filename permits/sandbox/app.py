"""The sandbox as one application: the three registries, the geocoder, the switch of the outage, and faults on demand.

Loopback only: it checks that a token is present, never which one.
"""

import time
from collections.abc import Awaitable, Callable
from uuid import uuid4

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse, Response

from permits.sandbox import api_entreprise, geocodage, insee, recherche_entreprises
from permits.sandbox.companies import companies, sandbox_sirets
from permits.sandbox.faults import Faults, FaultyServer


def create_app(
    *,
    slow_s: float = 1.5,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> FastAPI:
    """Return a fresh sandbox, its outage on; what is slow answers after `slow_s` seconds."""
    troubles = api_entreprise.Troubles(down=True, slow_s=slow_s, sleep=sleep)
    app = FastAPI(title="Bac à sable", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(api_entreprise.router(companies(), troubles))
    app.include_router(insee.router(companies(), troubles))
    app.include_router(recherche_entreprises.router(companies(), troubles))
    app.include_router(geocodage.router())
    app.include_router(_switches(troubles))
    faults = Faults()
    app.include_router(faults.router())
    app.add_exception_handler(api_entreprise.Refusal, _refuse)

    @app.middleware("http")
    async def add_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        response.headers["X-Request-ID"] = str(uuid4())
        if request.url.path.startswith(("/v3/", "/v4/")):
            seconds = int(now())
            response.headers["RateLimit-Limit"] = str(api_entreprise.RATE_LIMIT)
            response.headers["RateLimit-Remaining"] = str(api_entreprise.RATE_LIMIT - 1)
            # An instant, not a delay: the end of the clock's minute.
            response.headers["RateLimit-Reset"] = str(seconds + 60 - seconds % 60)
        return response

    # Added last, hence outermost.
    app.add_middleware(FaultyServer, faults=faults, slow_s=slow_s)
    return app


def _switches(troubles: api_entreprise.Troubles) -> APIRouter:
    routes = APIRouter(prefix="/_sandbox")

    @routes.post("/outage", status_code=204)
    def begin_outage() -> None:
        troubles.down = True

    @routes.post("/recovery", status_code=204)
    def end_outage() -> None:
        troubles.down = False

    @routes.get("/sirets")
    def sirets() -> list[dict[str, str]]:
        return [one.model_dump() for one in sandbox_sirets()]

    return routes


async def _refuse(_request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, api_entreprise.Refusal)
    # The edge (401, 429) answers in plain JSON, the application behind it in its own type.
    answer = JSONResponse if refusal.status in (401, 429) else api_entreprise.ApiJson
    return answer({"errors": refusal.errors}, refusal.status, refusal.headers)
