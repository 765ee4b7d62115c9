"""`python -m worker`: analyse trips until a signal comes. A second signal ends it at once."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import structlog

from fleetflow.bootstrap import run_program
from fleetflow.errors import StorageUnavailableError
from fleetflow.queue import open_consumer
from fleetflow.storage.database import check_schema, connection, create_engine
from worker.loop import Worker

if TYPE_CHECKING:
    from types import FrameType

    from fleetflow.settings import Settings

log = structlog.get_logger()


def serve(settings: Settings, database_url: str) -> int:
    """Run one worker. Raises ConfigurationError for another version's schema or a port that is taken."""
    engine = create_engine(database_url, application_name="fleetflow-worker", pool_size=2)
    try:
        with connection(engine) as conn:
            check_schema(conn)
    except StorageUnavailableError as error:
        log.warning("storage_unavailable", reason=str(error))  # it will be there some day; the loop waits for it
    worker = Worker(settings, engine, open_consumer(settings, database_url))
    worker.metrics.serve(settings, database_url)
    _stop_on_signals(worker)
    log.info("worker_started")
    worker.run()
    log.info("worker_stopped")
    return 0


def _stop_on_signals(worker: Worker) -> None:
    stopping = False

    def handle(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        if stopping:
            os._exit(1)
        stopping = True
        worker.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)


if __name__ == "__main__":
    sys.exit(run_program("worker", serve, database_user="worker"))
