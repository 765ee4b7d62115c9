"""The part of the administration page about API keys: which there are, and forms to make, rotate and revoke them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import pandas as pd
import streamlit as st

from dashboard import actions, components, data, states, words
from dashboard.admin_view import LONGEST_NAME, attempt, complete, keep_secret
from fleetflow.access import Scope
from fleetflow.storage.keys import KeyState

if TYPE_CHECKING:
    from fleetflow.storage.keys import Key

OVERLAPS_H = {0: "not at all", 1: "1 hour", 24: "1 day", 168: "1 week", 720: "30 days"}
LONGEST_DAYS = 3650
MOST_PER_MINUTE = 1_000_000


def show_keys(database: str) -> None:
    """Which keys open the API, a form for another, and one to rotate or revoke."""
    known, now = data.keys(database), datetime.now(UTC)
    names = vehicle_names(database)
    with st.container(border=True):
        caption = "Vehicles and gateways send one as Authorization: Bearer. A revoked one is void within 5 seconds."
        components.card_head("API keys", caption)
        if known:
            st.dataframe(
                keys_frame(known, names, components.zone(), now), placeholder=words.NOTHING, hide_index=True, key="keys"
            )
        else:
            states.card("key", "No key yet", "Without any key the API takes trips from this machine only.")
    with st.grid(2, min_column_width=330, border=True) as grid:
        with grid.cell():
            _add_key(database, names)
        with grid.cell():
            _change_key(database, {each.prefix: each for each in known if each.state(now) in GOOD}, now)


GOOD = (KeyState.GOOD, KeyState.ENDING)


def vehicle_names(database: str) -> dict[str, str]:
    """What vehicles are called, by id; the id where nobody has named one."""
    known = data.roster(database, "vehicles")
    return dict(zip(known["id"], known["name"].fillna(known["id"]), strict=True))


def keys_frame(known: list[Key], names: dict[str, str], zone: str, now: datetime) -> pd.DataFrame:
    """The keys as they are shown."""
    return pd.DataFrame(
        {
            "Begins with": [each.prefix for each in known],
            "Name": [each.name for each in known],
            "Good for": [", ".join(sorted(each.scopes)) for each in known],
            "Vehicles": [vehicles_of(each, names) for each in known],
            "State": [str(each.state(now)) for each in known],
            "Last used": [_moment(each.last_used_at, zone) for each in known],
            "Expires": [_moment(each.expires_at, zone) for each in known],
            "A minute": [each.per_minute for each in known],
            "Made by": [each.created_by for each in known],
        }
    ).astype({"A minute": "Int64"})


def vehicles_of(key: Key, names: dict[str, str]) -> str:
    """Which vehicles a key may send for."""
    if key.vehicle_ids is None:
        return "any"
    return ", ".join(sorted(names.get(str(each), str(each)) for each in key.vehicle_ids))


def _add_key(database: str, names: dict[str, str]) -> None:
    components.card_head("Make a key")
    with st.form("add_key", border=False):
        name = st.text_input("Who will use it", max_chars=LONGEST_NAME, placeholder="Gateway of the north depot")
        scopes = st.multiselect("Good for", list(Scope), default=[Scope.WRITE], key="new_scopes")
        vehicles = st.multiselect(
            "Only for the vehicles", list(names), format_func=lambda each: names.get(each, each), key="new_vehicles",
            placeholder="any vehicle", accept_new_options=True, help="One that has not sent yet: type its id.",
        )  # fmt: skip
        left, right = st.columns(2)
        days = left.number_input("Days until it expires", 1, LONGEST_DAYS, value=None, placeholder="never")
        per_minute = right.number_input(
            "Requests a minute", 1, MOST_PER_MINUTE, value=None, placeholder="as set for all"
        )
        asked = st.form_submit_button("Make", type="primary")
    if asked and complete(name.strip(), scopes) and (ids := _ids(vehicles)) is not None:

        def make() -> None:
            key = actions.add_key(database, name.strip(), scopes, days, vehicle_ids=ids, per_minute=per_minute)
            keep_secret(f"The key of {words.literal(name.strip())}", key)

        attempt(make)


def _change_key(database: str, good: dict[str, Key], now: datetime) -> None:
    components.card_head("Replace or revoke a key")
    # None is chosen to begin with: what opens the API for somebody is not revoked by one click too many.
    prefix = st.selectbox(
        "Key", list(good), index=None, format_func=lambda each: f"{each}, {good[each].name}",
        placeholder="Choose a key" if good else "No key is good", disabled=not good,
    )  # fmt: skip
    overlap = st.selectbox(
        "The old key goes on", list(OVERLAPS_H), index=2, format_func=OVERLAPS_H.__getitem__, key="overlap"
    )
    with st.container(horizontal=True):
        chosen = good.get(prefix or "")
        replaced = st.button("Replace", disabled=chosen is None or chosen.state(now) is not KeyState.GOOD)
        revoked = st.button("Revoke", disabled=chosen is None)
    if chosen and replaced:
        attempt(lambda: _rotate(database, chosen, overlap))
    elif chosen and revoked:
        attempt(lambda: actions.revoke_key(database, chosen.prefix))


def _rotate(database: str, old: Key, overlap_hours: int) -> None:
    key = actions.rotate_key(database, old.prefix, overlap_hours)
    keep_secret(f"The new key of {words.literal(old.name)}", key)


def _ids(typed: list[str]) -> list[UUID] | None:
    """The ids of vehicles; None and a word about it for what is none."""
    try:
        return [UUID(each.strip()) for each in typed]
    except ValueError:
        st.error("A vehicle's id is a UUID, such as 0190163d-8694-739b-aea5-966c26f8ad91.", icon=":material/error:")
        return None


def _moment(moment: datetime | None, zone: str) -> str:
    return words.day_and_time(moment, zone) if moment else "never"
