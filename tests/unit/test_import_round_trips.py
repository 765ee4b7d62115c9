"""What the simulator writes in any format comes back as the same trips, points and events."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import openpyxl
import orjson
import pyarrow as pa
import pytest
from pyarrow import parquet

from fleetflow.importers import import_file
from fleetflow.importers.previewing import make_preview
from fleetflow.safety.detection import find_events
from fleetflow.safety.events import EventKind
from fleetflow.safety.floors import FLOOR_G
from fleetflow.simulator import Temper, simulate_trip
from fleetflow.trips.columns import fingerprint, pack, unpack
from fleetflow.trips.encode import encode_trip
from fleetflow.trips.quality import judge
from fleetflow.trips.wire import TripDecoder

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleetflow.importers.importing import Import
    from fleetflow.safety.events import HarshEvent
    from fleetflow.trips.samples import Trip

LATEST = datetime(2026, 11, 1, tzinfo=UTC)
NAMES = ("speed_kmh", "g_force_long", "g_force_lat", "latitude", "longitude", "heading_deg")


@pytest.fixture(scope="module")
def trips() -> list[Trip]:
    return [
        simulate_trip(
            np.random.default_rng(number),
            vehicle_id=UUID(int=number + 1),
            driver_id=UUID(int=number + 10),
            temper=Temper.of_roughness(1.0),
            duration_s=240,
            hz=5,
            started_at=datetime(2026, 1, 5, 8 + number, tzinfo=UTC),
        ).trip
        for number in (0, 3)  # with events of all kinds, and a doubtful one
    ]


def records(trips: list[Trip]) -> list[dict[str, Any]]:
    """A row a point, with names that loggers give."""
    rows = []
    for trip in trips:
        assert trip.started_at is not None
        assert trip.samples.t_s is not None
        columns = [getattr(trip.samples, name).tolist() for name in NAMES]
        for second, *values in zip(trip.samples.t_s.tolist(), *columns, strict=True):
            row = {"vehicle": str(trip.vehicle_id), "driver": str(trip.driver_id)}
            rows.append(
                {**row, "time": trip.started_at + timedelta(seconds=second), **dict(zip(NAMES, values, strict=True))}
            )
    return rows


def csv_of(rows: list[dict[str, Any]]) -> bytes:
    lines = [",".join(rows[0]), *(",".join(str(value) for value in row.values()) for row in rows)]
    return "\n".join(lines).encode()


def parquet_of(rows: list[dict[str, Any]]) -> bytes:
    buffer = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


def workbook_of(rows: list[dict[str, Any]]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(list(rows[0]))
    for row in rows:
        sheet.append([value.replace(tzinfo=None) if isinstance(value, datetime) else value for value in row.values()])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "write",
    [csv_of, parquet_of, workbook_of, orjson.dumps, lambda rows: b"\n".join(map(orjson.dumps, rows))],
    ids=["CSV", "Parquet", "XLSX", "JSON", "NDJSON"],
)
def test_trips_come_back_as_they_were_written(trips: list[Trip], write: Callable[[list[dict[str, Any]]], bytes]):
    found = import_file(write(records(trips)), latest=LATEST)
    assert found.questions == ()
    assert found.refusals.count == 0
    assert len(found.drives) == len(trips)
    for drive, trip in zip(found.drives, trips, strict=True):
        assert (drive.trip.vehicle_id, drive.trip.driver_id) == (trip.vehicle_id, trip.driver_id)
        assert drive.trip.started_at == trip.started_at
        for name in ("t_s", *NAMES):
            np.testing.assert_allclose(
                getattr(drive.trip.samples, name), getattr(trip.samples, name), atol=1e-3 if name == "t_s" else 1e-9
            )
    for came, went in zip(events_of(found), find_events([trip.samples for trip in trips]), strict=True):
        assert went
        assert [(event.kind, event.doubts, event.derived) for event in came] == [
            (event.kind, event.doubts, event.derived) for event in went
        ]
        np.testing.assert_allclose([measures(event) for event in came], [measures(event) for event in went], atol=1e-3)


def events_of(found: Import) -> list[list[HarshEvent]]:
    return [trip.events for trip in make_preview(found).trips]


def measures(event: HarshEvent) -> tuple[float, ...]:
    """When it was, how hard, how fast and where; a thousandth of a second is what a workbook keeps of a time."""
    assert event.latitude is not None
    assert event.longitude is not None
    times = event.start_s, event.peak_s, event.end_s
    return *times, event.peak_g or 0.0, event.speed_kmh or 0.0, event.latitude, event.longitude


def test_the_contracts_own_form_comes_back_with_every_bit(trips: list[Trip]):
    bodies = [encode_trip(trip) for trip in trips]
    found = import_file(b"\n".join(bodies), latest=LATEST)
    sent = [TripDecoder().decode(body, latest=LATEST) for body in bodies]
    assert [fingerprint(drive.trip) for drive in found.drives] == [fingerprint(trip) for trip in sent]


def test_a_trip_is_known_by_what_the_api_would_know_it_by(trips: list[Trip]):
    for drive in import_file(csv_of(records(trips)), latest=LATEST).drives:
        sent = TripDecoder().decode(encode_trip(drive.trip), latest=LATEST)
        assert fingerprint(sent) == fingerprint(drive.trip)


def test_a_file_without_accelerometer_is_judged_alike_by_its_preview_and_by_a_worker(trips: list[Trip]):
    rows = [{name: value for name, value in row.items() if "g_force" not in name} for row in records(trips)]
    found = import_file(csv_of(rows), latest=LATEST)
    shown = make_preview(found).trips
    sent = [TripDecoder().decode(encode_trip(drive.trip), latest=LATEST).samples for drive in found.drives]
    stored = [unpack(pack(samples)) for samples in sent]
    assert [trip.events for trip in shown] == find_events(stored)
    assert [trip.quality for trip in shown] == [judge(samples).verdict for samples in stored]
    assert all("estimated from the speed" in " ".join(trip.reasons) for trip in shown)
    events = [event for trip in shown for event in trip.events if event.peak_g is not None]
    assert events
    assert all(event.derived for event in events)


def gpx_of(trips: list[Trip]) -> bytes:
    """A track a trip, with what GPX has a place for: positions, times, and by a common extension speeds."""
    tracks = []
    for trip in trips:
        assert trip.started_at is not None
        assert trip.samples.t_s is not None
        columns = (trip.samples.t_s, trip.samples.speed_kmh, trip.samples.latitude, trip.samples.longitude)
        points = "".join(
            f'<trkpt lat="{lat!r}" lon="{lon!r}"><time>{(trip.started_at + timedelta(seconds=second)).isoformat()}'
            f"</time><extensions><speed>{speed / 3.6!r}</speed></extensions></trkpt>"
            for second, speed, lat, lon in zip(*(column.tolist() for column in columns), strict=True)  # type: ignore[union-attr]
        )
        tracks.append(f"<trk><trkseg>{points}</trkseg></trk>")
    return f'<gpx xmlns="http://www.topografix.com/GPX/1/1">{"".join(tracks)}</gpx>'.encode()


def test_gpx_comes_back_with_its_positions_times_and_speeds(trips: list[Trip]):
    for drive, trip in zip(import_file(gpx_of(trips), latest=LATEST).drives, trips, strict=True):
        assert drive.trip.started_at == trip.started_at
        for name, off in (("t_s", 1e-6), ("speed_kmh", 1e-9), ("latitude", 1e-9), ("longitude", 1e-9)):
            np.testing.assert_allclose(getattr(drive.trip.samples, name), getattr(trip.samples, name), atol=off)


def test_gpx_has_no_place_for_g_so_that_events_along_the_road_come_back_as_estimates_and_cornering_does_not(
    trips: list[Trip],
):
    found = import_file(gpx_of(trips), latest=LATEST)
    for came, went in zip(events_of(found), find_events([trip.samples for trip in trips]), strict=True):
        assert all(event.derived for event in came if event.kind is not EventKind.SPEEDING)
        estimates = {kind: [event for event in came if event.kind is kind] for kind in EventKind}
        assert not estimates[EventKind.CORNERING]
        for event in went:
            if event.kind is EventKind.CORNERING:
                continue
            back = min(estimates[event.kind], key=lambda each: abs(each.peak_s - event.peak_s))
            assert back.peak_s == pytest.approx(event.peak_s, abs=0.5)
            assert back.speed_kmh == pytest.approx(event.speed_kmh, abs=3)
            if event.peak_g is not None:
                assert back.peak_g == pytest.approx(event.peak_g, rel=0.2)
            estimates[event.kind].remove(back)
        faint = [event.peak_g or 0.0 for left in estimates.values() for event in left]
        assert max(faint, default=0.0) < 1.2 * FLOOR_G  # what the accelerometer had just under the floor
