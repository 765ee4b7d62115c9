"""Stored trips analysed again on a real Postgres: old results until the new ones are there, and no review lost."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from fleetflow.safety.events import DETECTION_VERSION, EventKind, Review
from fleetflow.safety.profiles import DEFAULT_PROFILE, Rule
from fleetflow.storage import profiles, reanalyses, reviews, runs
from fleetflow.storage.database import connection
from fleetflow.storage.events import delete_events, insert_events, read_events
from fleetflow.storage.runs import RunState
from fleetflow.storage.scores import read_score
from fleetflow.storage.trips import insert_trips
from tests.support.programs import make_settings, running_worker
from tests.support.trips import new_trip
from tests.support.waiting import wait_until
from worker import reanalysis
from worker.analysis import analyse
from worker.reanalysis import reanalyse_portion

pytestmark = pytest.mark.postgres
SETTINGS = make_settings(batch_trips=2, max_attempts=2, lease_s=30.0)
OLDER = "UPDATE telemetry.trip_logs SET detection_version = 1"
WITHOUT_SAMPLES = """
UPDATE telemetry.trip_logs SET telemetry_blob = '{}', samples_removed_at = now() WHERE id = %(id)s
"""
LENIENT = replace(DEFAULT_PROFILE, name="Lenient", rules={**DEFAULT_PROFILE.rules, EventKind.BRAKING: Rule(0.6, 5)})
TWO_HARD = (0.0, -0.5, 0.0, 0.0, -0.7, 0.0)
HZ = 0.4


def store_analysed(engine, database_url: str, count: int) -> list[UUID]:
    """Trips with two harsh brakes each, as if an older detection had missed the second."""
    trips = [new_trip(TWO_HARD, sample_hz=HZ) for _ in range(count)]
    with connection(engine) as conn:
        insert_trips(conn, trips)
    with running_worker(make_settings(), database_url):
        wait_until(lambda: count_completed(engine) == count, what="the first analysis")
    with connection(engine) as conn:
        for trip in trips:
            missed = [each for each in read_events(conn, trip.id) if each.peak_s < 5]
            delete_events(conn, [trip.id])
            insert_events(conn, {trip.id: missed})
            reviews.rescore_trip(conn, trip.id)
        conn.exec_driver_sql(OLDER)
    return sorted(trip.id for trip in trips)


def count_completed(engine) -> int:
    with connection(engine) as conn:
        query = "SELECT count(*) FROM telemetry.trip_logs WHERE status = 'COMPLETED'"
        return int(conn.exec_driver_sql(query).scalar_one())


def scores(engine, trip_ids: list[UUID], version: int = 1) -> list[int]:
    with connection(engine) as conn:
        found = [read_score(conn, trip_id, version) for trip_id in trip_ids]
    return [each.safety_score for each in found if each and each.profile_version == version]


def ask(engine) -> reanalyses.Reanalysis:
    with connection(engine) as conn:
        return reanalyses.insert_reanalysis(conn, DETECTION_VERSION, asked_by="Test")


def state(engine, asked: reanalyses.Reanalysis) -> reanalyses.Reanalysis:
    with connection(engine) as conn:
        return reanalyses.read_reanalysis(conn, asked.id)


def test_every_trip_keeps_its_score_until_the_new_one_takes_its_place(engine, database_url):
    trips = store_analysed(engine, database_url, 5)
    assert scores(engine, trips) == [95] * 5
    asked = ask(engine)
    assert reanalyse_portion(engine, SETTINGS)
    assert scores(engine, trips) == [90, 90, 95, 95, 95]
    assert count_completed(engine) == 5
    while reanalyse_portion(engine, SETTINGS):
        pass
    assert scores(engine, trips) == [90] * 5
    done = state(engine, asked)
    assert (done.state, done.total_trips, done.done_trips, done.skipped_trips) == (RunState.COMPLETED, 5, 5, 0)
    with pytest.raises(reanalyses.NothingOlderError):
        ask(engine)


def test_reviews_stay_with_their_events_and_scores_under_all_profiles_follow(engine, database_url):
    (trip,) = store_analysed(engine, database_url, 1)
    with connection(engine) as conn:
        reviews.insert_review(conn, read_events(conn, trip)[0].id, Review.FALSE, expected=None, author="Test")
        version = profiles.insert_profile(conn, LENIENT, author="Test", note="")
        runs.insert_run(conn, version, asked_by="Test")
        while runs.advance_run(conn):
            pass
    assert (scores(engine, [trip]), scores(engine, [trip], version)) == ([100], [100])
    ask(engine)
    assert reanalyse_portion(engine, SETTINGS)
    with connection(engine) as conn:
        assert [each.review for each in read_events(conn, trip)] == [Review.FALSE, None]
    assert (scores(engine, [trip]), scores(engine, [trip], version)) == ([95], [95])


def test_nothing_is_written_by_a_worker_whose_lease_another_has_or_after_a_cancellation(
    engine, database_url, monkeypatch
):
    trips = store_analysed(engine, database_url, 2)
    asked = ask(engine)

    def meanwhile(analysed):
        with connection(engine) as conn:
            assert reanalyses.cancel_reanalysis(conn, asked.id)
        return analyse(analysed)

    monkeypatch.setattr(reanalysis, "analyse", meanwhile)
    assert reanalyse_portion(engine, SETTINGS)
    assert scores(engine, trips) == [95, 95]
    assert state(engine, asked).done_trips == 0
    assert not reanalyse_portion(engine, SETTINGS)


def die(engine, lease_s: float = 0.0, max_points: int = 10**6) -> list[UUID]:
    """What a worker leaves that dies of a portion, once its lease has run out; the trips it had."""
    with connection(engine) as conn:
        portion = reanalyses.claim_portion(
            conn, uuid4(), detection_version=DETECTION_VERSION, lease_s=lease_s, max_trips=2, max_points=max_points,
            max_attempts=SETTINGS.max_attempts,
        )  # fmt: skip
    return [trip.id for trip in portion]


def test_a_trip_that_kills_workers_is_left_as_it_is_and_the_others_are_done(engine, database_url):
    trips = store_analysed(engine, database_url, 4)
    asked = ask(engine)
    assert die(engine) == trips[:2]
    assert reanalyse_portion(engine, SETTINGS)
    assert scores(engine, trips) == [90, 95, 95, 95]
    assert [die(engine), die(engine), die(engine)] == [[trips[1]], [trips[1]], []]
    assert reanalyse_portion(engine, SETTINGS)
    assert scores(engine, trips) == [90, 95, 90, 90]
    assert not reanalyse_portion(engine, SETTINGS)
    done = state(engine, asked)
    assert (done.state, done.done_trips, done.skipped_trips) == (RunState.COMPLETED, 3, 1)


def test_only_older_trips_with_samples_are_analysed_again_and_nobody_takes_what_another_has(engine, database_url):
    trips = store_analysed(engine, database_url, 4)
    with connection(engine) as conn:
        newest = {"version": DETECTION_VERSION, "id": trips[0]}
        conn.exec_driver_sql(f"{OLDER.replace('1', '%(version)s')} WHERE id = %(id)s", newest)
        conn.exec_driver_sql(WITHOUT_SAMPLES, {"id": trips[3]})
    asked = ask(engine)
    assert asked.total_trips == 2
    assert die(engine, lease_s=30.0, max_points=1) == [trips[1]]  # one trip always fits
    assert not reanalyse_portion(engine, SETTINGS)
    with connection(engine) as conn:
        conn.exec_driver_sql("UPDATE telemetry.reanalyses SET lease_expires_at = clock_timestamp()")
    while reanalyse_portion(engine, SETTINGS):
        pass
    done = state(engine, asked)
    assert (done.state, done.done_trips, done.skipped_trips) == (RunState.COMPLETED, 2, 0)


def test_an_older_worker_leaves_a_newer_detections_work_alone(engine, database_url, monkeypatch):
    trips = store_analysed(engine, database_url, 1)
    ask(engine)
    monkeypatch.setattr(reanalysis, "DETECTION_VERSION", DETECTION_VERSION - 1)
    assert not reanalyse_portion(engine, SETTINGS)
    assert scores(engine, trips) == [95]


def test_a_second_one_is_told_who_asked_for_the_first_and_how_far_it_is(engine, database_url):
    store_analysed(engine, database_url, 3)
    ask(engine)
    reanalyse_portion(engine, SETTINGS)
    with pytest.raises(reanalyses.ReanalysisInProgressError, match=r"Test is having .* 2 of 3 are done"):
        ask(engine)


def test_a_worker_does_fresh_trips_and_then_the_old_ones(engine, database_url):
    trips = store_analysed(engine, database_url, 3)
    asked = ask(engine)
    fresh = new_trip(TWO_HARD, sample_hz=HZ)
    with connection(engine) as conn:
        insert_trips(conn, [fresh])
    with running_worker(make_settings(), database_url):
        wait_until(lambda: state(engine, asked).state is RunState.COMPLETED, what="the re-analysis")
    assert scores(engine, [*trips, fresh.id]) == [90] * 4
