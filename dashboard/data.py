"""All queries and all caches: arguments in, answers out. Every cache has an age and a bound; no error is cached.

`database` is the URL. Nothing here reads a global or the session: a cache key says all that an answer depends on.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import streamlit as st

from dashboard.ranking import rank_fleet
from fleetflow.safety.whatif.prepared import Prepared, prepare
from fleetflow.storage import driving, profiles, reports, runs
from fleetflow.storage.database import check_schema, connection, create_engine, snapshot
from fleetflow.storage.events import read_events
from fleetflow.storage.fleet import as_uuids, read_fleet

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    import sqlalchemy as sa

    from fleetflow.safety.events import HarshEvent
    from fleetflow.storage.profiles import Activation, StoredProfile
    from fleetflow.storage.reports import TripReport
    from fleetflow.storage.runs import Run

FRESH_S = 5
"""How old a list or a sum may be: new trips show within seconds, and a crowd of viewers costs one query."""
LASTING_S = 600
"""How long the samples and events of a scored trip are kept; they never change."""
FLEET_S = 60
"""How long what-if works on the same events: reading them takes a second or more, and tuning moves many sliders."""
POOL_SIZE = 8
STATEMENT_TIMEOUT_S = 10.0


@dataclass(slots=True)
class Link:
    """One database: its connections and the last moment it answered."""

    engine: sa.Engine
    answered_at: datetime | None = field(default=None)


def _close(link: Link) -> None:
    link.engine.dispose()


@st.cache_resource(ttl=86_400, max_entries=4, show_spinner=False, on_release=_close)
def _link(database: str) -> Link:
    return Link(
        create_engine(
            database,
            application_name="fleetflow-dashboard",
            pool_size=POOL_SIZE,
            statement_timeout_s=STATEMENT_TIMEOUT_S,
        )
    )


@contextmanager
def _reading(database: str) -> Iterator[sa.Connection]:
    """A connection to a database of the right schema. Raises StorageUnavailableError, ConfigurationError."""
    link = _link(database)
    with connection(link.engine) as conn:
        check_schema(conn)
        yield conn
    link.answered_at = datetime.now(UTC)


@contextmanager
def writing(database: str) -> Iterator[sa.Connection]:
    """A transaction that changes something; afterwards no cache shows the state before it."""
    with _reading(database) as conn:
        yield conn
    forget()


def forget() -> None:
    """Ask the database again for everything."""
    st.cache_data.clear()
    for shared in (active_profile, profile_history, fleet):
        shared.clear()


def last_answer_at(database: str) -> datetime | None:
    """When the database last answered this dashboard; None if it never did."""
    return _link(database).answered_at


@st.cache_resource(ttl=FRESH_S, max_entries=4, show_spinner=False)
def active_profile(database: str) -> StoredProfile:
    """The profile under which trips are scored now (immutable, hence shared rather than copied)."""
    with _reading(database) as conn:
        return profiles.read_active(conn)


@st.cache_data(ttl=FRESH_S, max_entries=64, show_spinner=False)
def leaderboard(database: str, version: int, since: datetime | None) -> pd.DataFrame:
    """See reports.read_leaderboard; with `events` (harsh events of all kinds) and `per_100_km`."""
    with _reading(database) as conn:
        return reports.with_rates(reports.read_leaderboard(conn, version, since))


@st.cache_resource(ttl=FLEET_S, max_entries=4, show_spinner="Reading the fleet's events")
def fleet(database: str, since: datetime | None, zone: str) -> tuple[list[str], Prepared]:
    """The drivers by number, and a period's events laid out for what-if (never changed, hence shared)."""
    with snapshot(_link(database).engine) as conn:
        check_schema(conn)
        found = read_fleet(conn, since=since, zone=zone)
    return [str(each) for each in as_uuids(found.driver_ids)], prepare(found.events, found.trips)


