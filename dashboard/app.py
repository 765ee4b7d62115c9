"""The script that Streamlit runs for every viewer: the frame around the pages. Each page lives in app_pages/."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard import access, acting, components, states, viewers, way_back

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage

    from fleetflow.storage.sessions import Session

STATIC = Path(__file__).with_name("static")


files: dict[str, str] = {}
"""Which file is behind which address."""


def offer(file: str, url_path: str, **options: Any) -> StreamlitPage:
    """A page; only who may open it (access.PAGES) sees it in the navigation."""
    visible = person is not None and access.may_open(person.roles, file)
    page = st.Page(file, url_path=url_path, visibility="visible" if visible else "hidden", **options)
    files[page.url_path] = file
    return page


st.set_page_config(page_title="FleetFlow", page_icon=str(STATIC / "icon.svg"), layout="wide", initial_sidebar_state=216)
st.logo(str(STATIC / "logo.svg"), icon_image=str(STATIC / "icon.svg"), size="large")
person: Session | None = None
with states.guarded():
    person = viewers.arrive()
page = st.navigation(
    [
        offer(
            components.OVERVIEW,
            "overview",
            title="Fleet overview",
            icon=":material/dashboard:",
            default=True,
            help="How the fleet drives, what changed since the period before, and who stands out.",
        ),
        offer(
            components.LEADERBOARD,
            "leaderboard",
            title="Leaderboard",
            icon=":material/leaderboard:",
            help="All drivers by points per 100 km, how sure their ranks are, and who moved.",
        ),
        offer(
            components.DRIVER,
            "driver",
            title="Drivers",
            icon=":material/person:",
            help="One driver's scores, events against the fleet, and trips.",
        ),
        offer(
            components.TRIP,
            "trip",
            title="Trips",
            icon=":material/route:",
            help="One trip: speed and g-force, its harsh events, and why it has its score.",
        ),
        offer(
            components.EVENTS,
            "events",
            title="Events",
            icon=":material/inbox:",
            help="What waits for a review, the most severe first, and what was made of it.",
        ),
        offer(
            components.TUNING,
            "tuning",
            title="Tuning",
            icon=":material/tune:",
            help="Try other thresholds on the whole fleet, see who moves, and apply them as a new profile.",
        ),
        offer(
            components.UPLOAD,
            "upload",
            title="Upload",
            icon=":material/upload_file:",
            help="Trip files from any logger: see what they would become, correct it, load them.",
        ),
        offer(
            components.OPERATIONS,
            "operations",
            title="Operations",
            icon=":material/dns:",
            help="Trips that wait or failed, how fast they are scored, the workers, and re-score runs.",
        ),
        offer(
            components.ADMINISTRATION,
            "administration",
            title="Administration",
            icon=":material/admin_panel_settings:",
            help="Accounts and their roles, API keys, and the names of drivers and vehicles.",
        ),
        offer(
            components.AUDIT,
            "audit",
            title="Audit log",
            icon=":material/history:",
            help="Who did what, when and from where; nothing in it can be changed.",
        ),
    ],
    position="sidebar" if person else "hidden",
)
if person:
    with states.guarded():
        if access.may_open(person.roles, files[page.url_path]):
            way_back.arrive(page.url_path)
            acting.arrange_downloads(components.database(), files[page.url_path])
            page.run()
        else:
            viewers.show_denied()
        components.sidebar_note()
        viewers.show_sidebar(person)
