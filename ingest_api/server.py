"""How the API is served; the same for `python -m ingest_api`, tests and benchmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from fastapi import FastAPI

GRACE_S = 8
KEEP_ALIVE_S = 75
"""Longer than proxies keep an idle connection, which is mostly a minute: who hangs up first must be the one who sends,
or a trip is sent into a connection that ends at that moment."""


def server_config(app: FastAPI, host: str, port: int) -> uvicorn.Config:
    """uvicorn without access log, server name and trust in proxy headers (no answer depends on who asks)."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )
