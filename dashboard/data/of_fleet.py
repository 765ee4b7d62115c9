"""The whole fleet: who drove how, over time and by driver."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.data.connecting import FLEET_S, FRESH_S, forgettable, link, reading
from dashboard.data.of_size import LONGEST_S, moment
from fleetflow.safety.whatif.prepared import Prepared, prepare
from fleetflow.storage import reports
from fleetflow.storage.database import check_schema, snapshot
from fleetflow.storage.fleet import as_uuids, read_fleet

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

FLEET_TIMEOUT_S = 60.0
"""The events of a million trips take many seconds; a list or a sum that takes as long is a fault."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose driving, and when: `since` None is ever, `group` None all drivers; days are those of the IANA zone."""

    database: str
    since: datetime | None
    zone: str
    group: str | None = None


@st.cache_data(ttl=FRESH_S, max_entries=64, show_spinner=False)
def leaderboard(database: str, version: int, since: datetime | None) -> pd.DataFrame:
    """See reports.read_leaderboard; with `events` (harsh events of all kinds) and `per_100_km`."""
    with reading(database) as conn:
        return reports.with_rates(reports.read_leaderboard(conn, version, since))


@dataclass(frozen=True, slots=True, eq=False)
class Fleet:
    """A period's events laid out for what-if, as they were at one moment (never changed, hence shared).

    `driver_ids` by number. What is worked out of it goes with this reading and no other: `number` is a part of its key.
    """

    number: int
    driver_ids: list[str]
    prepared: Prepared


def fleet(scope: Scope) -> Fleet:
    """The fleet in a scope, for a minute at least: tuning moves many sliders."""
    return _fleet(scope, at=moment(scope.database, least_s=FLEET_S))


@forgettable
@st.cache_resource(ttl=LONGEST_S, max_entries=4, show_spinner="Reading the fleet's events")
def _fleet(scope: Scope, *, at: int) -> Fleet:
    del at  # a part of the key
    with snapshot(link(scope.database).engine, statement_timeout_s=FLEET_TIMEOUT_S) as conn:
        check_schema(conn)
        found = read_fleet(conn, since=scope.since, zone=scope.zone, group_name=scope.group)
    driver_ids = [str(each) for each in as_uuids(found.driver_ids)]
    return Fleet(time.monotonic_ns(), driver_ids, prepare(found.events, found.trips))


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
