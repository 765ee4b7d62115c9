"""Audit log: who did what, when and from where, to be searched and exported."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import components, data, downloads, states, words

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

MOST_ENTRIES = 1000
MOST_EXPORTED = 100_000


def main() -> None:
    """Filters, the state of the chain, then the entries."""
    zone, now = components.zone(), datetime.now(UTC)
    since = words.period_start(components.PERIODS[components.current_period()], zone, now)
    with components.head("Audit log", f"Entries are added and never changed; {words.zone_note(zone)}"):
        components.period_control()
    database = components.database()
    show_chain(database)
    text, action = filters(database)
    wanted = partial(data.audit_entries, database, text=text, action=action, since=since)
    found = wanted(limit=MOST_ENTRIES)
    if found.empty:
        states.card("search_off", "No such entry", "Another period or other words may find more.")
        return
    show_entries(found, zone, lambda: exported(wanted(limit=MOST_EXPORTED)))


def show_chain(database: str) -> None:
    """Whether the log is as it was written."""
    broken = data.broken_audit_entry(database)
    if broken is not None:
        text = f"The log was changed: entry {broken} does not follow from the one before."
        st.error(text, icon=":material/gpp_bad:")


def filters(database: str) -> tuple[str, str | None]:
    """The words to look for, and the kind of entry."""
    with st.container(horizontal=True):
        text = st.text_input("Search", placeholder="Who, from where, what", icon=":material/search:", width=320)
        action = st.selectbox(
            "Kind", data.audit_actions(database), index=None, placeholder="All kinds", format_func=in_words, width=220
        )
    return text.strip(), action


def show_entries(found: pd.DataFrame, zone: str, export: Callable[[], pd.DataFrame]) -> None:
    """The entries, the newest first, and the download of all that were found."""
    local = found["at"].dt.tz_convert(zone).dt.tz_localize(None)
    shown = exported(found).assign(at=local, action=found["action"].map(in_words))
    with st.container(border=True):
        st.dataframe(shown, placeholder=words.NOTHING, hide_index=True, column_config=COLUMNS, key="audit")
        note = f"{len(found):,} {'entry' if len(found) == 1 else 'entries'}, the newest first."
        if len(found) == MOST_ENTRIES:
            note = f"The newest {MOST_ENTRIES:,} entries; a file holds all that were found, at most {MOST_EXPORTED:,}."
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(note, width="content")
            st.space("stretch")
            downloads.buttons(export, "fleetflow-audit")


def exported(found: pd.DataFrame) -> pd.DataFrame:
    """The entries with their values as text."""
    return found.assign(before=found["before"].map(as_text), after=found["after"].map(as_text))


COLUMNS = {
    "id": st.column_config.NumberColumn("No.", format="%d", width=60),
    "at": st.column_config.DatetimeColumn("When", format="D MMM YYYY, HH:mm:ss", width=160),
    "actor": st.column_config.TextColumn("Who", width=160),
    "address": st.column_config.TextColumn("From", width=110),
    "action": st.column_config.TextColumn("What", width=140),
    "subject": st.column_config.TextColumn("Of what", width=160),
    "before": st.column_config.TextColumn("Before", width=200),
    "after": st.column_config.TextColumn("After", width=200),
}


def in_words(action: str) -> str:
    """An action's name as people read it."""
    return action.replace("_", " ")


def as_text(values: object) -> str:
    """What was stored with an entry, in a line."""
    return "" if values is None else json.dumps(values, ensure_ascii=False, sort_keys=True)


main()
