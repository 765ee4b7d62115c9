"""Who stands where in the fleet, now and in the period before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.data.connecting import FRESH_S, LASTING_S, reading
from dashboard.data.of_fleet import drivers
from dashboard.standings import stand
from fleetflow.storage import driving, profiles, reports

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from dashboard.periods import Period
    from dashboard.standings import Standings


@st.cache_data(ttl=FRESH_S, max_entries=16, show_spinner=False)
def driven(database: str, version: int, since: datetime | None, zone: str, vehicle_class: str | None) -> pd.DataFrame:
    """See driving.read_driver_days; unusable trips are rows of their own."""
    with reading(database) as conn:
        return driving.read_driver_days(
            conn, version, since=since, zone=zone, vehicle_class=vehicle_class, with_unusable=True
        )


@st.cache_data(ttl=FRESH_S, max_entries=16, show_spinner=False)
def standings(database: str, version: int, period: Period, zone: str, vehicle_class: str | None) -> Standings:
    """See standings.stand; of the fleet or a class of vehicles, with `name` and `group_name` of each driver."""
    with reading(database) as conn:
        profile = profiles.read_profile(conn, version).profile
    found = stand(driven(database, version, period.read_since, zone, vehicle_class), profile, period)
    known = drivers(database)
    return replace(found, drivers=found.drivers.merge(known, on="driver_id", how="left"))


@st.cache_data(ttl=LASTING_S, max_entries=4, show_spinner=False)
def vehicle_classes(database: str) -> list[str]:
    """The classes that the fleet's vehicles have."""
    with reading(database) as conn:
        return reports.list_vehicle_classes(conn)
