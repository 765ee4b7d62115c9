"""The card of one file on the upload page: what it is taken for, and everything that can be corrected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

import pandas as pd
import streamlit as st

from dashboard import actions, data, tables, upload_files, words
from dashboard.upload_files import Standing, TripFile
from dashboard.upload_list import show_badge
from dashboard.upload_outcome import show_outcome
from fleetflow.importers.roles import UNITS, Role

if TYPE_CHECKING:
    from fleetflow.importers.questions import Choice, Question

ALL_UNITS = sorted({unit for units in UNITS.values() for unit in units})
SHOWN_LINKS, MOST_ROWS = 5, 9


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
    if file.known:
        show_known(file)
    if file.standing is Standing.CONFLICT:
        show_conflict(file)
    if file.mapping is not None:
        show_whose(file, database)
        for question in file.questions:
            show_question(file, question)
        show_mapping(file)
    if file.preview is not None:
        show_outcome(file, database)
    if file.mapping is not None:
        show_saving(file, database)


def show_known(file: TripFile) -> None:
    """What of the file is here already, with the way to it."""
    some = f"{len(file.known):,} of {words.plural(len(file.known) + len(file.new_trips), 'trip')}"
    what = f"{some} of this file are stored already and are skipped" if file.new_trips else "The file is stored already"
    st.info(f"{what}: {_links(file.known)}.", icon=":material/content_copy:")


def _links(stored: dict[str, str]) -> str:
    trip_ids = list(stored.values())
    links = ", ".join(f"[trip {n}](/trip?trip={trip_id})" for n, trip_id in enumerate(trip_ids[:SHOWN_LINKS], 1))
    return links + (", …" if len(trip_ids) > SHOWN_LINKS else "")


def show_conflict(file: TripFile) -> None:
    """Trips that are stored with other values: nothing is overwritten, and nothing stored twice unasked."""
    differing = words.plural(len(file.conflicts), "trip")
    st.warning(
        f"**{differing} of this file begin when a stored trip of the same vehicle does, with other values.**  \n"
        f"Nothing that is stored changes. Compare {_links(file.conflicts)}; leave the file out, or keep both.",
        icon=":material/difference:",
    )
    st.button("Keep both", key=f"beside_{file.key}", on_click=upload_files.take_beside, args=[file.key])


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
            "unit": [words.NOTHING if use is None or not use.unit else use.unit for use in uses],
            "after": [each.after for each in preview.columns],
            "reason": [each.reason for each in preview.columns],
        }
    )
    key = f"columns_{file.key}_{hash(mapping.as_json())}"

    def take() -> None:
        upload_files.edit(file, st.session_state[key]["edited_rows"])

    st.data_editor(frame, key=key, hide_index=True, on_change=take, height=tables.height(len(frame), MOST_ROWS),
        disabled=["name", "first", "after", "reason"], column_config=_column_config())  # fmt: skip


def _column_config() -> dict[str, Any]:
    return {
        "name": st.column_config.TextColumn("In the file", width=105),
        "first": st.column_config.TextColumn("First values", width=100),
        "role": st.column_config.SelectboxColumn("Becomes", options=[each.value for each in Role], width=105,
            required=True),
        "unit": st.column_config.SelectboxColumn("Unit", options=[words.NOTHING, *ALL_UNITS], width=75),
        "after": st.column_config.TextColumn("After conversion", width=115),
        "reason": st.column_config.TextColumn("Why", width=160),
    }  # fmt: skip


def show_saving(file: TripFile, database: str) -> None:
    """Keep the mapping for files of this make."""
    if file.saved:
        st.caption(words.literal(f"The saved mapping “{file.saved}” was used."))
    with st.popover("Save this mapping", type="tertiary"), st.form(f"save_{file.key}", border=False):
        name = st.text_input("Name", value=file.saved, max_chars=100)
        if st.form_submit_button("Save") and name.strip() and file.mapping is not None and file.guessed is not None:
            actions.save_mapping(database, name.strip(), file.guessed.signature, file.mapping)
            st.toast("Saved. Files of this make are recognised from now on.")
