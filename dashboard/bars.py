"""Bars as HTML: for charts that are drawn anew at every step of a slider. Pure, and a tree: data become only text.

A figure of plotly's takes the browser half a hundred milliseconds, a few dozen boxes none (docs/decisions/0023). Ink is
the page's own, so that it follows the theme; other colours lie between light and dark, as in all pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10
from xml.etree.ElementTree import Element, SubElement

INK = "currentColor"
TICKS_PX, TITLE_PX, LABELS_PX, PAD_PX = 18, 18, 36, 5
STEPS = (1, 2, 5, 10)
WORDS = "position:absolute;font-size:11px;line-height:14px;opacity:.75;white-space:nowrap;"


@dataclass(frozen=True, slots=True)
class Axis:
    """From where to where; `title` and `unit` (behind each label) may be empty."""

    low: float
    high: float
    title: str = ""
    unit: str = ""

    def percent(self, value: float) -> float:
        """How far along a value is, from 0 to 100; beyond the ends it is at the end."""
        return 100 * min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)

    def ticks(self, most: int) -> list[float]:
        """At most so many round values on the axis."""
        span = (self.high - self.low) / most
        unit = 10.0 ** floor(log10(span))
        step = next(each * unit for each in STEPS if each * unit >= span * (1 - 1e-9))
        first, last = ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9)
        return [round(number * step, 6) for number in range(first, last + 1)]


class Bars:
    """A plot while it is put together; `tree` is what it has become. `height` of the bars alone, in pixels."""

    def __init__(self, alt: str, height: int, x: Axis, y: Axis, *, with_heights: bool = False) -> None:
        """`with_heights`: the y axis has lines and labels."""
        below = TICKS_PX + (TITLE_PX if x.title else 0)
        left = LABELS_PX if with_heights else PAD_PX
        inside = f"padding:8px {PAD_PX}px {below}px {left}px"
        self.tree = Element("div", {"role": "img", "aria-label": alt, "style": inside})
        self._plot = SubElement(self.tree, "div", {"style": f"position:relative;height:{height}px"})
        self._x, self._y = x, y
        if with_heights:
            self._add_heights()
        self._add_ticks()

    def bar(self, ends: tuple[float, float], top: float, color: str, said: str, *, opacity: float = 1.0) -> None:
        """From the axis up to `top`; `said` is shown under the mouse."""
        self._box(ends, (self._y.low, top), f"background:{color};opacity:{opacity:g};border-radius:2px 2px 0 0", said)

    def outline(self, edges: list[float], tops: list[float]) -> None:
        """A line over bins: level over each, upright between two."""
        before = self._y.low
        for at, top in enumerate(tops):
            self._box((edges[at], edges[at + 1]), (top, top), f"border-top:1.4px solid {INK}")
            self._box((edges[at], edges[at]), tuple(sorted((before, top))), f"border-left:1.4px solid {INK}")
            before = top

    def upright(self, value: float, how: str = "solid") -> None:
        """A line at x."""
        self._box((value, value), (self._y.low, self._y.high), f"border-left:1.2px {how} {INK}")

    def _box(self, x: tuple[float, float], y: tuple[float, ...], how: str, said: str = "") -> None:
        left, right = map(self._x.percent, x)
        low, high = map(self._y.percent, y)
        place = (
            f"position:absolute;left:{left:.4g}%;width:{right - left:.4g}%;bottom:{low:.4g}%;height:{high - low:.4g}%;"
        )
        SubElement(self._plot, "div", {"style": place + how, **({"title": said} if said else {})})

    def _add_heights(self) -> None:
        for value in self._y.ticks(4):
            self._box((self._x.low, self._x.high), (value, value), f"border-top:1px solid {INK};opacity:.12")
            place = f"right:100%;bottom:{self._y.percent(value):.4g}%;transform:translateY(50%);padding-right:6px"
            SubElement(self._plot, "div", {"style": WORDS + place}).text = f"{value:g}{self._y.unit}"

    def _add_ticks(self) -> None:
        for value in self._x.ticks(6):
            place = f"left:{self._x.percent(value):.4g}%;top:100%;transform:translateX(-50%);padding-top:4px"
            SubElement(self._plot, "div", {"style": WORDS + place}).text = f"{value:g}{self._x.unit}"
        if self._x.title:
            place = f"left:50%;top:calc(100% + {TICKS_PX}px);transform:translateX(-50%)"
            SubElement(self._plot, "div", {"style": WORDS + place}).text = self._x.title
