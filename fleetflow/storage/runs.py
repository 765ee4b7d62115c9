"""Re-score runs: a profile applied to stored trips, batch by batch, beside ingestion; old scores stay.

A batch is one transaction that holds the run's row: a worker that dies leaves nothing half done, and the next one goes
on where it was. Whoever finishes a trip holds `lock_profiles`, shared, while it looks which profiles are current, and a
run begins and ends under the same lock alone: no trip can fall between.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import sqlalchemy as sa

from fleetflow.errors import FleetFlowError
from fleetflow.safety.judging import CLASSES, count_harsh, points_of
from fleetflow.storage import profiles
from fleetflow.storage.columnar import read_columns
from fleetflow.storage.fleet import CLASSED_VEHICLES, read_events_for
from fleetflow.storage.scores import insert_counts
from fleetflow.storage.tables import BEGAN_AT, rescore_runs, trip_logs

if TYPE_CHECKING:
    from datetime import datetime

    from fleetflow.storage.columnar import Columns

PROFILES_LOCK = 0x70726F66  # "prof": any number that other users of the database are unlikely to take
BATCH_TRIPS = 4000
"""Some tenths of a second of work: whoever cancels a run waits no longer than that."""
BEFORE_ALL = UUID(int=0)

# The look for a score is made trip by trip (OFFSET 0) and by the trip (+ 0): Postgres believes that a profile which it
# has no statistics of has no scores, and would go over all scores of the run for each batch, or even for each trip.
UNSCORED = """
NOT EXISTS (SELECT FROM telemetry.driver_scores
            WHERE trip_id = trip_logs.id AND profile_version + 0 = {version} OFFSET 0)
"""
NEXT_TRIPS = f"""
SELECT trip_logs.id, trip_logs.driver_id, COALESCE(vehicle.class, 0) AS vehicle_class
FROM telemetry.trip_logs LEFT JOIN {CLASSED_VEHICLES} AS vehicle ON vehicle.id = trip_logs.vehicle_id
WHERE status = 'COMPLETED' AND trip_logs.id > %(after)s
  AND COALESCE(started_at, received_at) >= COALESCE(%(since)s::timestamptz, '-infinity')
  AND COALESCE(started_at, received_at) < COALESCE(%(until)s::timestamptz, 'infinity')
  AND {UNSCORED.format(version="%(version)s")}
ORDER BY trip_logs.id LIMIT %(batch_trips)s FOR KEY SHARE OF trip_logs
"""  # noqa: S608 - a constant
NEXT_TYPES = {"id": "uuid", "driver_id": "uuid", "vehicle_class": "int2"}


class RunState(StrEnum):
    """A run is RUNNING until it has no trip left or somebody stops it; what it wrote stays in both cases."""

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"


class RunInProgressError(FleetFlowError):
    """One run at a time: whoever asked waits for the other, or cancels it."""


class EmptyPeriodError(FleetFlowError):
    """There is no analysed trip in the period; whoever asked picks another."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run with its progress. `since` and `until` bound when its trips began; None means no bound."""

    id: int
    profile_version: int
    state: RunState
    since: datetime | None
    until: datetime | None
    activates: bool
    total_trips: int
    done_trips: int
    last_trip_id: UUID | None
    asked_by: str
    note: str
    started_at: datetime
    finished_at: datetime | None


def lock_profiles(conn: sa.Connection, *, shared: bool) -> None:
    """Until the transaction ends nobody begins or ends a run (`shared`), or finishes a trip either."""
    lock = sa.func.pg_advisory_xact_lock_shared if shared else sa.func.pg_advisory_xact_lock
    conn.execute(sa.select(lock(PROFILES_LOCK)))


def read_current(conn: sa.Connection) -> list[profiles.StoredProfile]:
    """The profiles under which a finished trip is scored: the active one, and that of a run. Holds the shared lock."""
    lock_profiles(conn, shared=True)
    active, running = profiles.read_active(conn), read_running(conn)
    if running is None or running.profile_version == active.version:
        return [active]
    return [active, profiles.read_profile(conn, running.profile_version)]


def insert_run(
    conn: sa.Connection,
    profile_version: int,
    *,
    asked_by: str,
    since: datetime | None = None,
    until: datetime | None = None,
    activates: bool = False,
    note: str = "",
) -> Run:
    """Ask for a run; workers carry it out, and the profile becomes active with its last batch if `activates`.

    Raises RunInProgressError with who runs what and how far it is, EmptyPeriodError, ProfileMissingError.
    """
    lock_profiles(conn, shared=False)
    running = read_running(conn)
    if running is not None:
        raise RunInProgressError(describe_running(running))
    profiles.read_profile(conn, profile_version)
    period = _period(since, until)
    if conn.scalar(sa.select(sa.exists().where(_analysed(), period))) is False and not activates:
        raise EmptyPeriodError("There is no analysed trip in this period.")
    total = count_missing(conn, profile_version, since, until)
    values = {
        "profile_version": profile_version, "since": since, "until": until, "activates": activates,
        "total_trips": total, "asked_by": asked_by, "note": note,
    }  # fmt: skip
    run_id = conn.execute(sa.insert(rescore_runs).values(values).returning(rescore_runs.c.id)).scalar_one()
    return read_run(conn, run_id)


def activate(conn: sa.Connection, profile_version: int, *, activated_by: str, note: str = "") -> Run | None:
    """Make a profile the active one: at once where every trip has its score (None), else with the end of a run."""
    lock_profiles(conn, shared=False)
    if count_missing(conn, profile_version):
        return insert_run(conn, profile_version, asked_by=activated_by, activates=True, note=note)
    running = read_running(conn)
    if running is not None and running.activates:
        raise RunInProgressError(describe_running(running))
    profiles.insert_activation(conn, profile_version, activated_by=activated_by, note=note)
    return None


