"""Figures about a trip's events: what each cost, and one of them close up. Pure, like the other charts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from dashboard import look, sampling, words
from dashboard.charts import style
from dashboard.trip_charts import DASH, PANELS, event_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from dashboard.explain import Judged, Step
    from fleetflow.safety.profiles import ScoringProfile
    from fleetflow.trips.samples import FloatArray


def waterfall(way: Sequence[Step]) -> go.Figure:
    """From 100 down: a bar per event that costs points, a tick for each that costs nothing, in order of time."""
    rows, score = list(range(len(way))), way[-1].before - way[-1].lost
    figure = go.Figure()
    paid = [(row, step) for row, step in zip(rows, way, strict=True) if step.lost]
    figure.add_bar(
        y=[row for row, _ in paid],
        x=[step.lost for _, step in paid],
        base=[step.before - step.lost for _, step in paid],
        orientation="h",
        marker={"color": [look.KINDS[step.judged.event.kind].color for _, step in paid], "cornerradius": 3},
        text=[f"{words.MINUS}{step.lost}" for _, step in paid],
        textposition="inside",
        insidetextanchor="middle",
        textfont={"color": look.PAGE, "size": 11.5, "weight": 600},
        customdata=[[event_name(step.judged), _margin(step.judged)] for _, step in paid],
        hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<extra></extra>",
    )
    for row, step in enumerate(way):
        _explain_step(figure, row, step, score)
    _frame_waterfall(figure, way, score)
    height = 62 + 30 * len(way)
    style(figure, height, bargap=0.3)
    lowest = min(score, 100 - 20)
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


def _explain_step(figure: go.Figure, row: int, step: Step, score: int) -> None:
    unit = look.KINDS[step.judged.event.kind].unit
    if step.lost:
        text = f"{words.decimal(step.judged.over, 2 if unit == 'g' else 0, unit)} over"
    else:
        text = "doubtful, not counted" if step.judged.event.doubts else "costs nothing"
        figure.add_shape(type="line", x0=step.before, x1=step.before, y0=row - 0.35, y1=row + 0.35,
            line={"width": 2, "color": look.KINDS[step.judged.event.kind].color})  # fmt: skip
    left = step.before > (100 + min(score, 80)) / 2
    figure.add_annotation(
        x=step.before - step.lost if left else step.before, y=row, text=text, showarrow=False,
        xanchor="right" if left else "left", xshift=-8 if left else 8, font={"size": 11, "color": look.MUTED},
    )  # fmt: skip


def _frame_waterfall(figure: go.Figure, way: Sequence[Step], score: int) -> None:
    for row, after in enumerate(way[1:]):
        figure.add_shape(type="line", x0=after.before, x1=after.before, y0=row + 0.35, y1=row + 0.65,
            line={"width": 1, "color": look.MUTED})  # fmt: skip
    for text, x, y, size in (("100", 100, -0.8, 12), (f"<b>{score}</b>", score, len(way) - 0.3, 14)):
        figure.add_annotation(x=x, y=y, text=text, showarrow=False, font={"size": size, "color": look.INK})


def event_detail(
    samples: pd.DataFrame, judged: Judged, profile: ScoringProfile, *, around_s: float = 6.0, unit: str = "s"
) -> go.Figure:
    """The signal around one event's peak, its excess filled; x from the peak, in seconds (samples, without a clock)."""
    event = judged.event
    kind_look = look.KINDS[event.kind]
    panel = next(panel for panel in PANELS if event.kind in dict(panel.kinds))
    reach = max(around_s, event.end_s - event.peak_s + 2, event.peak_s - event.start_s + 2)
    part = samples[samples["t_s"].between(event.peak_s - reach, event.peak_s + reach)]
    part = part.iloc[sampling.keep(part[panel.column].to_numpy())]
    x, values = part["t_s"].to_numpy() - event.peak_s, part[panel.column].to_numpy()
    sign = _side(values, x) if panel.unit == "g" else 1.0
    level = sign * profile.rules[event.kind].threshold
    figure = go.Figure()
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
    figure.add_hline(y=level, line={"width": 1, "dash": DASH, "color": kind_look.color})
    style(figure, 190, hovermode="closest")
    figure.update_layout(margin={"l": 40, "r": 22, "t": 6, "b": 22}, hovermode="x")
    figure.update_yaxes(title_text=panel.title.split(",")[0] + f", {panel.unit}", title_standoff=6)
    ticks = [-reach, -reach / 2, 0.0, reach / 2, reach]
    return figure.update_xaxes(
        tickvals=ticks,
        ticktext=["peak" if tick == 0 else f"{words.signed(tick, 0)} {unit}" for tick in ticks],
        range=[-reach, reach],
    )


def _side(values: FloatArray, x: FloatArray) -> float:
    """Whether the peak points up or down."""
    at_peak = values[np.argmin(np.abs(x))] if len(values) else 0.0
    return 1.0 if at_peak >= 0 else -1.0
