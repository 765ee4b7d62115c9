"""The public recordings come in with few corrections by hand, and their numbers are right."""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fleetflow.importers import FileRefusedError, Import, Mapping, import_file
from fleetflow.importers.roles import Role
from fleetflow.trips.quality import Verdict, judge
from fleetflow.trips.summary import summarize
from tests.support.drives import DATA, brazil_trips, chicago_trips, needs_real_drives

if TYPE_CHECKING:
    from fleetflow.importers.drives import Drive
    from tests.support.drives import RealTrip

pytestmark = needs_real_drives
LATEST = datetime(2026, 11, 1, tzinfo=UTC)
CHICAGO, BRAZIL = Mapping(zone="America/Chicago"), Mapping(zone="America/Sao_Paulo")


def taken(name: str, defaults: Mapping | None = None) -> Import:
    return import_file((DATA / name).read_bytes(), latest=LATEST, defaults=defaults)


def test_the_travel_survey_has_its_own_trips_and_distances_after_one_correction():
    compared = 0
    for vehicle in ("4105836_2", "4109114_1", "4112082_1", "4118093_1"):
        stated = chicago_trips(vehicle)
        for path in sorted((DATA / "fastsim-cmap" / vehicle).glob("2*.csv")):
            for drive in taken(str(path.relative_to(DATA)), CHICAGO).drives:
                compared += compare_distance(drive, stated)
    assert compared > 40


def compare_distance(drive: Drive, stated: list[RealTrip]) -> bool:
    """The survey's trips begin when the car moves, those of the file when it is switched on: the same kilometres."""
    summary, began = summarize(drive.trip.samples), drive.trip.started_at
    assert began is not None
    assert summary.duration_s is not None
    ended = began + timedelta(seconds=summary.duration_s)
    within = [trip.stated_km for trip in stated if began <= trip.trip.started_at <= ended]  # type: ignore[operator]
    if not within:
        return False
    assert summary.distance_km == pytest.approx(sum(within), rel=0.02, abs=0.1)  # type: ignore[arg-type]
    if len(drive.trip.samples) > 300:
        assert judge(drive.trip.samples).verdict is not Verdict.UNUSABLE
    return True


def test_the_mislabelled_acceleration_is_flagged_with_its_evidence():
    found = taken("fastsim-cmap/4105836_2/2007-05-31.csv", CHICAGO)
    (question,) = found.questions
    assert question.title == "Is accel_meters_ps in mph/s?"
    assert question.evidence.startswith("Its name says m/s2, but it is 21.7 times what the change of speed is in g")
    assert [choice.label for choice in question.choices] == ["Yes, mph/s", "No, m/s2"]


def test_the_naturalistic_study_needs_its_zone_only():
    published = {real.name: real.trip for real in brazil_trips()}
    files = [taken(f"ndsbr/driver_{name}.csv", BRAZIL) for name in "ABC"]
    ids = {each for file in files if file.table for each in file.table.columns["ID"].to_pylist()}
    found = [drive for file in files for drive in file.drives]
    assert (len(ids), len(found), len(published)) == (9, 8, 8)  # one has no valid row, see below
    for drive in found:
        trip = next(each for each in published.values() if each.started_at == drive.trip.started_at)
        assert len(drive.trip.samples) == len(trip.samples)
        np.testing.assert_allclose(drive.trip.samples.speed_kmh, trip.samples.speed_kmh)
        np.testing.assert_allclose(drive.trip.samples.g_force_long[2:], trip.samples.g_force_long[2:], atol=1e-9)
        np.testing.assert_allclose(drive.trip.samples.latitude, trip.samples.latitude)
        assert judge(drive.trip.samples).verdict is Verdict.GOOD


def test_rows_that_the_file_calls_invalid_are_left_out_and_counted():
    found = taken("ndsbr/driver_B.csv", BRAZIL)
    assert "3,351 rows are left out: their VALID_TIME says so." in found.notes
    assert {drive.label for drive in found.drives} == {"8", "18"}  # B13 has no valid row


def test_a_phone_log_has_its_forward_axis_found_by_the_speed():
    for name in ("sample_trip", "trip2_with_obd"):
        found = taken(f"ikhyd/{name}.csv")
        assert found.mapping is not None
        assert found.mapping.column(Role.LONG_G) == "accelY(g)"
        assert found.mapping.column(Role.LAT_G) == "accelX(g)"
        assert found.mapping.reversed_long
        assert found.mapping.unit(Role.SPEED) == "m/s"
        assert [question.title for question in found.questions] == ["Is braking positive in this file?"]
        (drive,) = found.drives
        assert summarize(drive.trip.samples).sample_hz == pytest.approx(25.6, abs=0.1)
        assert judge(drive.trip.samples).verdict is Verdict.GOOD


def test_an_obd_log_is_read_from_one_signal_a_line():
    (drive,) = taken("ikhyd/trip_with_obd.txt").drives
    assert summarize(drive.trip.samples).distance_km == pytest.approx(14.5, abs=0.1)


