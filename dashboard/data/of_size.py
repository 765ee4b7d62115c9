"""How long an answer about the whole fleet holds: the larger the fleet, the less a new trip changes it."""

from __future__ import annotations

import time

import streamlit as st

from dashboard.data.connecting import FLEET_S, FRESH_S, reading
from fleetflow.storage import reports

LARGE_TRIPS = 20_000
"""From so many trips on, adding them up takes a good part of a second, and one more moves no figure that is shown."""
LARGE_S = 30


def moment(database: str) -> int:
    """A part of a key that changes when an answer about the whole fleet is to be made anew."""
    return int(time.time() // (LARGE_S if is_large(database) else FRESH_S))


@st.cache_data(ttl=FLEET_S, max_entries=4, show_spinner=False)
def is_large(database: str) -> bool:
    """Whether the fleet has many trips, as Postgres estimates them."""
    with reading(database) as conn:
        return reports.estimate_trips(conn) > LARGE_TRIPS
