"""The draft that is being tuned: it lives in the address, so that it is a link, and goes along to other pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import drafts

if TYPE_CHECKING:
    from fleetflow.safety.profiles import ScoringProfile

PARAMETER, KEPT, ASKED, DISCARDED = "draft", "draft_address", "draft_asked", "draft_discarded"
GENERATION = "draft_generation"


def current(active: ScoringProfile) -> ScoringProfile:
    """The draft of the address, else the one left behind on this page; the active profile where there is none."""
    text = _text()
    if text == st.session_state.get(DISCARDED):
        text = None  # the browser's address comes with each message, and lags behind a draft that was just discarded
    draft = drafts.from_address(text, active)
    store(draft, active)
    return draft


def store(draft: ScoringProfile, active: ScoringProfile) -> None:
    """Make a profile the draft; one that says what the active one says is none."""
    if draft == active:
        _forget()
        return
    text = drafts.to_address(draft)
    st.session_state[KEPT] = text
    st.session_state.pop(DISCARDED, None)
    if st.query_params.get(PARAMETER) != text:
        st.query_params[PARAMETER] = text


def replace(draft: ScoringProfile, active: ScoringProfile) -> None:
    """Make a profile the draft that no control has made: they are drawn anew to show it."""
    store(draft, active)
    _draw_anew()


def discard() -> None:
    """Forget the draft; the controls show the active profile again."""
    _forget()
    _draw_anew()


def generation() -> int:
    """A part of the controls' keys: a late message of the browser overrules a new value, but not a new control."""
    return int(st.session_state.get(GENERATION, 0))


def _draw_anew() -> None:
    st.session_state[GENERATION] = generation() + 1


def _text() -> str | None:
    return st.query_params.get(PARAMETER) or st.session_state.get(KEPT)


def _forget() -> None:
    if text := _text():
        st.session_state[DISCARDED] = text
    st.session_state.pop(KEPT, None)
    st.query_params.pop(PARAMETER, None)
    ask(open_=False)


def ask(*, open_: bool = True) -> None:
    """Open or close the dialog that applies the draft."""
    st.session_state[ASKED] = open_


def asked() -> bool:
    """Whether the dialog is open."""
    return bool(st.session_state.get(ASKED))
