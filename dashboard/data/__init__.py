"""All queries and all caches of the dashboard, a module a noun: arguments in, answers out."""

from dashboard.data.connecting import forget, last_answer_at, writing
from dashboard.data.of_fleet import days, drivers, fleet, leaderboard, newest_trip_at, ranking, unfinished
from dashboard.data.of_people import (
    accounts,
    audit_actions,
    audit_entries,
    broken_audit_entry,
    keys,
    roster,
    session,
)
from dashboard.data.of_profiles import active_profile, profile_history, running_run
from dashboard.data.of_trips import events, newest_trips, samples, trip, trips

__all__ = [
    "accounts",
    "active_profile",
    "audit_actions",
    "audit_entries",
    "broken_audit_entry",
    "days",
    "drivers",
    "events",
    "fleet",
    "forget",
    "keys",
    "last_answer_at",
    "leaderboard",
    "newest_trip_at",
    "newest_trips",
    "profile_history",
    "ranking",
    "roster",
    "running_run",
    "samples",
    "session",
    "trip",
    "trips",
    "unfinished",
    "writing",
]
