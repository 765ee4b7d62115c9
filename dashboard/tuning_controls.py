"""The tuning page's controls: for each kind the peaks, the threshold's slider under them, and what an event costs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from dashboard import components, data, drafting, drafts, look, tuning_charts, words
from fleetflow.safety.events import EventKind
from fleetflow.safety.judging import KINDS
from fleetflow.safety.presets import PRESETS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dashboard.data import Fleet
    from fleetflow.safety.profiles import Rule, ScoringProfile
    from fleetflow.safety.whatif.judged import Judged
    from fleetflow.safety.whatif.prepared import Prepared
    from fleetflow.storage.profiles import StoredProfile

MOST_PENALTY = 20


class Reach(NamedTuple):
    """What a slider offers, from the floor of detection to beyond the highest threshold in use."""

    low: float
    high: float
    step: float
    form: str


def harsh_by_kind(prepared: Prepared, judged: Judged) -> dict[EventKind, int]:
    """Harsh events of the usable trips."""
    return dict(zip(KINDS, judged.counts[prepared.trips.usable].sum(axis=0).tolist(), strict=True))


def show_controls(
    fleet: Fleet, active: StoredProfile, draft: ScoringProfile, counts: Sequence[Mapping[EventKind, int]]
) -> None:
    """A slider over the peaks of each kind, and what an event costs; `counts`: harsh events now and under the draft."""
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
                    _show_rule(fleet, kind, active, draft)
        if active.profile.class_rules:
            names = ", ".join(sorted(active.profile.class_rules))
            st.caption(f"Vehicles of these classes have rules of their own, which stay as they are: {names}.")


def kind_words(kind: EventKind, counts: Sequence[int]) -> str:
    """▼ Braking · 701 → 1,137 harsh."""
    kind_look = look.KINDS[kind]
    now, then = (words.integer(each) for each in (counts[0], counts[-1]))
    change = f"**{now}** harsh" if now == then else f"{now} {drafts.ARROW} **{then}** harsh"
    return f":{kind_look.name}[{kind_look.sign}] **{kind_look.noun}** · {change}"


def _show_rule(fleet: Fleet, kind: EventKind, active: StoredProfile, draft: ScoringProfile) -> None:
    now, then = active.profile.rules[kind], draft.rules[kind]
    kind_look, reach = look.KINDS[kind], reach_of(kind, now, then)
    peaks = data.peaks(fleet, kind)
    alt = (
        f"{kind_look.noun}: how many events have which peak. The active threshold is"
        f" {drafts.threshold(kind, now.threshold)}, the draft's {drafts.threshold(kind, then.threshold)}."
    )
    thresholds = now.threshold, then.threshold
    components.picture(tuning_charts.peaks(kind, peaks, (reach.low, reach.high), thresholds, alt))
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


def _presets(active: ScoringProfile) -> None:
    def choose() -> None:
        preset = next(each for each in PRESETS if each.name == st.session_state["preset"])
        values = {kind: (rule.threshold, rule.penalty) for kind, rule in preset.rules.items()}
        drafting.replace(drafts.with_rules(active, values), active)

    st.selectbox(
        "Preset", [each.name for each in PRESETS], index=None, placeholder="Start from a preset", key="preset",
        label_visibility="collapsed", width=210, on_change=choose,
    )  # fmt: skip
    sources = st.popover("Sources", on_change="rerun", key="sources_open")
    if not sources.open:
        return  # drawn when asked for, not with every step of a slider
    with sources:
        for preset in PRESETS:
            st.markdown(f"**{preset.name}**")
            st.table({look.KINDS[kind].noun: text for kind, text in preset.sources.items()}, border="horizontal")


def reach_of(kind: EventKind, *rules: Rule) -> Reach:
    """What the slider of a kind offers where these rules are in use."""
    low, high, step, form = (80.0, 180.0, 1.0, "%.0f") if kind is EventKind.SPEEDING else (0.15, 0.80, 0.01, "%.2f")
    used = [rule.threshold for rule in rules]
    return Reach(min(low, *used), max(high, *used), step, form)
