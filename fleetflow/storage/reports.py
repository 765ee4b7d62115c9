"""What the dashboard shows, as frames: one statement each, summed up in SQL; ids are text, times in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from fleetflow.storage.frames import frame_of
from fleetflow.storage.tables import BEGAN_AT, SHOWN_NAME, driver_scores, drivers, trip_logs, vehicles
from fleetflow.trips.columns import unpack

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from fleetflow.trips.samples import FloatArray, Samples

_COUNTS: Mapping[str, sa.Column[int]] = {
    "braking": driver_scores.c.harsh_braking_count,
    "acceleration": driver_scores.c.rapid_accel_count,
    "cornering": driver_scores.c.harsh_cornering_count,
    "speeding": driver_scores.c.speeding_count,
}
_WHEN = BEGAN_AT
"""A trip whose points carry no date counts where it was received."""


@dataclass(frozen=True, slots=True)
class TripReport:
    """One trip, whatever its status; score and counts are None without a score under the profile asked for."""

    trip_id: str
    driver_id: str
    driver_name: str | None
    vehicle_id: str
    vehicle_name: str | None
    vehicle_class: str | None
    status: str
    source: str
    started_at: datetime | None
    ended_at: datetime | None
    received_at: datetime
    point_count: int
    distance_km: float | None
    duration_s: float | None
    sample_hz: float | None
    attempts: int
    error: str | None
    quality: str | None
    quality_reasons: list[dict[str, str]] | None
    safety_score: int | None
    braking: int | None
    acceleration: int | None
    cornering: int | None
    speeding: int | None
    previous_trip_id: str | None
    """The trip that the same driver made before this one."""
    next_trip_id: str | None
    samples_removed_at: datetime | None = None


def read_leaderboard(
    conn: sa.Connection,
    profile_version: int,
    since: datetime | None,
    *,
    group_name: str | None = None,
    vehicle_class: str | None = None,
) -> pd.DataFrame:
    """One row per driver with a scored trip since then (None: ever), the best mean score first.

    Of one group of drivers, of trips in one class of vehicles, or of all (None).

    Columns: driver_id, name, trips, mean_score (over trips), distance_km, duration_s, braking, acceleration,
    cornering, speeding (harsh events), last_trip_at.
    """
    totals = (
        sa.select(
            trip_logs.c.driver_id,
            sa.func.count().label("trips"),
            sa.func.avg(driver_scores.c.safety_score).cast(sa.Double).label("mean_score"),
            sa.func.coalesce(sa.func.sum(trip_logs.c.distance_km), 0.0).label("distance_km"),
            sa.func.coalesce(sa.func.sum(trip_logs.c.duration_s), 0.0).label("duration_s"),
            *_summed_counts(),
            sa.func.max(_WHEN).label("last_trip_at"),
        )
        .select_from(_scored_trips(profile_version))
        .where(_since(since), _of_group(group_name), _of_class(vehicle_class))
        .group_by(trip_logs.c.driver_id)
        .subquery()
    )
    columns = [column for column in totals.c if column.name != "driver_id"]
    statement = (
        sa.select(_text(totals.c.driver_id), *columns, SHOWN_NAME.label("name"))
        .outerjoin(drivers, drivers.c.id == totals.c.driver_id)
        .order_by(totals.c.mean_score.desc(), totals.c.distance_km.desc(), totals.c.driver_id)
    )
    return _frame(conn, statement)


def read_days(
    conn: sa.Connection,
    profile_version: int,
    since: datetime | None,
    zone: str,
    driver_id: UUID | None = None,
    *,
    group_name: str | None = None,
    vehicle_class: str | None = None,
) -> pd.DataFrame:
    """One row per day, in the IANA time zone `zone`, on which a scored trip began; of all drivers, a group or one.

    Columns: day, trips, mean_score, distance_km, braking, acceleration, cornering, speeding.
    """
    day = sa.cast(sa.func.timezone(zone, _WHEN), sa.Date).label("day")
    statement = (
        sa.select(
            day,
            sa.func.count().label("trips"),
            sa.func.avg(driver_scores.c.safety_score).cast(sa.Double).label("mean_score"),
            sa.func.coalesce(sa.func.sum(trip_logs.c.distance_km), 0.0).label("distance_km"),
            *_summed_counts(),
        )
        .select_from(_scored_trips(profile_version))
        .where(_since(since), _of_driver(driver_id), _of_group(group_name), _of_class(vehicle_class))
        .group_by(sa.text("day"))
        .order_by(sa.text("day"))
    )
    return _frame(conn, statement)


def with_rates(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with `events` (harsh events of all kinds) and `per_100_km` (missing where nothing was driven)."""
    events = frame[list(_COUNTS)].sum(axis=1)
    return frame.assign(events=events, per_100_km=100 * events / frame["distance_km"].replace(0.0, np.nan))


