"""Pieces of the tuning page: sliders over the peaks, what a draft would do, applying it, and the profiles so far."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import actions, charts, components, data, look, words
from fleetflow.errors import FleetFlowError
from fleetflow.safety.events import EventKind
from fleetflow.safety.presets import PRESETS
from fleetflow.safety.profiles import ProfileError, Rule, ScoringProfile
from fleetflow.safety.whatif.compare import contrast
from fleetflow.safety.whatif.judged import judge
from fleetflow.safety.whatif.peaks import distribution

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleetflow.safety.whatif.compare import Comparison
    from fleetflow.safety.whatif.prepared import Prepared

MOST_PENALTY = 20
PROGRESS_S = 1.0


class Reach(NamedTuple):
    """What a slider offers, from the floor of detection to beyond the highest threshold in use."""

    low: float
    high: float
    step: float
    form: str


def controls(prepared: Prepared, active: ScoringProfile) -> ScoringProfile:
    """A slider over the peaks of each kind and what an event costs; returns the profile that they make."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.header("Thresholds", anchor=False, width="content", help="A peak must be above its threshold to count.")
            st.space("stretch")
            _presets()
            st.button("Reset", on_click=_reset)
        with st.grid(4, min_column_width=220) as grid:
            rules = {}
            for kind in EventKind:
                with grid.cell():
                    rules[kind] = _rule(prepared, kind, active.rules[kind])
    return replace(active, rules=MappingProxyType(rules))


def _rule(prepared: Prepared, kind: EventKind, active: Rule) -> Rule:
    kind_look, reach = look.KINDS[kind], _reach(kind)
    chart = st.container()
    threshold = st.slider(
        f":{kind_look.name}[{kind_look.sign}] {kind_look.label} above, {kind_look.unit}",
        reach.low,
        reach.high,
        active.threshold,
        reach.step,
        format=reach.form,
        key=_key("threshold", kind),
    )
    penalty = st.number_input("Points each", 0, MOST_PENALTY, active.penalty, key=_key("penalty", kind))
    peaks = distribution(kind, prepared.peaks_of(kind, doubtful=False))
    with chart:
        components.chart(
            charts.peaks(kind, peaks, (reach.low, reach.high), active.threshold, threshold),
            key=f"peaks_{kind}",
            alt=f"{kind_look.noun}: how many events have which peak; the active threshold is {active.threshold:g}",
        )
    return replace(active, threshold=round(threshold, 2), penalty=int(penalty))


def _reach(kind: EventKind) -> Reach:
    return Reach(80.0, 180.0, 1.0, "%.0f") if kind is EventKind.SPEEDING else Reach(0.15, 0.80, 0.01, "%.2f")


def _presets() -> None:
    def choose() -> None:
        preset = next(each for each in PRESETS if each.name == st.session_state["preset"])
        for kind, rule in preset.rules.items():
            st.session_state[_key("threshold", kind)] = rule.threshold
            st.session_state[_key("penalty", kind)] = rule.penalty

    st.selectbox(
        "Preset", [each.name for each in PRESETS], index=None, placeholder="Start from a preset", key="preset",
        label_visibility="collapsed", width=220, on_change=choose,
    )  # fmt: skip
    with st.popover("Sources"):
        for preset in PRESETS:
            st.markdown(f"**{preset.name}**")
            st.table({look.KINDS[kind].noun: text for kind, text in preset.sources.items()}, border="horizontal")


def _key(name: str, kind: EventKind) -> str:
    """A control's key: new ones after a reset, since a browser keeps the value of a control that stays."""
    return f"{name}_{kind}_{st.session_state.get('draft', 0)}"


def _reset() -> None:
    st.session_state["draft"] = st.session_state.get("draft", 0) + 1


def show_effect(driver_ids: list[str], prepared: Prepared, active: ScoringProfile, draft: ScoringProfile) -> None:
    """What would change: events, scores, and who moves, beyond noise or not."""
    found = contrast(prepared, judge(prepared, active), judge(prepared, draft))
    gained, lost = int(found.gained.sum()), int(found.lost.sum())
    moved = int(np.count_nonzero(found.move))
    mean, change = found.scores_after.mean, found.scores_after.mean - found.scores_before.mean
    with st.grid(4, min_column_width=150):
        components.figure("Harsh events", f"{words.signed(gained - lost, 0)}", f"{gained:,} more, {lost:,} fewer")
        components.figure("Mean trip score", words.decimal(mean), f"{words.signed(change)} points")
        components.figure("Drivers who move", words.integer(moved), f"of {int(found.in_both.sum())} ranked in both")
        components.figure("Beyond noise", words.integer(int(found.flagged.sum())), "at least 95 % certain")
    with st.container(border=True):
        components.card_head(
            "Who moves",
            "Rank 1 has the most points per 100 km. A move within noise may be luck of where a few peaks lie.",
        )
        _moves_table(driver_ids, found)


