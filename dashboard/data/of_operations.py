"""How the system is doing: the backlog, the workers, what failed, the runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.data.connecting import FRESH_S, forgettable, reading
from fleetflow.storage import backlog as backlogs
from fleetflow.storage import heartbeats, pace, runs

if TYPE_CHECKING:
    import pandas as pd

    from fleetflow.storage.backlog import Backlog
    from fleetflow.storage.heartbeats import SeenWorker
    from fleetflow.storage.runs import Run

WATCHED_S = 1
"""Whoever watches a queue empty wants to see it."""


@forgettable
@st.cache_resource(ttl=WATCHED_S, max_entries=4, show_spinner=False)
def backlog(database: str) -> Backlog:
    """How many trips wait, are in work and have failed (immutable, hence shared)."""
    with reading(database) as conn:
        return backlogs.read_backlog(conn)


@forgettable
@st.cache_resource(ttl=WATCHED_S, max_entries=4, show_spinner=False)
def workers(database: str) -> list[SeenWorker]:
    """The workers heard of within the last hour (shared)."""
    with reading(database) as conn:
        return heartbeats.list_workers(conn)


@st.cache_data(ttl=FRESH_S, max_entries=8, show_spinner=False)
def throughput(database: str, slot_s: int, slots: int) -> pd.DataFrame:
    """See pace.read_throughput."""
    with reading(database) as conn:
        return pace.read_throughput(conn, slot_s=slot_s, slots=slots)


@st.cache_data(ttl=FRESH_S, max_entries=4, show_spinner=False)
def failures(database: str, limit: int) -> pd.DataFrame:
    """See pace.list_failed."""
    with reading(database) as conn:
        return pace.list_failed(conn, limit)


@forgettable
@st.cache_resource(ttl=WATCHED_S, max_entries=4, show_spinner=False)
def newest_runs(database: str, limit: int) -> list[Run]:
    """The newest re-score runs (shared)."""
    with reading(database) as conn:
        return runs.list_runs(conn, limit)
