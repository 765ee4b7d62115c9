"""One driver: who he is, how he compares with himself and the fleet over time, his events, and his coaching."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import streamlit as st

from dashboard import movements, weeks
from dashboard.data.connecting import FLEET_S, FRESH_S, forgettable, reading
from dashboard.data.of_days import days
from dashboard.ranking import rank_fleet
from fleetflow.storage import coaching, drivers, profiles, severity
from fleetflow.storage.drivers import DriverCard

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from dashboard.movements import Window
    from fleetflow.safety.events import EventKind
    from fleetflow.storage.coaching import CoachingNote
    from fleetflow.storage.profiles import StoredProfile

    Floors = tuple[tuple[EventKind, float], ...]

NOBODY = DriverCard(None, None, None)


@st.cache_data(ttl=FRESH_S, max_entries=64, show_spinner=False)
def driver_card(database: str, driver_id: str) -> DriverCard:
    """Who the driver is; see drivers.read_driver."""
    with reading(database) as conn:
        return drivers.read_driver(conn, UUID(driver_id)) or NOBODY


@st.cache_data(ttl=FLEET_S, max_entries=16, show_spinner=False)
def standing(database: str, version: int, window: Window, zone: str) -> pd.DataFrame:
    """Who was ranked where in a period that may lie behind; see ranking.rank_fleet. Without a driver it has no row."""
    driven = days(database, version, window, zone)
    return rank_fleet(driven, profile_of(database, version).profile)[0] if len(driven) else driven


@st.cache_data(ttl=FLEET_S, max_entries=32, show_spinner=False)
def comparison(database: str, version: int, before: Window, after: Window, zone: str) -> pd.DataFrame:
    """Every driver in two periods under one profile; see movements.compare."""
    first, second = (days(database, version, window, zone) for window in (before, after))
    return movements.compare(first, second, profile_of(database, version).profile)


@forgettable
@st.cache_resource(ttl=FLEET_S, max_entries=8, show_spinner=False)
def driver_weeks(database: str, version: int, since: datetime, zone: str) -> pd.DataFrame:
    """All drivers by week since then (shared, for it may be long); see weeks.by_week."""
    driven = days(database, version, movements.Window(since), zone)
    return weeks.by_week(driven, profile_of(database, version).profile)


@st.cache_data(ttl=FRESH_S, max_entries=32, show_spinner=False)
def driver_trips(database: str, driver_id: str, window: Window) -> pd.DataFrame:
    """What a driver drove; see drivers.read_driver_trips."""
    with reading(database) as conn:
        return drivers.read_driver_trips(conn, UUID(driver_id), since=window.since, until=window.until)


@st.cache_data(ttl=FRESH_S, max_entries=32, show_spinner=False)
def driver_events(
    database: str, driver_id: str, window: Window, floors: Floors, known_at: datetime | None = None
) -> pd.DataFrame:
    """A driver's events above the floors of their kinds; see drivers.read_driver_events."""
    with reading(database) as conn:
        return drivers.read_driver_events(
            conn, UUID(driver_id), dict(floors), since=window.since, until=window.until, known_at=known_at
        )


@st.cache_data(ttl=FLEET_S, max_entries=16, show_spinner=False)
def fleet_severity(database: str, version: int, since: datetime | None) -> pd.DataFrame:
    """How hard the fleet's harsh events are; see severity.read_severity."""
    profile = profile_of(database, version).profile
    with reading(database) as conn:
        return severity.read_severity(conn, profile, since)


@st.cache_data(ttl=FRESH_S, max_entries=64, show_spinner=False)
def coaching_notes(database: str, driver_id: str) -> list[CoachingNote]:
    """All notes of a driver, withdrawn ones too, the latest day first."""
    with reading(database) as conn:
        return coaching.list_notes(conn, UUID(driver_id))


@forgettable
@st.cache_resource(ttl=FLEET_S, max_entries=16, show_spinner=False)
def profile_of(database: str, version: int) -> StoredProfile:
    """A profile by its version (immutable, hence shared)."""
    with reading(database) as conn:
        return profiles.read_profile(conn, version)
