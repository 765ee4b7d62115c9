"""What part of the inbox is looked at, kept in the address: a shared link or a reload shows the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from fleetflow.safety.events import EventKind
from fleetflow.storage.inbox import Order, Part, Tab, Wanted

if TYPE_CHECKING:
    from datetime import datetime
    from enum import StrEnum

ROWS = 11
TABLE_ROWS = 50
LONGEST_SEARCH = 100

Choice = TypeVar("Choice", bound="StrEnum")


@dataclass(frozen=True, slots=True)
class View:
    """The tab, the order, the filters, the page (from 1) and the event that is open (None: the first)."""

    tab: Tab = Tab.TO_REVIEW
    order: Order = Order.SEVERE
    kinds: tuple[EventKind, ...] = ()
    group: str = ""
    search: str = ""
    page: int = 1
    event: int | None = None
    as_table: bool = False

    @property
    def rows(self) -> int:
        """How many events a page has."""
        return TABLE_ROWS if self.as_table else ROWS

    @property
    def filtered(self) -> bool:
        """Whether anything but the period narrows the list."""
        return bool(self.kinds or self.group or self.search)

    def wanted(self, since: datetime | None) -> Wanted:
        """The filters as the storage takes them."""
        return Wanted(self.kinds, since, self.group or None, self.search)

    @property
    def part(self) -> Part:
        """The page as the storage takes it."""
        return Part(self.tab, self.order, self.rows, (self.page - 1) * self.rows)


def current() -> View:
    """The view of the address; nonsense in it is as good as nothing."""
    asked = st.query_params
    kinds = asked.get("kind", "").split(",")
    return View(
        tab=_choice(Tab, asked.get("tab"), Tab.TO_REVIEW),
        order=_choice(Order, asked.get("order"), Order.SEVERE),
        kinds=tuple(kind for kind in EventKind if kind.value in kinds),
        group=asked.get("group", ""),
        search=asked.get("search", "")[:LONGEST_SEARCH],
        page=_number(asked.get("page")) or 1,
        event=_number(asked.get("event")),
        as_table=asked.get("as") == "table",
    )


def go(**changes: object) -> None:
    """Change the view; another list begins at its first page, with its first event open."""
    view = replace(current(), **changes)  # type: ignore[arg-type]
    if not changes.keys() <= {"event", "page"}:
        view = replace(view, page=1, event=None)
    elif "page" in changes and "event" not in changes:
        view = replace(view, event=None)
    for name, value in _parameters(view).items():
        if value:
            st.query_params[name] = value
        else:
            st.query_params.pop(name, None)


def _parameters(view: View) -> dict[str, str]:
    return {
        "tab": "" if view.tab is Tab.TO_REVIEW else view.tab.value,
        "order": "" if view.order is Order.SEVERE else view.order.value,
        "kind": ",".join(view.kinds),
        "group": view.group,
        "search": view.search,
        "page": str(view.page) if view.page > 1 else "",
        "event": str(view.event) if view.event else "",
        "as": "table" if view.as_table else "",
    }


def _choice(choices: type[Choice], asked: str | None, usual: Choice) -> Choice:
    return choices(asked) if asked in list(choices) else usual


def _number(asked: str | None) -> int | None:
    # 15 digits: any number that Postgres takes, and none that it does not
    return int(asked) if asked and asked.isascii() and asked.isdigit() and len(asked) < 16 else None  # noqa: PLR2004
