"""`python -m ingest_api`: serve the API on the configured address."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import uvicorn

from fleetflow.bootstrap import run_program
from ingest_api.app import create_app

if TYPE_CHECKING:
    from fleetflow.settings import Settings

GRACE_S = 8
KEEP_ALIVE_S = 10


def serve(settings: Settings, database_url: str) -> int:
    """Serve until a signal comes; requests in flight are answered first."""
    uvicorn.run(
        create_app(settings, database_url),
        host=settings.api_host,
        port=settings.api_port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )
    return 0


if __name__ == "__main__":
    sys.exit(run_program("ingest_api", serve))
