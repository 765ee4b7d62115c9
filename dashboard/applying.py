"""Making a draft a profile: the bar at the bottom of the tuning page, and the dialog that applies it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import actions, data, drafting, drafts, look, words
from fleetflow.errors import FleetFlowError
from fleetflow.safety.events import EventKind
from fleetflow.safety.profiles import ProfileError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleetflow.safety.profiles import ScoringProfile
    from fleetflow.storage.profiles import StoredProfile


def show_bar(database: str, active: StoredProfile, draft: ScoringProfile) -> None:
    """The draft in words, and what to do with it; stays at the bottom of the screen."""
    changes = drafts.differences(active.profile, draft)
    with st.bottom, st.container(horizontal=True, vertical_alignment="center"):
        with st.container(width="stretch"):
            st.markdown(f":material/edit_note: **Draft** · {' · '.join(changes)}")
        st.button("Discard", type="tertiary", on_click=drafting.discard)
        st.button("Apply…", type="primary", on_click=drafting.ask)
    if drafting.asked():
        _apply(database, active, draft)


@st.dialog(
    "Apply as a new profile", width="medium", icon=":material/publish:", on_dismiss=lambda: drafting.ask(open_=False)
)
def _apply(database: str, active: StoredProfile, draft: ScoringProfile) -> None:
    st.table(_as_rows(active, draft), border="horizontal")
    with st.form("apply", border=False):
        name = st.text_input("Name", max_chars=100, placeholder="Stricter braking")
        note = st.text_area("Why", max_chars=500, placeholder="What led to this change?", height=84)
        trips = words.plural(data.analysed_trips(database), "trip")
        st.caption(
            f"{trips} will be scored again in the background; then the new profile becomes active. Scores under profile"
            f" {active.version} stay readable, and you can go back at any time."
        )
        sent = st.form_submit_button("Apply and re-score", type="primary")
    if sent and did(partial(actions.apply_profile, database, replace(draft, name=name.strip()), note.strip())):
        drafting.discard()
        st.rerun()


def _as_rows(active: StoredProfile, draft: ScoringProfile) -> dict[str, list[str]]:
    changed = [kind for kind in EventKind if active.profile.rules[kind] != draft.rules[kind]]
    return {
        "Kind": [f"{look.KINDS[kind].sign} {look.KINDS[kind].noun}" for kind in changed],
        f"Profile {active.version}, now": [drafts.in_short(kind, active.profile.rules[kind]) for kind in changed],
        "Draft": [f"**{drafts.in_short(kind, draft.rules[kind])}**" for kind in changed],
    }


def did(action: Callable[[], object]) -> bool:
    """Whether it worked; what was wrong is said on the page, and nothing was changed."""
    try:
        action()
    except (ProfileError, FleetFlowError) as error:
        st.error(str(error), icon=":material/error:")
        return False
    return True
