"""Pieces of the driver page: the notes of coaching, each with what changed after it, and the form for another."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import streamlit as st

from dashboard import actions, components, data, driver_charts, movements, words
from fleetflow.errors import FleetFlowError
from fleetflow.safety.ranking.movement import Badge
from fleetflow.storage.coaching import LONGEST_NOTE

if TYPE_CHECKING:
    from datetime import date

    from dashboard.driver_view import Subject
    from dashboard.movements import Row
    from fleetflow.storage.coaching import CoachingNote

MOST_NOTES = 8
"""So many notes are shown with their effect; each costs two looks at the whole fleet."""
EMPTY = "No note yet. A note marks the day; the change after it is worked out as trips come in."


def effect(subject: Subject, day: date) -> Row | None:
    """The driver's figures in the four weeks before and after a day; None where he drove in neither."""
    before, after = movements.around(day, subject.zone)
    found = data.comparison(subject.database, subject.stored.version, before, after, subject.zone)
    return movements.row_of(found, subject.driver_id)


def show_notes(subject: Subject, notes: list[CoachingNote]) -> None:
    """The notes that stand, the latest first, and under them those that were withdrawn."""
    caption = f"Points per 100 km in the {movements.COACHING_DAYS} days before and after each note"
    components.card_head("Coaching", caption)
    standing = [note for note in notes if note.withdrawn_at is None]
    if not standing:
        st.caption(EMPTY)
    effects = {note.id: effect(subject, note.coached_on) for note in standing[:MOST_NOTES]}
    reach = max((_highest(row) for row in effects.values() if row is not None), default=1.0)
    for note in standing[:MOST_NOTES]:
        _show_note(subject, note, effects[note.id], reach)
    older = [*standing[MOST_NOTES:], *(note for note in notes if note.withdrawn_at is not None)]
    if older:
        with st.expander(f"Older and withdrawn notes ({len(older)})"):
            for note in older:
                _show_old(note, subject.zone)


def _highest(row: Row) -> float:
    return max((each for each in (row["high_before"], row["high_after"]) if np.isfinite(each)), default=1.0)


def _show_note(subject: Subject, note: CoachingNote, row: Row | None, reach: float) -> None:
    with st.container(horizontal=True, vertical_alignment="top"):
        with st.container(width=330, gap="xsmall"):
            st.markdown(f"**{day_words(note.coached_on)}** · :gray[{words.literal(note.author)}]")
            st.text(note.note)
            st.badge(movements.change_words(row), color=_color(row))
            st.button(
                "Withdraw", key=f"withdraw_{note.id}", type="tertiary", icon=":material/undo:", on_click=_withdraw,
                args=(subject.database, note.id), help="The note stays in the history.",
            )  # fmt: skip
        with st.container(width=330):
            _show_effect(note, row, reach)


def _show_effect(note: CoachingNote, row: Row | None, reach: float) -> None:
    if row is None:
        st.caption("He did not drive in these weeks.")
        return
    components.chart(driver_charts.before_after(row, reach), key=f"note_{note.id}", alt=effect_words(row))


def effect_words(row: Row) -> str:
    """Before and after in a sentence."""
    before, after = (words.decimal(row[f"mean{suffix}"]) for suffix in (movements.BEFORE, movements.AFTER))
    return f"{before} points per 100 km before, {after} after. {movements.change_words(row)}."


def _color(row: Row | None) -> Literal["green", "gray"]:
    return "green" if row is not None and row["badge"] == Badge.IMPROVED else "gray"


def _show_old(note: CoachingNote, zone: str) -> None:
    gone = f" · withdrawn {words.day_and_time(note.withdrawn_at, zone)}" if note.withdrawn_at else ""
    st.markdown(f"**{day_words(note.coached_on)}** · :gray[{words.literal(note.author)}{gone}]")
    st.text(note.note)


def day_words(day: date) -> str:
    """13 Nov 2026."""
    return day.strftime("%-d %b %Y")


def show_form(subject: Subject) -> None:
    """The form for another note; what was refused is said, and the text stays."""
    components.card_head("Add a note")
    today = datetime.now(ZoneInfo(subject.zone)).date()
    key = f"note_of_{subject.driver_id}_{st.session_state.get('notes_added', 0)}"
    with st.form("coaching", border=False):
        text = st.text_area(
            "What was agreed", key=f"text_{key}", max_chars=LONGEST_NOTE, height=130,
            placeholder="What did you talk about, and what was agreed?",
        )  # fmt: skip
        day = st.date_input("Day", today, max_value=today, key=f"day_{key}", format="YYYY-MM-DD")
        asked = st.form_submit_button("Save note", type="primary", icon=":material/flag:")
    if asked and isinstance(day, type(today)):
        _save(subject, day, text)


def _save(subject: Subject, day: date, text: str) -> None:
    try:
        actions.add_note(subject.database, UUID(subject.driver_id), day, text)
    except FleetFlowError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.session_state["notes_added"] = st.session_state.get("notes_added", 0) + 1
    st.toast("Note saved")
    st.rerun()


def _withdraw(database: str, note_id: int) -> None:
    if actions.withdraw_note(database, note_id):
        st.toast("Note withdrawn; it stays in the history")
