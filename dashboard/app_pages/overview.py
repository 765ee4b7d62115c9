"""Fleet overview: how the fleet drives, what changed, who stands out, and which trips need a hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import components, data, fleet_view, overview_figures, overview_view, states

if TYPE_CHECKING:
    from dashboard.fleet_view import Scope
    from dashboard.standings import Standings


def main() -> None:
    """Scope, data, empty states, then figures, charts and trips that failed."""
    scope = fleet_view.head("Fleet overview")
    database, period = components.database(), scope.period
    version = data.active_profile(database).version
    states.waiting_note()
    found = data.standings(database, version, period, scope.zone, scope.vehicle_class)
    if fleet_view.of_members(found.drivers, scope.members).empty:
        fleet_view.show_nothing(scope.period_key, is_filtered=scope.is_filtered)
        overview_view.show_failed()
        return
    driven = data.driven(database, version, period.read_since, scope.zone, scope.vehicle_class)
    driven = fleet_view.of_members(driven, scope.members)
    usable = driven[driven["usable"]]
    overview_figures.show_key_figures(usable, found, scope.members, period)
    with st.grid(3, min_column_width=320, border=True) as grid:
        with grid.cell(column_span=2):
            overview_view.show_rates(usable, period, version)
        with grid.cell():
            overview_view.show_trips(driven, period)
    show_drivers(scope, found)
    overview_view.show_failed()


def show_drivers(scope: Scope, found: Standings) -> None:
    """Who stands out and who changed, side by side."""
    with st.grid(2, min_column_width=400, border=True) as grid:
        with grid.cell():
            overview_view.show_standing_out(found, scope.members)
        with grid.cell():
            overview_view.show_changed(found, scope.members, scope.period)


main()
