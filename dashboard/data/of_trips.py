"""Trips, their samples and their events."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import streamlit as st

from dashboard.data.connecting import FRESH_S, LASTING_S, reading
from fleetflow.storage import reports
from fleetflow.storage.events import read_events
from fleetflow.storage.scores import read_scores

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from fleetflow.safety.events import HarshEvent
    from fleetflow.storage.reports import TripReport


@st.cache_data(ttl=FRESH_S, max_entries=64, show_spinner=False)
def trips(database: str, version: int, driver_id: str, since: datetime | None, limit: int) -> pd.DataFrame:
    """A driver's newest trips; see reports.list_trips."""
    with reading(database) as conn:
        return reports.list_trips(conn, version, driver_id=UUID(driver_id), since=since, limit=limit)


@st.cache_data(ttl=FRESH_S, max_entries=8, show_spinner=False)
def newest_trips(database: str, version: int, limit: int) -> pd.DataFrame:
    """The fleet's newest trips; see reports.list_trips."""
    with reading(database) as conn:
        return reports.list_trips(conn, version, limit=limit)


@st.cache_data(ttl=FRESH_S, max_entries=256, show_spinner=False)
def trip(database: str, version: int, trip_id: str) -> TripReport | None:
    """One trip; None when the id is unknown or no id at all."""
    try:
        key = UUID(trip_id)
    except ValueError:
        return None
    with reading(database) as conn:
        return reports.read_trip(conn, key, version)


@st.cache_data(ttl=LASTING_S, max_entries=16, show_spinner=False)
def samples(database: str, trip_id: str) -> pd.DataFrame:
    """A trip's samples; see reports.read_samples."""
    with reading(database) as conn:
        return reports.read_samples(conn, UUID(trip_id))


@st.cache_data(ttl=LASTING_S, max_entries=64, show_spinner=False)
def events(database: str, trip_id: str) -> list[HarshEvent]:
    """All events of a scored trip, harsh or not, in order of their peak."""
    with reading(database) as conn:
        return read_events(conn, UUID(trip_id))


@st.cache_data(ttl=FRESH_S, max_entries=64, show_spinner=False)
def trip_scores(database: str, trip_id: str) -> dict[int, int]:
    """The trip's stored scores by profile version."""
    with reading(database) as conn:
        return read_scores(conn, UUID(trip_id))
