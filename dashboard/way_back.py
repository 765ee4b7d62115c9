"""From page to page, and back to what was seen there.

Streamlit writes two steps of history where a page leads to another with an address of its own: first the page that is
left at the new address, then the new page. Back leads to the step between, which says nothing of what was seen there,
neither which trip nor which filters. What it was is kept in the browser's session and put back into the address.
"""

from __future__ import annotations

import streamlit as st

PAGE, LEFT = "page_shown", "addresses_left"
MOST_KEPT = 50
Address = dict[str, list[str]]
Step = tuple[str, frozenset[tuple[str, str]]]


def arrive(page: str) -> None:
    """Note which page is shown; where Back led to a step between, its address is again what it was."""
    st.session_state[PAGE] = page
    address = _left().get(_step(page, _address()))
    if address is not None:
        st.query_params.from_dict(address)


def go_to(page: str, address: dict[str, str]) -> None:
    """Go to another page (its file) at an address."""
    step = _step(st.session_state.get(PAGE, ""), {name: [value] for name, value in address.items()})
    left = _left()
    left.pop(step, None)
    left[step] = _address()
    if len(left) > MOST_KEPT:
        left.pop(next(iter(left)))
    # The address first: else the step between has none at all.
    st.query_params.from_dict(address)
    st.switch_page(page, query_params=address)


def _left() -> dict[Step, Address]:
    left: dict[Step, Address] = st.session_state.setdefault(LEFT, {})
    return left


def _address() -> Address:
    return {name: st.query_params.get_all(name) for name in st.query_params}


def _step(page: str, address: Address) -> Step:
    return page, frozenset((name, value) for name, values in address.items() for value in values)
