"""The way of a trip from its coordinates, without map tiles: darker where it was faster. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from dashboard import look, numbers, words
from dashboard.sketch import Sketch, drawn
from dashboard.trip_charts import event_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from dashboard.explain import Judged
    from fleetflow.trips.samples import FloatArray

EARTH_M = 6_371_008.8
EVERY_S = 2.0
MOST_POINTS = 1_500
OPACITIES = (0.3, 0.5, 0.75, 1.0)
"""Four steps of speed, the slowest first."""
HEIGHT_PX = 316
LEAST_PX = (270, 288)
"""How wide and tall the plot is in the narrowest card."""
LEAST_SPAN_M = 50.0
BAR_SHARE = 0.25


def has_route(samples: pd.DataFrame) -> bool:
    """Whether there are two known positions at least."""
    if not {"latitude", "longitude"} <= set(samples.columns):
        return False
    return int(samples[["latitude", "longitude"]].notna().all(axis=1).sum()) > 1


@drawn
def route(samples: pd.DataFrame, judged: Sequence[Judged], chosen: int | None = None) -> Sketch:
    """North is up and a metre is as long in every direction. `samples` must satisfy has_route."""
    known = samples.dropna(subset=["latitude", "longitude"])
    x, y = _metres(known["latitude"].to_numpy(), known["longitude"].to_numpy())
    figure = Sketch()
    _add_way(figure, known, x, y)
    _add_ends(figure, x, y)
    _add_events(figure, judged, _positions(known["t_s"].to_numpy(), x, y, judged), _px_per_m(x, y), chosen)
    return _frame(figure, x, y)


def _metres(latitude: FloatArray, longitude: FloatArray) -> tuple[FloatArray, FloatArray]:
    """East and north of the first position, in metres; good for some hundred kilometres, which a picture needs."""
    turned = (longitude - longitude[0] + 180) % 360 - 180
    middle = math.radians(float(latitude.mean()))
    return np.radians(turned) * EARTH_M * math.cos(middle), np.radians(latitude - latitude[0]) * EARTH_M


def _add_way(figure: Sketch, known: pd.DataFrame, x: FloatArray, y: FloatArray) -> None:
    kept = _kept(known["t_s"].to_numpy())
    speed = known["speed_kmh"].to_numpy()[kept]
    limits = np.nanmax(speed, initial=1.0) * np.array([0.25, 0.5, 0.75])
    step = np.digitize(np.nan_to_num(speed), limits)
    for number, opacity in enumerate(OPACITIES):
        mine = step == number
        reached = mine | np.concatenate([[False], mine[:-1]])  # to the next point, so that the line has no gaps
        figure.add_scatter(
            x=np.where(reached, x[kept], np.nan).astype(np.float32),
            y=np.where(reached, y[kept], np.nan).astype(np.float32),
            mode="lines", line={"width": 2.4, "color": look.INK}, opacity=opacity, hoverinfo="skip",
        )  # fmt: skip


def _kept(t_s: FloatArray) -> FloatArray:
    """A sample every two seconds, fewer of a very long trip, and the last."""
    every = max(EVERY_S, float(t_s[-1] - t_s[0]) / MOST_POINTS)
    _, first = np.unique(np.floor((t_s - t_s[0]) / every), return_index=True)
    return np.unique(np.append(first, len(t_s) - 1))


def _add_ends(figure: Sketch, x: FloatArray, y: FloatArray) -> None:
    figure.add_scatter(
        x=x[[0, -1]], y=y[[0, -1]], mode="markers+text", text=["Start", "End"],
        textposition=["bottom center", "top center"], textfont={"size": 11, "color": look.MUTED},
        hoverinfo="skip", cliponaxis=False,
        marker={"size": 10, "color": [look.PAGE, look.INK], "opacity": 1, "line": {"width": 1.8, "color": look.INK}},
    )  # fmt: skip


def _positions(t_s: FloatArray, x: FloatArray, y: FloatArray, judged: Sequence[Judged]) -> list[tuple[float, float]]:
    """Where each event had its peak."""
    at = [int(np.argmin(np.abs(t_s - each.event.peak_s))) for each in judged]
    return [(float(x[each]), float(y[each])) for each in at]


def _px_per_m(x: FloatArray, y: FloatArray) -> float:
    """The scale in a narrow picture."""
    return min(size / (high - low) for size, (low, high) in zip(LEAST_PX, (_range(x), _range(y)), strict=True))


def _add_events(
    figure: Sketch, judged: Sequence[Judged], spots: list[tuple[float, float]], px_per_m: float, chosen: int | None
) -> None:
    """A mark per event, with its number where there is room for it."""
    places = [(px_per_m * x, px_per_m * y) for x, y in spots]
    sides = numbers.sides(places, [each.number for each in judged], chosen)
    for each, (x, y), side in zip(judged, spots, sides, strict=True):
        kind_look, speed = look.KINDS[each.event.kind], words.decimal(each.event.speed_kmh, 0, "km/h")
        figure.add_scatter(
            x=[x], y=[y], mode="markers+text" if side else "markers", text=[str(each.number)],
            textposition=side or numbers.SIDES[0], textfont={"size": 11, "color": look.INK}, cliponaxis=False,
            marker={
                "symbol": kind_look.symbol, "color": kind_look.color, "size": 13 if each.number == chosen else 10,
                "opacity": 1, "line": {"width": 1.5, "color": look.PAGE},
            },
            hovertemplate=f"<b>{event_name(each)}</b><br>at {speed}<extra></extra>",
        )  # fmt: skip


def _frame(figure: Sketch, x: FloatArray, y: FloatArray) -> Sketch:
    figure.style(HEIGHT_PX, hovermode="closest")
    ranges = [_range(values) for values in (x, y)]
    _add_scale(figure, x, y, ranges)
    figure.update_layout(margin={"l": 6, "r": 6, "t": 14, "b": 14})
    figure.update_xaxes(visible=False, range=ranges[0], constrain="range")
    return figure.update_yaxes(visible=False, range=ranges[1], scaleanchor="x", constrain="range")


def _range(values: FloatArray) -> tuple[float, float]:
    middle = (float(values.min()) + float(values.max())) / 2
    half = max(float(np.ptp(values)), LEAST_SPAN_M) / 2 * 1.16
    return middle - half, middle + half


def bar_metres(span_m: float) -> float:
    """The longest of 1, 2, 5, 10, ... metres that is at most a quarter of the span."""
    most = max(span_m * BAR_SHARE, 1.0)
    unit = 10.0 ** math.floor(math.log10(most))
    return next(step * unit for step in (5, 2, 1) if step * unit <= most)


def _add_scale(figure: Sketch, x: FloatArray, y: FloatArray, ranges: list[tuple[float, float]]) -> None:
    """A bar with its length, and where north is, in the lower corner that the way leaves free."""
    (left, right), (bottom, top) = ranges
    length = bar_metres(max(right - left, top - bottom))
    low = y < bottom + 0.35 * (top - bottom)
    at_right = np.count_nonzero(low & (x > (left + right) / 2)) <= np.count_nonzero(low & (x <= (left + right) / 2))
    start = right - length if at_right else left
    figure.add_shape(
        type="line", x0=start, x1=start + length, y0=bottom, y1=bottom, line={"width": 2, "color": look.MUTED}
    )
    said = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"  # noqa: PLR2004
    figure.add_annotation(
        x=start + length / 2, y=bottom, yshift=10, text=f"{said}  N↑", showarrow=False,
        font={"size": 11, "color": look.MUTED},
    )  # fmt: skip
