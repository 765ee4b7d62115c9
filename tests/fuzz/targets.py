"""What a fuzzer calls: any bytes are taken or refused in our own words; every other error is a find."""

from __future__ import annotations

import contextlib
import gzip
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from fleetflow.importers import FileLimits, FileRefusedError, import_file
from fleetflow.safety.detection import find_events
from fleetflow.safety.profiles import DEFAULT_PROFILE
from fleetflow.safety.scores import score_trip
from fleetflow.trips.clock import with_clock
from fleetflow.trips.columns import pack, unpack
from fleetflow.trips.wire import Limits, TripDecoder, TripRefusedError
from tests.support.trips import trip_body

if TYPE_CHECKING:
    from collections.abc import Callable

LATEST = datetime(2030, 1, 1, tzinfo=UTC)
DECODER = TripDecoder(Limits(max_points=2_000))
LIMITS = FileLimits(max_bytes=1_000_000)


def decoder(data: bytes) -> None:
    """A trip's body: what is accepted can be stored, read again and scored."""
    with contextlib.suppress(TripRefusedError):
        trip = DECODER.decode(data, latest=LATEST)
        again = unpack(pack(trip.samples).decode())
        assert np.array_equal(again.g_force_long, trip.samples.g_force_long)
        (events,) = find_events([with_clock(again, trip.sample_hz)])
        assert 0 <= score_trip(events, DEFAULT_PROFILE).safety_score <= 100


def importers(data: bytes) -> None:
    """A file of any kind."""
    with contextlib.suppress(FileRefusedError):
        import_file(data, latest=LATEST, limits=LIMITS)


TARGETS: dict[str, Callable[[bytes], None]] = {"decoder": decoder, "importers": importers}
CSV = b"timestamp,speed_kmh,g_force_long\n2026-01-01T12:00:00Z,50,0.1\n2026-01-01T12:00:01Z,55,-0.5\n"
GPX = (
    b'<?xml version="1.0"?><gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>'
    b'<trkpt lat="52.0" lon="13.0"><time>2026-01-01T12:00:00Z</time></trkpt>'
    b'<trkpt lat="52.001" lon="13.0"><time>2026-01-01T12:00:05Z</time></trkpt></trkseg></trk></gpx>'
)
BODY = trip_body(timestamp="2026-01-01T12:00:00Z", sample_hz=10)
SEEDS = {
    "decoder": (BODY, trip_body([{"speed_kmh": 1, "g_force_long": 0, "timestamp": "2026-01-01T12:00:00Z"}] * 3)),
    "importers": (CSV, CSV.replace(b",", b";").replace(b".", b","), GPX, BODY, BODY + b"\n" + BODY, gzip.compress(CSV)),
}
"""Where a fuzzer begins: one good input of each kind."""
