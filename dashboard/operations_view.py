"""Pieces of the operations page: troubles, key figures, pace, workers, failed trips, runs, the ranking's fit."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import pandas as pd
import streamlit as st

from dashboard import actions, components, data, operations_charts, states, tables, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleetflow.safety.ranking.figures import FitFigures
    from fleetflow.storage.backlog import Backlog
    from fleetflow.storage.heartbeats import SeenWorker
    from fleetflow.storage.runs import Run

SPANS = {"6": "6 hours", "24": "24 hours"}
SLOT_S = {"6": 600, "24": 1800}
HOUR_S = 3600
FAILED_SHOWN = 200
MOST_ROWS = 10
WHEN = "D MMM, HH:mm"


def show_troubles(backlog: Backlog, workers: Sequence[SeenWorker]) -> None:
    """What somebody has to look after, each with what to do; nothing while all is well."""
    alive = [each for each in workers if each.alive]
    if not alive:
        st.error(
            "**No worker is alive.** Trips are taken and wait. Start one: `python -m worker`, or look why it ended.",
            icon=":material/error:",
        )
    elif backlog.waiting and (backlog.oldest_s or 0.0) > states.DELAYED_S:
        st.warning(
            f"**Scores are delayed.** {words.plural(backlog.waiting, 'trip')} wait, the oldest for"
            f" {words.duration(backlog.oldest_s)}. While that grows, start more workers.",
            icon=":material/hourglass_bottom:",
        )
    cut_off = {each.queue for each in alive if not each.queue_reachable}
    if cut_off:
        st.warning(
            f"**{' and '.join(sorted(cut_off))} cannot be reached as a queue.** Nothing is lost: workers find trips by"
            " looking, so scores come a little later.",
            icon=":material/cloud_off:",
        )


def show_figures(backlog: Backlog, workers: Sequence[SeenWorker], last_hour: float) -> None:
    """Waiting, in work, failed, pace, workers."""
    alive = sum(each.alive for each in workers)
    oldest = f"oldest {words.duration(backlog.oldest_s)}" if backlog.waiting else "none"
    with st.grid(5, min_column_width=150):
        components.figure("Waiting", words.integer(backlog.waiting), oldest)
        components.figure("In work", words.integer(backlog.in_work), "being analysed")
        components.figure("Failed", words.integer(backlog.failed), "see below" if backlog.failed else "none")
        components.figure("Scored per minute", words.decimal(last_hour / 60), f"{words.integer(last_hour)} in an hour")
        silent = len(workers) - alive
        components.figure("Workers alive", words.integer(alive), f"{silent} silent" if silent else "none silent")


def show_pace(database: str, zone: str) -> None:
    """How many trips were scored, over the last hours."""
    with st.container(horizontal=True, vertical_alignment="center"):
        components.card_head("Trips scored per minute")
        st.space("stretch")
        span = st.segmented_control(
            "Span", list(SPANS), default="6", format_func=lambda each: words.segment(SPANS[each]), key="span",
            label_visibility="collapsed", required=True,
        )  # fmt: skip
    slot_s = SLOT_S[span]
    slots = data.throughput(database, slot_s, int(span) * HOUR_S // slot_s)
    total = float(slots["trips"].sum())
    alt = f"{words.plural(int(total), 'trip')} scored in the last {SPANS[span]}"
    components.chart(operations_charts.throughput(slots, zone, slot_s), key="throughput", alt=alt)


def show_workers(workers: Sequence[SeenWorker], zone: str) -> None:
    """Who works, when it was last heard of, and what wakes it."""
    components.card_head("Workers", "Each says at every sweep that it lives")
    if not workers:
        st.caption("None was heard of within the last hour.")
        return
    st.dataframe(
        workers_frame(workers, zone),
        key="workers",
        placeholder=words.NOTHING,
        hide_index=True,
        row_height=tables.ROW_PX,
        height=tables.height(len(workers), 5),
        alt="Workers with when they were last heard of, how many trips they scored, and what wakes them",
        column_config={
            "worker": st.column_config.TextColumn("Worker", width=130, help="Host and process."),
            "seen": st.column_config.TextColumn("Heard of", width=90),
            "trips": st.column_config.NumberColumn("Trips", format="localized", width=60),
            "queue": st.column_config.TextColumn("Woken by", width=110),
            "since": st.column_config.DatetimeColumn("Since", format=WHEN, width=106),
        },
    )


def workers_frame(workers: Sequence[SeenWorker], zone: str) -> pd.DataFrame:
    """One row per worker, in words."""
    return pd.DataFrame(
        {
            "worker": [f"{each.host} · {each.pid}" for each in workers],
            "seen": [_seen(each) for each in workers],
            "trips": [each.completed_trips for each in workers],
            "queue": [each.queue if each.queue_reachable else f"{each.queue}, unreachable" for each in workers],
            "since": tables.local_times(pd.Series([each.started_at for each in workers]), zone),
        }
    )


def _seen(worker: SeenWorker) -> str:
    silence = words.duration(max(worker.silence_s, 0.0))
    return f"{silence} ago" if worker.alive else f"silent, {silence}"


def show_failed(database: str, failed: int, zone: str) -> None:
    """The trips that could not be scored, with the reason, and the way to try them again."""
    components.card_head(
        "Failed trips",
        "Their samples are kept. When the cause is mended, try them again.",
        help="A trip fails when its analysis raises an error, or when its worker died with it too often.",
    )
    if not failed:
        st.caption("None: every trip that arrived has a score or will have one.")
        return
    trips = data.failures(database, FAILED_SHOWN)
    chosen = _failed_table(trips, zone)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(_failed_note(failed, len(trips)), width="content")
        st.space("stretch")
        if st.button(f"Retry chosen ({len(chosen)})", key="retry_chosen", disabled=not chosen):
            _retry(database, chosen)
        if st.button(f"Retry all {words.integer(failed)}", key="retry_all"):
            _retry(database, None)


def _failed_note(failed: int, shown: int) -> str:
    newest = f"The newest {shown} of {words.integer(failed)}. " if shown < failed else ""
    return f"{newest}Tick trips to choose them; the id opens the trip."


def _retry(database: str, trip_ids: list[UUID] | None) -> None:
    reached = actions.retry_failed(database, trip_ids)
    st.toast(f"{words.plural(reached, 'trip')} given to the workers again.", icon=":material/replay:")
    st.rerun()


def _failed_table(trips: pd.DataFrame, zone: str) -> list[UUID]:
    """The table; returns the ids that are ticked."""
    key = "open_failed_row"
    state = st.dataframe(
        failed_frame(trips, zone),
        key=f"failed_{len(trips)}_{trips['trip_id'].iloc[0] if len(trips) else ''}",
        placeholder=words.NOTHING,
        hide_index=True,
        row_height=tables.ROW_PX,
        height=tables.height(len(trips), MOST_ROWS),
        on_select="rerun",
        selection_mode="multi-row",
        alt="Failed trips with their driver, when they came and failed, how often they were tried, and why",
        column_config={
            "trip": st.column_config.ButtonColumn(
                "Trip", key=key, type="tertiary", alignment="left", width=128,
                on_click=components.on_row(key, list(trips["trip_id"]), components.open_trip),
            ),
            "driver": st.column_config.TextColumn("Driver", width=160),
            "received": st.column_config.DatetimeColumn("Received", format=WHEN, width=106),
            "failed": st.column_config.DatetimeColumn("Failed", format=WHEN, width=106),
            "attempts": st.column_config.NumberColumn("Tried", width=56, help="How often a worker took it."),
            "error": st.column_config.TextColumn("Why", width=500),
        },
    )  # fmt: skip
    return [UUID(trips["trip_id"].iloc[row]) for row in state["selection"]["rows"] if row < len(trips)]


def failed_frame(trips: pd.DataFrame, zone: str) -> pd.DataFrame:
    """One row per failed trip, in words."""
    return pd.DataFrame(
        {
            "trip": [f"…{each[-12:]}" for each in trips["trip_id"]],
            "driver": [words.driver(*row) for row in zip(trips["driver_name"], trips["driver_id"], strict=True)],
            "received": tables.local_times(trips["received_at"], zone),
            "failed": tables.local_times(trips["failed_at"], zone),
            "attempts": trips["attempts"].astype("int64"),
            "error": trips["error"],
        }
    )


def show_runs(runs: Sequence[Run], zone: str) -> None:
    """The newest re-score runs."""
    components.card_head("Re-score runs", "A run applies a profile to stored trips; what it wrote stays.")
    if not runs:
        st.caption("None yet. Applying a profile on the tuning page begins one.")
        return
    st.dataframe(
        runs_frame(runs, zone),
        key="runs",
        placeholder=words.NOTHING,
        hide_index=True,
        row_height=tables.ROW_PX,
        height=tables.height(len(runs), 6),
        alt="Re-score runs with their profile, state, how many trips they scored, how long they took, and why",
        column_config={
            "profile": st.column_config.NumberColumn("Profile", width=58),
            "state": st.column_config.TextColumn("State", width=86),
            "trips": st.column_config.TextColumn("Trips", width=110, alignment="right"),
            "took": st.column_config.TextColumn("Took", width=70, alignment="right"),
            "asked_by": st.column_config.TextColumn("Asked by", width=100),
            "started": st.column_config.DatetimeColumn("Began", format=WHEN, width=106),
            "note": st.column_config.TextColumn("Why", width=220),
        },
    )


def runs_frame(runs: Sequence[Run], zone: str) -> pd.DataFrame:
    """One row per run, in words."""
    return pd.DataFrame(
        {
            "profile": [each.profile_version for each in runs],
            "state": [each.state.lower() for each in runs],
            "trips": [f"{each.done_trips:,} of {each.total_trips:,}" for each in runs],
            "took": [_took(each) for each in runs],
            "asked_by": [each.asked_by for each in runs],
            "started": tables.local_times(pd.Series([each.started_at for each in runs]), zone),
            "note": [each.note for each in runs],
        }
    )


def _took(run: Run) -> str:
    return words.duration((run.finished_at - run.started_at).total_seconds()) if run.finished_at else words.NOTHING


def show_fit(fit: FitFigures | None, days: int) -> None:
    """What the ranking found out about the fleet, for whoever wants to know why ranks are as sure as they are."""
    components.card_head("The ranking's fit", f"Active profile, last {days} days")
    if fit is None or fit.spread is None or fit.km_needed is None:
        st.caption("Too little driving to learn from: each driver stands for himself, and nobody is ranked.")
        return
    st.table(
        {
            "Ranked": f"{words.integer(fit.ranked)} of {words.plural(fit.drivers, 'driver')}",
            "Fleet's mean": f"{words.decimal(fit.points_per_100_km)} points per 100 km",
            "Spread between drivers": f"{words.decimal(100 * fit.spread, 0)} % of the mean",
            "Bunching": f"{words.decimal(fit.bunching)} events come as one",
            "A rank takes about": words.decimal(fit.km_needed, 0, "km"),
        },
        border="horizontal",
    )
