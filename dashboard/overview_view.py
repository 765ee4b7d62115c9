"""Pieces of the fleet overview: what happens over time, who stands out, who changed, what waits."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from dashboard import changes, charts, components, data, fleet_charts, fleet_view, key_figures, words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dashboard.key_figures import Totals
    from dashboard.periods import Period
    from dashboard.standings import Standings

MOST_FAILED = 5
CHANGED_HELP = (
    "Each driver is compared with himself, beyond the change of the fleet as a whole: a season or another road affects"
    " everybody. Ink and green are beyond chance; for the grey ones there is not enough driving to tell."
)


def show_rates(driven: pd.DataFrame, period: Period, version: int) -> None:
    """Harsh events per 100 km over the period and the one before, with the days on which another profile came."""
    days = key_figures.by_day(driven)
    rates = key_figures.smooth_rates(days)
    start = pd.Timestamp(period.first_day, unit="D") if period.days else None
    note = f"Mean of seven days, all under profile {version}; dotted, a profile became active"
    components.card_head("Harsh events per 100 km", note)
    figure = fleet_charts.rates_by_kind(rates, _profile_marks(rates["date"]), start)
    components.chart(figure, key="rates", alt=_rates_alt(key_figures.totals(period.now(driven))))


def _profile_marks(days: pd.Series) -> Sequence[tuple[datetime, str]]:
    """The activations within the days, but not the first of all: before it there was nothing to change."""
    stored, activations = data.profile_history(components.database())
    names = {each.version: each.profile.name for each in stored}
    zone = ZoneInfo(components.zone())
    first, last = days.iloc[0], days.iloc[-1]
    moments = [(each.activated_at.astimezone(zone).replace(tzinfo=None), each) for each in activations[:-1]]
    return [
        (moment, f"{each.profile_version} {names[each.profile_version][:20]}")
        for moment, each in moments
        if first <= moment and moment.date() <= last.date()
    ]


def _rates_alt(now: Totals) -> str:
    per_kind = f"{words.decimal(now.rate)} harsh events per 100 km over the period"
    return f"Harsh events per 100 km by kind, seven-day means: {per_kind}, {words.integer(now.events)} in all."


def show_trips(driven: pd.DataFrame, period: Period) -> None:
    """What became of the trips: scored, unusable, waiting, failed; and the way to operations."""
    counts = data.unfinished(components.database())
    now = period.now(driven)
    waiting = counts["PENDING"] + counts["PROCESSING"]
    unusable = int(now.loc[~now["usable"], "trips"].sum())
    components.card_head("Trips", "Scored by day; waiting and failed at this moment")
    days = key_figures.in_period(key_figures.by_day(now[now["usable"]]), period)
    alt = f"{words.integer(days['trips'].sum())} trips scored, by day"
    components.chart(fleet_charts.trips_by_day(days), key="trips_by_day", alt=alt)
    st.table(
        {
            ":material/check_circle: Scored": words.integer(now.loc[now["usable"], "trips"].sum()),
            ":material/signal_disconnected: Unusable signals, not ranked": words.integer(unusable),
            ":material/hourglass_top: Waiting for a score": words.integer(waiting),
            ":material/error: Failed": words.integer(counts["FAILED"]),
        },
        border="horizontal",
    )
    components.link_to(components.OPERATIONS, "Operations", icon=":material/monitor_heart:")
    if waiting:
        st.caption("The page follows by itself.")


def show_standing_out(found: Standings, members: frozenset[str] | None) -> None:
    """Points against distance, with intervals; without ranks, who has the most events."""
    ranked = fleet_view.of_members(found.ranked, members)
    if ranked.empty:
        drivers = fleet_view.of_members(found.drivers, members)
        drivers = drivers[drivers["trips"] > 0]
        least_km = fleet_view.least_distance(drivers)
        note = f"Nobody has a rank yet. Drivers with {words.decimal(least_km, 0, 'km')} or more"
        components.card_head("Most events per 100 km", note)
        figure = charts.highest_rates(drivers, least_km=least_km)
        components.chart(figure, key="stands_out", alt="The drivers with the most events per 100 km")
        return
    note = "Points per 100 km, 90 % interval. Full: clearly above the middle; green: below"
    components.card_head("Who stands out", note, help="A point opens the driver. The leaderboard has them all by name.")
    fleet_view.driver_chart(fleet_charts.stands_out(ranked, found.middle), key="stands_out", alt=_out_alt(ranked))


def _out_alt(ranked: pd.DataFrame) -> str:
    worst = ranked.iloc[0]
    above = int((ranked["verdict"] == "clearly above").sum())
    return (
        f"{words.driver(worst['name'], worst['driver_id'])} has the most penalty points per 100 km:"
        f" {words.decimal(worst['points_per_100_km'])}, likely {words.decimal(worst['low'])} to"
        f" {words.decimal(worst['high'])}. {words.plural(above, 'driver')} of {len(ranked)} clearly above the middle."
    )


def show_changed(found: Standings, members: frozenset[str] | None, period: Period) -> None:
    """Who got worse and who improved most since the period before."""
    rows = changes.most_changed(fleet_view.of_members(found.ranked, members))
    sentence = changes.fleet_sentence(found)
    note = f"Ring: before, dot: now. {sentence}" if period.days else "Against the period before"
    components.card_head("Who changed", note.strip(), help=CHANGED_HELP)
    if rows.empty:
        text = "All time has no period before it." if period.days is None else "Nobody is ranked in both periods yet."
        st.caption(f"{text} Choose another period to see who changed.")
        return
    proven = int((rows["badge"] != "unproven").sum())
    if not proven:
        st.caption("No change is beyond chance; these are the likeliest.")
    fleet_view.driver_chart(fleet_charts.who_changed(rows), key="who_changed", alt=_changed_alt(rows, proven))


def _changed_alt(rows: pd.DataFrame, proven: int) -> str:
    said = [f"{words.driver(row['name'], row['driver_id'])} {row['label']}" for _, row in rows.iterrows()]
    return f"Changes of points per 100 km, {proven} of them beyond chance: {'; '.join(said)}."


def show_failed() -> None:
    """The newest trips that could not be scored, with the reason; nothing where there is none."""
    failed = data.failures(components.database(), MOST_FAILED)
    if failed.empty:
        return
    zone = components.zone()
    names = zip(failed["driver_name"], failed["driver_id"], strict=True)
    shown = pd.DataFrame(
        {
            "received": [words.day_and_time(each.to_pydatetime(), zone) for each in failed["received_at"]],
            "driver": [words.driver(*each) for each in names],
            "vehicle": [
                words.vehicle(*each) for each in zip(failed["vehicle_name"], failed["vehicle_id"], strict=True)
            ],
            "error": failed["error"],
            "attempts": failed["attempts"].astype("int64"),
        }
    )
    with st.container(border=True):
        components.card_head("Needs a hand", "The newest trips that could not be scored; a time opens the trip")
        _failed_table(shown, list(failed["trip_id"]))


def _failed_table(shown: pd.DataFrame, trip_ids: list[str]) -> None:
    key = "open_failed_trip"
    st.dataframe(
        shown,
        key="failed_trips",
        placeholder=words.NOTHING,
        hide_index=True,
        alt="Trips that could not be scored, with the reason",
        column_config={
            "received": st.column_config.ButtonColumn(
                "Received", key=key, type="tertiary", pinned=True, alignment="left", width=150,
                on_click=components.on_row(key, trip_ids, components.open_trip),
            ),
            "driver": st.column_config.TextColumn("Driver", width=160),
            "vehicle": st.column_config.TextColumn("Vehicle", width=130),
            "error": st.column_config.TextColumn("Reason", width=430),
            "attempts": st.column_config.NumberColumn("Attempts", width=70, format="%d"),
        },
    )  # fmt: skip
