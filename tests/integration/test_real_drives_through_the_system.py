"""Real drives through the running system: posted as a vehicle would, scored, with the distances they really had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fleetflow.sending import Fate, Line, Parcel, send_trips, wait_until_scored
from fleetflow.trips.encode import encode_trip
from tests.support.drives import brazil_trips, chicago_trips, needs_real_drives
from tests.support.programs import make_settings, running_worker

if TYPE_CHECKING:
    import httpx

pytestmark = [pytest.mark.postgres, needs_real_drives]


def test_every_real_trip_is_scored_and_has_its_real_distance(api: httpx.Client, database_url: str):
    drives = [*chicago_trips(), *brazil_trips()]
    url = str(api.base_url).rstrip("/")
    parcels = (Parcel(real.name, encode_trip(real.trip)) for real in drives)
    with running_worker(make_settings(), database_url):
        report = send_trips(parcels, Line(url, connections=1))
        statuses = wait_until_scored(url, report.trip_ids)
    assert report.counts[Fate.ACCEPTED] == len(drives)
    assert set(statuses.values()) == {"COMPLETED"}
    for trip_id, real in zip(report.trip_ids, drives, strict=True):
        trip, score = api.get(f"/api/v1/trip/{trip_id}").json(), api.get(f"/api/v1/trip/{trip_id}/score").json()
        assert trip["point_count"] == len(real.trip.samples)
        if real.stated_km is not None:
            assert trip["distance_km"] == pytest.approx(real.stated_km, rel=0.02), real.name
        assert score["safety_score"] >= 95, real.name
