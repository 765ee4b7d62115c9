"""Analysing stored trips again by a newer detection, portion by portion; a trip keeps what it has until that is there.

A portion is claimed by a lease on the run's one row, and written with its results in one transaction. After a death its
trips are taken one by one, so that one that kills workers is found and left as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fleetflow.errors import FleetFlowError
from fleetflow.storage.claims import FOUND, ClaimedTrip, TripFindings, as_columns
from fleetflow.storage.runs import RunState
from fleetflow.storage.tables import reanalyses, trip_logs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID


class ReanalysisInProgressError(FleetFlowError):
    """One at a time: whoever asked waits for the other, or cancels it."""


class NothingOlderError(FleetFlowError):
    """Every trip was analysed by that version or a newer one; there is nothing to do."""


@dataclass(frozen=True, slots=True)
class Reanalysis:
    """Trips found by a detection older than `below_version` are analysed again; `skipped_trips` kept what they had."""

    id: int
    below_version: int
    state: RunState
    total_trips: int
    done_trips: int
    skipped_trips: int
    last_trip_id: UUID | None
    portion_end_id: UUID | None
    attempts: int
    asked_by: str
    started_at: datetime
    finished_at: datetime | None


CLAIM = """
UPDATE telemetry.reanalyses
SET attempts = attempts + 1, lease_token = %(token)s,
    lease_expires_at = clock_timestamp() + make_interval(secs => %(lease_s)s)
WHERE state = 'RUNNING' AND below_version <= %(detection_version)s
  AND (lease_expires_at IS NULL OR lease_expires_at < clock_timestamp())
RETURNING id
"""
NEXT = """
SELECT id, vehicle_id, driver_id, received_at, sample_hz, 1, true, telemetry_blob::text
FROM (SELECT *, sum(point_count) OVER (ORDER BY id) AS points, row_number() OVER (ORDER BY id) AS place
      FROM (SELECT * FROM telemetry.trip_logs
            WHERE status = 'COMPLETED' AND COALESCE(detection_version, 0) < %(below_version)s
              AND samples_removed_at IS NULL
              AND (%(after)s::uuid IS NULL OR id > %(after)s)
            ORDER BY id LIMIT %(max_trips)s) AS older) AS counted
WHERE points <= %(max_points)s OR place = 1
ORDER BY id
"""
REPLACE = f"""
UPDATE telemetry.trip_logs AS trip
SET {FOUND}
WHERE trip.id = done.id AND trip.status = 'COMPLETED' AND COALESCE(detection_version, 0) < %(detection_version)s
RETURNING trip.id
"""  # noqa: S608  # FOUND is a constant


def insert_reanalysis(conn: sa.Connection, below_version: int, *, asked_by: str) -> Reanalysis:
    """Ask for it; workers do it when no fresh trip waits. Trips without samples are left out.

    Raises ReanalysisInProgressError, NothingOlderError.
    """
    running = read_running(conn)
    if running is not None:
        raise ReanalysisInProgressError(describe_running(running))
    has_samples = trip_logs.c.samples_removed_at.is_(None)
    total = conn.scalar(sa.select(sa.func.count()).select_from(trip_logs).where(_older(below_version), has_samples))
    if not total:
        kept = " and still has its samples" if count_without_samples(conn, below_version) else ""
        raise NothingOlderError(f"No trip was analysed by a detection older than version {below_version}{kept}.")
    values = {"below_version": below_version, "total_trips": total, "asked_by": asked_by}
    return read_reanalysis(
        conn, conn.execute(sa.insert(reanalyses).values(values).returning(reanalyses.c.id)).scalar_one()
    )


def count_without_samples(conn: sa.Connection, below_version: int) -> int:
    """How many older trips keep what they have, because their samples were removed."""
    removed = trip_logs.c.samples_removed_at.is_not(None)
    found = conn.scalar(sa.select(sa.func.count()).select_from(trip_logs).where(_older(below_version), removed))
    return int(found or 0)


def cancel_reanalysis(conn: sa.Connection, reanalysis_id: int) -> bool:
    """Stop it before its next portion; False when it is not running any more. What was analysed anew stays so."""
    return _end(conn, reanalysis_id, RunState.CANCELLED)


def claim_portion(
    conn: sa.Connection, token: UUID, *, detection_version: int, lease_s: float, max_trips: int, max_points: int,
    max_attempts: int,
) -> list[ClaimedTrip]:  # fmt: skip
    """The trips that come next, this token's until its lease runs out; none where there is nothing to do."""
    values = {"token": token, "lease_s": lease_s, "detection_version": detection_version}
    claimed = conn.exec_driver_sql(CLAIM, values).scalar_one_or_none()
    if claimed is None:
        return []
    run = read_reanalysis(conn, claimed)
    alone = _is_within_a_portion(run)
    trips = _next(conn, run, max_trips=1 if alone else max_trips, max_points=max_points)
    if not trips:
        _end(conn, run.id, RunState.COMPLETED)
    elif run.attempts > max_attempts:
        settle_portion(conn, token, trips[0].id, done=0, skipped=1)
        return []
    elif not alone:
        _update(conn, run.id, portion_end_id=trips[-1].id)
    return trips


