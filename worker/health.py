"""`python -m worker.health`: exit code 0 while the worker on this machine works or sweeps, else 1 and why."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from fleetflow.bootstrap import run_program
from fleetflow.errors import FleetFlowError
from fleetflow.storage.database import connection, create_engine
from fleetflow.storage.liveness import read_silence

if TYPE_CHECKING:
    from fleetflow.settings import Settings

WORKER_NAME = "fleetflow-worker"


class WorkerSilentError(FleetFlowError):
    """No worker of this machine has used the database lately; whoever runs it looks into its log."""


def check(settings: Settings, database_url: str) -> int:
    """Return 0, or raise WorkerSilentError. A worker may be silent for as long as a batch and two sweeps take."""
    engine = create_engine(database_url, application_name="fleetflow-health", pool_size=1)
    try:
        with connection(engine) as conn:
            silence_s = read_silence(conn, WORKER_NAME)
    finally:
        engine.dispose()
    if silence_s is None:
        raise WorkerSilentError("No worker of this machine is connected to the database.")
    if silence_s > settings.batch_time_limit_s + 2 * settings.sweep_s:
        raise WorkerSilentError(f"The worker has not used the database for {silence_s:.0f} seconds.")
    return 0


if __name__ == "__main__":
    sys.exit(run_program("health", check, database_user="worker"))
