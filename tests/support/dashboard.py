"""A small fleet for looking at: plausible drives with known events, written straight into the tables."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from fleetflow.safety.events import EventKind, HarshEvent
from fleetflow.safety.profiles import DEFAULT_PROFILE
from fleetflow.safety.scores import score_trip
from fleetflow.storage import profiles, roster
from fleetflow.storage.events import insert_events
from fleetflow.storage.scores import NewScore, insert_scores
from fleetflow.storage.tables import trip_logs
from fleetflow.trips.columns import pack
from fleetflow.trips.samples import FloatArray, Samples

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAMESPACE = UUID("6f1d3c52-6a0e-4e0b-9a57-0b6f5d2f8c11")
G = 9.80665
NAMES = (
    "Owen Clarke", "Amir Hamzah", "Clara Dubois", "Hui Min Goh", "Tomasz Nowak", "Marta Kovač",
    "Ravi Kumar", "Ingrid Solberg", "Peter Lindqvist", "Aisha Rahman", "Diego Ramos", "Leila Haddad",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drive:
    """Samples with the events that were put into them."""

    samples: Samples
    events: tuple[HarshEvent, ...]


def make_drive(rng: np.random.Generator, *, minutes: float, hz: float, temper: float) -> Drive:
    """A drive through town and over land; `temper` is about how many firm manoeuvres it has in ten minutes."""
    t_s = np.arange(int(minutes * 60 * hz)) / hz
    speed = _cruise(rng, t_s)
    events = _manoeuvres(rng, t_s, speed, count=int(rng.poisson(temper * minutes / 10)))
    along = np.gradient(speed / 3.6, t_s) / G + rng.normal(0, 0.012, len(t_s))
    across = _sway(rng, t_s, speed)
    for event in events:
        shape = (event.peak_g or 0.0) * np.exp(-(((t_s - event.peak_s) / (event.end_s - event.start_s)) ** 2) * 6)
        if event.kind is EventKind.CORNERING:
            across = across * (1 - shape / shape.max()) + shape * rng.choice([-1, 1])
        elif event.kind is not EventKind.SPEEDING:
            along = along * (1 - shape / shape.max()) + shape * (-1 if event.kind is EventKind.BRAKING else 1)
    samples = Samples(
        speed_kmh=np.round(speed, 1), g_force_long=np.round(along, 3), g_force_lat=np.round(across, 3), t_s=t_s
    )
    return Drive(samples, tuple(events))


def insert_drive(conn: sa.Connection, drive: Drive, **known: Any) -> UUID:
    """Store a drive as a trip of which `trip_row` says what is known; a COMPLETED one with its events and its score."""
    row = trip_row(drive, **known)
    insert_drives(conn, [(drive, row)])
    trip_id: UUID = row["id"]
    return trip_id


def trip_row(
    drive: Drive,
    *,
    driver_id: UUID,
    vehicle_id: UUID,
    started_at: datetime | None,
    status: str = "COMPLETED",
    error: str | None = None,
    name: str = "",
) -> dict[str, Any]:
    """A row of trip_logs with the given status."""
    trip_id = uuid5(NAMESPACE, f"{driver_id}/{started_at}/{name}")
    seconds = float(drive.samples.t_s[-1]) if drive.samples.t_s is not None else None
    done = status == "COMPLETED"
    return {
        "id": trip_id,
        "driver_id": driver_id,
        "vehicle_id": vehicle_id,
        "blob": pack(drive.samples).decode(),
        "status": status,
        "error": error,
        "attempts": 5 if error else 0,
        "started_at": started_at,
        "ended_at": started_at + timedelta(seconds=seconds) if started_at and seconds else None,
        "point_count": len(drive.samples),
        "distance_km": _distance_km(drive.samples) if done else None,
        "duration_s": seconds if done else None,
        "content_hash": hashlib.sha256(trip_id.bytes).digest(),
    }


def insert_drives(conn: sa.Connection, drives: Sequence[tuple[Drive, Mapping[str, Any]]]) -> None:
    """Store many drives, each with its row, by a handful of statements."""
    rows = [row for _, row in drives]
    roster.insert_unknown(conn, [row["driver_id"] for row in rows], [row["vehicle_id"] for row in rows])
    blob = sa.cast(sa.bindparam("blob", type_=sa.Text), JSONB)
    conn.execute(sa.insert(trip_logs).values(telemetry_blob=blob), rows)
    done = [(drive, row) for drive, row in drives if row["status"] == "COMPLETED"]
    insert_events(conn, {row["id"]: drive.events for drive, row in done})
    scores = [NewScore(row["id"], row["driver_id"], score_trip(drive.events, DEFAULT_PROFILE)) for drive, row in done]
    insert_scores(conn, profiles.read_active(conn).version, scores)


def seed_fleet(
    conn: sa.Connection, *, now: datetime, drivers: Sequence[str] = NAMES, days: int = 40, hz: float = 1.0
) -> dict[str, UUID]:
    """Drivers with a trip or two a day over some weeks, one of them without a name; returns ids by name."""
    rng = np.random.default_rng(7)
    ids = {name: uuid5(NAMESPACE, name) for name in drivers}
    drives = []
    for number, (name, driver_id) in enumerate(ids.items()):
        roster.upsert_driver(conn, driver_id, name=f"Simulated {name}")
        vehicle_id = uuid5(NAMESPACE, f"vehicle {number}")
        roster.upsert_vehicle(conn, vehicle_id, name=f"Van {number + 1:02d}")
        temper = float(0.4 + 3.2 * number / len(ids))
        for day in range(0, days, 1 + number % 3):
            start = now - timedelta(days=day, hours=float(rng.uniform(2, 11)))
            drive = make_drive(rng, minutes=float(rng.uniform(8, 40)), hz=hz, temper=temper)
            drives.append((drive, trip_row(drive, driver_id=driver_id, vehicle_id=vehicle_id, started_at=start)))
    insert_drives(conn, drives)
    return ids


def insert_many_trips(conn: sa.Connection, *, trips: int, drivers: int) -> None:
    """A large fleet in a few seconds: bare trips with made-up scores, spread over 90 days, all in the database."""
    conn.execute(
        sa.text(
            """
            INSERT INTO telemetry.drivers (id, name)
            SELECT md5('driver' || n)::uuid, 'Simulated driver ' || n FROM generate_series(1, :drivers) n
            """
        ),
        {"drivers": drivers},
    )
    conn.execute(
        sa.text(
            """
            INSERT INTO telemetry.trip_logs (id, vehicle_id, driver_id, telemetry_blob, status, started_at, ended_at,
                point_count, distance_km, duration_s, sample_hz, content_hash)
            SELECT md5('trip' || n)::uuid, md5('vehicle' || n % :drivers)::uuid,
                md5('driver' || 1 + n % :drivers)::uuid,
                jsonb_build_object('speed_kmh', array_fill(50.5, ARRAY[60]),
                    'g_force_long', array_fill(0.123, ARRAY[60])),
                'COMPLETED', now() - n * interval '90 days' / :trips, now() - n * interval '90 days' / :trips,
                60, 5 + n % 40, 600, 1, sha256(('trip' || n)::bytea)
            FROM generate_series(1, :trips) n
            """
        ),
        {"trips": trips, "drivers": drivers},
    )
    conn.execute(
        sa.text(
            """
            INSERT INTO telemetry.driver_scores (trip_id, profile_version, driver_id, safety_score, points,
                harsh_braking_count, rapid_accel_count, harsh_cornering_count, speeding_count)
            SELECT id, :version, driver_id, 95, 5, 1, 0, 1, 0 FROM telemetry.trip_logs
            """
        ),
        {"version": profiles.read_active(conn).version},
    )


def _cruise(rng: np.random.Generator, t_s: FloatArray) -> FloatArray:
    """Speed in km/h: stretches of steady driving and stops, joined by gentle ramps."""
    stretches = max(int(t_s[-1] / 45), 2)
    levels = rng.choice([0, 30, 50, 50, 60, 90], stretches) * rng.uniform(0.85, 1.08, stretches)
    levels[0] = levels[-1] = 0
    steps = levels[np.minimum((t_s / t_s[-1] * stretches).astype(int), stretches - 1)]
    width = max(int(12 / (t_s[1] - t_s[0])), 1)
    kernel = np.hanning(width + 2)
    padded = np.pad(steps, len(kernel), mode="edge")
    smooth: FloatArray = np.convolve(padded, kernel / kernel.sum(), mode="same")[len(kernel) : -len(kernel)]
    wavy: FloatArray = smooth + 1.5 * np.sin(t_s / 9) * (steps > 5)
    return wavy.clip(min=0.0)


def _sway(rng: np.random.Generator, t_s: FloatArray, speed: FloatArray) -> FloatArray:
    noise: FloatArray = rng.normal(0, 0.012, len(t_s))
    noise += 0.06 * np.sin(t_s / 13) * np.sin(t_s / 4.7) * (speed > 15)
    return noise


def _manoeuvres(rng: np.random.Generator, t_s: FloatArray, speed: FloatArray, *, count: int) -> list[HarshEvent]:
    kinds = [EventKind.BRAKING, EventKind.ACCELERATION, EventKind.CORNERING]
    moving = t_s[speed > 20]
    found: list[HarshEvent] = []
    for _ in range(count if len(moving) else 0):
        at = float(rng.choice(moving))
        if any(abs(at - other.peak_s) < 12 for other in found):
            continue
        kind = kinds[rng.choice(3, p=[0.5, 0.25, 0.25])]
        doubts = ("the speed did not change with it",) if rng.uniform() < 0.04 else ()
        half = float(rng.uniform(0.8, 1.8))
        found.append(
            HarshEvent(
                kind, max(at - half, 0.0), at, at + half, round(float(rng.gamma(9, 0.042)), 3),
                float(np.interp(at, t_s, speed)), doubts=doubts,
            )
        )  # fmt: skip
    return sorted(found, key=lambda event: event.peak_s)


def _distance_km(samples: Samples) -> float:
    if samples.t_s is None:
        return 0.0
    return float(np.trapezoid(np.nan_to_num(samples.speed_kmh), samples.t_s) / 3600)


def today() -> datetime:
    """The moment up to which a seeded fleet has driven: now, to the hour."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
