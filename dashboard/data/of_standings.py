"""Who stands where in the fleet, now and in the period before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.data.connecting import LASTING_S, forgettable, reading
from dashboard.data.of_days import days
from dashboard.data.of_fleet import drivers
from dashboard.data.of_size import LONGEST_S, moment
from dashboard.movements import Window
from dashboard.ranking import on_equal_roads
from dashboard.standings import stand
from fleetflow.storage import driving, profiles, reports, roads

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from dashboard.periods import Period
    from dashboard.standings import Standings


def driven(database: str, version: int, since: datetime | None, zone: str, vehicle_class: str | None) -> pd.DataFrame:
    """See driving.read_driver_days; unusable trips are rows of their own. Never changed, for it is shared."""
    return _driven(database, version, since, zone, vehicle_class, at=moment(database))


@forgettable
@st.cache_resource(ttl=LONGEST_S, max_entries=16, show_spinner=False)
def _driven(
    database: str, version: int, since: datetime | None, zone: str, vehicle_class: str | None, *, at: int
) -> pd.DataFrame:
    del at  # a part of the key
    if vehicle_class is None:
        return days(database, version, Window(since), zone, with_unusable=True)
    with reading(database) as conn:
        return driving.read_driver_days(
            conn, version, since=since, zone=zone, vehicle_class=vehicle_class, with_unusable=True
        )


def driven_on_equal_roads(
    database: str, version: int, since: datetime | None, zone: str, vehicle_class: str | None
) -> pd.DataFrame:
    """As `driven`, with the `weight` of ranking.on_equal_roads."""
    return _driven_on_equal_roads(database, version, since, zone, vehicle_class, at=moment(database))


@forgettable
@st.cache_resource(ttl=LONGEST_S, max_entries=4, show_spinner=False)
def _driven_on_equal_roads(
    database: str, version: int, since: datetime | None, zone: str, vehicle_class: str | None, *, at: int
) -> pd.DataFrame:
    del at  # a part of the key
    with reading(database) as conn:
        driven_days = driving.read_driver_days(
            conn, version, since=since, zone=zone, vehicle_class=vehicle_class, with_unusable=True, with_bands=True
        )
        points = roads.read_band_points(conn, version, since=since, vehicle_class=vehicle_class)
        return on_equal_roads(driven_days, points, profiles.read_profile(conn, version).profile)


def standings(
    database: str, version: int, period: Period, zone: str, vehicle_class: str | None, *, equal_roads: bool = False
) -> Standings:
    """See standings.stand; of the fleet or a class of vehicles, with `name` and `group_name` of each driver."""
    found = _standings(database, version, period, zone, vehicle_class, equal_roads=equal_roads, at=moment(database))
    return replace(found, drivers=found.drivers.merge(drivers(database), on="driver_id", how="left"))


@forgettable
@st.cache_resource(ttl=LONGEST_S, max_entries=16, show_spinner=False)
def _standings(
    database: str, version: int, period: Period, zone: str, vehicle_class: str | None, *, equal_roads: bool, at: int
) -> Standings:
    """Shared, hence never changed."""
    del at  # a part of the key
    with reading(database) as conn:
        profile = profiles.read_profile(conn, version).profile
    read = driven_on_equal_roads if equal_roads else driven
    return stand(read(database, version, period.read_since, zone, vehicle_class), profile, period)


@st.cache_data(ttl=LASTING_S, max_entries=4, show_spinner=False)
def vehicle_classes(database: str) -> list[str]:
    """The classes that the fleet's vehicles have."""
    with reading(database) as conn:
        return reports.list_vehicle_classes(conn)
