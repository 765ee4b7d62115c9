"""`python -m ingest_api`: serve the API on the configured address."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import uvicorn

from fleetflow.bootstrap import run_program, spare_lasting_objects
from fleetflow.doors import check_door
from ingest_api.app import create_app
from ingest_api.server import server_config

if TYPE_CHECKING:
    from fleetflow.settings import Settings


def serve(settings: Settings, database_url: str) -> int:
    """Serve until a signal comes; requests in flight are answered first. Raises ConfigurationError."""
    check_door(settings, database_url)
    app = create_app(settings, database_url)
    spare_lasting_objects()
    uvicorn.Server(server_config(app, settings.api_host, settings.api_port)).run()
    return 0


if __name__ == "__main__":
    sys.exit(run_program("ingest_api", serve, database_user="ingest"))
