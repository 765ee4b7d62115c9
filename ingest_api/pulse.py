"""The API's view of what it depends on, refreshed by a thread, so that a probe never waits for a sick database."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from fleetflow.errors import ConfigurationError, StorageUnavailableError
from fleetflow.storage.backlog import Backlog, read_backlog
from fleetflow.storage.database import check_schema, connection, read_clock

if TYPE_CHECKING:
    import sqlalchemy as sa

    from ingest_api.keys import KeyRing
    from ingest_api.metrics import Metrics

PERIOD_S = 3.0
OVERDUE_S = 3 * PERIOD_S

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Condition:
    """`storage` and `backlog` are "ok" or the reason why trips cannot be taken now."""

    storage: str = "not checked yet"
    backlog: str = "ok"
    clock_offset: timedelta = timedelta()


class Pulse:
    """Checks Postgres every few seconds; `condition` is the newest finding."""

    def __init__(
        self, engine: sa.Engine, metrics: Metrics, keys: KeyRing, *, max_waiting: int, max_waiting_s: float
    ) -> None:
        self._engine = engine
        self._keys = keys
        self._metrics = metrics
        self._max_waiting = max_waiting
        self._max_waiting_s = max_waiting_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)
        self._newest = Condition()
        self._checked = time.monotonic()

    @property
    def condition(self) -> Condition:
        """The newest finding; a check that does not come back is a finding too."""
        if time.monotonic() - self._checked > OVERDUE_S:
            return Condition("The database does not answer.", clock_offset=self._newest.clock_offset)
        return self._newest

    def start(self) -> None:
        """Check once, then go on checking in the background."""
        self.check()
        self._thread.start()

    def close(self) -> None:
        """Stop checking."""
        self._stop.set()

    def now(self) -> datetime:
        """The time by the database's clock, which all processes share."""
        return datetime.now(UTC) + self._newest.clock_offset

    def check(self) -> None:
        """Look once."""
        try:
            with connection(self._engine) as conn:
                check_schema(conn)
                self._keys.refresh(conn)
                offset = read_clock(conn) - datetime.now(UTC)
                backlog = read_backlog(conn)
        except (StorageUnavailableError, ConfigurationError) as error:
            self._changed(Condition(str(error), clock_offset=self._newest.clock_offset))
        else:
            self._metrics.show_backlog(backlog)
            self._changed(Condition("ok", self._judged(backlog), offset))

    def _judged(self, backlog: Backlog) -> str:
        """A queue without a bound is an outage that comes later, and for longer."""
        if backlog.waiting >= self._max_waiting:
            return f"{backlog.waiting:,} trips wait for a worker; no more are taken until some are done."
        oldest_s = backlog.oldest_s or 0.0
        if oldest_s >= self._max_waiting_s:
            return f"Trips have waited for {oldest_s / 3600:.1f} hours; no more are taken until they are done."
        return "ok"

    def _changed(self, condition: Condition) -> None:
        if condition.storage != self._newest.storage:
            log.info("storage_condition", condition=condition.storage)
        if condition.backlog != "ok" and self._newest.backlog == "ok":
            log.error("backlog_full", reason=condition.backlog)
        self._newest = condition
        self._checked = time.monotonic()

    def _run(self) -> None:
        while not self._stop.wait(PERIOD_S):
            self.check()
