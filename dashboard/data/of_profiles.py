"""Scoring profiles, and the runs that apply them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.data.connecting import FRESH_S, forgettable, reading
from fleetflow.storage import profiles, runs

if TYPE_CHECKING:
    from fleetflow.storage.profiles import Activation, StoredProfile
    from fleetflow.storage.runs import Run


@forgettable
@st.cache_resource(ttl=FRESH_S, max_entries=4, show_spinner=False)
def active_profile(database: str) -> StoredProfile:
    """The profile under which trips are scored now (immutable, hence shared rather than copied)."""
    with reading(database) as conn:
        return profiles.read_active(conn)


@forgettable
@st.cache_resource(ttl=FRESH_S, max_entries=4, show_spinner=False)
def profile_history(database: str) -> tuple[list[StoredProfile], list[Activation]]:
    """All profiles and which was active since when, both the newest first (shared)."""
    with reading(database) as conn:
        return profiles.list_profiles(conn), profiles.list_activations(conn)


def running_run(database: str) -> Run | None:
    """The re-score run that goes on; never from a cache, since its progress is watched."""
    with reading(database) as conn:
        return runs.read_running(conn)
