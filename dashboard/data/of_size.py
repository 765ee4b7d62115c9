"""How long an answer about the whole fleet holds: the larger the fleet, the longer it takes and the less it changes."""

from __future__ import annotations

import time

import streamlit as st

from dashboard.data.connecting import FLEET_S, FRESH_S, reading
from fleetflow.storage import reports

HOLDS_S = (FRESH_S, 10, 30, 60, 120, 300)
LONGEST_S = HOLDS_S[-1]
S_PER_TRIP = 40 / 100_000
"""Adding up a hundred thousand trips takes a second: the database spends a few hundredths of its time on it."""


def moment(database: str, *, least_s: int = FRESH_S) -> int:
    """A part of a key that changes when an answer about the whole fleet is to be made anew."""
    return int(time.time() // hold_s(_trips(database), least_s))


def hold_s(trips: float, least_s: int = FRESH_S) -> int:
    """For how many seconds; in steps, so that a fleet that grows by a trip keeps its answers."""
    return max(step for step in HOLDS_S if step <= max(trips * S_PER_TRIP, least_s))


@st.cache_data(ttl=FLEET_S, max_entries=4, show_spinner=False)
def _trips(database: str) -> float:
    """How many trips there are, as Postgres estimates them."""
    with reading(database) as conn:
        return reports.estimate_trips(conn)
