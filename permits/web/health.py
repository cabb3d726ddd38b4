"""Is the process alive, and can it issue? These routes never wait behind other requests."""

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import APIRouter, Response
from pydantic import BaseModel

from permits.web.context import CurrentContext
from permits.web.policy import Policy, policy

router = APIRouter(tags=["health"])

# Apart from the pool that serves requests, which a slow registry may fill.
_limiter = CapacityLimiter(2)


class Health(BaseModel):
    """The process answers."""

    status: str


class ReadinessCheck(BaseModel):
    """One thing the service needs. `failing` is false for what is only told, such as the company registry."""

    name: str
    ok: bool
    detail: str
    failing: bool


class ReadinessView(BaseModel):
    """Whether a permit can be issued now, and what is missing."""

    ready: bool
    checks: list[ReadinessCheck]


@router.get("/healthz", operation_id="get_health", summary="Le processus répond")
@policy(Policy.PUBLIC)
async def get_health() -> Health:
    """Ne dépend de rien."""
    return Health(status="ok")


@router.get(
    "/readyz",
    operation_id="get_readiness",
    summary="Le service peut délivrer un permis",
    responses={503: {"model": ReadinessView, "description": "Il manque de quoi délivrer"}},
)
@policy(Policy.PUBLIC)
async def get_readiness(response: Response, context: CurrentContext) -> ReadinessView:
    """Échoue pour la base, le rendu, le cachet ou le règlement ; une panne du registre est dite sans faire échouer."""
    found = await anyio.to_thread.run_sync(context.readiness, limiter=_limiter)
    checks = [ReadinessCheck(name=c.name, ok=c.ok, detail=c.detail, failing=c.failing) for c in found]
    ready = all(check.ok for check in checks if check.failing)
    response.status_code = 200 if ready else 503
    return ReadinessView(ready=ready, checks=checks)
