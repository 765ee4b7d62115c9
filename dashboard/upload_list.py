"""The upload page before and beside a file's card: what may come, and the list of what came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard import upload_charts, words
from dashboard.upload_files import Standing, TripFile

if TYPE_CHECKING:
    from collections.abc import Callable

TYPES = ["csv", "txt", "tsv", "json", "ndjson", "jsonl", "gz", "parquet", "xlsx", "gpx", "xml", "log", "npy"]
BADGES: dict[Standing, tuple[str, Any]] = {
    Standing.READY: (":material/check:", "green"),
    Standing.CHECK: (":material/priority_high:", "yellow"),
    Standing.WHO: (":material/person:", "yellow"),
    Standing.CONFLICT: (":material/difference:", "orange"),
    Standing.KNOWN: (":material/content_copy:", "blue"),
    Standing.REFUSED: (":material/block:", "red"),
    Standing.OUT: (":material/remove:", "gray"),
}
FORMATS = (
    "CSV with any separator, JSON, NDJSON, Parquet, XLSX, GPX, numpy arrays, OpenXC traces, SAE J2735 messages; also"
    " packed as .gz. Up to 50 MB a file, 20 files at once and 200,000 points a trip."
)
PROMISES = (
    (
        "table_view",
        "Any columns",
        (
            "Names, units and the direction of the axes are guessed, with the reason, and you can correct them."
            " Without an accelerometer the change of speed stands in for it."
        ),
    ),
    (
        "content_copy",
        "Twice is once",
        (
            "A trip that is already here is recognised by its content and skipped."
            " An upload that was interrupted can be loaded again."
        ),
    ),
    (
        "rule",
        "Faults by row",
        "Rows that cannot be right are listed with their line, column and reason; the rest of the file still loads.",
    ),
)


def show_promises() -> None:
    """What to expect, before there is a file."""
    with st.grid(3, min_column_width=240, border=True) as grid:
        for icon, title, text in PROMISES:
            with grid.cell():
                st.markdown(f":material/{icon}: **{title}**")
                st.caption(text)


def show_list(files: list[TripFile], chosen: TripFile, choose: Callable[[str], None]) -> None:
    """A row per file: silhouette, name, badge, what it is."""
    for file in files:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            trips = file.preview.trips if file.preview else []
            st.markdown(upload_charts.silhouette(trips[0].drawing if trips else None), width=68)
            with st.container(gap=None, width="stretch"):
                st.markdown(f"**{words.literal(file.name)}**")
                show_badge(file)
                st.caption(brief(file))
            kind: Any = "primary" if file is chosen else "secondary"
            st.button("Show", key=f"show_{file.key}", type=kind, on_click=choose, args=[file.key])


def show_badge(file: TripFile) -> None:
    """What the file waits for."""
    icon, color = BADGES[file.standing]
    known = f"{len(file.known)} are known" if file.known and file.new_trips else ""
    st.badge(known or file.standing.value, icon=icon, color="blue" if known else color)


def brief(file: TripFile) -> str:
    """Format, trips and rows in one line."""
    preview = file.preview
    if preview is None:
        return words.literal(file.refusal)
    refused = f" · {words.plural(preview.refused_count, 'row')} refused" if preview.refused_count else ""
    trips, rows = words.plural(len(preview.trips), "trip"), words.plural(preview.row_count, "row")
    return words.literal(f"{preview.format} · {trips} · {rows}{refused}")
