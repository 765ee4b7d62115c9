"""Figures about a trip's events: what each cost, and one of them close up. Pure, like the other charts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dashboard import look, sampling, words
from dashboard.sketch import Sketch, drawn
from dashboard.traces import panel_of, side
from dashboard.trip_charts import DASH, event_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from dashboard.explain import Judged, Step
    from fleetflow.safety.profiles import ScoringProfile

LEAST_SPAN = 20
"""Points that the picture spans at least, so that the way down of a calm trip looks short."""
LEAST_LABELLED = 0.12
"""Of the span, that a bar takes which has room for a number in a narrow card."""


@drawn
def waterfall(way: Sequence[Step]) -> Sketch:
    """From 100 down: a bar per event that costs points, a tick for each that costs nothing, in order of time."""
    rows, score = list(range(len(way))), way[-1].before - way[-1].lost
    lowest = min(score, 100 - LEAST_SPAN)
    figure = Sketch()
    paid = [(row, step) for row, step in zip(rows, way, strict=True) if step.lost]
    figure.add_bar(
        y=[row for row, _ in paid],
        x=[step.lost for _, step in paid],
        base=[step.before - step.lost for _, step in paid],
        orientation="h",
        marker={"color": [look.KINDS[step.judged.event.kind].color for _, step in paid], "cornerradius": 3},
        text=[_loss(step, 100 - lowest) for _, step in paid],
        textposition="inside",
        insidetextanchor="middle",
        textfont={"color": look.PAGE, "size": 11.5, "weight": 600},
        customdata=[[event_name(step.judged), _margin(step.judged)] for _, step in paid],
        hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<extra></extra>",
    )
    figure.add_all(
        shapes=[*_ticks(way), *_joints(way)],
        annotations=[*(_note(row, step, lowest) for row, step in enumerate(way)), *_ends(way, score)],
    )
    height = 62 + 30 * len(way)
    figure.style(height, bargap=0.3, uniformtext={"minsize": 9, "mode": "hide"})
    figure.update_layout(margin={"l": 108, "r": 14, "t": 4, "b": 4})
    figure.update_xaxes(visible=False, range=[lowest - (100 - lowest) * 0.42, 100 + (100 - lowest) * 0.42])
    return figure.update_yaxes(visible=True, showgrid=False, autorange=False, range=[len(way) - 0.1, -1.1],
        tickvals=rows, ticktext=[_row_name(step) for step in way], tickfont={"size": 11.5, "color": look.INK},
        ticklabelposition="outside left", automargin=False)  # fmt: skip


def _row_name(step: Step) -> str:
    kind_look = look.KINDS[step.judged.event.kind]
    return f'<span style="color:{kind_look.color}">{kind_look.sign}</span> {step.judged.number} {kind_look.noun}'


def _margin(judged: Judged) -> str:
    unit = look.KINDS[judged.event.kind].unit
    digits = 2 if unit == "g" else 0
    over, gone = (words.decimal(each, digits, unit) for each in (judged.over, judged.gone_at))
    return f"{over} over the threshold, gone at {gone}"


def _loss(step: Step, span: int) -> str:
    """What a bar says; nothing where it is too short, its note says it then."""
    return f"{words.MINUS}{step.lost}" if step.lost >= LEAST_LABELLED * span else ""


def _note(row: int, step: Step, lowest: int) -> dict[str, Any]:
    kind_look = look.KINDS[step.judged.event.kind]
    text = f"{words.decimal(step.judged.over, kind_look.digits, kind_look.unit)} over"
    if step.lost and not _loss(step, 100 - lowest):
        text = f"{words.MINUS}{step.lost}, {text}"
    if not step.lost:
        text = "doubtful, not counted" if step.judged.event.doubts else "costs nothing"
    left = step.before > (100 + lowest) / 2
    return {
        "x": step.before - step.lost if left else step.before, "y": row, "text": text, "showarrow": False,
        "xanchor": "right" if left else "left", "xshift": -8 if left else 8, "font": {"size": 11, "color": look.MUTED},
    }  # fmt: skip


def _ticks(way: Sequence[Step]) -> list[dict[str, Any]]:
    """A line for each event that costs nothing."""
    return [
        _upright(step.before, row - 0.35, row + 0.35, 2, look.KINDS[step.judged.event.kind].color)
        for row, step in enumerate(way)
        if not step.lost
    ]


def _joints(way: Sequence[Step]) -> list[dict[str, Any]]:
    """From each bar down to the next."""
    return [_upright(after.before, row + 0.35, row + 0.65, 1, look.MUTED) for row, after in enumerate(way[1:])]


def _upright(x: float, y0: float, y1: float, width: float, color: str) -> dict[str, Any]:
    return {"type": "line", "x0": x, "x1": x, "y0": y0, "y1": y1, "line": {"width": width, "color": color}}


def _ends(way: Sequence[Step], score: int) -> list[dict[str, Any]]:
    return [
        {"text": text, "x": x, "y": y, "showarrow": False, "font": {"size": size, "color": look.INK}}
        for text, x, y, size in (("100", 100, -0.8, 12), (f"<b>{score}</b>", score, len(way) - 0.3, 14))
    ]


@drawn
def event_detail(
    samples: pd.DataFrame,
    judged: Judged,
    profile: ScoringProfile,
    *,
    around_s: float = 6.0,
    unit: str = "s",
    with_speed: bool = False,
) -> Sketch:
    """The signal around one event's peak, its excess filled; x from the peak, in seconds (samples, without a clock).

    `with_speed` draws the speed below, which shows whether it follows.
    """
    event = judged.event
    panel = panel_of(event.kind)
    reach = max(around_s, event.end_s - event.peak_s + 2, event.peak_s - event.start_s + 2)
    part = samples[samples["t_s"].between(event.peak_s - reach, event.peak_s + reach)]
    part = part.iloc[sampling.keep(part[panel.column].to_numpy())]
    figure = Sketch()
    _add_moment(figure, part, judged, profile, unit)
    with_speed = with_speed and panel.column != "speed_kmh"
    if with_speed:
        _add_speed(figure, part, event.peak_s)
    figure.style(250 if with_speed else 190)
    figure.update_layout(
        margin={"l": 44, "r": 22, "t": 18, "b": 22, "pad": 0}, hovermode="x", hoversubplots="axis",
        yaxis={"domain": [0.5 if with_speed else 0.0, 1.0]},
    )  # fmt: skip
    if with_speed:
        figure.update_layout(yaxis2={"domain": [0.0, 0.34], "rangemode": "tozero", "nticks": 3})
    _name_panel(figure, panel.title.split(",")[0] + f", {panel.unit}", 1.0)
    return _set_moment_axis(figure, reach, unit, "y2" if with_speed else "y")


def _add_moment(figure: Sketch, part: pd.DataFrame, judged: Judged, profile: ScoringProfile, unit: str) -> None:
    event, panel, kind_look = judged.event, panel_of(judged.event.kind), look.KINDS[judged.event.kind]
    x, values = part["t_s"].to_numpy() - event.peak_s, part[panel.column].to_numpy()
    sign = side(values, x) if panel.unit == "g" else 1.0
    level = sign * profile.rules[event.kind].threshold
    beyond = np.where(sign * values >= abs(level), values, level)
    inside = (x >= event.start_s - event.peak_s - 1e-6) & (x <= event.end_s - event.peak_s + 1e-6)
    figure.add_scatter(x=x, y=np.full(len(x), level), mode="lines", line={"width": 0}, hoverinfo="skip")
    figure.add_scatter(
        x=x, y=np.where(inside, beyond, level), mode="lines", line={"width": 0}, fill="tonexty",
        fillcolor=kind_look.color, hoverinfo="skip",
    )  # fmt: skip
    figure.add_scatter(
        x=x, y=values, mode="lines", line={"width": 1.6, "color": look.INK},
        hovertemplate=f"%{{y:.{panel.digits}f}} {panel.unit} at %{{x:+.1f}} {unit}<extra></extra>",
    )  # fmt: skip
    figure.add_shape(
        type="line", x0=0, x1=1, xref="paper", y0=level, y1=level,
        line={"width": 1, "dash": DASH, "color": kind_look.color},
    )  # fmt: skip


def _add_speed(figure: Sketch, part: pd.DataFrame, peak_s: float) -> None:
    figure.add_scatter(
        x=part["t_s"].to_numpy() - peak_s, y=part["speed_kmh"].to_numpy(), yaxis="y2", mode="lines",
        line={"width": 1.6, "color": look.INK}, hovertemplate="%{y:.0f} km/h<extra></extra>",
    )  # fmt: skip
    _name_panel(figure, "Speed, km/h", 0.34)


def _name_panel(figure: Sketch, title: str, top: float) -> None:
    figure.add_annotation(
        x=0, y=top, xref="paper", yref="paper", xanchor="left", yanchor="bottom", xshift=-38, yshift=2, text=title,
        showarrow=False, font={"size": 11, "color": look.MUTED},
    )  # fmt: skip


def _set_moment_axis(figure: Sketch, reach: float, unit: str, anchor: str) -> Sketch:
    ticks = [-reach, -reach / 2, 0.0, reach / 2, reach]
    return figure.update_xaxes(
        tickvals=ticks,
        ticktext=["peak" if tick == 0 else f"{words.signed(tick, 0)} {unit}" for tick in ticks],
        range=[-reach, reach],
        anchor=anchor,
        showgrid=True,
        gridcolor=look.HAIRLINE,
        automargin=False,
    )
