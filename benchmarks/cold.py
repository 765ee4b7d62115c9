"""`python -m benchmarks.cold URL`: what the tuning page does on its first question, timed, as JSON."""

from __future__ import annotations

import json
import os
import sys
import time

from benchmarks.services import peak_memory_mb
from fleetflow.safety.events import EventKind
from fleetflow.safety.profiles import DEFAULT_PROFILE
from fleetflow.safety.whatif.compare import contrast
from fleetflow.safety.whatif.judged import judge
from fleetflow.safety.whatif.prepared import prepare
from fleetflow.safety.whatif.rules import with_threshold
from fleetflow.storage.database import create_engine, snapshot
from fleetflow.storage.fleet import read_fleet


def main(database_url: str) -> int:
    """Read, prepare, judge twice and compare."""
    engine = create_engine(database_url, application_name="bench", statement_timeout_s=60)
    started = time.perf_counter()
    with snapshot(engine) as conn:
        fleet = read_fleet(conn)
    prepared = prepare(fleet.events, fleet.trips)
    other = with_threshold(DEFAULT_PROFILE, EventKind.BRAKING, 0.35)
    contrast(prepared, judge(prepared, DEFAULT_PROFILE), judge(prepared, other))
    took_ms = 1000 * (time.perf_counter() - started)
    print(json.dumps({"ms": took_ms, "peak_mb": peak_memory_mb(os.getpid())}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
