"""What a driver may ask for, as an admin does it: a copy of all data, and to be forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import streamlit as st

from dashboard import actions, components, data, downloads, words
from dashboard.upload_sending import Api
from fleetflow.errors import FleetFlowError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleetflow.storage.erasures import Erased, Totals

SAID, PREPARED = "privacy_said", "privacy_prepared"


def show_requests(database: str) -> None:
    """A copy of a driver's data, and erasing a driver."""
    known = data.roster(database, "drivers")
    names = dict(zip(known["id"], known["name"].where(known["name"].notna(), known["id"]), strict=True))
    if said := st.session_state.pop(SAID, None):
        st.success(said, icon=":material/check:")
    if not names:
        return
    with st.grid(2, min_column_width=330, border=True) as grid:
        with grid.cell():
            _show_copy(database, names)
        with grid.cell():
            _show_erasure(database, names)


def _show_copy(database: str, names: dict[str, str]) -> None:
    components.card_head("A driver's data", "Trips, events, scores, reviews and notes as one ZIP, with a README in it.")
    chosen = _choose(names, "copy_of")
    if st.button("Prepare", disabled=chosen is None) and chosen:
        _attempt(lambda: st.session_state.update({PREPARED: (chosen, actions.export_driver(database, UUID(chosen)))}))
    prepared_for, content = st.session_state.get(PREPARED, (None, b""))
    if chosen and prepared_for == chosen:
        name = f"fleetflow-driver-{chosen}.zip"
        downloads.button("Download the ZIP", lambda: content, name, "application/zip", type="secondary")


def _show_erasure(database: str, names: dict[str, str]) -> None:
    gone = data.erased_totals(database)
    components.card_head("Erase a driver", f"For good, with trips, scores, reviews, notes and names. {_so_far(gone)}")
    chosen = _choose(names, "erase")
    wanted = names.get(chosen or "", "")
    typed = st.text_input(
        f"Type {words.literal(wanted)} to confirm" if chosen else "Confirm",
        disabled=chosen is None,
        key=f"typed_{chosen}",
    )
    is_sure = chosen is not None and typed.strip() == wanted
    if st.button("Erase for good", type="primary", disabled=not is_sure) and chosen and is_sure:
        _attempt(lambda: _erase(database, UUID(chosen)), again=True)


def _so_far(gone: Totals) -> str:
    if not gone.drivers:
        return ""
    return f"So far {words.plural(gone.drivers, 'driver')} with {words.plural(gone.trips, 'trip')} went."


def _erase(database: str, driver_id: UUID) -> None:
    """Late trips are barred before anything is deleted, so that none comes in between."""
    actions.begin_erasure(database, driver_id)
    erased = actions.erase_driver(database, driver_id)
    quarantine = Api.of(st.secrets["fleetflow"]).quarantine
    left = quarantine.forget(erased.files) if quarantine else []
    said = describe(erased)
    if left:
        said += f" {words.plural(len(left), 'uploaded file')} could not be deleted: do so by hand in {left[0].parent}."
    st.session_state[SAID] = said
    st.session_state.pop(PREPARED, None)


def describe(erased: Erased) -> str:
    """What went, in a sentence, and what this does not reach."""
    return (
        f"Erased: {words.plural(erased.trips, 'trip')}, {words.plural(erased.events, 'event')},"
        f" {words.plural(erased.notes, 'note')}. Backups and exported files from before still hold them: delete those."
    )


def _choose(names: dict[str, str], key: str) -> str | None:
    return st.selectbox(
        "Driver", sorted(names, key=lambda each: names[each].casefold()), index=None, key=key,
        format_func=lambda each: f"{names[each]} ({each[:8]})", placeholder="Choose a driver",
    )  # fmt: skip


def _attempt(action: Callable[[], object], *, again: bool = False) -> None:
    try:
        action()
    except FleetFlowError as error:
        st.error(str(error), icon=":material/error:")
        return
    if again:
        st.rerun()