def _moves_table(driver_ids: list[str], found: Comparison) -> None:
    frame = moves_frame(driver_ids, found, components.driver_names())
    if frame.empty:
        st.caption("Nobody has driven enough in this period to be ranked.")
        return
    st.dataframe(
        frame,
        hide_index=True,
        key="moves",
        alt="Drivers with their rank before and after, and whether the move is more than noise",
        column_config={
            "before": st.column_config.NumberColumn("Rank now", width=80),
            "after": st.column_config.NumberColumn("Rank then", width=80),
            "move": st.column_config.NumberColumn("Move", format="%+d", width=70, help="Below 0: towards the worst."),
            "certain": st.column_config.TextColumn("The move is", width=130),
            "points_before": st.column_config.NumberColumn("Points now", format="%.1f", help="Per 100 km."),
            "points_after": st.column_config.NumberColumn("Points then", format="%.1f", help="Per 100 km."),
            "driver": st.column_config.TextColumn("Driver", width=200),
        },
    )


def moves_frame(driver_ids: list[str], found: Comparison, names: dict[str, str]) -> pd.DataFrame:
    """The drivers who are ranked under both profiles, the worst under the new one first."""
    before, after = found.before.order, found.after.order
    frame = pd.DataFrame(
        {
            "driver": [words.driver(names.get(each), each) for each in driver_ids],
            "before": before.rank,
            "after": after.rank,
            "move": found.move,
            "certain": np.where(found.move == 0, "", np.where(found.flagged, "beyond noise", "within noise")),
            "points_before": before.fit.mean,
            "points_after": after.fit.mean,
        }
    )
    return frame[found.in_both].sort_values(["after", "driver"]).reset_index(drop=True)


def show_apply(database: str, draft: ScoringProfile) -> None:
    """A name, a reason, and the button that stores the draft and scores every trip under it."""
    with st.container(border=True):
        components.card_head("Apply as a new profile", "Workers score all trips again, then it becomes active.")
        with st.form("apply", border=False):
            name = st.text_input("Name", max_chars=100, placeholder="Stricter braking")
            note = st.text_input("Why", max_chars=500, placeholder="What you want to reach with it")
            asked = st.form_submit_button("Apply and re-score", type="primary")
        if asked and _did(partial(actions.apply_profile, database, replace(draft, name=name.strip()), note.strip())):
            _reset()
            st.rerun()


def show_run(database: str) -> None:
    """The run that goes on, with its progress; the page follows it."""
    run = data.running_run(database)
    if run is None:
        if st.session_state.pop("watched_run", False):
            data.forget()
            _reset()
            st.rerun()
        return
    st.session_state["watched_run"] = True
    share = min(run.done_trips / run.total_trips, 1.0) if run.total_trips else 1.0
    with st.container(border=True):
        st.progress(share, f"Applying profile {run.profile_version}: {run.done_trips:,} of {run.total_trips:,} trips")
        if st.button("Cancel") and actions.cancel_run(database, run.id):
            st.rerun()
    components.rerun_every(PROGRESS_S)


def show_profiles(database: str, active_version: int) -> None:
    """The versions, the newest first, each with what it says and a way to it."""
    stored, activations = data.profile_history(database)
    since = {each.profile_version: each.activated_at for each in reversed(activations)}
    for each in stored:
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.container(width=620, gap=None):
                badge = " :green-badge[active]" if each.version == active_version else ""
                st.markdown(f"**{each.version} · {words.plain(each.profile.name)}**{badge}")
                origin = _origin(each.author, words.plain(each.note), since.get(each.version))
                st.caption(f"{describe(each.profile)}  \n{origin}")
            st.space("stretch")
            clicked = each.version != active_version and st.button("Make active", key=f"activate_{each.version}")
            if clicked and _did(partial(actions.activate_profile, database, each.version)):
                _reset()
                st.rerun()


def describe(profile: ScoringProfile) -> str:
    """A profile's rules in one line."""
    return " · ".join(
        f"{look.KINDS[kind].sign} {rule.threshold:g} {look.KINDS[kind].unit}, {words.plural(rule.penalty, 'point')}"
        for kind, rule in ((kind, profile.rules[kind]) for kind in EventKind)
    )


def _origin(author: str, note: str, since: object) -> str:
    when = f"last active from {words.day_and_time(since, components.zone())}" if since else "never active"  # type: ignore[arg-type]
    return f"By {author}, {when}. {note}".rstrip()


def _did(action: Callable[[], object]) -> bool:
    """Whether it worked; what was wrong is said on the page, and nothing was changed."""
    try:
        action()
    except (ProfileError, FleetFlowError) as error:
        st.error(str(error), icon=":material/error:")
        return False
    return True
