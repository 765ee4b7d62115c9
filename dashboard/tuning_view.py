"""What a draft would do: figures, who moves, how trips score, and how much a threshold matters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from dashboard import components, data, drafts, look, slopes, slopes_picture, tuning_charts, words
from dashboard.tuning_controls import reach_of
from fleetflow.safety.events import EventKind
from fleetflow.safety.whatif import order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from fleetflow.safety.profiles import ScoringProfile
    from fleetflow.safety.whatif.compare import Comparison
    from fleetflow.safety.whatif.sweep import Sweep

SWEEP_STEPS = 21
SWEPT_AT_ONCE = 300_000
"""With more events than that a sweep takes longer than a person who moves sliders wants to wait; he asks for it."""


def show_figures(found: Comparison, counts: Sequence[Mapping[EventKind, int]]) -> None:
    """What would change, in five figures; `counts` are harsh events now and under the draft."""
    before, after = (sum(each.values()) for each in counts)
    ranked = int(found.in_both.sum())
    means = [each.order.fit.mean[found.in_both] for each in (found.before, found.after)]
    stay, worst = order.worst_staying(*means) if ranked else (0, 0)
    score, was = found.scores_after.mean, found.scores_before.mean
    with st.grid(5, min_column_width=150):
        components.figure("Harsh events", words.integer(after), f"{words.signed(after - before, 0)} from {before:,}")
        components.figure("Mean trip score", words.decimal(score), f"{words.signed(score - was)} from {was:.1f}")
        components.figure(
            "Drivers who move", words.integer(int(np.count_nonzero(found.move))), f"of {ranked} ranked in both"
        )
        components.figure(
            "Beyond noise", words.integer(int(found.flagged.sum())), "at least 95 % certain",
            help="Moves that a driver's own mix of mild and severe events explains. The others may be luck.",
        )  # fmt: skip
        components.figure(
            "Order agreement τ", words.decimal(order.agreement(*means), 2), f"{stay} of {worst} worst stay",
            help="Kendall's tau-b of the drivers' order now and under the draft: 1 is the same order, 0 no relation.",
        )  # fmt: skip


def show_moves(driver_ids: list[str], found: Comparison, version: int) -> None:
    """Who moves from which rank to which, as lines and as a table."""
    moves = slopes.moves_frame(driver_ids, found, components.driver_names())
    laid_out = slopes.lay_out(moves)
    components.card_head("Rank moves", moves_note(laid_out))
    if moves.empty:
        st.caption("Nobody has driven enough in this period to be ranked.")
        return
    if laid_out.shown.empty:
        st.caption("Nobody changes places.")
        return
    flagged = int(moves["flagged"].sum())
    alt = f"{laid_out.movers} of {len(moves)} drivers change places, {flagged} of them by more than noise."
    components.picture(slopes_picture.draw(laid_out, (f"profile {version}", "draft"), alt))
    table = st.expander("As a table", on_change="rerun", key="moves_table_open")
    if table.open:
        with table:
            _show_table(moves)


def moves_note(found: slopes.Slopes) -> str:
    """How to read the lines, and who is left out."""
    note = "Rank 1 has the most points per 100 km. Bold: more than noise; green: to fewer points"
    if len(found.shown) < found.all_drivers:
        note = f"The {len(found.shown)} surest and farthest of {found.movers} moves. {note}"
    return note


def _show_table(moves: pd.DataFrame) -> None:
    shown = table_frame(moves)
    st.dataframe(
        shown,
        placeholder=words.NOTHING,
        hide_index=True,
        key="moves_table",
        alt="Drivers with their rank before and after, and whether the move is more than noise",
        column_config={
            "driver": st.column_config.TextColumn("Driver", width=160),
            "before": st.column_config.NumberColumn("Rank now", width=70),
            "after": st.column_config.NumberColumn("Rank then", width=70),
            "move": st.column_config.TextColumn("Move", width=54, alignment="right", help="Below 0: towards rank 1."),
            "certain": st.column_config.TextColumn("The move is", width=100),
            "points_before": st.column_config.NumberColumn("Points now", format="%.1f", help="Per 100 km."),
            "points_after": st.column_config.NumberColumn("Points then", format="%.1f", help="Per 100 km."),
        },
    )
    components.csv_footer(shown, f"{len(shown)} drivers ranked under both", "fleetflow-rank-moves.csv")


def table_frame(moves: pd.DataFrame) -> pd.DataFrame:
    """The moves in words; a dash for who stays where he is."""
    certain = np.where(moves["flagged"], "beyond noise", np.where(moves["move"] == 0, "", "within noise"))
    signs = [words.signed(each, 0) if each else words.NOTHING for each in moves["move"]]
    columns = ["driver", "before", "after", "move", "certain", "points_before", "points_after"]
    return moves.assign(move=signs, certain=certain)[columns]


def show_scores(found: Comparison) -> None:
    """How trips score now and under the draft."""
    components.card_head("Trip scores", "Share of trips by score. Outline: now, filled: draft")
    before, after = found.scores_before.mean, found.scores_after.mean
    alt = f"Trips score {words.decimal(after)} on average under the draft, {words.decimal(before)} now."
    components.picture(tuning_charts.scores(found.scores_before, found.scores_after, alt))


def show_stability(fleet: data.Fleet, active: ScoringProfile, draft: ScoringProfile) -> None:
    """How much the choice of each threshold matters for the drivers' order."""
    components.card_head(
        "How much the threshold matters",
        "Agreement of the drivers' order with the one above, by threshold",
        help="Any threshold re-orders drivers a little, since it leaves fewer or more events. Inside the grey band that"
        " is all there is; below it, the threshold really re-orders. On the green stretch the choice matters less than"
        " another period of the same driving would.",
    )
    kind = st.segmented_control(
        "Kind", list(EventKind), default=EventKind.BRAKING, key="swept_kind", required=True,
        format_func=lambda each: words.segment(f"{look.KINDS[each].sign} {look.KINDS[each].noun}"),
        label_visibility="collapsed",
    )  # fmt: skip
    if not draft.rules[kind].penalty:
        st.caption(f"{look.KINDS[kind].noun} costs no points, so its threshold moves nobody.")
        return
    if len(fleet.prepared.peak) > SWEPT_AT_ONCE and not st.button("Try every threshold", icon=":material/play_arrow:"):
        st.caption(f"{words.integer(len(fleet.prepared.peak))} events: this takes some seconds.")
        return
    reach = reach_of(kind, active.rules[kind], draft.rules[kind])
    tried = tuple(np.linspace(reach.low, reach.high, SWEEP_STEPS).round(2).tolist())
    key = data.key_of(draft)
    found = data.threshold_sweep(fleet, key, kind, tried)
    if np.isnan(found.agreement).all():
        st.caption("Too few ranked drivers to compare orders.")
        return
    figure = tuning_charts.stability(kind, found, active.rules[kind].threshold)
    components.chart(figure, key="stability", alt=stability_words(kind, found))
    st.caption(stability_words(kind, found))


def stability_words(kind: EventKind, found: Sweep) -> str:
    """The stretch of thresholds on which the choice matters little, in a sentence."""
    low, high = (float(found.thresholds[each]) for each in found.plateau)
    if low == high:
        return f"Every other threshold tried matters more than another period of the same driving ({found.repeat:.2f})."
    return (
        f"From {drafts.threshold(kind, low)} to {drafts.threshold(kind, high)} the choice matters less than another"
        f" period of the same driving would."
    )
