"""Pieces of the tuning page: sliders over the peaks, what a draft would do, and the bar that applies it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import streamlit as st

from dashboard import actions, components, data, drafting, drafts, look, slopes, tuning_charts, words
from fleetflow.errors import FleetFlowError
from fleetflow.safety.events import EventKind
from fleetflow.safety.judging import KINDS
from fleetflow.safety.presets import PRESETS
from fleetflow.safety.profiles import ProfileError
from fleetflow.safety.whatif import order
from fleetflow.safety.whatif.peaks import distribution

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from fleetflow.safety.profiles import Rule, ScoringProfile
    from fleetflow.safety.whatif.compare import Comparison
    from fleetflow.safety.whatif.judged import Judged
    from fleetflow.safety.whatif.prepared import Prepared
    from fleetflow.safety.whatif.sweep import Sweep
    from fleetflow.storage.profiles import StoredProfile

MOST_PENALTY = 20
EVERY_GROUP = "All groups"
GROUP, GROUP_KEPT = "group", "chosen_group"
SWEEP_STEPS = 21
SWEPT_AT_ONCE = 300_000
"""With more events than that a sweep takes longer than a person who moves sliders wants to wait; he asks for it."""


class Reach(NamedTuple):
    """What a slider offers, from the floor of detection to beyond the highest threshold in use."""

    low: float
    high: float
    step: float
    form: str


def group_control(database: str) -> str | None:
    """The group of drivers to look at, kept in the address; None for all."""
    groups = data.groups(database)
    asked = st.query_params.get(GROUP) or st.session_state.get(GROUP_KEPT)
    chosen = asked if asked in groups else EVERY_GROUP
    st.session_state["group_control"] = chosen
    if groups:
        st.selectbox(
            "Group", [EVERY_GROUP, *groups], key="group_control", on_change=_store_group, width=210,
            label_visibility="collapsed",
        )  # fmt: skip
    return None if chosen == EVERY_GROUP else chosen


def _store_group() -> None:
    chosen = st.session_state["group_control"]
    st.session_state[GROUP_KEPT] = st.query_params[GROUP] = chosen
    if chosen == EVERY_GROUP:
        st.query_params.pop(GROUP, None)


def harsh_by_kind(prepared: Prepared, judged: Judged) -> dict[EventKind, int]:
    """Harsh events of the usable trips."""
    return dict(zip(KINDS, judged.counts[prepared.trips.usable].sum(axis=0).tolist(), strict=True))


def show_controls(prepared: Prepared, active: StoredProfile, draft: ScoringProfile, judged: Sequence[Judged]) -> None:
    """A slider over the peaks of each kind, and what an event costs; `judged` are the fleet now and under the draft."""
    counts = [harsh_by_kind(prepared, each) for each in judged]
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.container(width=420):
                note = f"Coloured: harsh under the draft. Dashed: the threshold of profile {active.version}"
                components.card_head("Thresholds and penalties", note)
            st.space("stretch")
            _presets(active.profile)
        with st.grid(4, min_column_width=220, gap="medium") as grid:
            for kind in EventKind:
                with grid.cell():
                    st.markdown(kind_words(kind, [each[kind] for each in counts]))
                    _show_rule(prepared, kind, active, draft)
        if active.profile.class_rules:
            names = ", ".join(sorted(active.profile.class_rules))
            st.caption(f"Vehicles of these classes have rules of their own, which stay as they are: {names}.")


def kind_words(kind: EventKind, counts: Sequence[int]) -> str:
    """▼ Braking · 701 → 1,137 harsh."""
    kind_look = look.KINDS[kind]
    now, then = (words.integer(each) for each in (counts[0], counts[-1]))
    change = f"**{now}** harsh" if now == then else f"{now} {drafts.ARROW} **{then}** harsh"
    return f":{kind_look.name}[{kind_look.sign}] **{kind_look.noun}** · {change}"


def _show_rule(prepared: Prepared, kind: EventKind, active: StoredProfile, draft: ScoringProfile) -> None:
    now, then = active.profile.rules[kind], draft.rules[kind]
    kind_look, reach = look.KINDS[kind], _reach(kind, now, then)
    peaks = distribution(kind, prepared.peaks_of(kind, doubtful=False))
    components.chart(
        tuning_charts.peaks(kind, peaks, (reach.low, reach.high), now.threshold, then.threshold),
        key=f"peaks_{kind}",
        alt=f"{kind_look.noun}: how many events have which peak. The active threshold is"
        f" {drafts.threshold(kind, now.threshold)}, the draft's {drafts.threshold(kind, then.threshold)}.",
    )
    drawn = active.version, drafting.generation()
    keys = _showing("threshold", kind, drawn, then.threshold), _showing("penalty", kind, drawn, then.penalty)
    change = partial(_store_rule, components.database(), kind, drawn)
    st.slider(
        f"{kind_look.noun} is harsh above, {kind_look.unit}", reach.low, reach.high,
        step=reach.step, format=reach.form, key=keys[0], on_change=change,
    )  # fmt: skip
    st.number_input(
        f"Points for each {kind_look.noun.lower()} event", 0, max(MOST_PENALTY, then.penalty), step=1,
        key=keys[1], on_change=change,
    )  # fmt: skip


def _showing(name: str, kind: EventKind, drawn: tuple[int, int], value: float) -> str:
    """The key of a control that shows this value. Set only when it differs: a slider in a hand must not jump."""
    key = _key(name, kind, drawn)
    if st.session_state.get(key) != value:
        st.session_state[key] = value
    return key


def _key(name: str, kind: EventKind, drawn: tuple[int, int]) -> str:
    """A control's key; `drawn` is the version and the generation that it was drawn for."""
    return f"{name}_{kind}_{drawn[0]}_{drawn[1]}"


