"""Administration: who may sign in as what, which keys open the API, and what drivers and vehicles are called."""

from __future__ import annotations

import streamlit as st

from dashboard import admin_view, components, key_view, privacy_view, roster_import, words

PARTS = {
    "accounts": "Accounts",
    "keys": "API keys",
    "drivers": "Drivers",
    "vehicles": "Vehicles",
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
    else:
        admin_view.show_roster(database, part)
        roster_import.show_import(database, part)
        if part == "drivers":
            privacy_view.show_requests(database)


def choose_part() -> str:
    """Accounts, keys, drivers or vehicles."""
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
