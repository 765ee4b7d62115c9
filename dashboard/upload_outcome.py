"""What a file on the upload page would come to: its trips as they would be stored, and the rows that would not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from dashboard import components, data, upload_charts, words
from fleetflow.safety.scores import score_trip

if TYPE_CHECKING:
    from dashboard.upload_files import TripFile
    from fleetflow.importers.preview import TripPreview

SHOWN_REFUSALS = 1000


def show_outcome(file: TripFile, database: str) -> None:
    """What it would come to: a plot, notes, and the rows that are refused."""
    preview = file.preview
    assert preview is not None  # noqa: S101  # see the caller
    for note in preview.notes:
        st.caption(words.literal(note))
    drawn = [trip for trip in preview.trips if trip.drawing is not None]
    if drawn:
        show_trip(file, drawn, database)
    if preview.refusals:
        show_refusals(file)


def show_trip(file: TripFile, trips: list[TripPreview], database: str) -> None:
    """One trip as it would be stored."""
    place = 0
    if len(trips) > 1:
        place = st.pagination(len(trips), key=f"trip_{file.key}", max_visible_pages=0) - 1
    trip, profile = trips[place], data.active_profile(database).profile
    score = score_trip(trip.events, profile).safety_score
    components.chart(upload_charts.trip_figure(trip, profile, components.zone()), key=f"plot_{file.key}_{place}",
        alt=f"Speed and longitudinal g of trip {place + 1}; it would score {score}.")  # fmt: skip
    total = len(file.preview.trips) if file.preview else 0
    kept, run = ("as it is stored", "") if trip.fingerprint in file.known else ("as it would be stored", " A dry run.")
    st.caption(words.literal(
        f"Trip {place + 1} of {total}, {kept}: {_facts(trip)}score {score} under {profile.name}."
        f" Signals: {trip.quality}.{run}"
    ))  # fmt: skip
    for reason in trip.reasons:
        st.caption(words.literal(reason))


def _facts(trip: TripPreview) -> str:
    """What is known of the trip; one without a clock has no start, length or rate."""
    facts = (
        words.day_and_time(trip.started_at, components.zone()), words.kilometres(trip.distance_km),
        words.duration(trip.duration_s), words.decimal(trip.sample_hz, 1, "Hz"),
    )  # fmt: skip
    return "".join(f"{fact}, " for fact in facts if fact != words.NOTHING)


def show_refusals(file: TripFile) -> None:
    """The rows that are left out, with the download of all that are kept."""
    preview = file.preview
    assert preview is not None  # noqa: S101  # see the caller
    frame = pd.DataFrame(
        [(each.line, each.column, each.value, each.reason) for each in preview.refusals],
        columns=["line", "column", "value", "reason"],
    )
    with st.expander(f"{words.plural(preview.refused_count, 'row')} refused"):
        names = {"line": "Line", "column": "Column", "value": "Value", "reason": "Why"}
        st.dataframe(
            frame.head(SHOWN_REFUSALS), placeholder=words.NOTHING, hide_index=True, column_config=names, height=220
        )
        note = words.plural(len(frame), "row") + (" of these" if len(frame) < preview.refused_count else "")
        components.csv_footer(frame, note, f"refused-{words.file_name(file.name)}.csv")
