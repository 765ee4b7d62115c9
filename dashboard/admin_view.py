"""The parts of the administration page: tables of what there is, and forms to change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from dashboard import actions, components, data, states, words
from fleetflow.access import Role
from fleetflow.errors import FleetFlowError
from fleetflow.safety.profiles import VehicleClass

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleetflow.storage.accounts import Account

SECRET = "shown_once"  # noqa: S105 - where it lies between two runs, not what it is
LONGEST_NAME = 100


def show_secret() -> None:
    """A password or key that was made by the run before; this is the only time it is seen."""
    shown = st.session_state.pop(SECRET, None)
    if shown:
        title, value = shown
        with st.container(border=True):
            components.card_head(title, "It is shown this once. Copy it now.")
            st.code(value, language=None)


def keep_secret(title: str, value: str) -> None:
    """Have it shown by the run that follows."""
    st.session_state[SECRET] = (title, value)


def show_accounts(database: str) -> None:
    """Who may sign in, a form for another, and one to change somebody."""
    known = data.accounts(database)
    with st.container(border=True):
        components.card_head(
            "Accounts", "A person may have several roles. A password from here has to be changed at once."
        )
        st.dataframe(
            accounts_frame(known, components.zone()), placeholder=words.NOTHING, hide_index=True, key="accounts"
        )
    with st.grid(2, min_column_width=330, border=True) as grid:
        with grid.cell():
            _add_account(database)
        with grid.cell():
            _change_account(database, known)


def accounts_frame(known: list[Account], zone: str) -> pd.DataFrame:
    """The accounts as they are shown."""
    return pd.DataFrame(
        {
            "Name": [each.name for each in known],
            "Roles": [", ".join(role_name(role) for role in sorted(each.roles)) for each in known],
            "Signs in by": ["single sign-on" if each.subject else "password" for each in known],
            "Since": [words.day_and_time(each.created_at, zone) for each in known],
            "State": ["disabled" if each.disabled_at else "may sign in" for each in known],
        }
    )


def role_name(role: str) -> str:
    """A role in plain words."""
    return role.replace("_", " ")


def _add_account(database: str) -> None:
    components.card_head("Add an account")
    with st.form("add_account", border=False):
        name = st.text_input("Name or e-mail", max_chars=LONGEST_NAME)
        roles = st.multiselect("Roles", list(Role), format_func=role_name, key="new_roles")
        asked = st.form_submit_button("Add", type="primary")
    if asked and complete(name.strip(), roles):
        attempt(lambda: _keep_login(actions.add_account(database, name, roles)))


def _change_account(database: str, known: list[Account]) -> None:
    components.card_head("Change an account")
    by_name = {each.name: each for each in known}
    name = st.selectbox("Account", list(by_name), key="account")
    account = by_name[name]
    roles = st.multiselect(
        "Roles", list(Role), default=sorted(account.roles), format_func=role_name, key=f"roles_{account.id}"
    )
    with st.container(horizontal=True):
        if st.button("Save roles", disabled=set(roles) == account.roles or not roles):
            attempt(lambda: actions.set_roles(database, name, roles))
        if st.button("New password"):
            attempt(lambda: _keep_login(actions.reset_account(database, name)))
        if account.disabled_at and st.button("Enable"):
            attempt(lambda: actions.enable_account(database, name))
        elif not account.disabled_at and st.button("Disable"):
            attempt(lambda: actions.disable_account(database, name))


def _keep_login(login: Any) -> None:
    keep_secret(f"The password of {words.literal(login.name)}", login.password)


def show_roster(database: str, kind: str) -> None:
    """All drivers or vehicles, to be named and grouped in the table."""
    known = data.roster(database, kind)
    with st.container(border=True):
        caption = "Edit in the table, then save. A class counts for the trips that are scored from then on."
        components.card_head(kind.capitalize(), caption if kind == "vehicles" else "Edit in the table, then save.")
        if known.empty:
            states.card("group", f"No {kind} yet", "Each is listed here with its first trip.")
            return
        edited = st.data_editor(
            known, hide_index=True, disabled=["id"], column_config=ROSTER_COLUMNS, key=f"edit_{kind}", num_rows="fixed"
        )
        rows = changed_rows(known, edited)
        if st.button("Save", type="primary", disabled=not rows):
            save = actions.edit_vehicles if kind == "vehicles" else actions.edit_drivers
            attempt(lambda: save(database, rows))
        components.csv_footer(known, words.plural(len(known), kind.removesuffix("s")), f"fleetflow-{kind}.csv")


ROSTER_COLUMNS = {
    "id": st.column_config.TextColumn("Id", width="medium"),
    "name": st.column_config.TextColumn("Name", max_chars=200, width="medium"),
    "group_name": st.column_config.TextColumn("Group", max_chars=100, width="medium"),
    "vehicle_class": st.column_config.SelectboxColumn("Class", options=list(VehicleClass), width="medium"),
}


def changed_rows(known: pd.DataFrame, edited: pd.DataFrame) -> list[dict[str, str | None]]:
    """The rows of a roster that differ; what was emptied or left blank is None."""
    before, after = _texts(known), _texts(edited)
    return [new for old, new in zip(before, after, strict=True) if old != new]


def _texts(frame: pd.DataFrame) -> list[dict[str, str | None]]:
    return [
        {str(name): None if pd.isna(value) else str(value).strip() or None for name, value in row.items()}
        for row in frame.to_dict("records")
    ]


def complete(name: str, chosen: list[Any]) -> bool:
    """Whether a form has a name and a choice; says so if not."""
    if name and chosen:
        return True
    st.error("Give a name, and choose at least one.", icon=":material/error:")
    return False


def attempt(action: Callable[[], object]) -> None:
    """Do it and draw the page anew, or say why it was not done."""
    try:
        action()
    except FleetFlowError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.rerun()
