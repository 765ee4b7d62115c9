"""All queries and all caches of the dashboard, a module a noun: arguments in, answers out."""

from dashboard.data.connecting import forget, last_answer_at, writing
from dashboard.data.of_fleet import days, drivers, fleet, leaderboard, newest_trip_at, ranking, unfinished
from dashboard.data.of_profiles import active_profile, profile_history, running_run
from dashboard.data.of_trips import events, newest_trips, samples, trip, trips
from dashboard.data.of_uploads import known_trips, preview, roster_names, saved_mapping, ways

__all__ = [
    "active_profile",
    "days",
    "drivers",
    "events",
    "fleet",
    "forget",
    "known_trips",
    "last_answer_at",
    "leaderboard",
    "newest_trip_at",
    "newest_trips",
    "preview",
    "profile_history",
    "ranking",
    "roster_names",
    "running_run",
    "samples",
    "saved_mapping",
    "trip",
    "trips",
    "unfinished",
    "ways",
    "writing",
]
