"""The inbox of events, the samples around them, and what they are compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import streamlit as st

from dashboard.data.connecting import FRESH_S, LASTING_S, reading
from dashboard.data.of_size import LONGEST_S, moment
from fleetflow.storage import moments as stored_moments
from fleetflow.storage import profiles, reviews
from fleetflow.storage.inbox import read_event, read_inbox, read_other_drivers
from fleetflow.storage.roster import list_driver_groups

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from fleetflow.storage.inbox import Inbox, InboxEvent, Part, Wanted
    from fleetflow.storage.reviews import ReviewRecord


def inbox(database: str, version: int, wanted: Wanted, part: Part) -> Inbox:
    """A page of events; see inbox.read_inbox. Its counts are of the whole fleet."""
    return _inbox(database, version, wanted, part, at=moment(database))


@st.cache_data(ttl=LONGEST_S, max_entries=24, show_spinner=False)
def _inbox(database: str, version: int, wanted: Wanted, part: Part, *, at: int) -> Inbox:
    del at  # a part of the key
    with reading(database) as conn:
        return read_inbox(conn, profiles.read_profile(conn, version).profile, wanted, part)


@st.cache_data(ttl=FRESH_S, max_entries=64, show_spinner=False)
def inbox_event(database: str, version: int, event_id: int) -> InboxEvent | None:
    """One event, wherever in the inbox it is."""
    with reading(database) as conn:
        return read_event(conn, profiles.read_profile(conn, version).profile, event_id)


@st.cache_data(ttl=LASTING_S, max_entries=64, show_spinner=False)
def moments(database: str, event_ids: tuple[int, ...]) -> dict[int, pd.DataFrame]:
    """The samples around each event; see moments.read_moments."""
    with reading(database) as conn:
        return stored_moments.read_moments(conn, event_ids)


@st.cache_data(ttl=FRESH_S, max_entries=64, show_spinner=False)
def other_drivers(
    database: str, version: int, vehicle_id: str, driver_id: str, since: datetime | None
) -> dict[str, float]:
    """A vehicle while others drove it; see inbox.read_other_drivers."""
    with reading(database) as conn:
        return read_other_drivers(conn, version, vehicle_id=UUID(vehicle_id), driver_id=UUID(driver_id), since=since)


@st.cache_data(ttl=FRESH_S, max_entries=4, show_spinner=False)
def groups(database: str) -> list[str]:
    """The groups that drivers belong to."""
    with reading(database) as conn:
        return list_driver_groups(conn)


@st.cache_data(ttl=FRESH_S, max_entries=64, show_spinner=False)
def trip_reviews(database: str, trip_id: str) -> list[ReviewRecord]:
    """What people said of a trip's events, the newest first."""
    with reading(database) as conn:
        return reviews.list_reviews(conn, UUID(trip_id))
