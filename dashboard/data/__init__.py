"""All queries and all caches of the dashboard, a module a noun: arguments in, answers out."""

from dashboard.data.connecting import forget, last_answer_at, writing
from dashboard.data.of_events import groups, inbox, inbox_event, moments, other_drivers, trip_reviews
from dashboard.data.of_fleet import days, drivers, fleet, leaderboard, newest_trip_at, ranking, unfinished
from dashboard.data.of_profiles import active_profile, profile_history, running_run
from dashboard.data.of_trips import events, newest_trips, samples, trip, trip_scores, trips

__all__ = [
    "active_profile",
    "days",
    "drivers",
    "events",
    "fleet",
    "forget",
    "groups",
    "inbox",
    "inbox_event",
    "last_answer_at",
    "leaderboard",
    "moments",
    "newest_trip_at",
    "newest_trips",
    "other_drivers",
    "profile_history",
    "ranking",
    "running_run",
    "samples",
    "trip",
    "trip_reviews",
    "trip_scores",
    "trips",
    "unfinished",
    "writing",
]