def _store_rule(database: str, kind: EventKind, drawn: tuple[int, int]) -> None:
    """Take over what the controls of a kind say, into the draft as it is by now; those that are gone say nothing."""
    active = data.active_profile(database)
    if drawn != (active.version, drafting.generation()):
        return
    threshold, penalty = (st.session_state[_key(name, kind, drawn)] for name in ("threshold", "penalty"))
    draft = drafts.with_rules(drafting.current(active.profile), {kind: (round(threshold, 2), int(penalty))})
    drafting.store(draft, active.profile)


def _reach(kind: EventKind, *rules: Rule) -> Reach:
    low, high, step, form = (80.0, 180.0, 1.0, "%.0f") if kind is EventKind.SPEEDING else (0.15, 0.80, 0.01, "%.2f")
    used = [rule.threshold for rule in rules]
    return Reach(min(low, *used), max(high, *used), step, form)


def _presets(active: ScoringProfile) -> None:
    def choose() -> None:
        preset = next(each for each in PRESETS if each.name == st.session_state["preset"])
        values = {kind: (rule.threshold, rule.penalty) for kind, rule in preset.rules.items()}
        drafting.replace(drafts.with_rules(active, values), active)

    st.selectbox(
        "Preset", [each.name for each in PRESETS], index=None, placeholder="Start from a preset", key="preset",
        label_visibility="collapsed", width=210, on_change=choose,
    )  # fmt: skip
    with st.popover("Sources"):
        for preset in PRESETS:
            st.markdown(f"**{preset.name}**")
            st.table({look.KINDS[kind].noun: text for kind, text in preset.sources.items()}, border="horizontal")


def show_figures(prepared: Prepared, found: Comparison) -> None:
    """What would change, in five figures."""
    before, after = (sum(harsh_by_kind(prepared, each).values()) for each in (found.before, found.after))
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
    components.chart(tuning_charts.slopes(laid_out, (f"profile {version}", "draft")), key="moves", alt=alt)
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
    components.chart(
        tuning_charts.scores(found.scores_before, found.scores_after), key="scores",
        alt=f"Trips score {words.decimal(after)} on average under the draft, {words.decimal(before)} now.",
    )  # fmt: skip


def show_stability(scope: data.Scope, prepared: Prepared, active: ScoringProfile, draft: ScoringProfile) -> None:
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
    if len(prepared.peak) > SWEPT_AT_ONCE and not st.button("Try every threshold", icon=":material/play_arrow:"):
        st.caption(f"{words.integer(len(prepared.peak))} events: this takes some seconds.")
        return
    reach = _reach(kind, active.rules[kind], draft.rules[kind])
    tried = tuple(np.linspace(reach.low, reach.high, SWEEP_STEPS).round(2).tolist())
    key = data.key_of(draft)
    found = data.threshold_sweep(scope, key, kind, tried)
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


def show_bar(database: str, active: StoredProfile, draft: ScoringProfile) -> None:
    """The draft in words, and what to do with it; stays at the bottom of the screen."""
    changes = drafts.differences(active.profile, draft)
    with st.bottom, st.container(horizontal=True, vertical_alignment="center"):
        with st.container(width="stretch"):
            st.markdown(f":material/edit_note: **Draft** · {' · '.join(changes)}")
        st.button("Discard", type="tertiary", on_click=drafting.discard)
        st.button("Apply…", type="primary", on_click=drafting.ask)
    if drafting.asked():
        _apply(database, active, draft)


@st.dialog(
    "Apply as a new profile", width="medium", icon=":material/publish:", on_dismiss=lambda: drafting.ask(open_=False)
)
def _apply(database: str, active: StoredProfile, draft: ScoringProfile) -> None:
    st.table(_as_rows(active, draft), border="horizontal")
    with st.form("apply", border=False):
        name = st.text_input("Name", max_chars=100, placeholder="Stricter braking")
        note = st.text_area("Why", max_chars=500, placeholder="What led to this change?", height=84)
        trips = words.plural(data.analysed_trips(database), "trip")
        st.caption(
            f"{trips} will be scored again in the background; then the new profile becomes active. Scores under profile"
            f" {active.version} stay readable, and you can go back at any time."
        )
        sent = st.form_submit_button("Apply and re-score", type="primary")
    if sent and did(partial(actions.apply_profile, database, replace(draft, name=name.strip()), note.strip())):
        drafting.discard()
        st.rerun()


def _as_rows(active: StoredProfile, draft: ScoringProfile) -> dict[str, list[str]]:
    changed = [kind for kind in EventKind if active.profile.rules[kind] != draft.rules[kind]]
    return {
        "Kind": [f"{look.KINDS[kind].sign} {look.KINDS[kind].noun}" for kind in changed],
        f"Profile {active.version}, now": [drafts.in_short(kind, active.profile.rules[kind]) for kind in changed],
        "Draft": [f"**{drafts.in_short(kind, draft.rules[kind])}**" for kind in changed],
    }


def did(action: Callable[[], object]) -> bool:
    """Whether it worked; what was wrong is said on the page, and nothing was changed."""
    try:
        action()
    except (ProfileError, FleetFlowError) as error:
        st.error(str(error), icon=":material/error:")
        return False
    return True
