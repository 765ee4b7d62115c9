"""The dashboard as an ASGI app; the script gets its settings as Streamlit secrets, never from a global."""

from __future__ import annotations

import asyncio
import inspect
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
import structlog
import uvicorn
from starlette.middleware import Middleware
from starlette.responses import RedirectResponse
from starlette.routing import Route

from dashboard import drawing
from dashboard.signin.desk import Desk
from dashboard.signin.gate import Gate
from dashboard.signin.headers import SecurityHeaders
from dashboard.signin.routes import Counter
from dashboard.sketch import draw_one_of_each
from fleetflow.bootstrap import spare_lasting_objects
from fleetflow.quarantine import Quarantine
from fleetflow.storage.policy import Policy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response
    from streamlit.runtime.secrets import SecretsValue

    from fleetflow.settings import Settings

SCRIPT = Path(__file__).with_name("app.py")
GRACE_S = 2
"""How long a stop waits for browsers: their WebSockets stay open for as long as the page does."""
TIDY_S = 3600.0

log = structlog.get_logger()

NEEDED_BY_PAGES = tuple(
    f"dashboard.{path.stem}" for kind in ("*_view.py", "upload_*.py") for path in sorted(SCRIPT.parent.glob(kind))
)
NEEDED_BY_STREAMLIT = (
    "narwhals._pandas_like.namespace",
    "pyarrow.pandas_compat",
    "streamlit.dataframe.lazy_df_adapters",
    "streamlit.emojis",
    "streamlit.material_icon_names",
)
"""What it imports when a page first shows a table or an icon."""


def create_app(settings: Settings, database_url: str) -> st.App:
    """The ASGI app on one database: Streamlit behind the gate, with the pages of signing in beside it."""
    desk = Desk(settings, database_url)

    @asynccontextmanager
    async def lifespan(_: st.App) -> AsyncIterator[None]:
        await load_pages()
        tidying = asyncio.create_task(keep_tidy(Quarantine.of(settings)))
        yield
        tidying.cancel()
        desk.close()

    return st.App(
        SCRIPT,
        secrets={"fleetflow": secrets_of(settings, database_url)},
        lifespan=lifespan,
        routes=[*Counter(desk, settings).routes(), *drawing.ROUTES, Route("/overview", to_overview)],
        middleware=[Middleware(SecurityHeaders), Middleware(Gate, desk=desk)],
        on_script_error=show_fault,
    )


async def to_overview(request: Request) -> Response:
    """The page that opens first has no address of its own in Streamlit; who writes its name gets there all the same."""
    return RedirectResponse(f"./?{request.url.query}" if request.url.query else "./")


def secrets_of(settings: Settings, database_url: str) -> dict[str, SecretsValue]:
    """What the script has to know: the database, and for uploads the API with its key and the limits."""
    return {
        "database_url": database_url,
        "api_url": settings.reachable_api,
        "api_key": settings.key or "",
        "policy": Policy.of(settings).as_plain(),
        "quarantine_dir": str(Quarantine.of(settings).folder),
        "quarantine_days": settings.quarantine_days,
    }


async def keep_tidy(quarantine: Quarantine) -> None:
    """Let go of old uploads, also where nobody uploads any more."""
    while True:
        try:
            await asyncio.to_thread(quarantine.tidy)
        except OSError as error:
            log.warning("quarantine_not_tidied", reason=str(error))
        await asyncio.sleep(TIDY_S)


async def load_pages() -> None:
    """Import what the pages need before the first viewer comes: pandas and plotly cost him two seconds otherwise."""
    for name in (*NEEDED_BY_STREAMLIT, *NEEDED_BY_PAGES):
        await asyncio.to_thread(import_module, name)
    await asyncio.to_thread(draw_one_of_each)
    # Streamlit asks where it was started from when a page first writes something, and Python then looks up the file of
    # every module there is; it remembers them.
    await asyncio.to_thread(inspect.stack)
    spare_lasting_objects()


def serve(settings: Settings, database_url: str) -> int:
    """Serve until SIGINT or SIGTERM."""
    uvicorn.run(
        create_app(settings, database_url),
        host=settings.dashboard_host,
        port=settings.dashboard_port,
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
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
