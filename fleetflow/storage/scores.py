"""Driver scores: one row per trip and profile; re-scoring adds rows and never rewrites one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fleetflow.safety.events import EventKind
from fleetflow.storage.tables import driver_scores

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

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
    harsh_braking_count: int
    rapid_accel_count: int
    harsh_cornering_count: int
    speeding_count: int
    created_at: datetime


INSERT = """
INSERT INTO telemetry.driver_scores
       (trip_id, profile_version, driver_id, safety_score,
        harsh_braking_count, rapid_accel_count, harsh_cornering_count, speeding_count)
SELECT trip_id, %(profile_version)s, driver_id, safety_score, braking, acceleration, cornering, speeding
FROM unnest(%(trip_id)b::uuid[], %(driver_id)b::uuid[], %(safety_score)b::int[],
            %(braking)b::int[], %(acceleration)b::int[], %(cornering)b::int[], %(speeding)b::int[])
     AS new (trip_id, driver_id, safety_score, braking, acceleration, cornering, speeding)
ON CONFLICT DO NOTHING
"""


def insert_scores(conn: sa.Connection, profile_version: int, scores: Sequence[NewScore]) -> None:
    """Write scores given under one profile; a score that is there already stays as it is."""
    if not scores:
        return
    values = {
        "profile_version": profile_version,
        "trip_id": [new.trip_id for new in scores],
        "driver_id": [new.driver_id for new in scores],
        "safety_score": [new.score.safety_score for new in scores],
        **{kind.value: [new.score.counts.get(kind, 0) for new in scores] for kind in EventKind},
    }
    conn.exec_driver_sql(INSERT, values)


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
