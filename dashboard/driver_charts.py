"""Figures of one driver. Pure: frames in, figure out. Grey is the fleet or before; the accent is this driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dashboard import look, words
from dashboard.sketch import Sketch, drawn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from dashboard.changing import Explanation
    from dashboard.movements import Row

POINTS, SCORE = "points", "score"
AXIS_TITLES = {POINTS: "points per 100 km", SCORE: "score"}
DAY_MS = 86_400_000


@drawn
def by_week(mine: pd.DataFrame, fleet: pd.DataFrame, column: str, notes: Sequence[date] = ()) -> Sketch:
    """A dot on the bar of its 90 % interval for each week, over the middle half of the fleet's drivers.

    `mine` and `fleet` as weeks.by_week and weeks.of_fleet give them; `notes` are the days of coaching.
    """
    figure = Sketch()
    _add_fleet(figure, fleet)
    low, high = mine[f"{column}_low"], mine[f"{column}_high"]
    figure.add_bar(
        x=mine["week"],
        y=high - low,
        base=low,
        width=2.2 * DAY_MS,
        marker={"color": look.ACCENT, "cornerradius": 3},
        opacity=0.35,
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=mine["week"],
        y=mine[column],
        mode="lines+markers",
        line={"color": look.ACCENT, "width": 1.6},
        marker={"size": 8, "color": look.ACCENT, "line": {"width": 1.5, "color": look.PAGE}},
        customdata=np.column_stack(
            [_intervals(low, high), mine["distance_km"].map(words.kilometres), mine["trips"].map(words.integer)]
        ),
        hovertemplate="<b>%{y:.1f}</b>%{customdata[0]}<br>%{customdata[1]} in %{customdata[2]} trips<extra></extra>",
    )
    _add_notes(figure, notes)
    figure.style(262, hovermode="x unified")
    top = max([100.0 if column == SCORE else 1.0, high.max(), mine[column].max(), fleet["q3"].max()], key=_known)
    floor = min([100.0, low.min(), mine[column].min(), fleet["q1"].min()], key=lambda each: -_known(-each))
    figure.update_yaxes(
        range=[max(floor - 4, 0), 102] if column == SCORE else [0, top * 1.08],
        title_text=AXIS_TITLES[column], title_standoff=10,
    )  # fmt: skip
    return figure.update_xaxes(type="date", tickformat="%-d %b", hoverformat="Week of %-d %b", nticks=8)


def _known(value: float) -> float:
    return value if np.isfinite(value) else -np.inf


def _intervals(low: pd.Series[float], high: pd.Series[float]) -> list[str]:
    pairs = zip(low, high, strict=True)
    return [f" ({words.decimal(a)} to {words.decimal(b)})" if np.isfinite(b - a) else "" for a, b in pairs]


def _add_fleet(figure: Sketch, fleet: pd.DataFrame) -> None:
    figure.add_scatter(
        x=pd.concat([fleet["week"], fleet["week"][::-1]]),
        y=pd.concat([fleet["q1"], fleet["q3"][::-1]]),
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=look.SOFT,
        opacity=0.45,
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=fleet["week"],
        y=fleet["median"],
        mode="lines",
        line={"color": look.MUTED, "width": 1, "dash": "3px,3px"},
        hovertemplate="fleet's median %{y:.1f}<extra></extra>",
    )


def _add_notes(figure: Sketch, notes: Sequence[date]) -> None:
    for day in notes:
        at = pd.Timestamp(day)
        figure.add_shape(
            type="line", x0=at, x1=at, y0=0, y1=0.94, yref="paper", line={"color": look.INK, "width": 1, "dash": "dot"}
        )
        figure.add_annotation(
            x=at, y=1, yref="paper", text="⚑ coached", showarrow=False, font={"size": 11, "color": look.MUTED}
        )


@drawn
def waterfall(explained: Explanation) -> Sketch:
    """From the figure before to the one now; a part that lowers it is good, and each stands with its sign."""
    words_of, starts, lengths, colors, labels = [], [], [], [], []
    at = explained.before / 10
    for word, value in explained.rows:
        words_of.append(word)
        starts.append(min(at, at + value))
        lengths.append(abs(value))
        colors.append(look.GOOD if value < 0 else look.INK)
        labels.append(words.signed(value) if value else "0")
        at += value
    ends = (("Before", explained.before / 10, look.MUTED), ("Now", explained.after / 10, look.ACCENT))
    rows = ["Before", *words_of, "Now"]
    figure = Sketch()
    figure.add_bar(
        y=list(range(len(rows))),
        x=[ends[0][1], *lengths, ends[1][1]],
        base=[0, *starts, 0],
        orientation="h",
        marker={"color": [ends[0][2], *colors, ends[1][2]], "cornerradius": 2},
        text=[f"<b>{words.decimal(ends[0][1])}</b>", *labels, f"<b>{words.decimal(ends[1][1])}</b>"],
        textposition="outside",
        textfont={"size": 12, "color": look.INK},
        cliponaxis=False,
        hoverinfo="skip",
    )
    figure.style(262, bargap=0.38)
    reach = max([each[1] for each in ends] + [a + b for a, b in zip(starts, lengths, strict=True)])
    figure.update_yaxes(
        autorange="reversed", showgrid=False, tickvals=list(range(len(rows))), ticktext=rows, tickfont_color=look.INK
    )
    return figure.update_xaxes(
        showgrid=True, gridcolor=look.HAIRLINE, nticks=5, range=[0, max(reach, 0.5) * 1.18], autorange=False
    )


@drawn
def before_after(row: Row, reach: float) -> Sketch:
    """A driver's figure before and after a talk, each a dot on the bar of its 90 % interval; hollow is before."""
    values = np.array(
        [[row[f"{each}{period}"] for each in ("mean", "low", "high")] for period in ("_before", "_after")]
    )
    mean, low, high = values.T.astype(np.float64)
    figure = Sketch()
    figure.add_bar(
        x=high - low, y=[0, 1], base=low, orientation="h", width=0.3, opacity=0.4, hoverinfo="skip",
        marker={"color": [look.MUTED, look.ACCENT], "cornerradius": 3},
    )  # fmt: skip
    figure.add_scatter(
        x=mean, y=[0, 1], mode="markers",
        marker={
            "size": 9, "opacity": 1, "color": [look.PAGE, look.ACCENT],
            "line": {"width": 2, "color": [look.MUTED, look.ACCENT]},
        },
        customdata=np.column_stack([low, high]),
        hovertemplate="%{x:.1f}, likely %{customdata[0]:.1f} to %{customdata[1]:.1f}<extra></extra>",
    )  # fmt: skip
    figure.style(96)
    names = [f"{name} <b>{words.decimal(value)}</b>" for name, value in zip(("before", "after"), mean, strict=True)]
    figure.update_yaxes(range=[1.6, -0.6], showgrid=False, tickvals=[0, 1], ticktext=names, tickfont_color=look.INK)
    return figure.update_xaxes(
        showgrid=True, gridcolor=look.HAIRLINE, range=[0, max(reach, 1.0) * 1.05], autorange=False, nticks=4
    )