def cancel_run(conn: sa.Connection, run_id: int) -> bool:
    """Stop a run after the batch in work; False when it is not running any more. Its scores stay and are not active."""
    statement = sa.update(rescore_runs).where(rescore_runs.c.id == run_id, rescore_runs.c.state == RunState.RUNNING)
    values = {"state": RunState.CANCELLED, "finished_at": sa.func.clock_timestamp()}
    return conn.execute(statement.values(values)).rowcount == 1


def advance_run(conn: sa.Connection, batch_trips: int = BATCH_TRIPS) -> Run | None:
    """Do the next batch of the run; None when there is none or another worker has it in hand.

    The caller commits: then the scores and the run's progress are stored together.
    """
    statement = _select().where(rescore_runs.c.state == RunState.RUNNING).with_for_update(skip_locked=True)
    row = conn.execute(statement).one_or_none()
    if row is None:
        return None
    run = _run(row)
    trips = _next_trips(conn, run, batch_trips)
    scored = len(trips["id"])
    if scored:
        _score(conn, run.profile_version, trips)
        last = UUID(bytes=trips["id"][-1].tobytes())
        _update(conn, run.id, last_trip_id=last, done_trips=rescore_runs.c.done_trips + scored)
    else:
        _finish(conn, run)
    return read_run(conn, run.id)


def read_running(conn: sa.Connection) -> Run | None:
    """The run that goes on, if any."""
    row = conn.execute(_select().where(rescore_runs.c.state == RunState.RUNNING)).one_or_none()
    return None if row is None else _run(row)


def read_run(conn: sa.Connection, run_id: int) -> Run:
    """One run, which must exist."""
    return _run(conn.execute(_select().where(rescore_runs.c.id == run_id)).one())


def list_runs(conn: sa.Connection, limit: int = 50) -> list[Run]:
    """The newest runs."""
    return [_run(row) for row in conn.execute(_select().order_by(rescore_runs.c.id.desc()).limit(limit))]


def count_missing(
    conn: sa.Connection, profile_version: int, since: datetime | None = None, until: datetime | None = None
) -> int:
    """How many analysed trips have no score under a profile; of all, 0 means that it can be made active at once."""
    missing = sa.select(sa.func.count()).select_from(trip_logs)
    return conn.scalar(missing.where(_missing(profile_version), _period(since, until))) or 0


def describe_running(run: Run) -> str:
    """Who runs what and how far it is, in a sentence."""
    share = run.done_trips / run.total_trips if run.total_trips else 1.0
    return (
        f"{run.asked_by} is applying profile {run.profile_version} already: {run.done_trips:,} of"
        f" {run.total_trips:,} trips ({share:.0%}) are done. Wait for it, or cancel it."
    )


def _finish(conn: sa.Connection, run: Run) -> None:
    """End the run unless trips were finished behind its back before they could know of it."""
    lock_profiles(conn, shared=False)
    left = sa.exists().where(_missing(run.profile_version), _period(run.since, run.until))
    if conn.scalar(sa.select(left)):
        _update(conn, run.id, last_trip_id=None)
        return
    _update(conn, run.id, state=RunState.COMPLETED, finished_at=sa.func.clock_timestamp())
    if run.activates:
        profiles.insert_activation(conn, run.profile_version, activated_by=run.asked_by, note=run.note)


def _next_trips(conn: sa.Connection, run: Run, batch_trips: int) -> Columns:
    """The trips that come next, in the order of their ids; no review changes them before the transaction ends."""
    values = {
        "version": run.profile_version, "since": run.since, "until": run.until, "classes": list(CLASSES),
        "after": run.last_trip_id or BEFORE_ALL, "batch_trips": batch_trips,
    }  # fmt: skip
    return read_columns(conn, NEXT_TRIPS, values, NEXT_TYPES)


def _score(conn: sa.Connection, profile_version: int, trips: Columns) -> None:
    profile = profiles.read_profile(conn, profile_version).profile
    vehicle_class = trips["vehicle_class"].astype(np.int8)
    counts = count_harsh(read_events_for(conn, trips["id"], profile), vehicle_class, profile)
    insert_counts(
        conn,
        profile_version,
        trip_ids=trips["id"],
        driver_ids=trips["driver_id"],
        counts=counts,
        points=points_of(counts, vehicle_class, profile),
    )


def _analysed() -> sa.ColumnElement[bool]:
    return trip_logs.c.status == "COMPLETED"


def _missing(profile_version: int) -> sa.ColumnElement[bool]:
    return sa.and_(_analysed(), sa.text(UNSCORED.format(version=":version")).bindparams(version=profile_version))


def _period(since: datetime | None, until: datetime | None) -> sa.ColumnElement[bool]:
    bounds = [*([since <= BEGAN_AT] if since else []), *([until > BEGAN_AT] if until else [])]
    return sa.and_(sa.true(), *bounds)


def _update(conn: sa.Connection, run_id: int, **values: Any) -> None:
    conn.execute(sa.update(rescore_runs).where(rescore_runs.c.id == run_id).values(values))


def _select() -> sa.Select[Any]:
    return sa.select(*(rescore_runs.c[name] for name in Run.__slots__))


def _run(row: sa.Row[Any]) -> Run:
    return Run(**{**row._mapping, "state": RunState(row.state)})  # noqa: SLF001 - SQLAlchemy's public name
