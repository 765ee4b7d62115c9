"""The dashboard as an ASGI app; the script gets its settings as Streamlit secrets, never from a global."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
import structlog
import uvicorn

from fleetflow.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from streamlit.runtime.secrets import SecretsValue

    from fleetflow.settings import Settings

SCRIPT = Path(__file__).with_name("app.py")
GRACE_S = 2
"""How long a stop waits for browsers: their WebSockets stay open for as long as the page does."""

log = structlog.get_logger()


def create_app(settings: Settings) -> st.App:
    """The ASGI app. ConfigurationError without a database."""
    if settings.database_url is None:
        raise ConfigurationError(
            "The dashboard needs FLEETFLOW_DATABASE_URL; `make run` sets it to FleetFlow's own Postgres."
        )
    secrets: dict[str, SecretsValue] = {"fleetflow": {"database_url": settings.database_url.get_secret_value()}}
    return st.App(SCRIPT, secrets=secrets, lifespan=load_pages, on_script_error=show_fault)


@asynccontextmanager
async def load_pages(_: st.App) -> AsyncIterator[None]:
    """Import what the pages need before the first viewer comes: pandas and plotly cost him two seconds otherwise."""
    for name in ("dashboard.charts", "dashboard.trip_view", "dashboard.fleet_view"):
        await asyncio.to_thread(import_module, name)
    yield


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM."""
    uvicorn.run(
        create_app(settings),
        host=settings.dashboard_host,
        port=settings.dashboard_port,
        log_level=settings.log_level,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE_S,
    )


def show_fault(error: BaseException) -> bool:
    """What a page shows for a fault of ours: a sentence; the traceback goes to the log."""
    log.error("dashboard_page_failed", exc_info=error)
    st.error(
        "**This page could not be drawn.** The fault is in FleetFlow and was written to the log."
        " Your data are not affected; reload to try again.",
        icon=":material/error:",
    )
    return True
