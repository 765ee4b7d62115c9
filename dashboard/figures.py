"""FleetFlow's figure made in one go: plotly takes ten times as long to change a figure step by step. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from dashboard import look

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CLEAR = "rgba(0,0,0,0)"
LAYOUT: Mapping[str, Any] = {
    "margin": {"l": 4, "r": 12, "t": 8, "b": 4, "pad": 4},
    "paper_bgcolor": CLEAR,
    "plot_bgcolor": CLEAR,
    "font": {"family": look.FONT, "size": 12},
    "showlegend": False,
    "dragmode": False,
    "bargap": 0.35,
    "hoverlabel": {
        "bgcolor": look.PAGE,
        "bordercolor": look.HAIRLINE,
        "align": "left",
        "font": {"size": 12, "family": look.FONT},
    },
}
"""Transparent, no legend, nothing to drag."""
AXIS: Mapping[str, Any] = {
    "tickfont": {"size": 11, "color": look.MUTED},
    "title": {"font": {"size": 11, "color": look.MUTED}},
    "zeroline": False,
    "fixedrange": True,
    "automargin": True,
    "ticks": "",
}
X_AXIS: Mapping[str, Any] = {**AXIS, "showgrid": False, "linecolor": look.HAIRLINE}
Y_AXIS: Mapping[str, Any] = {**AXIS, "gridcolor": look.HAIRLINE, "gridwidth": 1, "nticks": 5}


def build(
    traces: Sequence[Mapping[str, Any]], height: int, *, x: Mapping[str, Any], y: Mapping[str, Any], **layout: Any
) -> go.Figure:
    """A figure of these traces; `x` and `y` say what is special about its axes, `layout` about the rest."""
    axes = {"xaxis": {**X_AXIS, **x}, "yaxis": {**Y_AXIS, **y}}
    return go.Figure({"data": list(traces), "layout": {**LAYOUT, "height": height, **axes, **layout}})


def titled(text: str, standoff: int = 8) -> dict[str, Any]:
    """An axis' title."""
    return {"text": text, "standoff": standoff, "font": {"size": 11, "color": look.MUTED}}


def line(color: str, width: float = 1.0, dash: str = "3px,3px", **ends: Any) -> dict[str, Any]:
    """A straight line across the plot, behind the data."""
    return {"type": "line", "layer": "below", "line": {"color": color, "width": width, "dash": dash}, **ends}


def upright(value: float, color: str, width: float = 1.0, dash: str = "3px,3px") -> dict[str, Any]:
    """A line at x."""
    return line(color, width, dash, x0=value, x1=value, yref="paper", y0=0, y1=1)


def level(value: float, color: str, width: float = 1.0, dash: str = "3px,3px") -> dict[str, Any]:
    """A line at y."""
    return line(color, width, dash, y0=value, y1=value, xref="paper", x0=0, x1=1)


def note(text: str, *, size: float = 11, color: str = look.MUTED, **place: Any) -> dict[str, Any]:
    """Words in the plot, without an arrow."""
    return {"text": text, "showarrow": False, "font": {"size": size, "color": color}, **place}
