"""Who stands where in the fleet, now and in the period before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.data.connecting import FRESH_S, LASTING_S, reading
from dashboard.data.of_fleet import drivers
from dashboard.ranking import on_equal_roads
from dashboard.standings import stand
from fleetflow.storage import driving, profiles, reports, roads

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from dashboard.periods import Period
    from dashboard.standings import Standings

MOST_FAILED = 5


@st.cache_data(ttl=FRESH_S, max_entries=16, show_spinner=False)
def driven(database: str, version: int, since: datetime | None, zone: str, vehicle_class: str | None) -> pd.DataFrame:
    """See driving.read_driver_days; unusable trips are rows of their own."""
    with reading(database) as conn:
        return driving.read_driver_days(
            conn, version, since=since, zone=zone, vehicle_class=vehicle_class, with_unusable=True
        )


@st.cache_data(ttl=FRESH_S, max_entries=4, show_spinner=False)
def driven_on_equal_roads(
    database: str, version: int, since: datetime | None, zone: str, vehicle_class: str | None
) -> pd.DataFrame:
    """As `driven`, with the `weight` of ranking.on_equal_roads."""
    with reading(database) as conn:
        days = driving.read_driver_days(
            conn, version, since=since, zone=zone, vehicle_class=vehicle_class, with_unusable=True, with_bands=True
        )
        points = roads.read_band_points(conn, version, since=since, vehicle_class=vehicle_class)
        return on_equal_roads(days, points, profiles.read_profile(conn, version).profile)


@st.cache_data(ttl=FRESH_S, max_entries=16, show_spinner=False)
def standings(
    database: str, version: int, period: Period, zone: str, vehicle_class: str | None, *, equal_roads: bool = False
) -> Standings:
    """See standings.stand; of the fleet or a class of vehicles, with `name` and `group_name` of each driver."""
    with reading(database) as conn:
        profile = profiles.read_profile(conn, version).profile
    read = driven_on_equal_roads if equal_roads else driven
    found = stand(read(database, version, period.read_since, zone, vehicle_class), profile, period)
    known = drivers(database)
    return replace(found, drivers=found.drivers.merge(known, on="driver_id", how="left"))


@st.cache_data(ttl=LASTING_S, max_entries=4, show_spinner=False)
def vehicle_classes(database: str) -> list[str]:
    """The classes that the fleet's vehicles have."""
    with reading(database) as conn:
        return reports.list_vehicle_classes(conn)


@st.cache_data(ttl=FRESH_S, max_entries=4, show_spinner=False)
def failed_trips(database: str) -> pd.DataFrame:
    """The newest trips that could not be scored; see reports.list_failed."""
    with reading(database) as conn:
        return reports.list_failed(conn, MOST_FAILED)
