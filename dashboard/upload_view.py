"""The parts of the upload page: the list of files, the card of the one that is looked at, and the way to the scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

import pandas as pd
import streamlit as st

from dashboard import actions, components, data, upload_charts, upload_files, words
from dashboard.upload_files import Standing, TripFile
from fleetflow.importers.roles import UNITS, Role
from fleetflow.safety.scores import score_trip

if TYPE_CHECKING:
    from collections.abc import Callable

    from dashboard.upload_sending import Sent
    from fleetflow.importers.guessing import Choice, Question
    from fleetflow.importers.preview import TripPreview
    from fleetflow.storage.uploads import TripWay

TYPES = ["csv", "txt", "tsv", "json", "ndjson", "jsonl", "gz", "parquet", "xlsx", "gpx", "xml", "log"]
BADGES: dict[Standing, tuple[str, Any]] = {
    Standing.READY: (":material/check:", "green"),
    Standing.CHECK: (":material/priority_high:", "yellow"),
    Standing.WHO: (":material/person:", "yellow"),
    Standing.KNOWN: (":material/content_copy:", "blue"),
    Standing.REFUSED: (":material/block:", "red"),
    Standing.OUT: (":material/remove:", "gray"),
}
SHOWN_REFUSALS = 1000
ALL_UNITS = sorted({unit for units in UNITS.values() for unit in units})
FORMATS = (
    "CSV with any separator, JSON, NDJSON, Parquet, XLSX, GPX, OpenXC traces, SAE J2735 messages; also packed as .gz."
    " Up to 50 MB a file, 20 files at once and 200,000 points a trip."
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


def show_card(file: TripFile, database: str) -> None:
    """All of one file, and everything that can be corrected."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(words.literal(file.name), anchor=False)
        st.space("stretch")
        show_badge(file)
        label = "Take in" if file.standing is Standing.OUT else "Leave out"
        st.button(label, type="tertiary", on_click=upload_files.leave_out, args=[file.key])
    if file.preview is None:
        st.error(words.literal(file.refusal), icon=":material/block:")
    if file.mapping is not None:
        show_whose(file, database)
        for question in file.questions:
            show_question(file, question)
        show_mapping(file)
    if file.preview is not None:
        show_outcome(file, database)
    if file.mapping is not None:
        show_saving(file, database)


def show_whose(file: TripFile, database: str) -> None:
    """Driver, vehicle and zone, where the file does not say them."""
    drivers, vehicles = data.roster_names(database)
    zone_known = not any("carry no zone" in note for note in (file.preview.notes if file.preview else []))
    with st.grid(3, min_column_width=160) as grid:
        with grid.cell():
            _who(file, "Driver", "driver", drivers, Role.DRIVER)
        with grid.cell():
            _who(file, "Vehicle", "vehicle", vehicles, Role.VEHICLE)
        with grid.cell():
            _zone(file, disabled=zone_known)


def _who(file: TripFile, label: str, name: str, names: dict[str, str], role: Role) -> None:
    mapping = file.mapping
    assert mapping is not None  # noqa: S101  # only files with a mapping are asked
    if mapping.column(role) is not None:
        st.selectbox(label, [f"by column {mapping.column(role)}"], disabled=True, key=f"{name}_{file.key}")
        return
    key, now = f"{name}_{file.key}", getattr(mapping, name)

    def take() -> None:
        picked = (st.session_state[key] or "").strip()
        upload_files.choose_who(file, name, next((each for each, its in names.items() if its == picked), picked))

    options = sorted({*names.values(), *([names.get(now, now)] if now else [])})
    st.selectbox(label, options, index=options.index(names.get(now, now)) if now else None, key=key, on_change=take,
        accept_new_options=True, placeholder="Choose or type a name")  # fmt: skip


def _zone(file: TripFile, *, disabled: bool) -> None:
    mapping, key = file.mapping, f"zone_{file.key}"
    assert mapping is not None  # noqa: S101  # only files with a mapping are asked
    if disabled:
        st.selectbox("Time zone", ["by the times"], disabled=True, key=key)
        return

    def take() -> None:
        upload_files.change(file, zone=st.session_state[key])

    zones = sorted({*available_timezones(), mapping.zone})
    st.selectbox("Time zone", zones, index=zones.index(mapping.zone), key=key, on_change=take,
        help="The times in this file carry no zone.")  # fmt: skip


def show_question(file: TripFile, question: Question) -> None:
    """A guess as a question with its evidence; each answer is one click."""
    st.warning(f"**{words.literal(question.title)}**  \n{words.literal(question.evidence)}", icon=":material/help:")
    with st.container(horizontal=True):
        for number, choice in enumerate(question.choices):
            _answer_button(file, question, choice, f"answer_{file.key}_{question.title}_{number}")


