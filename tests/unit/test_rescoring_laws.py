"""From samples to scores, whole: a what-if says what scoring again would, and how a trip travels changes no count."""

from __future__ import annotations

import csv
import io
import tempfile
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetflow.safety.detection import find_events
from fleetflow.safety.judging import CLASSES, KINDS
from fleetflow.safety.profiles import DEFAULT_PROFILE
from fleetflow.safety.scores import explain, score_trip
from fleetflow.safety.whatif.judged import judge
from fleetflow.safety.whatif.prepared import prepare
from fleetflow.tripfiles import Missing, read_parcels
from fleetflow.trips.columns import pack, unpack
from fleetflow.trips.encode import encode_trip
from fleetflow.trips.samples import Samples, Trip
from fleetflow.trips.wire import TripDecoder
from tests.support.columns import columns
from tests.support.recipes import Clean, Recipe, clean_drives, recipes
from tests.unit.whatif_fleets import fleets, random_profile

if TYPE_CHECKING:
    from collections.abc import Callable

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
examples = settings(max_examples=40, deadline=None)


@examples
@given(st.lists(recipes(), min_size=1, max_size=5), fleets)
def test_a_what_if_equals_scoring_the_samples_again(drives: list[Recipe], random: np.random.Generator):
    batch = [drive.samples() for drive in drives]
    classes = [str(random.choice(CLASSES)) for _ in batch]
    prepared = prepare(*columns(list(zip(classes, find_events(batch), strict=True))))
    for profile in (DEFAULT_PROFILE, random_profile(random), random_profile(random)):
        judged = judge(prepared, profile)
        again = [
            score_trip(find_events([samples])[0], profile, vehicle_class)
            for samples, vehicle_class in zip(batch, classes, strict=True)
        ]
        assert judged.counts.tolist() == [[score.counts.get(kind, 0) for kind in KINDS] for score in again]
        assert judged.scores.tolist() == [score.safety_score for score in again]


@examples
@given(recipes(), fleets)
def test_an_explanation_of_the_samples_adds_up_to_the_score(drive: Recipe, random: np.random.Generator):
    (events,), profile = find_events([drive.samples()]), random_profile(random)
    explained = explain(events, profile)
    assert sum(each.points for each in explained.events) == 100 - score_trip(events, profile).safety_score
    assert len(explained.events) == len(events)


def counts(samples: Samples) -> Counter[str]:
    return Counter(event.kind.value for event in find_events([samples])[0])


def moved(samples: Samples) -> Samples:
    assert samples.t_s is not None
    return Samples(samples.speed_kmh, samples.g_force_long, samples.t_s + 12_345.678, samples.g_force_lat)


def at_twice_the_rate(samples: Samples) -> Samples:
    assert samples.t_s is not None
    assert samples.g_force_lat is not None
    fine_s = np.linspace(samples.t_s[0], samples.t_s[-1], 2 * len(samples) - 1)
    channels = (samples.speed_kmh, samples.g_force_long, samples.g_force_lat)
    speed, long_g, lat_g = (np.interp(fine_s, samples.t_s, each) for each in channels)
    return Samples(speed, long_g, fine_s, lat_g)


def as_json(samples: Samples) -> bytes:
    return encode_trip(Trip(uuid.uuid4(), uuid.uuid4(), samples, NOON))


def through_json(samples: Samples) -> Samples:
    return TripDecoder().decode(as_json(samples), latest=NOON + timedelta(days=1)).samples


def through_csv(samples: Samples) -> Samples:
    assert samples.t_s is not None
    assert samples.g_force_lat is not None
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["vehicle_id", "driver_id", "timestamp", "speed_kmh", "g_force_long", "g_force_lat"])
    whose = uuid.uuid4(), uuid.uuid4()
    rows = np.column_stack([samples.t_s, samples.speed_kmh, samples.g_force_long, samples.g_force_lat]).tolist()
    for second, *row in rows:
        writer.writerow([*whose, (NOON + timedelta(seconds=second)).isoformat(), *row])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trip.csv"
        path.write_text(text.getvalue())
        (parcel,) = read_parcels(str(path), Missing())
    assert parcel.error is None
    return TripDecoder().decode(parcel.body, latest=NOON + timedelta(days=1)).samples


@pytest.mark.parametrize(
    "changed",
    [moved, at_twice_the_rate, through_json, through_csv, lambda samples: unpack(pack(samples))],
    ids=["moved", "twice the rate", "JSON", "CSV", "stored"],
)
@settings(max_examples=25, deadline=None)
@given(drive=clean_drives())
def test_no_way_a_clean_trip_may_take_changes_how_many_events_it_has(
    changed: Callable[[Samples], Samples], drive: Clean
):
    samples = drive.samples()
    kinds = Counter(
        "cornering" if not along else "braking" if g < 0 else "acceleration" for g, along, _ in drive.pulses
    )
    assert counts(changed(samples)) == counts(samples) == kinds
