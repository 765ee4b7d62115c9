"""The leaderboard and what-if under one profile: two ways through the database to the same figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
import pytest

from dashboard import data
from dashboard.data import connecting, of_fits
from dashboard.ranking import rank_fleet
from fleetflow.safety.judging import CLASSES, KINDS
from fleetflow.safety.profiles import DEFAULT_PROFILE
from fleetflow.safety.ranking.figures import fit_figures
from fleetflow.safety.whatif.judged import judge
from fleetflow.safety.whatif.prepared import prepare
from fleetflow.storage import profiles, roster, runs
from fleetflow.storage.database import connection, snapshot
from fleetflow.storage.driving import read_driver_days
from fleetflow.storage.fleet import as_uuids, read_fleet
from tests.unit.whatif_fleets import random_profile

pytestmark = pytest.mark.postgres
BEGAN = datetime(2026, 10, 1, 12, tzinfo=UTC)
TRIPS, DRIVERS, EVENTS = 250, 8, 1500
TRIP = """
INSERT INTO telemetry.trip_logs (id, vehicle_id, driver_id, telemetry_blob, status, started_at, point_count,
                                 distance_km, duration_s, quality, content_hash)
VALUES (%(id)s, %(vehicle)s, %(driver)s, '{}', 'COMPLETED', %(began)s, 1, %(km)s, %(s)s, %(quality)s, sha256(%(name)s))
"""
EVENT = """
INSERT INTO telemetry.harsh_events (trip_id, kind, start_s, peak_s, end_s, peak_g, speed_kmh, doubts)
VALUES (%(trip)s, %(kind)s, 1, 2, 3, %(peak)s, %(speed)s, %(doubts)s)
"""


def trip_row(random: np.random.Generator, number: int) -> dict[str, object]:
    """Trips of all classes; some unusable, of unknown length, or without a clock."""
    driver = int(random.integers(0, DRIVERS))
    known, timed = bool(random.random() > 0.1), bool(random.random() > 0.05)
    return {
        "id": UUID(int=number + 1), "vehicle": UUID(int=int(random.integers(0, len(CLASSES)))),
        "driver": UUID(int=driver), "began": BEGAN + timedelta(hours=int(random.integers(0, 400))),
        "km": float(random.lognormal(4, 1)) if known and timed else None,
        "s": float(random.lognormal(7, 1)) if timed else None,
        "quality": str(random.choice(["good", "doubtful", "unusable"])), "name": str(number).encode(),
    }  # fmt: skip


def event_row(random: np.random.Generator) -> dict[str, object]:
    kind = str(random.choice([each.value for each in KINDS]))
    speeding = kind == "speeding"
    above = float(random.exponential(1.0))
    return {
        "trip": UUID(int=int(random.integers(0, TRIPS)) + 1), "kind": kind,
        "doubts": ["turn"] * int(random.random() < 0.2), "peak": None if speeding else 0.15 + 0.2 * above,
        "speed": 80 + 40 * above if speeding else 50.0,
    }  # fmt: skip


def store_fleet(conn, random: np.random.Generator) -> None:
    for number in range(DRIVERS):
        roster.upsert_driver(conn, UUID(int=number), name=f"Simulated driver {number}")
    for number, name in enumerate(CLASSES):
        roster.upsert_vehicle(conn, UUID(int=number), name=f"Vehicle {number}", vehicle_class=name or None)
    conn.exec_driver_sql(TRIP, [trip_row(random, number) for number in range(TRIPS)])
    conn.exec_driver_sql(EVENT, [event_row(random) for _ in range(EVENTS)])


def score_under(conn, profile) -> int:
    version = profiles.insert_profile(conn, profile, author="Test", note="")
    runs.activate(conn, version, activated_by="Test")
    while runs.advance_run(conn):
        pass
    return version


@pytest.mark.parametrize("seed", [1, 2])
def test_a_leaderboard_is_what_if_under_the_same_profile_figure_for_figure(engine, seed: int):
    random = np.random.default_rng(seed)
    with connection(engine) as conn:
        store_fleet(conn, random)
    for profile in (DEFAULT_PROFILE, random_profile(random)):
        with connection(engine) as conn:
            version = score_under(conn, profile)
        with snapshot(engine) as conn:
            days = read_driver_days(conn, version, zone="Asia/Singapore")
            fleet = read_fleet(conn, zone="Asia/Singapore")
        frame, board = rank_fleet(days, profile)
        order = judge(prepare(fleet.events, fleet.trips), profile).order
        listed = frame.set_index("driver_id").loc[[str(each) for each in as_uuids(fleet.driver_ids)]]
        assert board.fit.psi == pytest.approx(order.fit.psi, rel=1e-12)
        assert listed["rank"].tolist() == order.rank.tolist()
        for name, column in (("points_per_100_km", order.fit.mean), ("low", order.fit.low), ("high", order.fit.high)):
            np.testing.assert_allclose(listed[name], column, rtol=1e-9)
        assert fit_figures(board).ranked == np.count_nonzero(order.ranked)


def test_the_fits_figures_are_offered_and_logged_once_as_long_as_they_stay(engine, database_url, capsys):
    with connection(engine) as conn:
        store_fleet(conn, np.random.default_rng(3))
        version = score_under(conn, DEFAULT_PROFILE)
    found = data.fit_figures_of(database_url, version, None, "UTC")
    of_fits.ranked.clear()
    assert data.fit_figures_of(database_url, version, None, "UTC") == found
    assert found is not None
    assert found.drivers == DRIVERS
    assert capsys.readouterr().err.count("ranking_fitted") == 1
    assert data.fit_figures_of(database_url, version, datetime(2030, 1, 1, tzinfo=UTC), "UTC") is None
    data.forget()
    connecting.link.clear()
