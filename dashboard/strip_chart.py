"""The whole trip in a narrow strip: a silhouette of its speed and its events by name, to click on. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dashboard import lanes, look, numbers, sampling
from dashboard.sketch import Sketch, drawn
from dashboard.trip_charts import LEFT_PX, RIGHT_PX, event_name

if TYPE_CHECKING:
    import pandas as pd

    from dashboard.explain import Judged
    from dashboard.trip_charts import Scene

LANE_PX, SILHOUETTE_PX = 18, 36
BUCKETS = 240
LEAST_SPAN_KMH = 60.0


@drawn
def strip(scene: Scene) -> Sketch:
    """Events as marks to click on, each with its number as `customdata`."""
    span = _whole(scene.samples)
    places = _places(scene, span)
    names_px = LANE_PX * max((place.lane + 1 for place in places), default=0)
    height = names_px + SILHOUETTE_PX + 10
    figure = Sketch()
    _add_silhouette(figure, scene, SILHOUETTE_PX / height)
    _add_window(figure, scene, SILHOUETTE_PX / height)
    rows = [1 - LANE_PX * (place.lane + 0.5) / height for place in places]
    named = list(zip(scene.judged, places, rows, strict=True))
    figure.add_all(
        shapes=[_line(scene, each, y) for each, _, y in named],
        annotations=[_name(scene, *each) for each in named if each[1].told],
    )
    _add_marks(figure, scene, rows)
    figure.style(height, hovermode="closest", dragmode=False, clickmode="event+select")
    figure.update_layout(
        margin={"l": LEFT_PX, "r": RIGHT_PX, "t": 2, "b": 2, "pad": 0},
        yaxis2={"overlaying": "y", "range": [0, 1], "fixedrange": False},
    )
    figure.update_yaxes(visible=False, automargin=False)
    return figure.update_xaxes(
        range=[scene.axis.place(end) for end in span], visible=False, type="date" if scene.axis.is_date else "linear"
    )


def _whole(samples: pd.DataFrame) -> tuple[float, float]:
    return float(samples["t_s"].iloc[0]), float(samples["t_s"].iloc[-1])


def _places(scene: Scene, span: tuple[float, float]) -> list[lanes.Place]:
    """Where each event's name or number goes."""
    length = max(span[1] - span[0], 1e-9)
    spots = [(each.event.peak_s - span[0]) / length for each in scene.judged]
    places = lanes.places([(at, len(event_name(each))) for at, each in zip(spots, scene.judged, strict=True)])
    bare = [at for at, place in enumerate(places) if not place.named]
    sides = numbers.sides(
        [(spots[at] * lanes.PLOT_PX, 0.0) for at in bare], [scene.judged[at].number for at in bare], scene.chosen,
        numbers.BESIDE,
    )  # fmt: skip
    for at, side in zip(bare, sides, strict=True):
        places[at] = replace(places[at], told=side is not None, to_left=side == "middle left")
    return places


def _add_silhouette(figure: Sketch, scene: Scene, share: float) -> None:
    speed = scene.samples["speed_kmh"].to_numpy()
    kept = sampling.keep(speed, BUCKETS)
    figure.add_scatter(
        x=scene.axis.place(scene.samples["t_s"].to_numpy()[kept]), y=speed[kept].astype(np.float32), mode="lines",
        fill="tozeroy", fillcolor=look.SOFT, line={"width": 0.5, "color": look.SOFT}, hoverinfo="skip",
    )  # fmt: skip
    highest = max(float(np.nanmax(speed, initial=0.0)), LEAST_SPAN_KMH)
    figure.update_layout(yaxis={"range": [0, highest / share]})


def _add_window(figure: Sketch, scene: Scene, share: float) -> None:
    if scene.window is not None:
        first, last = (scene.axis.place(end) for end in scene.window)
        figure.add_shape(
            type="rect", x0=first, x1=last, xref="x", y0=0, y1=share * 1.1, yref="paper", line={"width": 0},
            fillcolor=look.ACCENT, opacity=0.28,
        )  # fmt: skip


def _add_marks(figure: Sketch, scene: Scene, rows: list[float]) -> None:
    looks = [look.KINDS[each.event.kind] for each in scene.judged]
    figure.add_scatter(
        x=[scene.axis.place(each.event.peak_s) for each in scene.judged], y=rows, yaxis="y2", mode="markers",
        marker={
            "symbol": [each.symbol for each in looks],
            "color": [each.color for each in looks],
            "size": [13 if each.number == scene.chosen else 9 for each in scene.judged],
            "opacity": 1,
            "line": {"width": 1, "color": look.PAGE},
        },
        selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 1}},
        customdata=[each.number for each in scene.judged], text=[event_name(each) for each in scene.judged],
        hovertemplate="<b>%{text}</b><br>Click to look at it<extra></extra>",
    )  # fmt: skip


def _line(scene: Scene, judged: Judged, y: float) -> dict[str, Any]:
    x, chosen = scene.axis.place(judged.event.peak_s), judged.number == scene.chosen
    return {
        "type": "line", "xref": "x", "yref": "paper", "x0": x, "x1": x, "y0": 0, "y1": y, "layer": "below",
        "opacity": 1 if chosen else 0.4,
        "line": {"width": 2 if chosen else 1, "color": look.KINDS[judged.event.kind].color},
    }  # fmt: skip


def _name(scene: Scene, judged: Judged, place: lanes.Place, y: float) -> dict[str, Any]:
    text = event_name(judged) if place.named else str(judged.number)
    return {
        "x": scene.axis.place(judged.event.peak_s), "xref": "x", "y": y, "yref": "paper", "showarrow": False,
        "xanchor": "right" if place.to_left else "left", "xshift": -8 if place.to_left else 8, "yanchor": "middle",
        "text": f"<b>{text}</b>" if judged.number == scene.chosen else text, "hovertext": event_name(judged),
        "font": {"size": 11.5, "color": look.INK},
    }  # fmt: skip
