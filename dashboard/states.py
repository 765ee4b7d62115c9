"""What a page shows in place of what it is for: nothing yet, late scores, no database; and how it heals by itself."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import components, data, words
from fleetflow.access import AccessDeniedError
from fleetflow.errors import ConfigurationError, StorageUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streamlit.delta_generator import DeltaGenerator

RETRY_S = 5
DELAYED_S = 60.0
"""From then on a waiting score is late: a worker that is there takes a trip within seconds."""
FIRST_TRIP = """\
curl -X POST {api}/api/v1/telemetry -H 'Authorization: Bearer ff_...' -H 'Content-Type: application/json' -d '{{
  "vehicle_id": "3f1c0f4e-8f0b-4a51-9d3e-0c6a52a4e001", "driver_id": "9b2d7c1a-52de-4c6f-8a77-41b0f3c9e002",
  "data": [{{"speed_kmh": 50, "g_force_long": 0.1}}, {{"speed_kmh": 55, "g_force_long": -0.5}}]}}'"""


@contextmanager
def guarded() -> Iterator[None]:
    """Turn what an operator can act on into a sentence on the page, and try again by itself."""
    try:
        yield
    except StorageUnavailableError:
        _show_database_down()
    except ConfigurationError as error:
        st.error(str(error), icon=":material/build:")
        rerun_every(RETRY_S)
    except AccessDeniedError as error:
        st.error(str(error), icon=":material/lock:")


def _show_database_down() -> None:
    answered = data.last_answer_at(components.database())
    last = f" It last answered at {words.time_of_day(answered, components.zone())}." if answered else ""
    st.error(
        f"**The database does not answer.**{last} This page tries again every {RETRY_S} seconds.",
        icon=":material/cloud_off:",
    )
    rerun_every(RETRY_S)


def rerun_every(seconds: float) -> None:
    """Run the whole page again after so many seconds, and again, as long as it calls this."""
    drawn = time.monotonic()

    @st.fragment(run_every=seconds)
    def again() -> None:
        # The body also runs once while the page is drawn; only the timer's runs may restart it.
        if time.monotonic() - drawn > seconds / 2:
            st.rerun()

    again()


def card(icon: str, title: str, text: str) -> DeltaGenerator:
    """A card for a page or part that has nothing to show: what it is, why, and what to do; returns it for buttons."""
    frame = st.container(border=True, horizontal_alignment="center", gap="small")
    frame.space("small")
    frame.markdown(f":material/{icon}:", width="content")
    frame.markdown(f"**{title}**", text_alignment="center")
    frame.container(width=460).caption(text, text_alignment="center")
    inner = frame.container(horizontal_alignment="center")
    frame.space("small")
    return inner


def waiting_note() -> None:
    """Say when scores are on their way or late, and let the page follow them."""
    backlog = data.backlog(components.database())
    if not backlog.unscored:
        return
    trips = f"{words.plural(backlog.unscored, 'trip')} {'waits' if backlog.unscored == 1 else 'wait'} for a score"
    if (backlog.oldest_s or 0.0) > DELAYED_S and backlog.waiting:
        since = f"the oldest for {words.duration(backlog.oldest_s)}"
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(f":material/hourglass_bottom: **Scores are delayed.** {trips}, {since}.", width="content")
            st.space("stretch")
            components.link_to(components.OPERATIONS, "Operations", icon=":material/arrow_forward:")
    else:
        st.info(f"{trips}. This page follows by itself.", icon=":material/hourglass_top:")
    rerun_every(RETRY_S)


def empty_fleet() -> None:
    """What to do with a database that has no trip yet; the page fills in by itself."""
    inner = card(
        "directions_car",
        "No trips yet",
        "Scores appear here seconds after the first trip. Let a vehicle send to the API, or send a file yourself:",
    )
    with inner.container(width=620):
        st.code(".venv/bin/python -m fleetflow send FILE", language="bash")
        st.caption("or, with curl and a key that an admin made, the smallest trip there is:")
        st.code(FIRST_TRIP.format(api=components.api_url()), language="bash", wrap_lines=True)
    rerun_every(RETRY_S)
