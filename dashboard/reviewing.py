"""Judging events, wherever on a page: the reasons, the buttons, what a judgement changed, and the way back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard import actions, components, data, look, viewers, words
from fleetflow.errors import FleetFlowError
from fleetflow.safety.events import Review

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from fleetflow.safety.events import HarshEvent

REVIEW_WORDS = {
    Review.CONFIRMED: "confirmed",
    Review.FALSE: "not a harsh event",
    Review.DEFENSIVE: "avoided a collision",
    Review.OTHER_DRIVER: "someone else drove",
}
DISMISSALS = {
    "Bump or pothole": Review.FALSE,
    "Sensor or mounting": Review.FALSE,
    "Avoided a collision": Review.DEFENSIVE,
    "Someone else drove": Review.OTHER_DRIVER,
    "Other reason": Review.FALSE,
}
LONGEST_NOTE = 300
DOUBT_WORDS = {
    "turn": "the pull of a turn just before it can look like this",
    "rebound": "a brake of about its size came just before: the sensor swings back",
    "spike": "shorter than anybody can brake or steer: a knock",
    "unsupported": "the speed did not change with it",
    "slow": "never above 10 km/h around it: manoeuvring",
    "frozen": "the speed stood still and then jumped",
}
DONE, REFUSED = "review_done", "review_refused"


@dataclass(frozen=True, slots=True)
class Done:
    """A judgement just made on this page: the events as they are now, and the trip's score before and after."""

    events: tuple[HarshEvent, ...]
    said: str
    before: int | None = None
    after: int | None = None

    @property
    def text(self) -> str:
        """Dismissed: bump or pothole. The score goes from 85 to 90."""
        if self.before is None or self.after is None:
            return f"{self.said}."
        if self.before == self.after:
            return f"{self.said}. The trip's score stays {self.after}."
        return f"{self.said}. The trip's score goes from {self.before} to {self.after}."


def said_of(review: Review | None, reason: str | None) -> str:
    """A judgement in words: Confirmed; Dismissed: bump or pothole; To review."""
    if review is None:
        return "To review"
    if review is Review.CONFIRMED:
        return "Confirmed" if not reason else f"Confirmed: {reason}"
    return f"Dismissed: {reason[0].lower()}{reason[1:]}" if reason else f"Dismissed: {REVIEW_WORDS[review]}"


def badge(event: HarshEvent, reason: str | None) -> str:
    """The judgement of an event for st.markdown."""
    return f":gray-badge[{words.literal(said_of(event.review, reason))}]"


def doubts_of(event: HarshEvent) -> str:
    """Why an event may not be real, in words."""
    return "; ".join(DOUBT_WORDS.get(doubt, doubt) for doubt in event.doubts)


def judge(events: Sequence[HarshEvent], review: Review | None, reason: str = "") -> bool:
    """Store a judgement of one event or many and remember what it changed; False when it was refused."""
    try:
        done = _judge_one(events[0], review, reason) if len(events) == 1 else _judge_many(events, review, reason)
    except FleetFlowError as error:
        data.forget()  # what this page showed is no longer so
        st.session_state[REFUSED] = str(error)
        return False
    st.session_state[DONE] = done
    st.toast(words.literal(done.text), icon=":material/check:")
    return True


def _judge_one(event: HarshEvent, review: Review | None, reason: str) -> Done:
    before, after = actions.review_event(components.database(), event, review, reason)
    said = said_of(review, reason) if review else "Waits for a review again"
    return Done((replace(event, review=review),), said, before, after)


def _judge_many(events: Sequence[HarshEvent], review: Review | None, reason: str) -> Done:
    changed = actions.review_events(components.database(), events, review, reason)
    said = f"{words.plural(changed, 'event')}: {said_of(review, reason).lower()}"
    left = len(events) - changed
    if left:
        said += f". {words.plural(left, 'event')} had been judged by somebody else and stayed as they were"
    return Done(tuple(replace(event, review=review) for event in events), said)


def show_outcome(of: Container[int | None] | None = None) -> None:
    """What the last judgement changed, with the way back, or why it was refused; `of` names the events of the page."""
    refused = st.session_state.pop(REFUSED, None)
    if refused:
        st.warning(refused, icon=":material/sync_problem:")
    done = st.session_state.get(DONE)
    if done is None or (of is not None and done.events[0].id not in of):
        return
    with st.container(horizontal=True, vertical_alignment="center", key="review_outcome"):
        st.markdown(f":material/check: {words.literal(done.text)}", width="content")
        if done.events[0].review is not None:
            undo_button(done.events, key="undo_last", type="tertiary", icon=":material/undo:")


def allowed() -> bool:
    """Whether the viewer may judge events; who may not sees what others made of them."""
    return viewers.may("review_event")


def undo_button(events: Sequence[HarshEvent], *, key: str, **look: Any) -> None:
    """The way back from a judgement, for who may judge."""
    if allowed():
        st.button("Undo", key=key, on_click=undo, args=(events,), **look)


def undo(events: Sequence[HarshEvent]) -> None:
    """Take a judgement back; its history stays."""
    judge(events, None)


def forget_outcome() -> None:
    """Somebody went on to something else."""
    st.session_state.pop(DONE, None)


def buttons(
    event: HarshEvent, *, key: str, then: Callable[[], None] | None = None, note: str = "", quiet: bool = False,
    shortcut: str | None = None,
) -> None:  # fmt: skip
    """Confirm and dismiss, for who may: one click or two, and never dismissed without a reason."""
    if not allowed():
        return

    def decide(review: Review, reason: str) -> None:
        if judge([event], review, f"{reason}: {note}" if reason and note else reason or note) and then:
            then()

    st.button(
        "Confirm", key=f"confirm_{key}", on_click=decide, args=(Review.CONFIRMED, ""), shortcut=shortcut,
        type="tertiary" if quiet else "primary", icon=None if quiet else ":material/check:",
    )  # fmt: skip
    menu = f"dismiss_{key}"

    def dismiss() -> None:
        reason = st.session_state[menu]
        if reason in DISMISSALS:
            decide(DISMISSALS[reason], reason)

    st.menu_button(
        "Dismiss", list(DISMISSALS), key=menu, on_click=dismiss, type="tertiary" if quiet else "secondary",
        icon=None if quiet else ":material/close:",
    )  # fmt: skip


def kind_title(event: HarshEvent) -> str:
    """▼ Harsh braking, the sign in its colour."""
    return f"{look.KINDS[event.kind].colored_sign} {look.KINDS[event.kind].label}"
