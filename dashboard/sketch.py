"""A chart while it is put together: plain values with plotly's verbs, which plotly sees once, when all are there.

A plotly figure checks itself anew with each change; a chart of twenty changes took a tenth of a second.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

import plotly.graph_objects as go

from dashboard import figures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Arguments = ParamSpec("Arguments")
NESTED = ("margin", "title", "tickfont", "font", "line")
"""What may be reached into from outside, as margin_r: most of plotly's names have no underscore of their own."""


class Sketch:
    """FleetFlow's figure: transparent, no legend, quiet axes, nothing to drag, unless something else is said."""

    def __init__(self) -> None:
        self._traces: list[dict[str, Any]] = []
        self._notes: list[dict[str, Any]] = []
        self._shapes: list[dict[str, Any]] = []
        self.layout: dict[str, Any] = {"xaxis": {}, "yaxis": {}}

    def drawn(self) -> go.Figure:
        """The figure. Raises ValueError for what plotly does not know."""
        layout = merged({**figures.LAYOUT}, self.layout)
        for name in self._axes("x"):
            layout[name] = merged({**figures.X_AXIS}, self.layout[name])
        for name in self._axes("y"):
            layout[name] = merged({**figures.Y_AXIS}, self.layout[name])
        return go.Figure(
            {"data": self._traces, "layout": {**layout, "annotations": self._notes, "shapes": self._shapes}}
        )

    def add_scatter(self, **trace: Any) -> None:
        """Lines, dots or words at places."""
        self._traces.append({"type": "scatter", **trace})

    def add_bar(self, **trace: Any) -> None:
        """Bars."""
        self._traces.append({"type": "bar", **trace})

    def add_heatmap(self, **trace: Any) -> None:
        """Coloured cells."""
        self._traces.append({"type": "heatmap", **trace})

    def add_annotation(self, **note: Any) -> None:
        """Words at a place."""
        self._notes.append(note)

    def add_shape(self, **shape: Any) -> None:
        """A line, a box or a circle."""
        self._shapes.append(shape)

    def add_all(self, *, shapes: Iterable[dict[str, Any]] = (), annotations: Iterable[dict[str, Any]] = ()) -> None:
        """Many shapes and words."""
        self._shapes.extend(shapes)
        self._notes.extend(annotations)

    def add_hline(self, y: Any, **shape: Any) -> None:
        """A line across at y."""
        self.add_shape(type="line", xref="x domain", x0=0, x1=1, yref="y", y0=y, y1=y, **shape)

    def add_vline(self, x: Any, **shape: Any) -> None:
        """A line up at x."""
        self.add_shape(type="line", yref="y domain", y0=0, y1=1, xref="x", x0=x, x1=x, **shape)

    def style(self, height: int, **layout: Any) -> Sketch:
        """The height in pixels, and what is special about the rest."""
        return self.update_layout(height=height, **layout)

    def update_layout(self, **layout: Any) -> Sketch:
        """Change the frame."""
        merged(self.layout, layout)
        return self

    def update_xaxes(self, **axis: Any) -> Sketch:
        """Change every x axis that there is."""
        return self._update_axes("x", axis)

    def update_yaxes(self, **axis: Any) -> Sketch:
        """Change every y axis that there is."""
        return self._update_axes("y", axis)

    def _update_axes(self, letter: str, axis: Mapping[str, Any]) -> Sketch:
        for name in self._axes(letter):
            merged(self.layout[name], axis)
        return self

    def _axes(self, letter: str) -> list[str]:
        return [name for name in self.layout if name.startswith(f"{letter}axis")]


def merged(into: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` laid over what is there, however deep; margin_r=8 is margin={"r": 8}."""
    for name, value in values.items():
        outer, _, inner = name.partition("_")
        if inner and outer in NESTED:
            into[outer] = merged({**_as_dict(into.get(outer))}, {inner: value})
        elif isinstance(value, dict):
            into[name] = merged({**_as_dict(into.get(name))}, value)
        else:
            into[name] = value
    return into


def _as_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def drawn(chart: Callable[Arguments, Sketch]) -> Callable[Arguments, go.Figure]:
    """Make a function that puts a sketch together one that returns the figure."""

    @wraps(chart)
    def finished(*args: Arguments.args, **kwargs: Arguments.kwargs) -> go.Figure:
        return chart(*args, **kwargs).drawn()

    return finished


def draw_one_of_each() -> None:
    """Let plotly load what it loads with the first chart of each sort, and with the first that is sent."""
    font, line = {"size": 11}, {"width": 1}
    sketch = Sketch()
    sketch.add_scatter(x=[0], y=[0], line=line, marker={"line": line}, textfont=font)
    sketch.add_bar(x=[0], y=[0], marker={"line": line}, textfont=font)
    sketch.add_heatmap(z=[[0]], colorbar={"tickfont": font, "title": {"font": font}})
    sketch.add_annotation(text="", font=font)
    sketch.add_hline(0, line=line)
    sketch.drawn().to_json()
