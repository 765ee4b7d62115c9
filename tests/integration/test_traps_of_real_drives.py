"""Recordings that fool a naive system, sent as a vehicle would: each gets its verdict, and none ranks a driver."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
import pytest

from fleetflow.safety.profiles import DEFAULT_PROFILE
from fleetflow.safety.whatif.judged import judge
from fleetflow.safety.whatif.prepared import prepare
from fleetflow.sending import Fate, Line, Parcel, send_trips, wait_until_scored
from fleetflow.storage.database import snapshot
from fleetflow.storage.driving import read_driver_days
from fleetflow.storage.fleet import as_uuids, read_fleet
from fleetflow.trips.encode import encode_trip
from tests.support.drives import (
    brazil_trips,
    jumping_trip,
    mislabelled_chicago_trips,
    needs_real_drives,
    standing_trips,
)
from tests.support.programs import make_settings, running_worker

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx
    import sqlalchemy as sa

    from fleetflow.trips.samples import Trip

pytestmark = [pytest.mark.postgres, needs_real_drives]
VEHICLES = 2
"""Of the travel survey's eight: enough, and quick."""


def scored(api: httpx.Client, trips: Sequence[Trip]) -> list[dict[str, Any]]:
    """The trips' states, once they are scored."""
    url = str(api.base_url).rstrip("/")
    report = send_trips((Parcel(str(number), encode_trip(trip)) for number, trip in enumerate(trips)), Line(url, 1))
    assert report.counts[Fate.ACCEPTED] == len(trips)
    assert set(wait_until_scored(url, report.trip_ids).values()) == {"COMPLETED"}
    return [api.get(f"/api/v1/trip/{trip_id}").json() for trip_id in report.trip_ids]


def within_what_the_api_takes(trip: Trip) -> Trip:
    """As by a gateway that cuts off what would be refused."""
    samples = trip.samples
    cut = replace(
        samples, speed_kmh=np.minimum(samples.speed_kmh, 400), g_force_long=np.clip(samples.g_force_long, -20, 20)
    )
    return replace(trip, samples=cut)


def test_what_cannot_be_believed_gets_a_verdict_and_ranks_nobody(
    api: httpx.Client, database_url: str, engine: sa.Engine
):
    survey = [real.trip for real in mislabelled_chicago_trips()]
    vehicles = list(dict.fromkeys(trip.vehicle_id for trip in survey))[:VEHICLES]
    survey = [trip for trip in survey if trip.vehicle_id in vehicles]
    standing, jump = [real.trip for real in standing_trips()], jumping_trip().trip
    honest = [real.trip for real in brazil_trips()]
    with running_worker(make_settings(), database_url):
        answers = scored(api, [*survey, *standing, within_what_the_api_takes(jump), *honest])
    of_survey, of_standing = answers[: len(survey)], answers[len(survey) : len(survey) + 2]
    of_jump, of_honest = answers[len(survey) + 2], answers[len(survey) + 3 :]

    verdicts = Counter(answer["quality"] for answer in of_survey)
    assert verdicts["unusable"] >= 0.9 * len(survey)  # the others last less than a minute
    texts = {answer["quality_reasons"][0]["text"] for answer in of_survey if answer["quality"] == "unusable"}
    assert {text.rpartition(": ")[2] for text in texts} == {"it was in mph/s and was taken for m/s2."}
    assert {(answer["quality"], answer["quality_reasons"][0]["finding"]) for answer in of_standing} == {
        ("doubtful", "not checkable")
    }
    assert [api.get(f"/api/v1/trip/{answer['trip_id']}/events").json() for answer in of_standing] == [[], []]
    assert (of_jump["quality"], of_jump["quality_reasons"][0]["finding"]) == ("unusable", "speed jump")
    assert {answer["quality"] for answer in of_honest} <= {"good", "doubtful"}

    with snapshot(engine) as conn:
        days, fleet = read_driver_days(conn, 1), read_fleet(conn)
    assert str(jump.driver_id) not in set(days["driver_id"])
    doubted = {str(trip.driver_id) for trip in (*survey, *standing)}
    assert days[days["driver_id"].isin(doubted)]["trips"].sum() <= len(survey) - verdicts["unusable"] + len(standing)
    order = judge(prepare(fleet.events, fleet.trips), replace(DEFAULT_PROFILE, minimum_km=0.0)).order
    ranked = {
        str(driver) for driver, is_ranked in zip(as_uuids(fleet.driver_ids), order.ranked, strict=True) if is_ranked
    }
    assert not ranked & {*doubted, str(jump.driver_id)}


def test_a_speed_that_no_vehicle_has_is_refused_by_its_place(api: httpx.Client):
    trip = replace(jumping_trip().trip, driver_id=uuid4())
    at = int(np.argmax(trip.samples.speed_kmh))
    answer = api.post("/api/v1/telemetry", content=encode_trip(trip), headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    paths = [fault["path"] for fault in answer.json()["errors"]]
    assert {f"data[{at}].speed_kmh", f"data[{at}].g_force_long"} <= set(paths)