def list_trips(
    conn: sa.Connection,
    profile_version: int,
    *,
    driver_id: UUID | None = None,
    since: datetime | None = None,
    limit: int = 500,
) -> pd.DataFrame:
    """The newest trips, scored or not, of all drivers or one; without a score, score and counts are missing.

    Columns: trip_id, driver_id, driver_name, vehicle_id, vehicle_name, status, began_at, duration_s,
    distance_km, safety_score, braking, acceleration, cornering, speeding.
    """
    statement = (
        sa.select(
            _text(trip_logs.c.id, "trip_id"),
            _text(trip_logs.c.driver_id),
            SHOWN_NAME.label("driver_name"),
            _text(trip_logs.c.vehicle_id),
            vehicles.c.name.label("vehicle_name"),
            trip_logs.c.status,
            _WHEN.label("began_at"),
            trip_logs.c.duration_s,
            trip_logs.c.distance_km,
            driver_scores.c.safety_score,
            *(column.label(name) for name, column in _COUNTS.items()),
        )
        .select_from(_trips_with_score(profile_version))
        .where(_since(since), _of_driver(driver_id))
        .order_by(_WHEN.desc(), trip_logs.c.id.desc())
        .limit(limit)
    )
    return _frame(conn, statement)


def list_drivers(conn: sa.Connection) -> pd.DataFrame:
    """Every driver known: driver_id, name, group_name, by name."""
    statement = sa.select(_text(drivers.c.id, "driver_id"), SHOWN_NAME.label("name"), drivers.c.group_name).order_by(
        SHOWN_NAME.nulls_last(), drivers.c.id
    )
    return _frame(conn, statement)


def list_vehicle_classes(conn: sa.Connection) -> list[str]:
    """The classes that any vehicle has, in order of the alphabet."""
    known = sa.select(vehicles.c.vehicle_class).where(vehicles.c.vehicle_class.is_not(None)).distinct()
    return list(conn.scalars(known.order_by(vehicles.c.vehicle_class)))


def count_unfinished(conn: sa.Connection) -> dict[str, int]:
    """How many trips are PENDING, PROCESSING and FAILED; each is counted through its own small index."""
    untried = sa.and_(trip_logs.c.status == "PENDING", trip_logs.c.attempts == 0)
    tried = sa.and_(trip_logs.c.status == "PENDING", trip_logs.c.attempts > 0)
    statement = sa.select(
        (_count(untried) + _count(tried)).label("PENDING"),
        _count(trip_logs.c.status == "PROCESSING").label("PROCESSING"),
        _count(trip_logs.c.status == "FAILED").label("FAILED"),
    )
    return dict(conn.execute(statement).mappings().one())


def estimate_trips(conn: sa.Connection) -> int:
    """About how many trips there are, at no cost; -1 while Postgres has not looked."""
    found = conn.exec_driver_sql("SELECT reltuples FROM pg_class WHERE oid = 'telemetry.trip_logs'::regclass")
    return int(found.scalar_one())


def read_newest_trip_at(conn: sa.Connection) -> datetime | None:
    """When the newest trip began (was received, if its points carry no date); None without any trip."""
    newest = [
        sa.select(sa.func.max(trip_logs.c.started_at)).scalar_subquery(),
        sa.select(sa.func.max(trip_logs.c.received_at)).where(trip_logs.c.started_at.is_(None)).scalar_subquery(),
    ]
    return conn.scalar(sa.select(sa.func.greatest(*newest)))


def read_trip(conn: sa.Connection, trip_id: UUID, profile_version: int) -> TripReport | None:
    """One trip with its score under a profile; None when the id is unknown."""
    plain = (
        "status", "source", "started_at", "ended_at", "received_at", "point_count", "distance_km",
        "duration_s", "sample_hz", "attempts", "error", "quality", "quality_reasons", "samples_removed_at",
    )  # fmt: skip
    statement = (
        sa.select(
            _text(trip_logs.c.id, "trip_id"),
            _text(trip_logs.c.driver_id),
            SHOWN_NAME.label("driver_name"),
            _text(trip_logs.c.vehicle_id),
            vehicles.c.name.label("vehicle_name"),
            vehicles.c.vehicle_class,
            *(trip_logs.c[name] for name in plain),
            driver_scores.c.safety_score,
            *(column.label(name) for name, column in _COUNTS.items()),
            _neighbour(forward=False).label("previous_trip_id"),
            _neighbour(forward=True).label("next_trip_id"),
        )
        .select_from(_trips_with_score(profile_version))
        .where(trip_logs.c.id == trip_id)
    )
    row = conn.execute(statement).mappings().one_or_none()
    return None if row is None else TripReport(**row)


