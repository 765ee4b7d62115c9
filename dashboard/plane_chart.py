"""The g-g diagram: how hard a trip was driven in every direction at once. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dashboard import look, numbers, sampling, words
from dashboard.sketch import Sketch, drawn
from dashboard.trip_charts import DASH, event_name
from fleetflow.safety.events import EventKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from dashboard.explain import Judged
    from fleetflow.safety.profiles import ScoringProfile

CELL_G = 0.015
CIRCLES_G = (0.2, 0.4, 0.6)
LEAST_REACH_G, MOST_REACH_G = 0.72, 2.0
TRAIL_S = 2.5
MOST_TRAIL_BUCKETS = 30
SHADES = ((0.0, 0.28), (0.5, 0.5), (0.85, 0.8))
"""From which share of the cells, ordered by how often the trip was there, on which opacity."""
HEIGHT_PX = 316
PLOT_PX = 262
"""The plot's height within it, and its width, since a g is as long in both directions."""


@drawn
def plane(
    samples: pd.DataFrame, judged: Sequence[Judged], profile: ScoringProfile, chosen: int | None = None
) -> Sketch:
    """Lateral g against longitudinal g: a dot per cell that the trip was in, thresholds dashed, events with trails.

    Right is right and up is accelerating, as the driver feels the road. `samples` must have g_force_lat.
    """
    known = samples.dropna(subset=["g_force_long", "g_force_lat"])
    shown = [each for each in judged if each.event.kind is not EventKind.SPEEDING]
    figure = Sketch()
    _add_cells(figure, known)
    _add_thresholds(figure, profile)
    reach = _reach(known, profile)
    trails = [(each, trail) for each in shown if not (trail := _trail(known, each)).empty]
    for each, trail in trails:
        _add_trail(figure, trail, each, chosen=each.number == chosen)
    _add_peaks(figure, trails, reach, chosen)
    return _frame(figure, reach)


def _reach(samples: pd.DataFrame, profile: ScoringProfile) -> float:
    signals = samples[["g_force_long", "g_force_lat"]].abs().to_numpy()
    highest = float(signals.max()) if signals.size else 0.0
    thresholds = [rule.threshold for kind, rule in profile.rules.items() if kind is not EventKind.SPEEDING]
    return min(max(LEAST_REACH_G, 1.06 * highest, 1.1 * max(thresholds)), MOST_REACH_G)


def _add_cells(figure: Sketch, samples: pd.DataFrame) -> None:
    points = np.column_stack([-samples["g_force_lat"], samples["g_force_long"]])
    cells, counts = np.unique(np.round(points / CELL_G).astype(np.int32), axis=0, return_counts=True)
    order = np.argsort(counts, kind="stable")
    edges = [int(share * len(order)) for share, _ in SHADES] + [len(order)]
    for (_, opacity), first, last in zip(SHADES, edges[:-1], edges[1:], strict=True):
        chosen = cells[order[first:last]].astype(np.float32) * np.float32(CELL_G)
        figure.add_scatter(
            x=chosen[:, 0], y=chosen[:, 1], mode="markers", hoverinfo="skip",
            marker={"size": 3, "color": look.MUTED, "opacity": opacity, "symbol": "square"},
        )  # fmt: skip


def _add_thresholds(figure: Sketch, profile: ScoringProfile) -> None:
    for radius in CIRCLES_G:
        figure.add_shape(
            type="circle", x0=-radius, x1=radius, y0=-radius, y1=radius, layer="below",
            line={"width": 1, "color": look.HAIRLINE},
        )  # fmt: skip
    for kind, sign in ((EventKind.ACCELERATION, 1), (EventKind.BRAKING, -1)):
        _add_line(figure, kind, sign * profile.rules[kind].threshold, along="y")
    for sign in (1, -1):
        _add_line(figure, EventKind.CORNERING, sign * profile.rules[EventKind.CORNERING].threshold, along="x")


def _add_line(figure: Sketch, kind: EventKind, level: float, *, along: str) -> None:
    add = figure.add_hline if along == "y" else figure.add_vline
    add(level, line={"width": 1, "dash": DASH, "color": look.KINDS[kind].color}, layer="below")


def _trail(samples: pd.DataFrame, judged: Judged) -> pd.DataFrame:
    """The samples around an event's peak, thinned out."""
    event = judged.event
    part = samples[samples["t_s"].between(event.peak_s - TRAIL_S / 2, event.peak_s + TRAIL_S / 2)]
    if part.empty:
        return part
    column = "g_force_lat" if event.kind is EventKind.CORNERING else "g_force_long"
    return part.iloc[sampling.keep(part[column].to_numpy(), MOST_TRAIL_BUCKETS)]


def _add_trail(figure: Sketch, trail: pd.DataFrame, judged: Judged, *, chosen: bool) -> None:
    figure.add_scatter(
        x=-trail["g_force_lat"].to_numpy(np.float32), y=trail["g_force_long"].to_numpy(np.float32), mode="lines",
        hoverinfo="skip", opacity=0.9 if chosen else 0.3,
        line={"width": 1.6, "color": look.KINDS[judged.event.kind].color},
    )  # fmt: skip


def _add_peaks(figure: Sketch, trails: Sequence[tuple[Judged, pd.DataFrame]], reach: float, chosen: int | None) -> None:
    """Over all trails a mark per event, with its number where there is room for it."""
    peaks = [(each, _peak(trail, each.event.peak_s)) for each, trail in trails]
    scale = PLOT_PX / (2 * reach)
    sides = numbers.sides([(scale * x, scale * y) for _, (x, y) in peaks], [each.number for each, _ in peaks], chosen)
    for (judged, (x, y)), side in zip(peaks, sides, strict=True):
        kind_look = look.KINDS[judged.event.kind]
        figure.add_scatter(
            x=[x], y=[y], mode="markers+text" if side else "markers", text=[str(judged.number)],
            textposition=side or numbers.SIDES[0], textfont={"size": 11, "color": look.INK},
            marker={
                "symbol": kind_look.symbol, "color": kind_look.color, "size": 12 if judged.number == chosen else 9,
                "opacity": 1, "line": {"width": 1.5, "color": look.PAGE},
            },
            hovertemplate=f"<b>{event_name(judged)}</b><extra></extra>", cliponaxis=max(abs(x), abs(y)) > reach,
        )  # fmt: skip


def _peak(trail: pd.DataFrame, peak_s: float) -> tuple[float, float]:
    row = trail.iloc[int(np.argmin(np.abs(trail["t_s"].to_numpy() - peak_s)))]
    return -float(row["g_force_lat"]), float(row["g_force_long"])


def _frame(figure: Sketch, reach: float) -> Sketch:
    figure.style(HEIGHT_PX, hovermode="closest")
    ticks = [tick for tick in (-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5) if abs(tick) < reach]
    texts = [words.signed(tick) for tick in ticks]
    figure.update_layout(margin={"l": 8, "r": 8, "t": 6, "b": 6})
    axis = {"range": [-reach, reach], "tickvals": ticks, "ticktext": texts, "showgrid": False}
    # Left is + in the signals and on the left here, so that the axis says how much and the arrows say which way.
    sideways = {**axis, "ticktext": [words.decimal(abs(tick)) for tick in ticks]}
    figure.update_xaxes(title_text="← left   lateral g   right →", title_standoff=6, constrain="domain", **sideways)
    return figure.update_yaxes(
        title_text="← braking   g   accelerating →", title_standoff=4, scaleanchor="x", constrain="domain", **axis
    )
