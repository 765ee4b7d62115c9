"""Pieces of the events page: filters, tabs, the list with a trace and two buttons a row, the open event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from dashboard import components, data, event_card, inbox_address, look, reviewing, states, traces, words
from fleetflow.safety.events import EventKind
from fleetflow.storage.inbox import Order, Tab

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import pandas as pd

    from dashboard.inbox_address import View
    from fleetflow.storage.inbox import Inbox, InboxEvent
    from fleetflow.storage.profiles import StoredProfile

TAB_WORDS = {Tab.TO_REVIEW: "To review", Tab.DOUBTFUL: "Doubtful", Tab.REVIEWED: "Reviewed"}
ORDER_WORDS = {Order.SEVERE: "Most severe first", Order.NEWEST: "Newest first"}
TRACE_PX, TEXT_PX, MARGIN_PX = 126, 252, 74
HELP = (
    "Severity is the peak relative to the threshold of the vehicle's class. Doubtful events have a reason why they may"
    " not be real and do not count until somebody confirms them. Trips with unusable signals are left out."
)


def show_filters(view: View, database: str) -> None:
    """Kind, group, order and a search; each goes into the address."""
    with st.container(horizontal=True, vertical_alignment="center"):
        _kinds(view)
        st.space("stretch")
        groups = data.groups(database)
        if groups:
            _select("group", ["", *groups], view.group, lambda each: each or "All groups")
        _select("order", list(Order), view.order, ORDER_WORDS.__getitem__)
        _search(view)


def _kinds(view: View) -> None:
    key = f"kinds_{','.join(view.kinds)}"
    st.pills(
        "Kinds", list(look.KINDS), selection_mode="multi", default=list(view.kinds), key=key,
        format_func=lambda kind: f"{look.KINDS[kind].colored_sign} {look.KINDS[kind].noun}",
        label_visibility="collapsed", on_change=lambda: inbox_address.go(kinds=_chosen_kinds(st.session_state[key])),
    )  # fmt: skip


def _chosen_kinds(picked: Sequence[EventKind]) -> tuple[EventKind, ...]:
    return tuple(kind for kind in EventKind if kind in picked)


def _select(name: str, options: list[Any], current: Any, format_func: Any) -> None:
    key = f"{name}_{current}"
    st.selectbox(
        name.capitalize(), options, index=options.index(current) if current in options else 0, key=key, width=170,
        format_func=format_func, label_visibility="collapsed",
        on_change=lambda: inbox_address.go(**{name: st.session_state[key]}),
    )  # fmt: skip


def _search(view: View) -> None:
    key = f"search_{view.search}"
    st.text_input(
        "Driver or vehicle", value=view.search, key=key, placeholder="Driver or vehicle", icon=":material/search:",
        label_visibility="collapsed", width=200, max_chars=inbox_address.LONGEST_SEARCH,
        on_change=lambda: inbox_address.go(search=st.session_state[key].strip()),
    )  # fmt: skip


def show_tabs(view: View, inbox: Inbox) -> None:
    """The three tabs with their counts, and the way through the pages."""
    with st.container(horizontal=True, vertical_alignment="center"):
        key = f"tab_{view.tab}"
        st.segmented_control(
            "Tab", list(Tab), default=view.tab, key=key, required=True, label_visibility="collapsed",
            format_func=lambda tab: words.segment(f"{TAB_WORDS[tab]} {words.integer(inbox.counts[tab])}"),
            on_change=lambda: inbox_address.go(tab=st.session_state[key]),
        )  # fmt: skip
        st.space("stretch")
        show_pages(view, inbox.counts[view.tab])


def show_pages(view: View, total: int) -> None:
    """Which of how many are shown, and the arrows."""
    pages = last_page(view, total)
    if pages > 1:
        key = f"page_{view.page}_{total}"
        st.pagination(
            pages, default=min(view.page, pages), max_visible_pages=0, key=key,
            on_change=lambda: inbox_address.go(page=st.session_state[key]),
        )  # fmt: skip
    if total:
        first = (view.page - 1) * view.rows + 1
        last = min(first + view.rows - 1, total)
        said = f"{words.integer(first)} to {words.integer(last)} of {words.integer(total)}"
        st.caption(said, width="content", help=HELP)


def last_page(view: View, total: int) -> int:
    """The number of the last page, 1 for an empty list."""
    return max(-(-total // view.rows), 1)


def show_list(events: Sequence[InboxEvent], opened: InboxEvent | None) -> None:
    """A row per event: its trace, whose and when, by how much, and the buttons."""
    moments = data.moments(components.database(), tuple(each.event.id or 0 for each in events))
    for number, each in enumerate(events):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"row_{number}"):
            _show_row(each, moments.get(each.event.id or 0), opened=each == opened, then=following(events, each))


def _show_row(each: InboxEvent, moment: pd.DataFrame | None, *, opened: bool, then: int | None) -> None:
    kind_look = look.KINDS[each.event.kind]
    st.markdown(traces.markdown(each.event, moment, each.threshold), width=TRACE_PX)
    names = words.driver(each.driver_name, each.driver_id), words.vehicle(each.vehicle_name, each.vehicle_id)
    who, vehicle = (name.removeprefix("Simulated ") for name in names)
    place = f"{who} · {vehicle} · {event_card.short_when(each, components.zone())}"
    st.markdown(
        f"{kind_look.colored_sign} **{kind_look.label}** {words.peak(each.event)}  \n"
        f":small[:gray[{words.literal(place)}]]",
        width=TEXT_PX,
    )  # fmt: skip
    st.space("stretch")
    over = words.signed(each.event.peak - each.threshold, kind_look.digits)
    st.markdown(
        f"**{over} {kind_look.unit}**  \n:small[:gray[over {words.decimal(each.threshold, kind_look.digits)}]]",
        width=MARGIN_PX, text_alignment="right",
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center", width="content", gap="xsmall"):
        _show_row_buttons(each, opened=opened, then=then)


def _show_row_buttons(each: InboxEvent, *, opened: bool, then: int | None) -> None:
    """In a box of their own, so that they stay together where the row is too narrow for them."""
    if each.event.review is None:
        reviewing.buttons(each.event, key=f"row_{each.event.id}", quiet=True, then=lambda: inbox_address.go(event=then))
    else:
        st.markdown(reviewing.badge(each.event, each.reason), width="content")
        reviewing.undo_button([each.event], key=f"undo_{each.event.id}", type="tertiary")
    kind: Literal["primary", "secondary"] = "primary" if opened else "secondary"
    st.button("Show", key=f"show_{each.event.id}", type=kind, on_click=_open, args=(each,))


def _open(each: InboxEvent) -> None:
    reviewing.forget_outcome()
    inbox_address.go(event=each.event.id)


def following(events: Sequence[InboxEvent], each: InboxEvent) -> int | None:
    """The event to open once this one is judged: the next of the page, else the one before."""
    ids = [other.event.id for other in events]
    at = ids.index(each.event.id) if each.event.id in ids else -1
    rest = ids[at + 1 :] + ids[max(at - 1, 0) : max(at, 0)]
    return rest[0] if rest else None


def show_card(events: Sequence[InboxEvent], opened: InboxEvent, stored: StoredProfile, since: datetime | None) -> None:
    """The open event, with the way to the one before and the next."""
    ids = [other.event.id for other in events]
    at = ids.index(opened.event.id) if opened.event.id in ids else None
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(reviewing.kind_title(opened.event), anchor=False, width="content")
        st.space("stretch")
        before = ids[at - 1] if at else None
        after = ids[at + 1] if at is not None and at + 1 < len(ids) else None
        for label, target, shortcut in (("Previous", before, "k"), ("Next", after, "j")):
            st.button(
                label, key=f"step_{label}", type="tertiary", disabled=target is None, shortcut=shortcut,
                on_click=inbox_address.go, kwargs={"event": target},
            )  # fmt: skip
    next_id = following(events, opened)
    event_card.show(opened, stored, since, then=lambda: inbox_address.go(event=next_id))


def show_nothing(view: View, inbox: Inbox) -> None:
    """Why the list is empty, and what to do."""
    if view.filtered and not any(inbox.counts.values()):
        inner = states.card("filter_alt_off", "No event fits the filters", "Another period may have some.")
        inner.button("Clear filters", on_click=inbox_address.go, kwargs={"kinds": (), "group": "", "search": ""})
    elif view.tab is Tab.TO_REVIEW:
        text = "New events appear here seconds after their trip is scored."
        states.card("inbox", "Nothing waits for a review", text)
    elif view.tab is Tab.DOUBTFUL:
        states.card("check_circle", "No doubtful events", "Every event of the period can be taken at its word.")
    else:
        states.card("inbox", "Nothing reviewed yet", "What you confirm or dismiss stands here, and can be undone.")