@st.cache_resource(ttl=FRESH_S, max_entries=4, show_spinner=False)
def profile_history(database: str) -> tuple[list[StoredProfile], list[Activation]]:
    """All profiles and which was active since when, both the newest first (shared)."""
    with _reading(database) as conn:
        return profiles.list_profiles(conn), profiles.list_activations(conn)


def running_run(database: str) -> Run | None:
    """The re-score run that goes on; never from a cache, since its progress is watched."""
    with _reading(database) as conn:
        return runs.read_running(conn)


@st.cache_data(ttl=FRESH_S, max_entries=64, show_spinner=False)
def ranking(database: str, version: int, since: datetime | None, zone: str) -> pd.DataFrame:
    """Who is ranked where, and how surely; see ranking.rank_fleet. Without a driver it has no row."""
    with _reading(database) as conn:
        profile = profiles.read_profile(conn, version).profile
        driven = driving.read_driver_days(conn, version, since=since, zone=zone)
    return rank_fleet(driven, profile)[0] if len(driven) else driven


@st.cache_data(ttl=FRESH_S, max_entries=64, show_spinner=False)
def days(database: str, version: int, since: datetime | None, zone: str, driver_id: str | None = None) -> pd.DataFrame:
    """See reports.read_days; with `events` and `per_100_km`."""
    with _reading(database) as conn:
        driver = UUID(driver_id) if driver_id else None
        return reports.with_rates(reports.read_days(conn, version, since, zone, driver))


@st.cache_data(ttl=FRESH_S, max_entries=64, show_spinner=False)
def trips(database: str, version: int, driver_id: str, since: datetime | None, limit: int) -> pd.DataFrame:
    """A driver's newest trips; see reports.list_trips."""
    with _reading(database) as conn:
        return reports.list_trips(conn, version, driver_id=UUID(driver_id), since=since, limit=limit)


@st.cache_data(ttl=FRESH_S, max_entries=8, show_spinner=False)
def newest_trips(database: str, version: int, limit: int) -> pd.DataFrame:
    """The fleet's newest trips; see reports.list_trips."""
    with _reading(database) as conn:
        return reports.list_trips(conn, version, limit=limit)


@st.cache_data(ttl=FRESH_S, max_entries=4, show_spinner=False)
def drivers(database: str) -> pd.DataFrame:
    """Every driver known: driver_id, name."""
    with _reading(database) as conn:
        return reports.list_drivers(conn)


@st.cache_data(ttl=FRESH_S, max_entries=4, show_spinner=False)
def unfinished(database: str) -> dict[str, int]:
    """How many trips are PENDING, PROCESSING and FAILED."""
    with _reading(database) as conn:
        return reports.count_unfinished(conn)


@st.cache_data(ttl=FRESH_S, max_entries=4, show_spinner=False)
def newest_trip_at(database: str) -> datetime | None:
    """When the fleet's newest trip began; None in an empty database."""
    with _reading(database) as conn:
        return reports.read_newest_trip_at(conn)


@st.cache_data(ttl=FRESH_S, max_entries=256, show_spinner=False)
def trip(database: str, version: int, trip_id: str) -> TripReport | None:
    """One trip; None when the id is unknown or no id at all."""
    try:
        key = UUID(trip_id)
    except ValueError:
        return None
    with _reading(database) as conn:
        return reports.read_trip(conn, key, version)


@st.cache_data(ttl=LASTING_S, max_entries=16, show_spinner=False)
def samples(database: str, trip_id: str) -> pd.DataFrame:
    """A trip's samples; see reports.read_samples."""
    with _reading(database) as conn:
        return reports.read_samples(conn, UUID(trip_id))


@st.cache_data(ttl=LASTING_S, max_entries=64, show_spinner=False)
def events(database: str, trip_id: str) -> list[HarshEvent]:
    """All events of a scored trip, harsh or not, in order of their peak."""
    with _reading(database) as conn:
        return read_events(conn, UUID(trip_id))
