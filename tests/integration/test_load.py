"""The client that measures load: trips come at their rate, whatever is answered, and every answer is counted."""

from __future__ import annotations

import pytest

from fleetflow.storage.database import connection
from fleetflow.storage.trips import insert_trips
from tests.faults.conftest import states
from tests.faults.load import Trips, offer
from tests.support.programs import make_settings, running_api
from tests.support.trips import new_trip

pytestmark = pytest.mark.postgres


def test_trips_come_at_their_rate_and_what_is_taken_is_known_by_its_id(database_url, engine):
    with running_api(make_settings(), database_url) as client:
        outcome = offer(client.base_url.port, Trips(), 100, 0.5)
    assert outcome.all_taken
    assert 40 <= outcome.offered <= 50
    assert len(set(outcome.accepted)) == outcome.offered == states(engine)["PENDING"]
    assert outcome.p99_s() > 0


def test_refusals_are_counted_with_whether_they_say_when_to_come_back(database_url, engine):
    with connection(engine) as conn:
        insert_trips(conn, [new_trip()])
    with running_api(make_settings(max_waiting_trips=1), database_url) as client:
        outcome = offer(client.base_url.port, Trips(), 100, 0.5)
    assert set(outcome.statuses) == {503}
    assert outcome.rude == 0
    assert len(outcome.refused_s) == outcome.offered
