"""Figures of operations. Pure: frames in, figure out, no Streamlit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboard import figures, look

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


def throughput(slots: pd.DataFrame, zone: str, slot_s: int) -> go.Figure:
    """Trips scored per minute, a bar per stretch of `slot_s` seconds. `slots` as data.throughput gives it."""
    begins = slots["begin_at"].dt.tz_convert(zone).dt.tz_localize(None)
    bars = {
        "type": "bar",
        "x": begins,
        "y": slots["trips"] * 60 / slot_s,
        "offset": 0,
        "width": slot_s * 1000 * 0.86,
        "marker": {"color": look.ACCENT, "cornerradius": 2},
        "customdata": slots["trips"],
        "hovertemplate": "from %{x|%H:%M}: %{customdata:,.0f} trips<br>%{y:,.1f} per minute<extra></extra>",
    }
    end = begins.iloc[-1] + (begins.iloc[-1] - begins.iloc[-2])
    x = {"type": "date", "tickformat": "%H:%M", "nticks": 8, "range": [begins.iloc[0], end], "autorange": False}
    y = {"rangemode": "tozero", "title": figures.titled("trips per minute", 10)}
    return figures.build([bars], 236, x=x, y=y)
