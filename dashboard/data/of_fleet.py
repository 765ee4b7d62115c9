"""The whole fleet: who drove how, over time and by driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.data.connecting import FLEET_S, FRESH_S, forgettable, link, reading
from fleetflow.safety.whatif.prepared import Prepared, prepare
from fleetflow.storage import reports
from fleetflow.storage.database import check_schema, snapshot
from fleetflow.storage.fleet import as_uuids, read_fleet

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

FLEET_TIMEOUT_S = 60.0
"""The events of a million trips take many seconds; a list or a sum that takes as long is a fault."""


@st.cache_data(ttl=FRESH_S, max_entries=64, show_spinner=False)
def leaderboard(database: str, version: int, since: datetime | None) -> pd.DataFrame:
    """See reports.read_leaderboard; with `events` (harsh events of all kinds) and `per_100_km`."""
    with reading(database) as conn:
        return reports.with_rates(reports.read_leaderboard(conn, version, since))


@forgettable
@st.cache_resource(ttl=FLEET_S, max_entries=4, show_spinner="Reading the fleet's events")
def fleet(database: str, since: datetime | None, zone: str, group: str | None = None) -> tuple[list[str], Prepared]:
    """The drivers by number, and a period's events laid out for what-if (never changed, hence shared)."""
    with snapshot(link(database).engine, statement_timeout_s=FLEET_TIMEOUT_S) as conn:
        check_schema(conn)
        found = read_fleet(conn, since=since, zone=zone, group_name=group)
    return [str(each) for each in as_uuids(found.driver_ids)], prepare(found.events, found.trips)


@st.cache_data(ttl=FRESH_S, max_entries=4, show_spinner=False)
def drivers(database: str) -> pd.DataFrame:
    """Every driver known: driver_id, name, group_name."""
    with reading(database) as conn:
        return reports.list_drivers(conn)


@st.cache_data(ttl=FRESH_S, max_entries=4, show_spinner=False)
def unfinished(database: str) -> dict[str, int]:
    """How many trips are PENDING, PROCESSING and FAILED."""
    with reading(database) as conn:
        return reports.count_unfinished(conn)


@st.cache_data(ttl=FRESH_S, max_entries=4, show_spinner=False)
def newest_trip_at(database: str) -> datetime | None:
    """When the fleet's newest trip began; None in an empty database."""
    with reading(database) as conn:
        return reports.read_newest_trip_at(conn)
