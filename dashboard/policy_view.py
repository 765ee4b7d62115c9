"""The part of the administration page about what holds for everybody and may change while FleetFlow runs."""

from __future__ import annotations

import streamlit as st

from dashboard import actions, components, data
from dashboard.admin_view import attempt
from fleetflow.storage.policy import FOR_GOOD, Policy

LONGEST_DAYS, MOST_FILES = 36_500, 100_000
CAPTION = (
    "Holds within seconds on every page, and within ten minutes for what workers remove. Until saved, the programs'"
    " settings decide."
)


def show_policy(database: str) -> None:
    """A form with all of it, and the way back to the settings of the programs."""
    configured = components.configured_policy()
    now = data.policy(database, configured)
    with st.container(border=True):
        components.card_head("For everybody", CAPTION)
        with st.form("policy", border=False):
            chosen = _fields(now)
            saved = st.form_submit_button("Save", type="primary")
        if saved and chosen != now:
            attempt(lambda: actions.set_policy(database, chosen, now))
        if now != configured and st.button("Back to the settings", type="tertiary", icon=":material/undo:"):
            attempt(lambda: actions.forget_policy(database, now))


def _fields(now: Policy) -> Policy:
    days = st.number_input(
        "Days that a trip's samples are kept",
        FOR_GOOD, LONGEST_DAYS, now.keep_samples_days, width=320,
        help="0: for good. Events, scores and distance stay in any case; what was removed cannot be brought back.",
    )  # fmt: skip
    files = st.number_input(
        "Files that one person may upload in an hour", 1, MOST_FILES, now.upload_files_per_hour, width=320
    )
    hidden = st.toggle(
        "Show drivers by a part of their id instead of by name",
        now.pseudonyms,
        help="On all pages but Administration and the audit log, for everybody.",
    )
    return Policy(int(days), hidden, int(files))
