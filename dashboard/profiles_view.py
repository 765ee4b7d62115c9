"""The scoring profiles so far: what each changed, who made it and why, and the ways back to it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import actions, applying, components, data, drafting, drafts, look, words
from fleetflow.safety.events import EventKind

if TYPE_CHECKING:
    from fleetflow.safety.profiles import ScoringProfile
    from fleetflow.storage.profiles import Activation, StoredProfile


def show_profiles(database: str, active: StoredProfile) -> None:
    """Every version, the newest first, with its differences from the one before."""
    stored, activations = data.profile_history(database)
    with st.container(border=True):
        note = "None ever changes, and its scores stay. Load one into the sliders to compare, or make it active again"
        components.card_head("Profiles", note)
        for each, before in zip(stored, [*stored[1:], None], strict=True):
            _show_profile(database, active, each, before, _last_active(each, activations))


def _show_profile(
    database: str, active: StoredProfile, stored: StoredProfile, before: StoredProfile | None, since: Activation | None
) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(width=250, gap=None):
            badge = " :green-badge[active]" if stored.version == active.version else ""
            st.markdown(f"**{stored.version} · {words.literal(stored.profile.name)}**{badge}")
            st.caption(_origin(stored, since))
        with st.container(width="stretch", gap=None):
            st.markdown(" ".join(f":gray-badge[{each}]" for each in chips(stored, before)))
            if stored.note:
                st.caption(words.literal(stored.note))
        _show_actions(database, active, stored)


def _show_actions(database: str, active: StoredProfile, stored: StoredProfile) -> None:
    if stored.version == active.version:
        return
    st.button(
        "Load", key=f"load_{stored.version}", type="tertiary", on_click=_load, args=(stored.profile, active.profile),
        help="Put its thresholds and points into the sliders.",
    )  # fmt: skip
    clicked = st.button("Make active", key=f"activate_{stored.version}")
    if clicked and applying.did(partial(actions.activate_profile, database, stored.version)):
        drafting.discard()
        st.rerun()


def _load(profile: ScoringProfile, active: ScoringProfile) -> None:
    values = {kind: (rule.threshold, rule.penalty) for kind, rule in profile.rules.items()}
    drafting.replace(drafts.with_rules(active, values), active)


def chips(stored: StoredProfile, before: StoredProfile | None) -> list[str]:
    """What a version changed against the one before; of the first one, its rules."""
    if before is not None:
        return drafts.differences(before.profile, stored.profile) or ["same rules, another name"]
    rules = stored.profile.rules
    return [f"{look.KINDS[kind].noun.lower()} {drafts.in_short(kind, rules[kind])}" for kind in EventKind]


def _last_active(stored: StoredProfile, activations: list[Activation]) -> Activation | None:
    return next((each for each in activations if each.profile_version == stored.version), None)


def _origin(stored: StoredProfile, since: Activation | None) -> str:
    zone = components.zone()
    made = f"{words.day_and_time(stored.created_at, zone)} · {words.literal(stored.author)}"
    return made if since else f"{made} · never active"