def _answer_button(file: TripFile, question: Question, choice: Choice, key: str) -> None:
    st.button(words.literal(choice.label), key=key, on_click=upload_files.answer, args=[file, question, choice])


def show_mapping(file: TripFile) -> None:
    """The columns and their use, to be corrected in place."""
    preview, mapping = file.preview or file.guessed, file.mapping
    if preview is None or mapping is None:
        return
    uses = [mapping.uses.get(each.name) for each in preview.columns]
    frame = pd.DataFrame(
        {
            "name": [each.name for each in preview.columns],
            "first": [each.first for each in preview.columns],
            "role": [Role.UNUSED.value if use is None else use.role.value for use in uses],
            "unit": ["" if use is None else use.unit for use in uses],
            "after": [each.after for each in preview.columns],
            "reason": [each.reason for each in preview.columns],
        }
    )
    key = f"columns_{file.key}_{hash(mapping.as_json())}"

    def take() -> None:
        upload_files.edit(file, st.session_state[key]["edited_rows"])

    st.data_editor(frame, key=key, hide_index=True, on_change=take, height=min(38 + 35 * len(frame), 320),
        disabled=["name", "first", "after", "reason"], column_config=_column_config())  # fmt: skip


def _column_config() -> dict[str, Any]:
    return {
        "name": st.column_config.TextColumn("In the file", width=105),
        "first": st.column_config.TextColumn("First values", width=100),
        "role": st.column_config.SelectboxColumn("Becomes", options=[each.value for each in Role], width=105,
            required=True),
        "unit": st.column_config.SelectboxColumn("Unit", options=["", *ALL_UNITS], width=75),
        "after": st.column_config.TextColumn("After conversion", width=115),
        "reason": st.column_config.TextColumn("Why", width=160),
    }  # fmt: skip


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
    begins = words.day_and_time(trip.started_at, components.zone())
    rate = words.decimal(trip.sample_hz, 1, "Hz")
    facts = f"{begins}, {words.kilometres(trip.distance_km)}, {words.duration(trip.duration_s)}, {rate}"
    st.caption(words.literal(
        f"Trip {place + 1} of {total}, as it would be stored: {facts}, score {score} under {profile.name}."
        f" Signals: {trip.quality}. This is a dry run."
    ))  # fmt: skip
    for reason in trip.reasons:
        st.caption(words.literal(reason))


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
        st.dataframe(frame.head(SHOWN_REFUSALS), hide_index=True, column_config=names, height=220)
        note = words.plural(len(frame), "row") + (" of these" if len(frame) < preview.refused_count else "")
        components.csv_footer(frame, note, f"refused-{words.file_name(file.name)}.csv")


def show_saving(file: TripFile, database: str) -> None:
    """Keep the mapping for files of this make."""
    if file.saved:
        st.caption(words.literal(f"The saved mapping “{file.saved}” was used."))
    with st.popover("Save this mapping", type="tertiary"), st.form(f"save_{file.key}", border=False):
        name = st.text_input("Name", value=file.saved, max_chars=100)
        if st.form_submit_button("Save") and name.strip() and file.mapping is not None and file.guessed is not None:
            actions.save_mapping(database, name.strip(), file.guessed.signature, file.mapping)
            st.toast("Saved. Files of this make are recognised from now on.")


def show_ways(sent: list[Sent], ways: list[TripWay]) -> None:
    """Every trip's way to its score."""
    names = {trip_id: each.name for each in sent for trip_id in each.trip_ids}
    frame = pd.DataFrame(
        {
            "file": [names[way.trip_id] for way in ways],
            "driver": [words.driver(way.driver, str(way.driver_id)) for way in ways],
            "start": [words.day_and_time(way.started_at, components.zone()) for way in ways],
            "km": [way.distance_km for way in ways],
            "way": [STATES[way.status] for way in ways],
            "score": [way.score for way in ways],
            "open": [f"/trip?trip={way.trip_id}" for way in ways],
        }
    )
    st.dataframe(frame, hide_index=True, column_config={
        "file": "File", "driver": "Driver", "start": "Start",
        "km": st.column_config.NumberColumn("km", format="%.1f"), "way": "Way",
        "score": st.column_config.ProgressColumn("Score", min_value=0, max_value=100, format="%d"),
        "open": st.column_config.LinkColumn("", display_text="Open"),
    })  # fmt: skip


STATES = {"PENDING": "Received", "PROCESSING": "Being scored", "COMPLETED": "Scored", "FAILED": "Failed"}
