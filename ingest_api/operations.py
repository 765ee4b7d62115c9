"""For those who run it: alive, ready, and how it is doing."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from fleetflow.access import Scope
from ingest_api import metrics
from ingest_api.keys import requires
from ingest_api.problems import ProblemError, unavailable

router = APIRouter(tags=["operations"])


class Health(BaseModel):
    """The process is alive."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Trips are taken."""

    status: Literal["ready"] = "ready"
    storage: str
    queue: str = Field(description="`ok`, or `unreachable`: then workers find trips by sweeping, a little later.")


@router.get("/healthz", summary="Alive?")
async def healthz() -> Health:
    """200 as long as the process answers; says nothing about Postgres or the queue."""
    return Health()


@router.get("/readyz", summary="Ready to take trips?")
async def readyz(request: Request) -> Readiness:
    """200 while trips are taken, else 503. A queue that is down only delays scores, so it is no reason."""
    condition = request.app.state.pulse.condition
    if condition.storage != "ok":
        raise unavailable("storage_unavailable", condition.storage)
    if condition.backlog != "ok":
        raise unavailable("backlog_full", condition.backlog)
    return Readiness(storage=condition.storage, queue="ok" if request.app.state.announcer.reachable else "unreachable")


@router.get(
    "/metrics",
    response_class=Response,
    summary="Figures for Prometheus",
    dependencies=[Depends(requires(Scope.READ))],
)
async def read_metrics(request: Request) -> Response:
    """Counters, gauges and histograms in Prometheus' text format; they are the fleet's, not a vehicle's."""
    if request.state.key.vehicle_ids is not None:
        raise ProblemError(403, "key_bound", "This key is bound to vehicles, and these figures are of the whole fleet.")
    return Response(request.app.state.metrics.text(), media_type=metrics.CONTENT_TYPE)
