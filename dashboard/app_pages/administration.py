"""Administration: who may sign in as what, which keys open the API, what things are called, and settings."""

from __future__ import annotations

import streamlit as st

from dashboard import admin_view, components, key_view, policy_view, privacy_view, roster_import, words

PARTS = {
    "accounts": "Accounts",
    "keys": "API keys",
    "drivers": "Drivers",
    "vehicles": "Vehicles",
    "policy": "Settings",
}


def main() -> None:
    """One part at a time; which one is in the address."""
    with components.head("Administration", "Everything done here is in the audit log."):
        part = choose_part()
    admin_view.show_secret()
    database = components.database()
    if part == "accounts":
        admin_view.show_accounts(database)
    elif part == "keys":
        key_view.show_keys(database)
    elif part == "policy":
        policy_view.show_policy(database)
    else:
        admin_view.show_roster(database, part)
        roster_import.show_import(database, part)
        if part == "drivers":
            privacy_view.show_requests(database)


def choose_part() -> str:
    """One of PARTS."""
    asked = st.query_params.get("part", "accounts")
    st.session_state["part"] = asked if asked in PARTS else "accounts"
    st.segmented_control(
        "Part",
        list(PARTS),
        format_func=lambda each: words.segment(PARTS[each]),
        key="part",
        label_visibility="collapsed",
        required=True,
        on_change=lambda: st.query_params.update(part=st.session_state["part"]),
    )
    return str(st.session_state["part"])


main()
