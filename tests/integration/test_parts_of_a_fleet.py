"""Readers of driving take a group of drivers and a class of vehicles."""

from __future__ import annotations

from uuid import uuid4

import pytest

from fleetflow.storage import driving, pace, profiles, reports, roster
from fleetflow.storage.database import connection, snapshot
from fleetflow.storage.fleet import read_fleet
from tests.support.pages import BRAKE, drive, insert

pytestmark = pytest.mark.postgres
PARTS = [
    ({}, 3),
    ({"group_name": "North"}, 2),
    ({"vehicle_class": "heavy"}, 2),
    ({"group_name": "North", "vehicle_class": "heavy"}, 1),
    ({"group_name": "nobody's"}, 0),
]


@pytest.fixture
def fleet(engine):
    """A driver of the North in a heavy vehicle and in one without a class, another driver in the heavy one."""
    north, other, heavy = uuid4(), uuid4(), uuid4()
    with connection(engine) as conn:
        roster.upsert_driver(conn, north, name="North", group_name="North")
        roster.upsert_vehicle(conn, heavy, name="Truck", vehicle_class="heavy")
        insert(conn, drive(BRAKE), north, vehicle_id=heavy, name="a")
        insert(conn, drive(BRAKE), north, name="b")
        insert(conn, drive(BRAKE), other, vehicle_id=heavy)
    return engine


@pytest.mark.parametrize(("part", "trips"), PARTS)
def test_every_reader_of_driving_means_the_same_part_of_the_fleet(fleet, part, trips):
    with connection(fleet) as conn:
        version = profiles.read_active(conn).version
        assert reports.read_leaderboard(conn, version, None, **part)["trips"].sum() == trips
        assert reports.read_days(conn, version, None, "UTC", **part)["trips"].sum() == trips
        assert driving.read_driver_days(conn, version, **part)["trips"].sum() == trips
    with snapshot(fleet) as conn:
        assert len(read_fleet(conn, **part).trip_ids) == trips


def test_unusable_trips_are_left_out_or_are_rows_of_their_own(fleet):
    with connection(fleet) as conn:
        conn.exec_driver_sql("UPDATE telemetry.trip_logs SET quality = 'unusable' WHERE vehicle_id IN"
                             " (SELECT id FROM telemetry.vehicles WHERE vehicle_class = 'heavy')")  # fmt: skip
        assert driving.read_driver_days(conn, 1)["trips"].sum() == 1
        rows = driving.read_driver_days(conn, 1, with_unusable=True)
    assert sorted(zip(rows["usable"], rows["trips"], strict=True)) == [(False, 1), (False, 1), (True, 1)]


def test_groups_classes_and_failed_trips_are_listed(fleet):
    with connection(fleet) as conn:
        insert(conn, drive(), status="FAILED", error="No sample is usable.", name="failed")
        assert reports.list_vehicle_classes(conn) == ["heavy"]
        assert set(reports.list_drivers(conn)["group_name"].dropna()) == {"North"}
        failed = pace.list_failed(conn, 5)
    assert list(failed["error"]) == ["No sample is usable."]
    assert list(failed["attempts"]) == [5]
