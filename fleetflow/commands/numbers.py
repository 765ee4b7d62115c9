"""Numbers within bounds, as commands take them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Number = TypeVar("Number", bound=float)


def between(parse: Callable[[str], Number], low: float, high: float) -> Callable[[str], Number]:
    """A parser of numbers that argparse refuses outside of the range."""

    def number(text: str) -> Number:
        value = parse(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"must be from {low:,.10g} to {high:,.10g}")
        return value

    return number
