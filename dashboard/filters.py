"""Filters whose values live in the address, so that a view can be shared; some are taken along to other pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

EVERY = ""
"""The value of a filter that leaves nothing out; it is not written into the address."""


def current(name: str, options: Collection[str], default: str = EVERY) -> str:
    """The value in the address, if it is an option."""
    asked = st.query_params.get(name, default)
    return asked if asked in options else default


def taken_along(name: str, options: Collection[str]) -> str:
    """As `current`, else the value chosen last on any page."""
    key = f"chosen_{name}"
    asked = st.query_params.get(name, st.session_state.get(key, EVERY))
    st.session_state[key] = asked if asked in options else EVERY
    return str(st.session_state[key])


def store(name: str, value: str, default: str = EVERY) -> None:
    """Write a value into the address."""
    st.session_state[f"chosen_{name}"] = value
    if value == default:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = value


def _follow(name: str, value: str, default: str) -> tuple[str, Callable[[], None]]:
    """The key of a control that shows the address's value, and what it does when it is changed."""
    key = f"filter_{name}"
    st.session_state[key] = value
    return key, lambda: store(name, st.session_state[key] or default, default)


def select(name: str, label: str, options: Mapping[str, str], value: str, *, width: int) -> None:
    """A box to choose one of `options` (value: label), the first of which is every."""
    key, changed = _follow(name, value, EVERY)
    st.selectbox(
        label, list(options), format_func=lambda each: options.get(each, each), key=key, on_change=changed,
        label_visibility="collapsed", width=width,
    )  # fmt: skip


def segment(name: str, label: str, options: Mapping[str, str], value: str, *, default: str = EVERY) -> None:
    """A row of buttons to choose one of `options` (value: label)."""
    key, changed = _follow(name, value, default)
    st.segmented_control(
        label, list(options), format_func=options.__getitem__, key=key, on_change=changed, required=True,
        label_visibility="collapsed",
    )  # fmt: skip


def search(name: str, placeholder: str, *, width: int) -> str:
    """A box for text; returns it."""
    value = st.query_params.get(name, EVERY)
    key, changed = _follow(name, value, EVERY)
    st.text_input(
        placeholder, key=key, on_change=changed, placeholder=placeholder, label_visibility="collapsed", width=width,
        icon=":material/search:", max_chars=100,
    )  # fmt: skip
    return value.strip()