def test_openxc_without_times_is_refused_with_counts_and_the_other_is_taken():
    for name, signals, blank in (("driving", "61,461", "4,817"), ("driving2", "19,438", "")):
        with pytest.raises(FileRefusedError) as refused:
            taken(f"openxc-mpg/{name}")
        assert str(refused.value).startswith(f"{signals} signals have no time")
        assert blank in str(refused.value)
    found = taken("openxc-mpg/drivingnew")
    assert (found.format, len(found.drives), len(found.drives[0].trip.samples)) == ("OpenXC trace", 1, 640)


def test_positions_only_make_a_trip_without_its_jump():
    found = taken("barefoot/x0001-001.json")
    assert "is a jump: 1,693 km/h from the position before" in {each.reason for each in found.refusals.kept}
    (drive,) = found.drives
    assert drive.trip.samples.speed_kmh.max() < 140
    (sparse,) = taken("barefoot/x0001-015.json").drives
    assert judge(sparse.trip.samples).verdict is Verdict.UNUSABLE


def test_messages_of_two_vehicles_are_two_trips_and_gzip_changes_nothing():
    raw = (DATA / "jpo-ode-bsm/bsmLogDuringEvent.json").read_bytes()
    plain, packed = (import_file(each, latest=LATEST) for each in (raw, gzip.compress(raw)))
    assert {drive.label: len(drive.trip.samples) for drive in plain.drives} == {"31325431": 93, "31325433": 129}
    assert [each.line for each in packed.drives] == [each.line for each in plain.drives]
    with pytest.raises(FileRefusedError, match="binary file"):
        taken("jpo-ode-bsm/bsmLogDuringEvent.gz")


def test_an_array_of_a_receiver_needs_to_be_told_its_speed_only():
    name = "comma2k19/GNSS/live_gnss_ublox/value"
    found = taken(name)
    assert found.drives == []
    assert found.mapping is not None
    assert found.mapping.unit(Role.TIME) == "Unix ms"
    told = found.mapping.with_use("column 3", Role.SPEED, "m/s")
    (drive,) = import_file((DATA / name).read_bytes(), latest=LATEST, mapping=told).drives
    can_kmh = np.load(DATA / "comma2k19/CAN/speed/value")[:, 0] * 3.6
    assert drive.trip.samples.speed_kmh.mean() == pytest.approx(can_kmh.mean(), rel=0.02)
    assert drive.trip.started_at == datetime(2018, 8, 2, 16, 14, 48, 299000, tzinfo=UTC)


MOST_CORRECTIONS = 3
ONE_SIGNAL = "one signal, without its time"
REFUSED = {
    **dict.fromkeys(
        (f"comma2k19/{each}" for each in ("CAN", "GNSS/live_gnss_ublox/t", "IMU/accelerometer/t")), ONE_SIGNAL
    ),
    "comma2k19/IMU/gyro/t": ONE_SIGNAL,
    "jpo-ode-bsm/bsmLogDuringEvent.gz": "binary file",
    "openxc-mpg/driving": "signals have no time",
}
TO_BE_TOLD = ("comma2k19/GNSS/live_gnss_ublox/value", "comma2k19/IMU")
NO_TRIPS = ("LICENSE", "NOTICE", "ORIGIN", "README", "MANIFEST", "trips", "ndsdrivers")


def readable_files() -> list[str]:
    paths = (path for path in DATA.rglob("*") if path.is_file() and not path.name.startswith(NO_TRIPS))
    return sorted(str(path.relative_to(DATA)) for path in paths)


@pytest.mark.parametrize("name", readable_files())
def test_every_file_is_taken_with_few_corrections_or_refused_with_the_reason(name: str):
    reason = next((REFUSED[each] for each in REFUSED if name.startswith(each) and not name.endswith("new")), None)
    if reason is not None:
        with pytest.raises(FileRefusedError, match=reason):
            taken(name)
        return
    found = taken(name, BRAZIL if name.startswith("ndsbr") else CHICAGO)
    assert len(found.questions) <= MOST_CORRECTIONS - 1  # and the zone, where it is needed
    if name.startswith(TO_BE_TOLD):
        assert "say which one is" in " ".join(found.notes)
        return
    assert found.drives
    assert all(judge(drive.trip.samples).verdict in Verdict for drive in found.drives)


def test_an_answer_to_a_question_is_a_mapping_that_gives_the_same_file_otherwise():
    found = taken("fastsim-cmap/4105836_2/2007-05-31.csv", CHICAGO)
    believed = found.questions[0].choices[1].mapping
    other = import_file((DATA / "fastsim-cmap/4105836_2/2007-05-31.csv").read_bytes(), latest=LATEST, mapping=believed)
    assert other.questions == ()
    ratio = other.drives[1].trip.samples.g_force_long.max() / found.drives[1].trip.samples.g_force_long.max()
    assert ratio == pytest.approx(2.237, abs=0.01)
    assert replace(believed, uses=found.mapping.uses) == found.mapping  # type: ignore[union-attr]