def read_samples(conn: sa.Connection, trip_id: UUID) -> pd.DataFrame:
    """A trip's samples: t_s (seconds from the start; without a clock, the sample's number) and its channels.

    A value that a point left out is NaN; a channel that no point had has no column; an unknown trip, and one whose
    samples were removed, has no rows.
    """
    there = sa.and_(trip_logs.c.id == trip_id, trip_logs.c.samples_removed_at.is_(None))
    row = conn.execute(
        sa.select(trip_logs.c.telemetry_blob.cast(sa.Text), trip_logs.c.sample_hz).where(there)
    ).one_or_none()
    if row is None:
        return pd.DataFrame({"t_s": [], "speed_kmh": [], "g_force_long": []}, dtype=np.float64)
    samples = unpack(row[0])
    return pd.DataFrame({"t_s": _clock(samples, row.sample_hz), **_channels(samples)})


def _clock(samples: Samples, sample_hz: float | None) -> FloatArray:
    if samples.t_s is not None:
        return samples.t_s
    return np.arange(len(samples)) / (sample_hz or 1.0)


def _channels(samples: Samples) -> dict[str, FloatArray]:
    names = ("speed_kmh", "g_force_long", "g_force_lat", "latitude", "longitude")
    columns = ((name, getattr(samples, name)) for name in names)
    return {name: column for name, column in columns if column is not None}


def _scored_trips(profile_version: int) -> sa.FromClause:
    return trip_logs.join(driver_scores, _has_score(profile_version))


def _trips_with_score(profile_version: int) -> sa.FromClause:
    return (
        trip_logs.outerjoin(driver_scores, _has_score(profile_version))
        .outerjoin(drivers, drivers.c.id == trip_logs.c.driver_id)
        .outerjoin(vehicles, vehicles.c.id == trip_logs.c.vehicle_id)
    )


def _has_score(profile_version: int) -> sa.ColumnElement[bool]:
    return sa.and_(driver_scores.c.trip_id == trip_logs.c.id, driver_scores.c.profile_version == profile_version)


def _summed_counts() -> list[sa.Label[int]]:
    return [sa.func.sum(column).cast(sa.BigInteger).label(name) for name, column in _COUNTS.items()]


def _since(since: datetime | None) -> sa.ColumnElement[bool]:
    return sa.true() if since is None else since <= _WHEN


def _of_driver(driver_id: UUID | None) -> sa.ColumnElement[bool]:
    return sa.true() if driver_id is None else trip_logs.c.driver_id == driver_id


def _of_group(group_name: str | None) -> sa.ColumnElement[bool]:
    members = sa.select(drivers.c.id).where(drivers.c.group_name == group_name)
    return sa.true() if group_name is None else trip_logs.c.driver_id.in_(members)


def _of_class(vehicle_class: str | None) -> sa.ColumnElement[bool]:
    vehicles_of_it = sa.select(vehicles.c.id).where(vehicles.c.vehicle_class == vehicle_class)
    return sa.true() if vehicle_class is None else trip_logs.c.vehicle_id.in_(vehicles_of_it)


def _count(condition: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    return sa.select(sa.func.count()).select_from(trip_logs).where(condition).scalar_subquery()


def _neighbour(*, forward: bool) -> sa.ScalarSelect[str]:
    """The id of the trip that the same driver made next or before."""
    other = trip_logs.alias()
    there = sa.func.coalesce(other.c.started_at, other.c.received_at)
    later = sa.tuple_(there, other.c.id) > sa.tuple_(_WHEN, trip_logs.c.id)
    earlier = sa.tuple_(there, other.c.id) < sa.tuple_(_WHEN, trip_logs.c.id)
    order = (there, other.c.id) if forward else (there.desc(), other.c.id.desc())
    return (
        sa.select(_text(other.c.id))
        .where(other.c.driver_id == trip_logs.c.driver_id, later if forward else earlier)
        .order_by(*order)
        .limit(1)
        .correlate(trip_logs)
        .scalar_subquery()
    )


def _text(column: sa.ColumnElement[Any], label: str | None = None) -> sa.Label[str]:
    return column.cast(sa.Text).label(label or str(getattr(column, "name", "")))


def _frame(conn: sa.Connection, statement: sa.Select[Any]) -> pd.DataFrame:
    """The result as a frame whose columns have their types even when there is no row."""
    frame = frame_of(conn.execute(statement))
    return frame.astype({name: _dtype(name) for name in frame.columns})


def _dtype(name: str) -> str:
    if name.endswith("_at"):
        return "datetime64[us, UTC]"
    if name.endswith(("_id", "name", "status", "error")):
        return "str"
    if name == "day":
        return "datetime64[us]"
    if name == "trips":
        return "int64"
    return "float64"
