"""Figures of tuning: peaks and thresholds, who moves, scores before and after, how far a threshold matters. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dashboard import charts, figures, look, words
from fleetflow.safety.scores import FULL_SCORE

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    import pandas as pd
    import plotly.graph_objects as go

    from dashboard.slopes import Slopes
    from fleetflow.safety.events import EventKind
    from fleetflow.safety.whatif.compare import Scores
    from fleetflow.safety.whatif.peaks import Distribution
    from fleetflow.safety.whatif.sweep import Sweep
    from fleetflow.trips.samples import FloatArray

LEAST_ROW_PX, MOST_ROW_PX, HEAD_PX, WANTED_PX = 17, 34, 46, 520
CURVE = 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, 13))
"""The way from one rank to another: level at both ends, so that a line can be followed into its name."""
NAME_ROOM = 0.72
SCORE_BIN, LEAST_SCORE_SHOWN = 5, 60


def peaks(kind: EventKind, found: Distribution, reach: tuple[float, float], active: float, draft: float) -> go.Figure:
    """How many events have which peak, over the reach of the slider below; heights by root, so that few show as well.

    The active threshold is dashed, the draft's is solid; what the draft counts has the colour of its kind.
    """
    kind_look, edges = look.KINDS[kind], found.edges
    width = float(edges[1] - edges[0])
    bars = {
        "type": "bar",
        "x": edges + width / 2,
        "y": np.sqrt(found.counts),
        "marker": {"color": [kind_look.color if edge >= draft - width / 2 else look.SOFT for edge in edges]},
        "customdata": np.column_stack([edges, edges + width, found.counts]),
        "hovertemplate": f"%{{customdata[0]:.2f}} to %{{customdata[1]:.2f}} {kind_look.unit}:"
        " %{customdata[2]:,} events<extra></extra>",
    }
    return figures.build(
        [bars],
        120,
        x={"nticks": 6, "range": list(reach), "autorange": False},
        y={"visible": False},
        shapes=[figures.upright(active, look.INK, 1.2), figures.upright(draft, look.INK, 1.2, "solid")],
        bargap=0.12,
        margin={"l": 5, "r": 5, "t": 8, "b": 4, "pad": 0},
    )


def slopes(found: Slopes, names: tuple[str, str]) -> go.Figure:
    """A line per driver from his rank now to that under the draft, the worst on top; bold: more than noise."""
    shown, count = found.shown, len(found.shown)
    better, flagged, moves = shown["move"] > 0, shown["flagged"], shown["move"] != 0
    lines = [
        _lines(part, color, width)
        for part, color, width in (
            (shown[~moves], look.HAIRLINE, 1.0),
            (shown[moves & ~flagged], look.SOFT, 1.3),
            (shown[flagged & ~better], look.INK, 2.4),
            (shown[flagged & better], look.GOOD, 2.4),
        )
        if len(part)
    ]
    heads = [
        figures.note(f"<b>{name}</b>", size=11.5, x=x, y=-1, xanchor=anchor)
        for x, name, anchor in ((0.0, names[0], "right"), (1.0, names[1], "left"))
    ]
    return figures.build(
        [*lines, _names(shown, "before"), _names(shown, "after")],
        min(max(WANTED_PX // count, LEAST_ROW_PX), MOST_ROW_PX) * count + HEAD_PX,
        x={"visible": False, "range": [-NAME_ROOM, 1 + NAME_ROOM]},
        y={"visible": False, "range": [count - 0.4, -1.8]},
        hovermode="closest",
        annotations=heads,
    )


def _lines(part: pd.DataFrame, color: str, width: float) -> dict[str, Any]:
    begin, end = (part[name].to_numpy(dtype=np.float64)[:, None] for name in ("row_before", "row_after"))
    y = np.concatenate([begin + (end - begin) * CURVE, np.full((len(part), 1), np.nan)], axis=1)
    x = np.broadcast_to(np.append(np.linspace(0.02, 0.98, len(CURVE)), np.nan), y.shape)
    return {
        "type": "scatter", "x": x.ravel(), "y": y.ravel(), "mode": "lines", "line": {"color": color, "width": width},
        "hoverinfo": "skip",
    }  # fmt: skip


def _names(shown: pd.DataFrame, side: str) -> dict[str, Any]:
    """Names with ranks at the lines' ends; on the new side with the move, bold where it is more than noise."""
    left, rows = side == "before", shown.to_dict("records")
    return {
        "type": "scatter",
        "mode": "text",
        "x": np.full(len(shown), -0.02 if left else 1.02),
        "y": shown[f"row_{side}"].to_numpy(),
        "text": [_name_before(row) if left else _name_after(row) for row in rows],
        "textposition": "middle left" if left else "middle right",
        "textfont": {"size": 11, "color": look.MUTED},
        "cliponaxis": False,
        "customdata": [[row["driver"], _hover(row)] for row in rows],
        "hovertemplate": "<b>%{customdata[0]}</b><br>%{customdata[1]}<extra></extra>",
    }


