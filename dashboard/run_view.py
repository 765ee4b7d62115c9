"""A re-score run while it goes on: its progress, and the way to stop it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import actions, data, viewers, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleetflow.storage.runs import Run

PROGRESS_S = 1.0
LEAST_S = 2.0
"""Before that the pace of a run says nothing of its end."""


def follow(database: str, when_over: Callable[[], None] = lambda: None) -> bool:
    """Show the run that goes on, if any, and draw the page anew once it is over; whether there is one."""
    if data.running_run(database) is None:
        return False

    @st.fragment(run_every=PROGRESS_S)
    def progress() -> None:
        run = data.running_run(database)
        if run is None:
            data.forget()
            when_over()
            st.rerun()
        else:
            _show(database, run)

    progress()
    return True


def _show(database: str, run: Run) -> None:
    share = min(run.done_trips / run.total_trips, 1.0) if run.total_trips else 1.0
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(width="stretch"):
            st.progress(share, describe(run, (datetime.now(UTC) - run.started_at).total_seconds()))
        if viewers.may("cancel_run") and st.button(
            "Cancel", help="What is scored stays; the active profile does not change."
        ):
            actions.cancel_run(database, run.id)
            st.rerun()


def describe(run: Run, elapsed_s: float) -> str:
    """How far a run is, and about how long it will take still."""
    said = (
        f"Applying profile {run.profile_version}: {words.integer(run.done_trips)} of"
        f" {words.plural(run.total_trips, 'trip')}"
    )
    left_s = time_left_s(run, elapsed_s)
    return said if left_s is None else f"{said}, about {words.duration(left_s)} left"


def time_left_s(run: Run, elapsed_s: float) -> float | None:
    """Seconds to its end at the pace so far; None while that says nothing."""
    if elapsed_s < LEAST_S or not run.done_trips:
        return None
    return max(run.total_trips - run.done_trips, 0) * elapsed_s / run.done_trips
