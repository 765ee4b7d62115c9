"""Operations: trips on their way to a score, the workers, what failed, and re-score runs."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from dashboard import components, data, operations_view, run_view, states, words

RUNS_SHOWN = 20
FIT_DAYS = 28


def main() -> None:
    """What needs a hand, the figures, then pace and workers, failed trips, runs and the ranking's fit."""
    zone, database = components.zone(), components.database()
    components.head("Operations", f"Renews itself every {states.RETRY_S} seconds · {words.zone_note(zone)}")
    backlog, workers = data.backlog(database), data.workers(database)
    operations_view.show_troubles(backlog, workers)
    run_view.follow(database)
    operations_view.show_figures(backlog, workers, float(data.throughput(database, 60, 60)["trips"].sum()))
    with st.grid(2, min_column_width=420, border=True) as grid:
        with grid.cell():
            operations_view.show_pace(database, zone)
        with grid.cell():
            operations_view.show_workers(workers, zone)
    with st.container(border=True):
        operations_view.show_failed(database, backlog.failed, zone)
    with st.grid(3, min_column_width=330, border=True) as grid:
        with grid.cell(column_span=2):
            operations_view.show_runs(data.newest_runs(database, RUNS_SHOWN), zone)
        with grid.cell():
            version = data.active_profile(database).version
            since = words.period_start(FIT_DAYS, zone, datetime.now(UTC))
            operations_view.show_fit(data.fit_figures_of(database, version, since, zone), FIT_DAYS)
    states.rerun_every(states.RETRY_S)


main()
