"""All queries and all caches of the dashboard, a module a noun: arguments in, answers out."""

from dashboard.data.connecting import forget, last_answer_at, writing
from dashboard.data.of_fleet import days, drivers, fleet, leaderboard, newest_trip_at, ranking, unfinished
from dashboard.data.of_operations import backlog, failures, newest_runs, ranking_fit, throughput, workers
from dashboard.data.of_profiles import active_profile, profile_history, running_run
from dashboard.data.of_trips import events, newest_trips, samples, trip, trips
from dashboard.data.of_whatif import Scope, analysed_trips, comparison, groups, judged, key_of, threshold_sweep

__all__ = [
    "Scope",
    "active_profile",
    "analysed_trips",
    "backlog",
    "comparison",
    "days",
    "drivers",
    "events",
    "failures",
    "fleet",
    "forget",
    "groups",
    "judged",
    "key_of",
    "last_answer_at",
    "leaderboard",
    "newest_runs",
    "newest_trip_at",
    "newest_trips",
    "profile_history",
    "ranking",
    "ranking_fit",
    "running_run",
    "samples",
    "threshold_sweep",
    "throughput",
    "trip",
    "trips",
    "unfinished",
    "workers",
    "writing",
]
