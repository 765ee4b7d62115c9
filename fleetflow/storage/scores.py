"""Driver scores: one row per trip and profile; re-scoring adds rows and never rewrites one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import sqlalchemy as sa

from fleetflow.safety.events import EventKind
from fleetflow.safety.judging import KINDS, scores_of
from fleetflow.storage.columnar import as_column, as_ids, execute
from fleetflow.storage.tables import driver_scores

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    import numpy.typing as npt

    from fleetflow.safety.judging import IntArray
    from fleetflow.safety.scores import TripScore


@dataclass(frozen=True, slots=True)
class NewScore:
    """A trip's score about to be stored."""

    trip_id: UUID
    driver_id: UUID
    score: TripScore


@dataclass(frozen=True, slots=True)
class ScoreRecord:
    """A stored score, and the version of the profile that gave it."""

    trip_id: UUID
    profile_version: int
    driver_id: UUID
    safety_score: int
    points: int
    harsh_braking_count: int
    rapid_accel_count: int
    harsh_cornering_count: int
    speeding_count: int
    created_at: datetime
    updated_at: datetime | None


INSERT = """
INSERT INTO telemetry.driver_scores
       (trip_id, profile_version, driver_id, safety_score, points,
        harsh_braking_count, rapid_accel_count, harsh_cornering_count, speeding_count)
SELECT trip_id, %(profile_version)s, driver_id, safety_score, points, braking, acceleration, cornering, speeding
FROM unnest(%(trip_id)s::uuid[], %(driver_id)s::uuid[], %(safety_score)s::int[], %(points)s::int[],
            %(braking)s::int[], %(acceleration)s::int[], %(cornering)s::int[], %(speeding)s::int[])
     AS new (trip_id, driver_id, safety_score, points, braking, acceleration, cornering, speeding)
ON CONFLICT DO NOTHING
"""

UPDATE = """
UPDATE telemetry.driver_scores
SET safety_score = %(safety_score)s, points = %(points)s, harsh_braking_count = %(braking)s,
    rapid_accel_count = %(acceleration)s, harsh_cornering_count = %(cornering)s, speeding_count = %(speeding)s,
    updated_at = clock_timestamp()
WHERE trip_id = %(trip_id)s AND profile_version = %(profile_version)s
"""


def insert_scores(conn: sa.Connection, profile_version: int, scores: Sequence[NewScore]) -> None:
    """Write scores given under one profile; a score that is there already stays as it is."""
    counts = np.array([[new.score.counts.get(kind, 0) for kind in KINDS] for new in scores], dtype=np.int32)
    points = np.array([new.score.points for new in scores], dtype=np.int32)
    trip_ids, driver_ids = as_ids(new.trip_id for new in scores), as_ids(new.driver_id for new in scores)
    insert_counts(conn, profile_version, trip_ids=trip_ids, driver_ids=driver_ids, counts=counts, points=points)


def insert_counts(
    conn: sa.Connection,
    profile_version: int,
    *,
    trip_ids: npt.NDArray[np.void],
    driver_ids: npt.NDArray[np.void],
    counts: IntArray,
    points: IntArray,
) -> None:
    """The same from columns: harsh events per trip and kind (as in `judging.KINDS`), and points per trip."""
    if not len(trip_ids):
        return
    whole = {"safety_score": scores_of(points), "points": points}
    whole |= {kind.value: counts[:, number] for number, kind in enumerate(KINDS)}
    values = {
        "profile_version": profile_version,
        "trip_id": as_column(trip_ids, "uuid"),
        "driver_id": as_column(driver_ids, "uuid"),
        **{name: as_column(column, "int4") for name, column in whole.items()},
    }
    execute(conn, INSERT, values)


def update_score(conn: sa.Connection, trip_id: UUID, profile_version: int, score: TripScore) -> None:
    """Let a score follow a review of one of its trip's events."""
    counts = {kind.value: score.counts.get(kind, 0) for kind in EventKind}
    values = {"trip_id": trip_id, "profile_version": profile_version, "safety_score": score.safety_score}
    conn.exec_driver_sql(UPDATE, {**values, "points": score.points, **counts})


def list_versions(conn: sa.Connection, trip_id: UUID) -> list[int]:
    """The profiles under which a trip has a score."""
    statement = sa.select(driver_scores.c.profile_version).where(driver_scores.c.trip_id == trip_id)
    return list(conn.scalars(statement.order_by(driver_scores.c.profile_version)))


def read_scores(conn: sa.Connection, trip_id: UUID) -> dict[int, int]:
    """The safety scores that a trip has, by the version of their profile."""
    columns = (driver_scores.c.profile_version, driver_scores.c.safety_score)
    rows = conn.execute(sa.select(*columns).where(driver_scores.c.trip_id == trip_id))
    return {row.profile_version: row.safety_score for row in rows}


def read_score(conn: sa.Connection, trip_id: UUID, profile_version: int) -> ScoreRecord | None:
    """The trip's score under that profile, else under the newest that it has one for, else None."""
    columns = [driver_scores.c[name] for name in ScoreRecord.__slots__]
    version = driver_scores.c.profile_version
    statement = (
        sa.select(*columns)
        .where(driver_scores.c.trip_id == trip_id)
        .order_by(sa.desc(version == profile_version), version.desc())
        .limit(1)
    )
    row = conn.execute(statement).mappings().one_or_none()
    return None if row is None else ScoreRecord(**row)
