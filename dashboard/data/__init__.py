"""All queries and all caches of the dashboard, a module a noun: arguments in, answers out."""

from dashboard.data.connecting import forget, last_answer_at, noting, writing
from dashboard.data.of_drivers import (
    coaching_notes,
    comparison,
    driver_card,
    driver_events,
    driver_trips,
    driver_weeks,
    fleet_severity,
    profile_of,
    standing,
)
from dashboard.data.of_events import groups, inbox, inbox_event, moments, other_drivers, trip_reviews
from dashboard.data.of_fits import fit_figures_of
from dashboard.data.of_fleet import drivers, fleet, leaderboard, newest_trip_at, unfinished
from dashboard.data.of_operations import backlog, failures, newest_runs, throughput, workers
from dashboard.data.of_people import (
    accounts,
    audit_actions,
    audit_entries,
    broken_audit_entry,
    erased_among,
    erased_totals,
    keys,
    roster,
    roster_rows,
    session,
)
from dashboard.data.of_policy import policy
from dashboard.data.of_profiles import active_profile, profile_history, running_run
from dashboard.data.of_standings import driven, standings, vehicle_classes
from dashboard.data.of_trips import events, newest_trips, samples, trip, trip_scores, trips
from dashboard.data.of_uploads import conflicting_trips, known_trips, preview, roster_names, saved_mapping, ways
from dashboard.data.of_whatif import Scope, analysed_trips, judged, key_of, threshold_sweep, whatif

__all__ = [
    "Scope",
    "accounts",
    "active_profile",
    "analysed_trips",
    "audit_actions",
    "audit_entries",
    "backlog",
    "broken_audit_entry",
    "coaching_notes",
    "comparison",
    "conflicting_trips",
    "driven",
    "driver_card",
    "driver_events",
    "driver_trips",
    "driver_weeks",
    "drivers",
    "erased_among",
    "erased_totals",
    "events",
    "failures",
    "fit_figures_of",
    "fleet",
    "fleet_severity",
    "forget",
    "groups",
    "inbox",
    "inbox_event",
    "judged",
    "key_of",
    "keys",
    "known_trips",
    "last_answer_at",
    "leaderboard",
    "moments",
    "newest_runs",
    "newest_trip_at",
    "newest_trips",
    "noting",
    "other_drivers",
    "policy",
    "preview",
    "profile_history",
    "profile_of",
    "roster",
    "roster_names",
    "roster_rows",
    "running_run",
    "samples",
    "saved_mapping",
    "session",
    "standing",
    "standings",
    "threshold_sweep",
    "throughput",
    "trip",
    "trip_reviews",
    "trip_scores",
    "trips",
    "unfinished",
    "vehicle_classes",
    "ways",
    "whatif",
    "workers",
    "writing",
]
