"""Figures of tuning: peaks and thresholds, scores before and after, how far a threshold matters. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dashboard import figures, look, words
from dashboard.bars import INK, Axis, Bars
from dashboard.drawing import ACCENT
from fleetflow.safety.scores import FULL_SCORE

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    import plotly.graph_objects as go

    from fleetflow.safety.events import EventKind
    from fleetflow.safety.whatif.compare import Scores
    from fleetflow.safety.whatif.peaks import Distribution
    from fleetflow.safety.whatif.sweep import Sweep
    from fleetflow.trips.samples import FloatArray

SCORE_BIN, LEAST_SCORE_SHOWN = 5, 60
PEAKS_PX, SCORES_PX = 92, 190
BAR_SHARE, SOFT = 0.86, 0.22
"""Of a bin's width, that its bar takes; how much ink a bar has that counts for nothing."""


def peaks(
    kind: EventKind, found: Distribution, reach: tuple[float, float], thresholds: tuple[float, float], alt: str
) -> Element:
    """How many events have which peak, over the reach of the slider below; heights by root, so that few show as well.

    Of the thresholds the active one is dashed, the draft's solid; what the draft counts has the colour of its kind.
    """
    kind_look, edges, heights = look.KINDS[kind], found.edges, np.sqrt(found.counts)
    width = float(edges[1] - edges[0])
    plot = Bars(alt, PEAKS_PX, Axis(*reach), Axis(0.0, max(float(heights.max()), 1.0)))
    for edge, count, height in zip(edges.tolist(), found.counts.tolist(), heights.tolist(), strict=True):
        if count and edge >= reach[0] - width / 2 and edge < reach[1] - width / 2:
            is_harsh = edge >= thresholds[1] - width / 2
            said = f"{edge:.2f} to {edge + width:.2f} {kind_look.unit}: {words.plural(count, 'event')}"
            color, opacity = (kind_look.picture, 1.0) if is_harsh else (INK, SOFT)
            plot.bar((edge, edge + BAR_SHARE * width), height, color, said, opacity=opacity)
    plot.upright(thresholds[0], "dashed")
    plot.upright(thresholds[1])
    return plot.tree


def scores(before: Scores, after: Scores, alt: str) -> Element:
    """Share of the trips by score: the outline is now, the filled bars are under the draft."""
    old, new = _shares(before), _shares(after)
    at = np.arange(len(old)) * SCORE_BIN
    lowest = int(min(at[(old > 0) | (new > 0)].min(initial=FULL_SCORE), LEAST_SCORE_SHOWN))
    seen = at >= lowest
    half = SCORE_BIN / 2
    x = Axis(lowest - half, FULL_SCORE + half, "trip score")
    y = Axis(0.0, 1.05 * max(float(old.max()), float(new.max()), 1.0), unit=" %")
    plot = Bars(alt, SCORES_PX, x, y, with_heights=True)
    names = _bin_names(at[seen])
    for score, name, now, then in zip(at[seen].tolist(), names, old[seen].tolist(), new[seen].tolist(), strict=True):
        ends = score - BAR_SHARE * half, score + BAR_SHARE * half
        plot.bar(ends, then, ACCENT, f"Score {name}: draft {then:.1f} %, now {now:.1f} %", opacity=0.75)
    plot.outline([*(at[seen] - half).tolist(), FULL_SCORE + half], old[seen].tolist())
    return plot.tree


def _shares(found: Scores) -> FloatArray:
    """Percent of the trips in bins of five points around 0, 5, ... 100, which is where penalties of five lead."""
    counts = np.bincount((np.arange(FULL_SCORE + 1) + SCORE_BIN // 2) // SCORE_BIN, weights=found.histogram)
    percent: FloatArray = 100 * counts / max(counts.sum(), 1.0)
    return percent


def _bin_names(at: np.ndarray) -> list[str]:
    half = SCORE_BIN // 2
    return [f"{max(each - half, 0)} to {min(each + half, FULL_SCORE)}" for each in at.tolist()]


def stability(kind: EventKind, found: Sweep, active: float) -> go.Figure:
    """Agreement of the drivers' order with the draft's, by threshold, beside what chance alone would do."""
    kind_look = look.KINDS[kind]
    agreement = {
        "type": "scatter",
        "mode": "lines",
        "x": found.thresholds,
        "y": found.agreement,
        "line": {"color": kind_look.color, "width": 2},
        "customdata": np.column_stack([found.worst_staying, found.events]),
        "hovertemplate": f"<b>%{{x}} {kind_look.unit}</b><br>agreement %{{y:.2f}}<br>%{{customdata[0]}} of the"
        f" {found.worst_of} worst stay<br>%{{customdata[1]:,}} harsh events<extra></extra>",
    }
    here = {
        "type": "scatter",
        "mode": "markers",
        "x": [found.thresholds[found.active]],
        "y": [1.0],
        "marker": {"size": 9, "color": kind_look.color, "opacity": 1},
        "hoverinfo": "skip",
    }
    text = f"same driving again {words.decimal(found.repeat, 2)}"
    free = "bottom" if found.agreement[-1] < found.repeat else "top"  # the side of its line on which agreement is not
    return figures.build(
        [agreement, here],
        240,
        x={"title": figures.titled(f"{kind_look.noun.lower()} threshold, {kind_look.unit}")},
        y={"title": figures.titled("agreement (τ)"), "range": [_lowest(found), 1.04]},
        hovermode="closest",
        shapes=[
            _plateau(found), *_band(found), figures.upright(active, look.INK), figures.level(found.repeat, look.MUTED),
        ],
        annotations=[figures.note(text, x=1, xref="paper", y=found.repeat, xanchor="right", yanchor=free)],
    )  # fmt: skip


def _plateau(found: Sweep) -> dict[str, Any]:
    first, last = (float(found.thresholds[each]) for each in found.plateau)
    return {
        "type": "rect", "x0": first, "x1": last, "yref": "paper", "y0": 0, "y1": 1, "fillcolor": look.GOOD,
        "opacity": 0.10, "line": {"width": 0}, "layer": "below",
    }  # fmt: skip


def _band(found: Sweep) -> list[dict[str, Any]]:
    """Where the line would lie if drivers differed only in how often they drive harshly."""
    known = ~np.isnan(found.band).any(axis=1)
    at, band = found.thresholds[known], found.band[known]
    if not len(at):
        return []
    corners = [*zip(at, band[:, 1], strict=True), *zip(at[::-1], band[::-1, 0], strict=True)]
    path = "M" + "L".join(f"{x:.4f},{y:.4f}" for x, y in corners) + "Z"
    look_of_it = {"fillcolor": look.SOFT, "opacity": 0.5, "line": {"width": 0}, "layer": "below"}
    return [{"type": "path", "path": path, **look_of_it}]


def _lowest(found: Sweep) -> float:
    seen = np.concatenate([found.agreement, found.band.ravel(), [found.repeat]])
    return max(float(np.nanmin(seen)) - 0.06, -0.1) if np.isfinite(seen).any() else 0.0