def _name_before(row: Mapping[Hashable, Any]) -> str:
    return f"{charts.short(row['driver'])}  {row['before']}"


def _name_after(row: Mapping[Hashable, Any]) -> str:
    text = f"{row['after']}  {charts.short(row['driver'])}"
    if not row["move"]:
        return text
    text = f"{text}  {words.signed(row['move'], 0)}"
    color = look.GOOD if row["move"] > 0 else look.INK
    return f'<b><span style="color:{color}">{text}</span></b>' if row["flagged"] else text


def _hover(row: Mapping[Hashable, Any]) -> str:
    certain = "more than noise" if row["flagged"] else "within noise" if row["move"] else "no move"
    rates = f"{words.decimal(row['points_before'])} to {words.decimal(row['points_after'])} points per 100 km"
    return f"rank {row['before']} to {row['after']}, {certain}<br>{rates}"


def scores(before: Scores, after: Scores) -> go.Figure:
    """Share of the trips by score: the outline is now, the filled bars are under the draft."""
    old, new = _shares(before), _shares(after)
    at = np.arange(len(old)) * SCORE_BIN
    lowest = int(min(at[(old > 0) | (new > 0)].min(initial=FULL_SCORE), LEAST_SCORE_SHOWN))
    seen = at >= lowest
    bars = {
        "type": "bar",
        "x": at[seen],
        "y": new[seen],
        "width": SCORE_BIN * 0.8,
        "marker": {"color": look.ACCENT, "opacity": 0.75, "cornerradius": 2},
        "customdata": [[name, share] for name, share in zip(_bin_names(at[seen]), old[seen].tolist(), strict=True)],
        "hovertemplate": "<b>Score %{customdata[0]}</b><br>draft %{y:.1f} %, now %{customdata[1]:.1f} %<extra></extra>",
    }
    outline = {
        "type": "scatter",
        "mode": "lines",
        "x": np.append(at[seen], at[-1] + SCORE_BIN) - SCORE_BIN / 2,
        "y": np.append(old[seen], old[-1]),
        "line": {"color": look.INK, "width": 1.4, "shape": "hv"},
        "hoverinfo": "skip",
    }
    x = {"title": figures.titled("trip score"), "dtick": 10}
    y = {"rangemode": "tozero", "ticksuffix": " %"}
    return figures.build([bars, outline], 240, x=x, y=y, hovermode="closest")


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
    return figures.build(
        [agreement, here],
        240,
        x={"title": figures.titled(f"{kind_look.noun.lower()} threshold, {kind_look.unit}")},
        y={"title": figures.titled("agreement (τ)"), "range": [_lowest(found), 1.04]},
        hovermode="closest",
        shapes=[
            _plateau(found), *_band(found), figures.upright(active, look.INK), figures.level(found.repeat, look.MUTED),
        ],
        annotations=[figures.note(text, x=1, xref="paper", y=found.repeat, xanchor="right", yanchor="top")],
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
