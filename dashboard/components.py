"""The pieces that every page is made of: where it is (address, zone, period), its head, its charts, its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import streamlit as st

from dashboard import access, data, downloads, way_back, words
from fleetflow.errors import ConfigurationError, StorageUnavailableError
from fleetflow.storage.database import without_names
from fleetflow.storage.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Callable
    from xml.etree.ElementTree import Element

    import plotly.graph_objects as go
    from streamlit.delta_generator import DeltaGenerator

    from fleetflow.storage.sessions import Session

OVERVIEW, LEADERBOARD = "app_pages/overview.py", "app_pages/leaderboard.py"
DRIVER, TRIP, TUNING = "app_pages/driver.py", "app_pages/trip.py", "app_pages/tuning.py"
EVENTS, UPLOAD, OPERATIONS = "app_pages/events.py", "app_pages/upload.py", "app_pages/operations.py"
ADMINISTRATION, AUDIT = "app_pages/administration.py", "app_pages/audit.py"
VIEWER = "viewer"
"""Where in the session of a browser its person is, for the run that goes on; see viewers."""
HIDES_NAMES = "hides_names"
"""Where in the session is whether names were hidden when the database last answered."""
PERIODS: dict[str, int | None] = {"7": 7, "28": 28, "56": 56, "all": None}
PERIOD_LABELS = {"7": "7 days", "28": "28 days", "56": "56 days", "all": "All time"}
DEFAULT_PERIOD = "28"
CHART_CONFIG: dict[str, Any] = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}
csv_footer = downloads.footer
"""The line under a table; see downloads."""


def database() -> str:
    """The database's URL, as the server handed it to the script; one without names where they are not to be shown."""
    url = str(st.secrets["fleetflow"]["database_url"])
    return without_names(url) if _hides_names(url) else url


def configured_policy() -> Policy:
    """What the server's settings say, where no admin has decided."""
    return Policy(**st.secrets["fleetflow"].get("policy", {}))


def _hides_names(url: str) -> bool:
    """While the database is away, as it was; and where that is not known, yes."""
    try:
        hides = data.policy(url, configured_policy()).pseudonyms
    except (StorageUnavailableError, ConfigurationError):
        return bool(st.session_state.get(HIDES_NAMES, True))
    st.session_state[HIDES_NAMES] = hides
    return hides


def api_url() -> str:
    """Where vehicles send, as this machine reaches it."""
    return str(st.secrets["fleetflow"]["api_url"])


def zone() -> str:
    """The viewer's IANA time zone, UTC where the browser does not say or this machine does not know it."""
    return words.known_zone(st.context.timezone)


def driver_names() -> dict[str, str]:
    """The name of every driver that has one, by id."""
    named = data.drivers(database()).dropna(subset=["name"])
    return dict(zip(named["driver_id"], named["name"], strict=True))


def head(title: str, caption: str, *, width: int = 440) -> DeltaGenerator:
    """The page's title and one line under it; returns the place for controls on the right (below, on a tablet)."""
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
    with row.container(width=width, gap=None):
        st.title(title, anchor=False)
        st.caption(caption)
    row.space("stretch")
    return row.container(horizontal=True, vertical_alignment="center", width="content", gap="small")


def period_control() -> str:
    """The period to look at, kept in the address; returns a key of PERIODS."""
    period = current_period()
    st.session_state["period_control"] = period
    st.segmented_control(
        "Period",
        list(PERIODS),
        format_func=lambda each: words.segment(PERIOD_LABELS[each]),
        key="period_control",
        label_visibility="collapsed",
        required=True,
        on_change=_store_period,
    )
    return period


def current_period() -> str:
    """The period of the address, else the one chosen last, else 28 days."""
    asked = st.query_params.get("period") or st.session_state.get("period")
    period = asked if asked in PERIODS else DEFAULT_PERIOD
    st.session_state["period"] = period
    return period


def _store_period() -> None:
    choose_period(st.session_state["period_control"])


def choose_period(period: str) -> None:
    """Look at another period from now on."""
    st.session_state["period"] = period
    st.query_params["period"] = period


def open_driver(driver_id: str) -> None:
    """Go to a driver's page."""
    way_back.go_to(DRIVER, {"driver": driver_id, "period": current_period()})


def link_to(page: str, label: str, *, icon: str) -> None:
    """A link to another page, for who may open it."""
    person: Session | None = st.session_state.get(VIEWER)
    if person is not None and access.may_open(person.roles, page):
        st.page_link(page, label=label, icon=icon)


def open_trip(trip_id: str) -> None:
    """Go to a trip's page."""
    way_back.go_to(TRIP, {"trip": trip_id})


def card_head(title: str, caption: str | None = None, *, help: str | None = None) -> None:  # noqa: A002
    """A card's heading and one line under it."""
    with st.container(gap=None):
        with st.container(horizontal=True):
            st.header(title, anchor=False, help=help)
        if caption:
            st.markdown(f":small[{caption}]" if "[" in caption else f":small[:gray[{caption}]]")


def chart(figure: go.Figure, *, key: str, alt: str) -> None:
    """A figure that is read and hovered over, not operated."""
    st.plotly_chart(figure, key=key, alt=alt, config=CHART_CONFIG)


def picture(tree: Element) -> None:
    """A picture made of HTML; what data say in it is text, since a tree is written and not a string."""
    st.html(ET.tostring(tree, encoding="unicode", short_empty_elements=False))


def clicked_row(key: str) -> int | None:
    """Inside a ButtonColumn's callback: the row that was clicked, in the frame as it was sent."""
    click = st.session_state.get(key)
    return None if click is None else int(click["row"])


def on_row(key: str, ids: list[str], go_to: Callable[[str], None]) -> Callable[[], None]:
    """A ButtonColumn's callback that goes to the id of the clicked row."""

    def go() -> None:
        row = clicked_row(key)
        if row is not None and row < len(ids):
            go_to(ids[row])

    return go


def sidebar_note() -> None:
    """Under the navigation: the profile that scores count under, and the zone of all times."""
    stored = data.active_profile(database())
    note = words.zone_note(zone())
    st.sidebar.caption(f"Scored under profile {stored.version}, “{stored.profile.name}”  \n{note[0].upper()}{note[1:]}")


def driver_picker(names: dict[str, str], chosen: str | None) -> None:
    """A box to pick a driver from; his page opens at once."""
    ids = sorted(names, key=lambda each: names[each].casefold())

    def go() -> None:
        picked = st.session_state[key]
        if picked in names and picked != chosen:
            st.query_params["driver"] = picked

    key = f"driver_picker_{chosen}"
    st.selectbox(
        "Driver",
        ids,
        index=ids.index(chosen) if chosen in names else None,
        format_func=lambda each: names.get(each, each),
        placeholder="Find a driver",
        label_visibility="collapsed",
        key=key,
        on_change=go,
        width=230,
        icon=":material/search:",
    )


def figure(label: str, value: str, beside: str, *, color: Any = "gray", help: str | None = None) -> None:  # noqa: A002
    """A key figure in a card, with a note beside it."""
    st.metric(label, value, beside, delta_color=color, delta_arrow="off", border=True, height="stretch", help=help)
