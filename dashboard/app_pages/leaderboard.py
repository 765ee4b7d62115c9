"""Leaderboard: drivers by points per 100 km under the active profile, how sure that is, and who moved."""

from __future__ import annotations

from dashboard import components, data, fleet_view, leaderboard_view, states


def main() -> None:
    """Scope and filters, data, empty states, then the ranked and those without a rank."""
    scope = fleet_view.head("Leaderboard")
    database = components.database()
    version = data.active_profile(database).version
    states.waiting_note()
    of_scope = database, version, scope.period, scope.zone, scope.vehicle_class
    equal_roads = leaderboard_view.equal_roads()
    found = data.standings(*of_scope, equal_roads=equal_roads)
    drivers = fleet_view.of_members(found.drivers, scope.members)
    if drivers.empty:
        fleet_view.show_nothing(scope.period_key, is_filtered=scope.is_filtered)
        return
    chosen = leaderboard_view.show_filters()
    if equal_roads:
        leaderboard_view.show_roads(found, data.standings(*of_scope))
    has_rank = drivers["rank"] > 0
    shown = leaderboard_view.fits(drivers[has_rank], chosen)
    leaderboard_view.show_ranked(found, shown, chosen, scope)
    leaderboard_view.show_unranked(leaderboard_view.fits(drivers[~has_rank], chosen))


main()
