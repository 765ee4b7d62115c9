"""What analysed trips leave in the database: events, and a score under every profile that is current."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleetflow.safety.scores import score_trip
from fleetflow.storage import reviews, roster, runs
from fleetflow.storage.events import delete_events, insert_events
from fleetflow.storage.scores import NewScore, insert_scores

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa

    from worker.analysis import Analysis


def insert_results(conn: sa.Connection, results: Sequence[Analysis]) -> None:
    """Write the results of trips that were completed in this transaction; the caller commits."""
    if not results:
        return
    trips = [result.trip for result in results]
    roster.insert_unknown(conn, (trip.driver_id for trip in trips), (trip.vehicle_id for trip in trips))
    again = [trip.id for trip in trips if trip.analysed_before]
    delete_events(conn, again)
    insert_events(conn, {result.trip.id: result.events for result in results})
    classes = roster.read_classes(conn, {trip.vehicle_id for trip in trips})
    for stored in runs.read_current(conn):
        scores = [
            NewScore(
                result.trip.id,
                result.trip.driver_id,
                score_trip(result.events, stored.profile, classes.get(result.trip.vehicle_id)),
            )
            for result in results
        ]
        insert_scores(conn, stored.version, scores)
    for trip_id in again:
        reviews.reattach_reviews(conn, trip_id)
        reviews.rescore_trip(conn, trip_id)
