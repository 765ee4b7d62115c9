"""Real drives as trips in the contract's form. They lie beside the project and are not part of it."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from fleetflow.trips.samples import Samples, Trip

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
needs_real_drives = pytest.mark.skipif(
    not DATA.is_dir(),
    reason=f"The public recordings pabsantos/ndsbr and NREL/fastsim (cmap) are expected in {DATA}",
)
NAMESPACE = UUID("8a6c3ee2-58a0-4a8f-9a92-5c7c1b5a3a10")
KMH_PER_MPH = 1.609344
EARTH_M = 6_371_008.8
G = 9.80665
MPH_PER_S_IN_G = G * 3.6 / KMH_PER_MPH
"""1 g in miles per hour and second (21.94): the unit of the column that is called `accel_meters_ps`."""


@dataclass(frozen=True, slots=True, eq=False)
class RealTrip:
    """A trip, and the distance that its publisher states, if any."""

    name: str
    trip: Trip
    stated_km: float | None = None


def chicago_trips(vehicle: str = "*_*") -> list[RealTrip]:
    """The travel survey, or one vehicle's part: speed at 1 Hz, cut where `trips.csv` says a trip begins and ends."""
    return [trip for folder in sorted((DATA / "fastsim-cmap").glob(vehicle)) for trip in _chicago_vehicle(folder)]


def brazil_trips() -> list[RealTrip]:
    """The naturalistic study at 1 Hz: eight of its nine trips, for B13 has no valid row."""
    return [trip for path in sorted((DATA / "ndsbr").glob("driver_*.csv")) for trip in _brazil_driver(path)]


def mislabelled_chicago_trips() -> list[RealTrip]:
    """The travel survey for whoever believes that the column `accel_meters_ps` is in m/s2."""
    return [replace(real, trip=_felt_as(MPH_PER_S_IN_G / G, real.trip)) for real in chicago_trips()]


def standing_trips() -> list[RealTrip]:
    """Two vehicles that stand for 13 s at 10 Hz (0-0.84 m/s) while their acceleration reads up to 0.11 g."""
    lines = (DATA / "jpo-ode-bsm" / "bsmLogDuringEvent.json").read_text(encoding="utf-8").splitlines()
    rows: dict[str, list[tuple[datetime, dict[str, Any]]]] = {}
    for each in map(json.loads, lines):
        core = each["payload"]["data"]["coreData"]
        rows.setdefault(core["id"], []).append((datetime.fromisoformat(each["metadata"]["recordGeneratedAt"]), core))
    return [_standing_trip(name, rows[name]) for name in sorted(rows)]


def jumping_trip() -> RealTrip:
    """Positions once a second, of which one jumps (1,693 km/h); speed and acceleration are those of the positions."""
    rows = json.loads((DATA / "barefoot" / "x0001-001.json").read_text(encoding="utf-8"))
    times = np.array([datetime.fromisoformat(row["time"]).timestamp() for row in rows])
    longitude, latitude = np.array([re.findall(r"[\d.]+", row["point"]) for row in rows], dtype=np.float64).T
    north, east = np.diff(np.radians(latitude)), np.diff(np.radians(longitude)) * np.cos(np.radians(latitude[1:]))
    speed_ms = np.concatenate([[0.0], EARTH_M * np.hypot(north, east) / np.diff(times)])
    long_g = np.concatenate([[0.0], np.diff(speed_ms) / np.diff(times) / G])
    samples = Samples(speed_ms * 3.6, long_g, times - times[0], latitude=latitude, longitude=longitude)
    return _real_trip("barefoot", samples, datetime.fromtimestamp(times[0], UTC))


def _standing_trip(name: str, rows: Sequence[tuple[datetime, dict[str, Any]]]) -> RealTrip:
    rows = sorted(rows, key=lambda row: row[0])
    began = rows[0][0]
    samples = Samples(
        speed_kmh=np.array([core["speed"] * 3.6 for _, core in rows]),
        g_force_long=np.array([core["accelSet"]["accelLong"] / G for _, core in rows]),
        t_s=np.array([(at - began).total_seconds() for at, _ in rows]),
        g_force_lat=np.array([core["accelSet"]["accelLat"] / G for _, core in rows]),
    )
    return _real_trip(name, samples, began)


def _real_trip(name: str, samples: Samples, began: datetime) -> RealTrip:
    return RealTrip(name, Trip(uuid5(NAMESPACE, name), uuid5(NAMESPACE, f"driver {name}"), samples, began))


def _felt_as(factor: float, trip: Trip) -> Trip:
    return replace(trip, samples=replace(trip.samples, g_force_long=trip.samples.g_force_long * factor))


def _chicago_vehicle(folder: Path) -> Iterator[RealTrip]:
    rows = [row for path in sorted(folder.glob("2*.csv")) for row in _rows(path)]
    times = np.array([_chicago_time(row["timestamp"]).timestamp() for row in rows])
    speed_mph = np.array([float(row["speed_mph"]) for row in rows])
    accel = np.array([float(row["accel_meters_ps"]) for row in rows])
    for stated in _rows(folder / "trips.csv"):
        start, end = (_chicago_time(stated[name]).timestamp() for name in ("start_ts", "end_ts"))
        inside = (times >= start) & (times <= end)
        if not inside.any():
            continue  # of a day whose file is not published
        samples = Samples(
            speed_mph[inside] * KMH_PER_MPH, accel[inside] / MPH_PER_S_IN_G, t_s=times[inside] - times[inside][0]
        )
        began = datetime.fromtimestamp(times[inside][0], UTC)
        yield RealTrip(
            f"{folder.name} {stated['trip_id']} {began:%F %T}",
            Trip(uuid5(NAMESPACE, folder.name), uuid5(NAMESPACE, f"driver {folder.name}"), samples, began),
            float(stated["distance_total"]) * KMH_PER_MPH,
        )


def _chicago_time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/Chicago"))


def _brazil_driver(path: Path) -> Iterator[RealTrip]:
    rows = [row for row in _rows(path, ";") if row["VALID_TIME"] == "Yes" and row["SPD_KMH"] and row["PR"]]
    for trip_id in sorted({row["ID"] for row in rows}):
        yield _brazil_trip(trip_id, [row for row in rows if row["ID"] == trip_id])


def _brazil_trip(trip_id: str, rows: Sequence[dict[str, str]]) -> RealTrip:
    times = np.array([_brazil_time(row).timestamp() for row in rows])
    samples = Samples(
        _decimals(rows, "SPD_KMH"),
        np.nan_to_num(_decimals(rows, "ACEL_MS2")) / G,  # only a trip's first row has none
        t_s=times - times[0],
        latitude=_decimals(rows, "LAT"),
        longitude=_decimals(rows, "LONG"),
    )
    vehicle, driver = uuid5(NAMESPACE, f"car of {trip_id[0]}"), uuid5(NAMESPACE, trip_id[0])
    return RealTrip(trip_id, Trip(vehicle, driver, samples, datetime.fromtimestamp(times[0], UTC)))


def _brazil_time(row: dict[str, str]) -> datetime:
    local = datetime.strptime(f"{row['DAY_CORRIGIDO']} {row['PR']}", "%d/%m/%Y %H:%M:%S")  # noqa: DTZ007  # zoned below
    return local.replace(tzinfo=ZoneInfo("America/Sao_Paulo"))


def _decimals(rows: Sequence[dict[str, str]], name: str) -> np.ndarray:
    return np.array([float(row[name].replace(",", ".") or "nan") for row in rows])


def _rows(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter=delimiter))
