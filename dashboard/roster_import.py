"""A CSV file into the roster: what it would change and what is refused, seen before anything is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from dashboard import actions, components, data, words
from fleetflow.errors import FleetFlowError
from fleetflow.roster_files import COLUMNS, RosterRefusedError, ids_in, read_roster

if TYPE_CHECKING:
    from fleetflow.roster_files import RosterFile

LABELS = {"id": "New row", "name": "Name", "group_name": "Group", "vehicle_class": "Class"}
COUNT = "roster_imports"
"""In the uploader's key: a new one is an empty one."""


def show_import(database: str, kind: str) -> None:
    """A place for a file, then its changes and refusals, then a button."""
    with st.container(border=True):
        columns = ", ".join(COLUMNS[kind])
        components.card_head(
            f"Import {kind}", f"A CSV file as the download above: {columns}. A column that is left out stays as it is."
        )
        key = f"import_{kind}_{st.session_state.get(COUNT, 0)}"
        file = st.file_uploader("CSV file", type=["csv"], key=key, label_visibility="collapsed")
        if file is None:
            return
        try:
            found = read(database, kind, file.getvalue())
        except RosterRefusedError as error:
            st.error(str(error), icon=":material/error:")
            return
        _show(found)
        if st.button("Take over", type="primary", disabled=not found.rows, key=f"take_over_{kind}"):
            _store(database, kind, found)


def read(database: str, kind: str, content: bytes) -> RosterFile:
    """What a file says against the roster as it is now. Raises RosterRefusedError."""
    erased = data.erased_among(database, ids_in(content)) if kind == "drivers" else []
    return read_roster(kind, content, data.roster_rows(database, kind), map(str, erased))


def changes_frame(found: RosterFile) -> pd.DataFrame:
    """The changes as they are shown."""
    return pd.DataFrame(
        {
            "Id": [each.id for each in found.changes],
            "Column": [LABELS[each.column] for each in found.changes],
            "Before": [each.before or "" for each in found.changes],
            "After": [each.after or "" for each in found.changes],
        }
    )


def _show(found: RosterFile) -> None:
    if found.refusals:
        lines = "\n".join(f"- Line {each.line}: {each.reason}" for each in found.refusals[:20])
        more = f"\n- and {len(found.refusals) - 20} more" if len(found.refusals) > 20 else ""  # noqa: PLR2004
        said = f"{words.plural(len(found.refusals), 'line')} refused; the others can be taken over."
        st.warning(f"{said}\n{lines}{more}", icon=":material/warning:")
    if found.changes:
        st.caption(f"{words.plural(len(found.changes), 'change')} in {words.plural(len(found.rows), 'row')}")
        st.dataframe(changes_frame(found), placeholder=words.NOTHING, hide_index=True, key="roster_changes")
    else:
        st.caption("Nothing in this file differs from the roster.")


def _store(database: str, kind: str, found: RosterFile) -> None:
    try:
        (actions.edit_vehicles if kind == "vehicles" else actions.edit_drivers)(database, found.rows)
    except FleetFlowError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.session_state[COUNT] = st.session_state.get(COUNT, 0) + 1
    st.rerun()
