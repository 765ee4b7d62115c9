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

from dashboard import drawing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from streamlit.runtime.secrets import SecretsValue

    from fleetflow.settings import Settings

SCRIPT = Path(__file__).with_name("app.py")
GRACE_S = 2
"""How long a stop waits for browsers: their WebSockets stay open for as long as the page does."""

log = structlog.get_logger()

VIEWS = (
    "inbox_view", "leaderboard_view", "overview_view", "report_view", "trip_explained", "trip_view", "tuning_view",
    "upload_view",
)  # fmt: skip
NEEDED_BY_PAGES = tuple(f"dashboard.{name}" for name in VIEWS)


def create_app(database_url: str, api_url: str) -> st.App:
    """The ASGI app on one database; pages say that vehicles send to `api_url`."""
    secrets: dict[str, SecretsValue] = {"fleetflow": {"database_url": database_url, "api_url": api_url}}
    return st.App(SCRIPT, routes=drawing.ROUTES, secrets=secrets, lifespan=load_pages, on_script_error=show_fault)


@asynccontextmanager
async def load_pages(_: st.App) -> AsyncIterator[None]:
    """Import what the pages need before the first viewer comes: pandas and plotly cost him two seconds otherwise."""
    for name in NEEDED_BY_PAGES:
        await asyncio.to_thread(import_module, name)
    yield


def serve(settings: Settings, database_url: str) -> int:
    """Serve until SIGINT or SIGTERM."""
    uvicorn.run(
        create_app(database_url, settings.reachable_api),
        host=settings.dashboard_host,
        port=settings.dashboard_port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    return 0


def show_fault(error: BaseException) -> bool:
    """What a page shows for a fault of ours: a sentence; the traceback goes to the log."""
    log.error("dashboard_page_failed", exc_info=error)
    st.error(
        "**This page could not be drawn.** The fault is in FleetFlow and was written to the log."
        " Your data are not affected; reload to try again.",
        icon=":material/error:",
    )
    return True
