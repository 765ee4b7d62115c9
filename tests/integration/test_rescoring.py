"""Re-score runs and reviews on a real Postgres: old scores stay, nothing is missed, no profile is active half done."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import numpy as np
import pytest

from fleetflow.errors import StorageUnavailableError
from fleetflow.safety.events import EventKind, HarshEvent, Review
from fleetflow.safety.judging import KINDS
from fleetflow.safety.profiles import DEFAULT_PROFILE, ProfileError, Rule
from fleetflow.safety.scores import TripScore, score_trip
from fleetflow.storage import profiles, reviews, roster, runs
from fleetflow.storage.database import connection, snapshot
from fleetflow.storage.events import delete_events, insert_events, read_events
from fleetflow.storage.fleet import as_uuids, read_events_for, read_fleet
from fleetflow.storage.scores import NewScore, insert_scores, read_score
from fleetflow.trips.samples import Samples
from tests.support.dashboard import Drive, insert_drive

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa

pytestmark = pytest.mark.postgres
STRICTER = replace(DEFAULT_PROFILE, name="Stricter", rules={**DEFAULT_PROFILE.rules, EventKind.BRAKING: Rule(0.30, 10)})
HARD = HarshEvent(EventKind.BRAKING, 1.0, 1.5, 2.0, 0.55, 48.0)
SOFT = HarshEvent(EventKind.BRAKING, 5.0, 5.5, 6.0, 0.35, 48.0)
DOUBTFUL = HarshEvent(EventKind.BRAKING, 9.0, 9.5, 10.0, 0.7, 48.0, doubts=("turn",))


def insert_trip(engine, *events: HarshEvent, hour: int = 8) -> UUID:
    samples = Samples(np.full(100, 50.0), np.zeros(100), t_s=np.arange(100.0))
    began = datetime(2026, 11, 20, hour, tzinfo=UTC)
    with connection(engine) as conn:
        return insert_drive(conn, Drive(samples, events), driver_id=uuid4(), vehicle_id=uuid4(), started_at=began)


def set_status(engine, trip_id: UUID, status: str) -> None:
    with connection(engine) as conn:
        values = {"status": status, "id": trip_id}
        conn.exec_driver_sql("UPDATE telemetry.trip_logs SET status = %(status)s WHERE id = %(id)s", values)


@contextmanager
def impatient(engine) -> Iterator[sa.Connection]:
    """Somebody whom no lock keeps waiting."""
    with connection(engine) as conn:
        conn.exec_driver_sql("SET LOCAL lock_timeout = '50ms'")
        yield conn


def score_under(engine, trip_id: UUID, version: int) -> int:
    with connection(engine) as conn:
        score = read_score(conn, trip_id, version)
    assert score is not None
    assert score.profile_version == version
    return score.safety_score


def store(engine, profile=STRICTER) -> int:
    with connection(engine) as conn:
        return profiles.insert_profile(conn, profile, author="Test", note="to see what happens")


def ask(engine, version: int, **more) -> runs.Run:
    with connection(engine) as conn:
        return runs.insert_run(conn, version, asked_by="Test", **more)


def advance(engine, batch_trips: int = 2) -> runs.Run | None:
    with connection(engine) as conn:
        return runs.advance_run(conn, batch_trips)


def finish(engine) -> None:
    while advance(engine):
        pass


def active(engine) -> int:
    with connection(engine) as conn:
        return profiles.read_active(conn).version


def test_a_run_scores_every_trip_under_the_new_profile_and_leaves_the_old_scores(engine):
    trips = [insert_trip(engine, HARD, SOFT, hour=hour) for hour in range(5)]
    version = store(engine)
    ask(engine, version, activates=True)
    finish(engine)
    assert [score_under(engine, trip, 1) for trip in trips] == [95] * 5
    assert [score_under(engine, trip, version) for trip in trips] == [80] * 5
    assert active(engine) == version


def test_a_score_that_is_there_already_is_never_rewritten(engine):
    trip = insert_trip(engine, HARD)
    with connection(engine) as conn:
        score = read_score(conn, trip, 1)
        assert score is not None
        insert_scores(conn, 1, [NewScore(trip, score.driver_id, TripScore(100, {}, 0))])
    assert score_under(engine, trip, 1) == 95


def test_the_old_profile_stays_active_until_the_last_trip_is_scored(engine):
    for hour in range(3):
        insert_trip(engine, HARD, hour=hour)
    ask(engine, store(engine), activates=True)
    run = advance(engine)
    assert run is not None
    assert (run.done_trips, run.total_trips, run.state) == (2, 3, runs.RunState.RUNNING)
    assert active(engine) == 1


def test_a_batch_that_is_rolled_back_leaves_the_run_where_it_was(engine):
    trips = [insert_trip(engine, SOFT, hour=hour) for hour in range(3)]
    version = store(engine)
    ask(engine, version, activates=True)
    with engine.connect() as conn:
        runs.advance_run(conn, 2)
        conn.rollback()
    with connection(engine) as conn:
        running = runs.read_running(conn)
    assert running is not None
    assert running.done_trips == 0
    finish(engine)
    assert [score_under(engine, trip, version) for trip in trips] == [90] * 3


def test_a_trip_that_was_finished_behind_the_run_is_not_missed(engine):
    trips = sorted(insert_trip(engine, SOFT, hour=hour) for hour in range(3))
    version = store(engine)
    set_status(engine, trips[0], "PENDING")
    ask(engine, version, activates=True)
    run = advance(engine)
    assert run is not None
    assert run.last_trip_id == trips[2]
    set_status(engine, trips[0], "COMPLETED")
    run = advance(engine)
    assert run is not None
    assert (run.done_trips, run.last_trip_id) == (2, None)  # on to the end first, then again from the beginning
    finish(engine)
    assert score_under(engine, trips[0], version) == 90
    assert active(engine) == version


def test_a_second_run_is_told_who_runs_what_and_how_far_it_is(engine):
    for hour in range(4):
        insert_trip(engine, HARD, hour=hour)
    version = store(engine)
    ask(engine, version)
    advance(engine)
    with pytest.raises(runs.RunInProgressError, match=rf"Test is applying profile {version} .* 2 of 4 trips \(50%\)"):
        ask(engine, 1)


def test_a_cancelled_run_is_never_active_and_what_it_wrote_stays(engine):
    trips = sorted(insert_trip(engine, SOFT, hour=hour) for hour in range(3))
    version = store(engine)
    run = ask(engine, version, activates=True)
    advance(engine)
    with connection(engine) as conn:
        assert runs.cancel_run(conn, run.id)
        assert not runs.cancel_run(conn, run.id)
        assert runs.read_run(conn, run.id).state is runs.RunState.CANCELLED
    assert advance(engine) is None
    assert active(engine) == 1
    assert score_under(engine, trips[0], version) == 90


def test_going_back_to_a_complete_profile_is_immediate(engine):
    insert_trip(engine, HARD)
    version = store(engine)
    ask(engine, version, activates=True)
    finish(engine)
    with connection(engine) as conn:
        assert runs.activate(conn, 1, activated_by="Test", note="back") is None
    assert active(engine) == 1


def test_activating_a_profile_that_lacks_scores_runs_it_first(engine):
    insert_trip(engine, HARD)
    version = store(engine)
    with connection(engine) as conn:
        run = runs.activate(conn, version, activated_by="Test")
    assert run is not None
    assert active(engine) == 1
    finish(engine)
    assert active(engine) == version


def test_an_empty_period_an_unknown_profile_and_nonsense_are_refused_and_nothing_is_written(engine):
    insert_trip(engine, HARD)
    with pytest.raises(runs.EmptyPeriodError):
        ask(engine, 1, since=datetime(2020, 1, 1, tzinfo=UTC), until=datetime(2020, 2, 1, tzinfo=UTC))
    with pytest.raises(profiles.ProfileMissingError, match="no scoring profile 99"):
        ask(engine, 99)
    with pytest.raises(ProfileError):
        store(engine, replace(STRICTER, rules={**STRICTER.rules, EventKind.BRAKING: Rule(-0.4, 5)}))
    with connection(engine) as conn:
        assert runs.list_runs(conn) == []
        assert [each.version for each in profiles.list_profiles(conn)] == [1]


def test_where_nothing_was_driven_yet_a_profile_can_be_made_the_active_one(engine):
    version = store(engine)
    ask(engine, version, activates=True)
    finish(engine)
    assert active(engine) == version


def test_nobody_makes_another_profile_active_while_a_run_is_about_to(engine):
    insert_trip(engine, HARD)
    ask(engine, store(engine), activates=True)
    with pytest.raises(runs.RunInProgressError), connection(engine) as conn:
        runs.activate(conn, 1, activated_by="Other")
    assert active(engine) == 1


def test_a_worker_passes_by_a_run_that_another_has_in_hand(engine):
    insert_trip(engine, HARD)
    ask(engine, store(engine))
    with connection(engine) as busy, impatient(engine) as passing:
        assert runs.advance_run(busy) is not None
        assert runs.advance_run(passing) is None


def test_nobody_reviews_a_trip_between_the_reading_of_its_events_and_its_score(engine, monkeypatch):
    trip = insert_trip(engine, HARD)
    ask(engine, store(engine))

    with connection(engine) as conn:
        event = read_events(conn, trip)[0]

    def meanwhile(*args):
        with pytest.raises(StorageUnavailableError), impatient(engine) as other:
            reviews.insert_review(other, event.id, Review.FALSE, expected=None, author="Other")
        return read_events_for(*args)

    monkeypatch.setattr(runs, "read_events_for", meanwhile)
    run = advance(engine)
    assert run is not None
    assert run.done_trips == 1


def test_no_run_begins_between_a_worker_asking_for_the_profiles_and_its_trips_being_finished(engine):
    version = store(engine)
    with connection(engine) as worker:
        assert [each.version for each in runs.read_current(worker)] == [1]
        with pytest.raises(StorageUnavailableError), impatient(engine) as other:
            runs.insert_run(other, version, asked_by="Other", activates=True)


def test_the_same_profile_stored_again_is_the_same_version(engine):
    assert store(engine) == store(engine)


def test_a_finished_trip_is_scored_under_the_active_profile_and_that_of_the_run(engine):
    insert_trip(engine, HARD)
    version = store(engine)
    ask(engine, version, activates=True)
    with connection(engine) as conn:
        assert [each.version for each in runs.read_current(conn)] == [1, version]


def test_a_finished_trip_is_scored_once_where_the_run_is_of_the_active_profile(engine):
    insert_trip(engine, HARD)
    ask(engine, 1)
    with connection(engine) as conn:
        assert [each.version for each in runs.read_current(conn)] == [1]


def test_a_review_moves_the_score_at_once_and_withdrawing_it_moves_it_back(engine):
    trip = insert_trip(engine, HARD, SOFT, DOUBTFUL)
    with connection(engine) as conn:
        hard, _, doubtful = read_events(conn, trip)
        reviews.insert_review(conn, hard.id, Review.FALSE, expected=None, author="Test", reason="Pothole")
    assert score_under(engine, trip, 1) == 100
    with connection(engine) as conn:
        reviews.insert_review(conn, doubtful.id, Review.CONFIRMED, expected=None, author="Test")
    assert score_under(engine, trip, 1) == 95
    with connection(engine) as conn:
        reviews.insert_review(conn, hard.id, None, expected=Review.FALSE, author="Test", reason="It was none")
    assert score_under(engine, trip, 1) == 90
    with connection(engine) as conn:
        history = reviews.list_reviews(conn, trip)
    assert [(each.review, each.reason) for each in history] == [
        (None, "It was none"), (Review.CONFIRMED, ""), (Review.FALSE, "Pothole"),
    ]  # fmt: skip


def test_to_judge_an_event_as_it_is_judged_already_is_no_step_in_its_history(engine):
    trip = insert_trip(engine, HARD)
    with connection(engine) as conn:
        event = read_events(conn, trip)[0].id
        reviews.insert_review(conn, event, Review.FALSE, expected=None, author="Test")
        reviews.insert_review(conn, event, Review.FALSE, expected=Review.FALSE, author="Test")
        seen = {each.id: each.review for each in read_events(conn, trip)}
        assert reviews.insert_reviews(conn, seen, Review.FALSE, author="Test") == 0
        assert len(reviews.list_reviews(conn, trip)) == 1


def test_after_a_new_analysis_an_event_has_the_last_review_of_its_own_kind(engine):
    trip = insert_trip(engine, HARD, replace(HARD, kind=EventKind.CORNERING))
    with connection(engine) as conn:
        braking = next(event for event in read_events(conn, trip) if event.kind is EventKind.BRAKING)
        reviews.insert_review(conn, braking.id, Review.FALSE, expected=None, author="Test")
        reviews.insert_review(conn, braking.id, Review.CONFIRMED, expected=Review.FALSE, author="Test")
        found = read_events(conn, trip)
        delete_events(conn, [trip])
        insert_events(conn, {trip: found})
        reviews.reattach_reviews(conn, trip)
        reviewed = {event.kind: event.review for event in read_events(conn, trip)}
    assert reviewed == {EventKind.BRAKING: Review.CONFIRMED, EventKind.CORNERING: None}


def test_a_review_of_what_somebody_else_reviewed_meanwhile_is_refused(engine):
    trip = insert_trip(engine, HARD)
    with connection(engine) as conn:
        event = read_events(conn, trip)[0]
        reviews.insert_review(conn, event.id, Review.CONFIRMED, expected=None, author="One")
    with pytest.raises(reviews.ReviewConflictError, match="confirmed"), connection(engine) as conn:
        reviews.insert_review(conn, event.id, Review.FALSE, expected=None, author="Other")
    assert score_under(engine, trip, 1) == 95
    with pytest.raises(reviews.EventMissingError), connection(engine) as conn:
        reviews.insert_review(conn, 10**12, Review.FALSE, expected=None, author="Other")


def test_many_events_are_reviewed_together(engine):
    trip = insert_trip(engine, HARD, replace(HARD, peak_s=1.7), SOFT)
    with connection(engine) as conn:
        expected = {event.id: event.review for event in read_events(conn, trip)}
        assert reviews.insert_reviews(conn, expected, Review.DEFENSIVE, author="Test") == 3
        assert reviews.insert_reviews(conn, expected, Review.DEFENSIVE, author="Test") == 0
    assert score_under(engine, trip, 1) == 100


def test_of_many_events_those_that_somebody_judged_meanwhile_stay_as_they_are(engine):
    trip = insert_trip(engine, HARD, SOFT)
    with connection(engine) as conn:
        hard, soft = read_events(conn, trip)
        reviews.insert_review(conn, hard.id, Review.CONFIRMED, expected=None, author="One")
        seen = {hard.id: None, soft.id: None, 10**12: None}
        assert reviews.insert_reviews(conn, seen, Review.FALSE, author="Other") == 1
        assert [event.review for event in read_events(conn, trip)] == [Review.CONFIRMED, Review.FALSE]


def test_a_fleet_is_read_as_the_columns_that_judging_wants(engine):
    trip = insert_trip(engine, HARD, DOUBTFUL, HarshEvent(EventKind.SPEEDING, 20.0, 21.0, 22.0, None, 140.0))
    with connection(engine) as conn:
        vehicle = conn.exec_driver_sql("SELECT vehicle_id FROM telemetry.trip_logs").scalar_one()
        roster.upsert_vehicle(conn, vehicle, name="Van", vehicle_class="heavy")
    with snapshot(engine) as conn:
        fleet = read_fleet(conn)
    assert as_uuids(fleet.trip_ids) == [trip]
    assert fleet.trips.vehicle_class.tolist() == [3]
    assert [KINDS[kind] for kind in fleet.events.kind] == ["braking", "braking", "speeding"]
    assert fleet.events.peak.tolist() == [0.55, 0.7, 140.0]
    assert fleet.events.standing.tolist() == [0, 1, 0]


def test_a_fleet_without_trips_is_empty_columns(engine):
    with snapshot(engine) as conn:
        fleet = read_fleet(conn, group_name="nobody's")
    assert (len(fleet.trips), len(fleet.events)) == (0, 0)


def test_a_heavy_vehicle_is_rescored_by_the_rules_of_its_class(engine):
    trip = insert_trip(engine, SOFT)
    with connection(engine) as conn:
        vehicle = conn.exec_driver_sql("SELECT vehicle_id FROM telemetry.trip_logs").scalar_one()
        roster.upsert_vehicle(conn, vehicle, name="Lorry", vehicle_class="heavy")
    classed = replace(DEFAULT_PROFILE, name="Classes", class_rules={"heavy": STRICTER.rules})
    version = store(engine, classed)
    ask(engine, version)
    finish(engine)
    assert score_under(engine, trip, version) == score_trip([SOFT], classed, "heavy").safety_score == 90
    with connection(engine) as conn:
        event = read_events(conn, trip)[0]
        reviews.insert_review(conn, event.id, Review.CONFIRMED, expected=None, author="Test")
    assert score_under(engine, trip, version) == 90


def test_every_kind_of_event_is_rescored(engine):
    peaks = {EventKind.BRAKING: 0.55, EventKind.ACCELERATION: 0.5, EventKind.CORNERING: 0.6}
    events = [replace(HARD, kind=kind, peak_g=peak) for kind, peak in peaks.items()]
    events.append(HarshEvent(EventKind.SPEEDING, 20.0, 21.0, 22.0, None, 140.0))
    trip = insert_trip(engine, *events)
    dear = replace(
        DEFAULT_PROFILE,
        rules={
            kind: replace(rule, penalty=2**number) for number, (kind, rule) in enumerate(DEFAULT_PROFILE.rules.items())
        },
    )
    version = store(engine, dear)
    ask(engine, version)
    finish(engine)
    assert score_under(engine, trip, version) == score_trip(events, dear).safety_score == 85


MISNAMED = """
SELECT count(*) FROM telemetry.driver_scores AS score
LEFT JOIN telemetry.trip_logs AS trip ON trip.id = score.trip_id AND trip.driver_id = score.driver_id
LEFT JOIN telemetry.scoring_profiles AS profile ON profile.version = score.profile_version
WHERE trip.id IS NULL OR profile.version IS NULL
"""


def test_every_score_names_a_profile_that_exists_and_the_driver_of_its_trip(engine):
    trips = [insert_trip(engine, HARD, hour=hour) for hour in range(5)]
    version = store(engine)
    ask(engine, version)
    finish(engine)
    with connection(engine) as conn:
        assert conn.exec_driver_sql(MISNAMED).scalar_one() == 0
        drivers = conn.exec_driver_sql("SELECT count(DISTINCT driver_id) FROM telemetry.driver_scores").scalar_one()
    assert drivers == len(trips)


def test_a_score_goes_with_its_trip(engine):
    trip = insert_trip(engine, HARD)
    with connection(engine) as conn:
        conn.exec_driver_sql("DELETE FROM telemetry.trip_logs WHERE id = %s", (trip,))
        assert read_score(conn, trip, 1) is None


def test_batches_take_the_trips_in_their_order_and_each_once(engine):
    trips = sorted(insert_trip(engine, SOFT, hour=hour) for hour in range(5))
    version = store(engine)
    ask(engine, version)
    places = []
    while (run := advance(engine)) and run.state is runs.RunState.RUNNING:
        places.append((run.done_trips, run.last_trip_id))
    assert places == [(2, trips[1]), (4, trips[3]), (5, trips[4])]


def test_a_run_over_a_period_scores_its_trips_only(engine):
    trips = [insert_trip(engine, SOFT, hour=hour) for hour in range(4)]
    version = store(engine)
    ask(engine, version, since=datetime(2026, 11, 20, 1, tzinfo=UTC), until=datetime(2026, 11, 20, 3, tzinfo=UTC))
    finish(engine)
    with connection(engine) as conn:
        scored = [read_score(conn, trip, version) for trip in trips]
    assert [score is not None and score.profile_version == version for score in scored] == [False, True, True, False]
    assert active(engine) == 1  # nobody asked for more
