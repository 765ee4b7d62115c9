"""The way of loaded trips to their scores, and what did not go as the others."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from dashboard import components, words

if TYPE_CHECKING:
    from dashboard.upload_sending import Sent
    from fleetflow.storage.uploads import TripWay

STATES = {"PENDING": "Received", "PROCESSING": "Being scored", "COMPLETED": "Scored", "FAILED": "Failed"}
SHOWN_FAILURES = 5
NO_START = datetime.min.replace(tzinfo=UTC)


def show_ways(sent: list[Sent], ways: list[TripWay]) -> None:
    """Every trip's way to its score."""
    names = {trip_id: each.name for each in sent for trip_id in each.trip_ids}
    files = list(dict.fromkeys(names.values()))
    ways = sorted(ways, key=lambda way: (files.index(names[way.trip_id]), way.started_at or NO_START))
    frame = pd.DataFrame(
        {
            "driver": [words.driver(way.driver, str(way.driver_id)) for way in ways],
            "start": [words.day_and_time(way.started_at, components.zone()) for way in ways],
            "way": [STATES[way.status] for way in ways],
            "score": [way.score for way in ways],
            "open": [f"/trip?trip={way.trip_id}" for way in ways],
            "km": [way.distance_km for way in ways],
            "file": [names[way.trip_id] for way in ways],
        }
    )
    st.dataframe(frame, placeholder=words.NOTHING, hide_index=True, column_config={
        "driver": "Driver", "start": "Start", "way": "Way",
        "score": st.column_config.ProgressColumn("Score", min_value=0, max_value=100, format="%d"),
        "open": st.column_config.LinkColumn("Trip", display_text="Open", width=60),
        "km": st.column_config.NumberColumn("km", format="%.1f"), "file": "File",
    })  # fmt: skip


def show_result(sent: Sent) -> None:
    """What did not go as the others."""
    if sent.known:
        st.caption(words.literal(f"{sent.name}: {words.plural(sent.known, 'trip')} were here already."))
    for problem in [*sent.failures[:SHOWN_FAILURES], *filter(None, [sent.shortfall])]:
        st.error(words.literal(f"{sent.name}: {problem}"), icon=":material/block:")
