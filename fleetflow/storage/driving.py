"""What drivers drove and what it cost, a row per driver and local day: what ranking is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import pandas as pd

from fleetflow.safety.judging import CLASSES, KINDS, scores_of
from fleetflow.safety.ranking.bunching import weighed_costs
from fleetflow.safety.ranking.exposure import SECONDS_PER_HOUR
from fleetflow.safety.whatif.rules import rules_of
from fleetflow.storage import profiles
from fleetflow.storage.columnar import local_days, number_ids, read_columns
from fleetflow.storage.fleet import CLASSED_VEHICLES

if TYPE_CHECKING:
    from datetime import datetime

    import numpy.typing as npt
    import sqlalchemy as sa

    from fleetflow.safety.profiles import ScoringProfile
    from fleetflow.storage.columnar import Columns
    from fleetflow.trips.samples import FloatArray

TRIPS = f"""
SELECT trip.driver_id, COALESCE(trip.started_at, trip.received_at) AS began_at,
       COALESCE(vehicle.class, 0) AS vehicle_class,
       COALESCE(trip.distance_km, 'NaN') AS distance_km, COALESCE(trip.duration_s, 'NaN') AS duration_s,
       score.points, score.harsh_braking_count AS braking, score.rapid_accel_count AS acceleration,
       score.harsh_cornering_count AS cornering, score.speeding_count AS speeding,
       (trip.quality IS DISTINCT FROM 'unusable')::int::int2 AS usable{{bands}}
FROM telemetry.driver_scores AS score
JOIN telemetry.trip_logs AS trip ON trip.id = score.trip_id
LEFT JOIN {CLASSED_VEHICLES} AS vehicle ON vehicle.id = trip.vehicle_id
WHERE score.profile_version = %(version)s AND (%(unusable)s OR trip.quality IS DISTINCT FROM 'unusable')
  AND (%(since)s::timestamptz IS NULL OR COALESCE(trip.started_at, trip.received_at) >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR COALESCE(trip.started_at, trip.received_at) < %(until)s)
  AND (%(group_name)s::text IS NULL
       OR trip.driver_id IN (SELECT id FROM telemetry.drivers WHERE group_name = %(group_name)s))
  AND (%(vehicle_class)s::text IS NULL
       OR trip.vehicle_id IN (SELECT id FROM telemetry.vehicles WHERE vehicle_class = %(vehicle_class)s))
"""  # noqa: S608 - a constant
FIELDS: dict[str, str] = {
    "driver_id": "uuid", "began_at": "timestamptz", "vehicle_class": "int2", "distance_km": "float8",
    "duration_s": "float8", "points": "int4", **dict.fromkeys(KINDS, "int4"), "usable": "int2",
}  # fmt: skip
BANDS = ("town_km", "country_km", "motorway_km")
BAND_COLUMNS = "".join(f", COALESCE(trip.band_km[{place}], 0) AS {name}" for place, name in enumerate(BANDS, 1))
COLUMNS = ("driver_id", "day", "points", "event_costs", "distance_km", "hours", "trips", "mean_score", *KINDS, "usable")


def read_driver_days(
    conn: sa.Connection,
    profile_version: int,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    zone: str = "UTC",
    group_name: str | None = None,
    vehicle_class: str | None = None,
    with_unusable: bool = False,
    with_bands: bool = False,
) -> pd.DataFrame:
    """One row per driver and day in the IANA time zone `zone`, and one more for that day's trips of unknown distance.

    Columns: driver_id, day (days since 1970), points (penalty points under the profile), event_costs (see
    `weighed_costs`), distance_km and hours (NaN where unknown), trips, mean_score (over trips), braking, acceleration,
    cornering, speeding (harsh events), usable. Trips whose signals are unusable are left out, or are rows of their own.
    `with_bands` adds the kilometres in each speed band (BANDS). None is every group, every class. Raises
    ProfileMissingError.
    """
    profile = profiles.read_profile(conn, profile_version).profile
    values = {
        "version": profile_version, "since": since, "until": until, "classes": list(CLASSES), "group_name": group_name,
        "vehicle_class": vehicle_class, "unusable": with_unusable,
    }  # fmt: skip
    bands = BANDS if with_bands else ()
    select = TRIPS.format(bands=BAND_COLUMNS if with_bands else "")
    rows = read_columns(conn, select, values, {**FIELDS, **dict.fromkeys(bands, "float8")})
    driver_ids, driver = number_ids(rows["driver_id"])
    day = local_days(rows["began_at"], zone)
    unknown = np.isnan(rows["distance_km"]) + 2 * np.isnan(rows["duration_s"])
    parts, which = _grouped(driver, day, unknown, rows["usable"])
    summed = {
        "points": rows["points"],
        "event_costs": _event_costs(rows, profile),
        "distance_km": rows["distance_km"],
        "hours": rows["duration_s"] / SECONDS_PER_HOUR,
        "trips": np.ones(len(day)),
        "score": scores_of(rows["points"]),
        **{name: rows[name] for name in (*KINDS, *bands)},
    }
    sums = {name: np.bincount(which, values, len(parts)) for name, values in summed.items()}
    names = np.array([str(UUID(bytes=each.tobytes())) for each in driver_ids], dtype=object)
    own = {
        "driver_id": pd.array(names[parts[:, 0]], dtype="str"), "day": parts[:, 1], "usable": parts[:, 3].astype(bool),
        "mean_score": sums.pop("score") / sums["trips"],
    }  # fmt: skip
    return pd.DataFrame({**own, **sums})[[*COLUMNS, *bands]].astype({"trips": "int64"})


def _grouped(*columns: npt.NDArray[np.integer[Any]]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.intp]]:
    """Every combination that occurs, a row each in their order, and for each row of the columns which it has."""
    lows = [min(int(column.min(initial=0)), 0) for column in columns]
    spans = [int(column.max(initial=0)) - low + 1 for column, low in zip(columns, lows, strict=True)]
    key = np.zeros(len(columns[0]), dtype=np.int64)
    for column, low, span in zip(columns, lows, spans, strict=True):
        key = key * span + (column - low)
    keys, which = np.unique(key, return_inverse=True)
    return np.column_stack(np.unravel_index(keys, spans)) + lows, which


def _event_costs(rows: Columns, profile: ScoringProfile) -> FloatArray:
    """Of each trip, over its kinds."""
    rules, vehicle_class = rules_of(profile), rows["vehicle_class"].astype(np.int8)
    costs = np.zeros(len(vehicle_class))
    for number, kind in enumerate(KINDS):
        events = rows[kind]
        costs += weighed_costs(rules.points_of_kind(number, events, vehicle_class), events)
    return costs