def settle_portion(conn: sa.Connection, token: UUID, last_trip_id: UUID, *, done: int, skipped: int) -> bool:
    """Go on behind a portion; False, and nothing may be written, when it was no longer this token's."""
    statement = sa.update(reanalyses).where(reanalyses.c.lease_token == token, reanalyses.c.state == RunState.RUNNING)
    values = {
        "last_trip_id": last_trip_id, "attempts": 0, "lease_token": None, "lease_expires_at": None,
        "done_trips": reanalyses.c.done_trips + done, "skipped_trips": reanalyses.c.skipped_trips + skipped,
    }  # fmt: skip
    return conn.execute(statement.values(values)).rowcount == 1


def replace_findings(
    conn: sa.Connection, findings: Mapping[UUID, TripFindings], *, detection_version: int
) -> set[UUID]:
    """Write what a new analysis says of whole trips; returns those whose events and scores must follow.

    Nobody reviews or re-scores these trips before the transaction ends.
    """
    ids = list(findings)
    locked = sa.select(trip_logs.c.id).where(trip_logs.c.id.in_(ids)).order_by(trip_logs.c.id).with_for_update()
    conn.execute(locked)
    values = {"detection_version": detection_version, **as_columns(findings)}
    return set(conn.exec_driver_sql(REPLACE, values).scalars())


def read_running(conn: sa.Connection) -> Reanalysis | None:
    """The one that goes on, if any."""
    row = conn.execute(_select().where(reanalyses.c.state == RunState.RUNNING)).one_or_none()
    return None if row is None else _reanalysis(row)


def read_reanalysis(conn: sa.Connection, reanalysis_id: int) -> Reanalysis:
    """One, which must exist."""
    return _reanalysis(conn.execute(_select().where(reanalyses.c.id == reanalysis_id)).one())


def describe_running(run: Reanalysis) -> str:
    """Who asked for it and how far it is, in sentences."""
    return (
        f"{run.asked_by} is having trips analysed again already: {run.done_trips:,} of {run.total_trips:,} are done."
        " Wait for it, or cancel it."
    )


def _is_within_a_portion(run: Reanalysis) -> bool:
    """Whether somebody died of the portion that begins here, or is in the middle of one that killed."""
    return run.portion_end_id is not None and (run.last_trip_id is None or run.last_trip_id < run.portion_end_id)


def _next(conn: sa.Connection, run: Reanalysis, *, max_trips: int, max_points: int) -> list[ClaimedTrip]:
    values = {
        "below_version": run.below_version, "after": run.last_trip_id, "max_trips": max_trips, "max_points": max_points,
    }  # fmt: skip
    return [ClaimedTrip(*row) for row in conn.exec_driver_sql(NEXT, values)]


def _older(below_version: int) -> sa.ColumnElement[bool]:
    version = sa.func.coalesce(trip_logs.c.detection_version, 0)
    return sa.and_(trip_logs.c.status == "COMPLETED", version < below_version)


def _end(conn: sa.Connection, reanalysis_id: int, state: RunState) -> bool:
    running = sa.and_(reanalyses.c.id == reanalysis_id, reanalyses.c.state == RunState.RUNNING)
    values = {
        "state": state, "finished_at": sa.func.clock_timestamp(), "lease_token": None, "lease_expires_at": None,
    }  # fmt: skip
    return conn.execute(sa.update(reanalyses).where(running).values(values)).rowcount == 1


def _update(conn: sa.Connection, reanalysis_id: int, **values: Any) -> None:
    conn.execute(sa.update(reanalyses).where(reanalyses.c.id == reanalysis_id).values(values))


def _select() -> sa.Select[Any]:
    return sa.select(*(reanalyses.c[name] for name in Reanalysis.__slots__))


def _reanalysis(row: sa.Row[Any]) -> Reanalysis:
    return Reanalysis(**{**row._mapping, "state": RunState(row.state)})  # noqa: SLF001 - SQLAlchemy's public name
