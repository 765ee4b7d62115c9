"""Small pictures of events for lists: an SVG in a data address, in colours that read on light and dark. Pure."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import numpy as np

from dashboard import look, sampling, words
from dashboard.trip_charts import PANELS, Panel
from fleetflow.safety.events import EventKind

if TYPE_CHECKING:
    import pandas as pd

    from fleetflow.safety.events import HarshEvent
    from fleetflow.trips.samples import FloatArray

WIDTH_PX, HEIGHT_PX, EDGE_PX = 126, 40, 3
GREY = "#7F8896"
"""An image cannot see the theme: a grey that reads on both."""
MOST_BUCKETS = 60
LEAST_REACH_G, LEAST_REACH_KMH = 0.25, 10.0
"""The least that a trace spans from bottom to top: noise should look like noise."""


def panel_of(kind: EventKind) -> Panel:
    """The signal in which events of a kind are found."""
    return next(panel for panel in PANELS if kind in dict(panel.kinds))


def side(values: FloatArray, from_peak_s: FloatArray) -> float:
    """1 where the signal points up at the peak, -1 where it points down."""
    at_peak = values[np.argmin(np.abs(from_peak_s))] if len(values) else 0.0
    return 1.0 if at_peak >= 0 else -1.0


def address(event: HarshEvent, moment: pd.DataFrame | None, threshold: float) -> str:
    """The picture of an event as a data address; `moment` as data.moments gives it."""
    return f"data:image/svg+xml;base64,{b64encode(svg(event, moment, threshold).encode()).decode()}"


def markdown(event: HarshEvent, moment: pd.DataFrame | None, threshold: float) -> str:
    """The picture for st.markdown, with what it shows in words."""
    noun = look.KINDS[event.kind].noun
    return f"![{noun}, peak {words.peak(event)}]({address(event, moment, threshold)})"


def svg(event: HarshEvent, moment: pd.DataFrame | None, threshold: float) -> str:
    """The signal around the peak with the threshold dashed and what lies beyond it filled."""
    color = look.KINDS[event.kind].picture
    shapes = "" if moment is None or len(moment) < 2 else _shapes(event, moment, threshold, color)  # noqa: PLR2004
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH_PX}" height="{HEIGHT_PX}"'
        f' viewBox="0 0 {WIDTH_PX} {HEIGHT_PX}">{shapes}</svg>'
    )


def _shapes(event: HarshEvent, moment: pd.DataFrame, threshold: float, color: str) -> str:
    t_s, values = _signal(event, moment)
    level = threshold * (side(values, t_s - event.peak_s) if panel_of(event.kind).unit == "g" else 1.0)
    x = _scaled(t_s, float(t_s[0]), float(t_s[-1]), WIDTH_PX)
    low, high = _span(event, values, level)
    y = HEIGHT_PX - _scaled(values, low, high, HEIGHT_PX)
    level_y = float(HEIGHT_PX - _scaled(np.array([level]), low, high, HEIGHT_PX)[0])
    beyond = np.minimum(y, level_y) if level > 0 else np.maximum(y, level_y)
    area = _points(np.concatenate([x, x[::-1]]), np.concatenate([beyond, np.full(len(x), level_y)]))
    return (
        f'<polygon points="{area}" fill="{color}" fill-opacity="0.75"/>'
        f'<line x1="0" x2="{WIDTH_PX}" y1="{level_y:.1f}" y2="{level_y:.1f}" stroke="{color}" stroke-dasharray="3 3"/>'
        f'<polyline points="{_points(x, y)}" fill="none" stroke="{GREY}" stroke-width="1.4" stroke-linejoin="round"/>'
    )


def _signal(event: HarshEvent, moment: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    t_s, values = moment["t_s"].to_numpy(), moment[panel_of(event.kind).column].to_numpy()
    known = ~np.isnan(values)
    t_s, values = t_s[known], values[known]
    kept = sampling.keep(values, MOST_BUCKETS)
    return t_s[kept], values[kept]


def _span(event: HarshEvent, values: FloatArray, level: float) -> tuple[float, float]:
    reach = LEAST_REACH_KMH if event.kind is EventKind.SPEEDING else LEAST_REACH_G
    low, high = min(float(values.min()), level), max(float(values.max()), level)
    spare = max(reach - (high - low), 0.0) / 2
    return low - spare, high + spare


def _scaled(values: FloatArray, low: float, high: float, length_px: float) -> FloatArray:
    scaled: FloatArray = EDGE_PX + (values - low) / max(high - low, 1e-9) * (length_px - 2 * EDGE_PX)
    return scaled


def _points(x: FloatArray, y: FloatArray) -> str:
    return " ".join(f"{left:.1f},{top:.1f}" for left, top in zip(x, y, strict=True))
