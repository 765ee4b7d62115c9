"""The script that Streamlit runs for every viewer: the frame around the pages. Each page lives in app_pages/."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboard import components

STATIC = Path(__file__).with_name("static")

st.set_page_config(page_title="FleetFlow", page_icon=str(STATIC / "icon.svg"), layout="wide", initial_sidebar_state=216)
st.logo(str(STATIC / "logo.svg"), icon_image=str(STATIC / "icon.svg"), size="large")
page = st.navigation(
    [
        st.Page(
            components.OVERVIEW,
            title="Fleet overview",
            icon=":material/dashboard:",
            default=True,
            help="How the fleet drives, what changed since the period before, and who stands out.",
        ),
        st.Page(
            components.LEADERBOARD,
            title="Leaderboard",
            icon=":material/leaderboard:",
            url_path="leaderboard",
            help="All drivers by points per 100 km, how sure their ranks are, and who moved.",
        ),
        st.Page(
            components.DRIVER,
            title="Drivers",
            icon=":material/person:",
            url_path="driver",
            help="One driver's scores, events against the fleet, and trips.",
        ),
        st.Page(
            components.TRIP,
            title="Trips",
            icon=":material/route:",
            url_path="trip",
            help="One trip: speed and g-force, its harsh events, and why it has its score.",
        ),
        st.Page(
            components.EVENTS,
            title="Events",
            icon=":material/inbox:",
            url_path="events",
            help="What waits for a review, the most severe first, and what was made of it.",
        ),
        st.Page(
            components.TUNING,
            title="Tuning",
            icon=":material/tune:",
            url_path="tuning",
            help="Try other thresholds on the whole fleet, see who moves, and apply them as a new profile.",
        ),
        st.Page(
            components.UPLOAD,
            title="Upload",
            icon=":material/upload_file:",
            url_path="upload",
            help="Trip files from any logger: see what they would become, correct it, load them.",
        ),
        st.Page(
            components.OPERATIONS,
            title="Operations",
            icon=":material/dns:",
            url_path="operations",
            help="Trips that wait or failed, how fast they are scored, the workers, and re-score runs.",
        ),
    ]
)
with components.guarded():
    page.run()
    components.sidebar_note()
