"""Who looks at the dashboard: read anew from the database at every run, and shown beside the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import access, components, data, states, words
from dashboard.signin.gate import COOKIE

if TYPE_CHECKING:
    from fleetflow.storage.sessions import Session


def token() -> str:
    """The session's token, from the cookie that the browser's socket came with; empty without one."""
    return st.context.cookies.get(COOKIE, "")


def arrive() -> Session | None:
    """The person of this run, or None and a note where the page would be. Raises StorageUnavailableError."""
    st.session_state.pop(components.VIEWER, None)
    session = data.session(components.database(), token())
    if session is None or session.must_change_password:
        _show_signed_out()
        return None
    st.session_state[components.VIEWER] = session
    return session


def may(action: str) -> bool:
    """Whether to offer the buttons of an action; the action itself asks again."""
    session: Session | None = st.session_state.get(components.VIEWER)
    return session is not None and access.may_do(session.roles, action)


def show_denied() -> None:
    """Instead of a page that the person's roles do not allow."""
    states.card("lock", "Not for your role", "An admin can give you a role that may open this page.")


def show_sidebar(session: Session) -> None:
    """Who is signed in, and the way to the password and out."""
    roles = ", ".join(sorted(role.replace("_", " ") for role in session.roles))
    with st.sidebar:
        st.caption(f"Signed in as **{words.literal(session.name)}**, {roles}")
        # Unlike Streamlit's own links, this opens in the same tab.
        st.html('<a href="/account" style="color: inherit; font-size: 13px">Account and sign-out</a>')


def _show_signed_out() -> None:
    inner = states.card("logout", "You are signed out", "Your session has ended. Sign in to go on where you were.")
    inner.html('<a href="/login" style="color: inherit">Sign in</a>')
