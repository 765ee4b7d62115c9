"""The application: its parts put together, started and stopped in order."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from fleetflow.doors import may_be_keyless
from fleetflow.queue import open_publisher
from fleetflow.queue.announcer import Announcer
from fleetflow.storage.database import create_engine
from fleetflow.trips.wire import Limits, TripDecoder
from ingest_api import openapi, operations, problems, trips
from ingest_api.intake import WRITERS, Intake
from ingest_api.keys import KeyRing
from ingest_api.metrics import Metrics
from ingest_api.pulse import Pulse
from ingest_api.telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

    from fleetflow.settings import Settings

    Handler = Callable[[Request], Awaitable[Response]]

NAME = "fleetflow-api"
VERSION = "0.1.0"


class IngestApp(FastAPI):
    """FastAPI with a short way for telemetry: its middlewares cost a post a fifth of its time and do nothing for it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._posts: dict[str, Handler] = {}

    def add_post(self, path: str, handler: Handler) -> None:
        """Route POSTs to `handler` the short way; other methods find FastAPI's 405."""
        self._posts[path] = handler
        self.add_route(path, handler, methods=["POST"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a post the short way, everything else as FastAPI does."""
        handler = self._posts.get(scope.get("path", "")) if scope.get("method") == "POST" else None
        if handler is None:
            await super().__call__(scope, receive, send)
            return
        try:
            response = await handler(Request(scope, receive))
        except Exception as error:  # noqa: BLE001  # nothing above here would answer
            response = problems.answer(error)
        await response(scope, receive, send)


def create_app(settings: Settings, database_url: str) -> FastAPI:
    """The app for an ASGI server. Nothing is opened before its lifespan begins."""
    app = IngestApp(title="FleetFlow ingest API", version=VERSION, lifespan=_lifespan, redirect_slashes=False)
    app.state.settings = settings
    app.state.metrics = metrics = Metrics()
    # Writers keep their connections; the others serve reads and the pulse.
    app.state.engine = engine = create_engine(
        database_url, application_name=NAME, pool_size=WRITERS + 4, statement_timeout_s=settings.storage_timeout_s
    )
    app.state.keys = keys = KeyRing(keyless=may_be_keyless(settings), per_minute=settings.key_requests_per_minute)
    app.state.pulse = pulse = Pulse(
        engine, metrics, keys, max_waiting=settings.max_waiting_trips, max_waiting_s=settings.max_waiting_s
    )
    app.state.announcer = announcer = Announcer(open_publisher(settings, database_url))
    metrics.watch_announcer(announcer)
    app.state.intake = intake = Intake(
        engine, announcer.announce, timeout_s=settings.storage_timeout_s, on_commit=metrics.commit_trips.observe
    )
    decoder = TripDecoder(Limits(settings.max_points, settings.max_speed_kmh, settings.max_g, settings.max_duration_s))
    app.state.telemetry = telemetry = Telemetry(settings, decoder, intake, pulse, metrics=metrics, keys=keys)
    app.add_post("/api/v1/telemetry", telemetry.post_trip)
    app.add_post("/api/v1/telemetry/batch", telemetry.post_batch)
    app.include_router(trips.router)
    app.include_router(operations.router)
    problems.install(app)
    openapi.install(app, decoder)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    state = app.state
    state.announcer.start()
    state.intake.start()
    await run_in_threadpool(state.pulse.start)
    try:
        yield
    finally:
        state.pulse.close()
        state.telemetry.close()
        await run_in_threadpool(state.intake.close)
        await run_in_threadpool(state.announcer.close)
        state.engine.dispose()
