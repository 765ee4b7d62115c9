"""What an admin has decided for everybody, as it holds now."""

from __future__ import annotations

import streamlit as st

from dashboard.data.connecting import FRESH_S, reading
from fleetflow.storage.policy import Policy, read_policy


@st.cache_data(ttl=FRESH_S, max_entries=8, show_spinner=False)
def policy(database: str, configured: Policy) -> Policy:
    """See storage.policy.read_policy."""
    with reading(database) as conn:
        return read_policy(conn, configured)
