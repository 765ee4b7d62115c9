"""Events: what waits for a review, the most severe first; judged in a click or two, and never twice by accident."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import (
    components,
    data,
    downloads,
    fleet_view,
    inbox_address,
    inbox_table,
    inbox_view,
    reviewing,
    states,
    words,
)
from fleetflow.storage.inbox import Part

if TYPE_CHECKING:
    import pandas as pd

    from dashboard.inbox_address import View
    from fleetflow.storage.inbox import Inbox, InboxEvent
    from fleetflow.storage.profiles import StoredProfile

MOST_EXPORTED = 5_000


def main() -> None:
    """Head and filters, then the list with the open event beside it, or the table."""
    zone, now, view, database = components.zone(), datetime.now(UTC), inbox_address.current(), components.database()
    since = words.period_start(components.PERIODS[components.current_period()], zone, now)
    stored = data.active_profile(database)
    view, inbox = read(view, stored, since)
    with components.head("Events", caption(inbox, since, now, zone)):
        show_controls(view, stored, since)
    if data.newest_trip_at(database) is None:
        states.empty_fleet()
        return
    inbox_view.show_filters(view, database)
    reviewing.show_outcome()
    if view.as_table:
        show_table(view, inbox)
    else:
        show_inbox(view, inbox, stored, since)


def read(view: View, stored: StoredProfile, since: datetime | None) -> tuple[View, Inbox]:
    """The page that is asked for; the last one where the list has become shorter than that."""
    database, wanted = components.database(), view.wanted(since)
    inbox = data.inbox(database, stored.version, wanted, view.part)
    last = inbox_view.last_page(view, inbox.counts[view.tab])
    return (view, inbox) if view.page <= last else read(replace(view, page=last), stored, since)


def caption(inbox: Inbox, since: datetime | None, now: datetime, zone: str) -> str:
    """How many events there are, of when."""
    total = words.plural(sum(inbox.counts.values()), "harsh event")
    return f"{total} · {fleet_view.caption(since, now, zone)}"


def show_controls(view: View, stored: StoredProfile, since: datetime | None) -> None:
    """The period, inbox or table, and the download of the tab."""
    components.period_control()
    key = f"as_{view.as_table}"
    st.segmented_control(
        "Form", ["Inbox", "Table"], default="Table" if view.as_table else "Inbox", key=key, required=True,
        label_visibility="collapsed", format_func=words.segment,
        on_change=lambda: inbox_address.go(as_table=st.session_state[key] == "Table"),
    )  # fmt: skip
    downloads.buttons(
        lambda: export(view, stored, since),
        f"fleetflow-events-{view.tab}",
        f"The tab as filtered, at most {MOST_EXPORTED:,} events.",
    )


def export(view: View, stored: StoredProfile, since: datetime | None) -> pd.DataFrame:
    """The whole tab, not only the page."""
    database, wanted = components.database(), view.wanted(since)
    inbox = data.inbox(database, stored.version, wanted, Part(view.tab, view.order, MOST_EXPORTED))
    return inbox_table.frame(inbox.events, components.zone())


def show_table(view: View, inbox: Inbox) -> None:
    """Fifty at a time, judged together."""
    inbox_view.show_tabs(view, inbox)
    if inbox.events:
        inbox_table.show_table(inbox.events, view)
    else:
        inbox_view.show_nothing(view, inbox)


def show_inbox(view: View, inbox: Inbox, stored: StoredProfile, since: datetime | None) -> None:
    """The list, and the open event beside it (below, on a tablet)."""
    opened = open_event(view, inbox, stored)
    with st.grid(3, min_column_width=340, border=True) as grid:
        with grid.cell(column_span=2):
            inbox_view.show_tabs(view, inbox)
            if inbox.events:
                inbox_view.show_list(inbox.events, opened)
            else:
                inbox_view.show_nothing(view, inbox)
        with grid.cell():
            if opened is None:
                components.card_head("Event", "Nothing to look at")
            else:
                inbox_view.show_card(inbox.events, opened, stored, since)


def open_event(view: View, inbox: Inbox, stored: StoredProfile) -> InboxEvent | None:
    """The event of the address, wherever it is by now; else the first of the page."""
    if view.event is not None:
        found = next((each for each in inbox.events if each.event.id == view.event), None)
        found = found or data.inbox_event(components.database(), stored.version, view.event)
        if found is not None:
            return found
    return inbox.events[0] if inbox.events else None


main()
