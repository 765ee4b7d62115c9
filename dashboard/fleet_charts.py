"""Figures of the whole fleet. Pure: frames in, figure out, no Streamlit.

Grey is "cannot tell", ink is "clearly above the middle", green "clearly below"; a change is hollow before, full now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dashboard import look, words
from dashboard.charts import RATE
from dashboard.sketch import Sketch, drawn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import pandas as pd

    from fleetflow.safety.ranking.pair import Pair

POINTS = "penalty points per 100 km"
VERDICT_COLORS = {"clearly above": look.INK, "clearly below": look.GOOD}
NAMED = 3
"""So many drivers at the top have their names in the chart; the others on hover."""
LABEL_PX, PLOT_PX = 15.0, 232.0


@drawn
def rates_by_kind(rates: pd.DataFrame, marks: Sequence[tuple[datetime, str]], period_start: Any) -> Sketch:
    """Harsh events per 100 km over seven days, a line a kind, named at its end. `rates` as key_figures.smooth_rates.

    `marks` are moments with a name, drawn as dotted lines; what lies before `period_start` is shaded.
    """
    figure = Sketch()
    for kind, kind_look in look.KINDS.items():
        figure.add_scatter(
            x=rates["date"],
            y=rates[kind.value],
            mode="lines",
            line={"color": kind_look.color, "width": 1.8},
            hovertemplate=f"{kind_look.sign} {kind_look.noun} %{{y:.2f}}<extra></extra>",
        )
    figure.style(300, hovermode="x unified")
    figure.update_layout(margin_r=104, margin_t=26)
    _name_lines(figure, rates)
    _shade_before(figure, rates, period_start)
    for moment, name in marks:
        figure.add_vline(moment, line={"color": look.MUTED, "width": 1.2, "dash": "2px,3px"})
        _note(figure, x=moment, y=1.0, yref="paper", yanchor="bottom", text=name)
    figure.update_xaxes(type="date", tickformat="%-d %b", hoverformat="week to %a %-d %b", showspikes=False)
    return figure.update_yaxes(rangemode="tozero", title_text=RATE, title_standoff=10)


def _name_lines(figure: Sketch, rates: pd.DataFrame) -> None:
    """Each line's name at its end, pushed apart where lines end close together."""
    last = rates[list(look.KIND_COLUMNS)].ffill().iloc[-1]
    top = float(rates[list(look.KIND_COLUMNS)].max().max()) or 1.0
    places = spread([float(last[name]) for name in look.KIND_COLUMNS], LABEL_PX / PLOT_PX * top)
    for kind_look, y in zip(look.KINDS.values(), places, strict=True):
        text = f'<span style="color:{kind_look.color}">{kind_look.sign} {kind_look.noun}</span>'
        _note(figure, x=1, xref="paper", xanchor="left", xshift=6, y=y, text=text)


def spread(values: Sequence[float], apart: float) -> list[float]:
    """The values moved as little as it takes to be `apart`, none below 0; in the order given."""
    order = np.argsort(values, kind="stable")
    placed = np.asarray(values, dtype=np.float64)[order]
    low = np.maximum.accumulate(placed - apart * np.arange(len(placed))) + apart * np.arange(len(placed))
    excess = (low - placed).mean() if len(placed) else 0.0
    back = np.empty_like(placed)
    back[order] = np.maximum(low - excess, apart * np.arange(len(placed)))
    return [float(each) for each in back]


def _shade_before(figure: Sketch, rates: pd.DataFrame, period_start: Any) -> None:
    first = rates["date"].iloc[0]
    if period_start is None or first >= period_start:
        return
    figure.add_shape(
        type="rect", x0=first, x1=period_start, yref="y domain", y0=0, y1=1, fillcolor=look.SOFT, opacity=0.18,
        line={"width": 0}, layer="below",
    )  # fmt: skip
    _note(figure, x=first, xanchor="left", y=0.99, yref="paper", yanchor="top", xshift=4, text="period before")


def _note(figure: Sketch, **where: Any) -> None:
    figure.add_annotation(showarrow=False, font={"size": 11, "color": look.MUTED}, **where)


@drawn
def trips_by_day(days: pd.DataFrame) -> Sketch:
    """How many trips were scored on each day. `days` as key_figures.by_day gives it."""
    figure = Sketch()
    figure.add_bar(
        x=days["date"],
        y=days["trips"],
        marker={"color": look.MUTED, "opacity": 0.6, "cornerradius": 2},
        customdata=days["distance_km"],
        hovertemplate="<b>%{x|%a %-d %b}</b><br>%{y:,.0f} trips, %{customdata:,.0f} km<extra></extra>",
    )
    figure.style(150)
    figure.update_xaxes(type="date", tickformat="%-d %b", nticks=4)
    return figure.update_yaxes(rangemode="tozero", nticks=4)


def _note_rows(figure: Sketch, texts: Sequence[str]) -> None:
    """A note at the right of each row."""
    font = {"size": 11, "color": look.MUTED}
    where = {"x": 1, "xref": "paper", "xanchor": "left", "xshift": 8, "showarrow": False, "font": font}
    figure.add_all(annotations=[{**where, "y": place, "text": text} for place, text in enumerate(texts)])


@drawn
def stands_out(ranked: pd.DataFrame, middle: float) -> Sketch:
    """Every ranked driver: points per 100 km with the 90 % interval, against distance. `ranked` as Standings.ranked."""
    figure = Sketch()
    for verdict in ("cannot tell", "clearly below", "clearly above"):
        _add_drivers(figure, ranked[ranked["verdict"] == verdict], verdict)
    figure.style(320, hovermode="closest")
    figure.update_layout(margin_r=18)
    figure.add_hline(middle, line={"color": look.MUTED, "width": 1, "dash": "3px,3px"})
    _note(figure, x=0, xref="paper", xanchor="left", y=middle, yanchor="bottom", text=f"middle {middle:.1f}")
    half_way = (ranked["distance_km"].min() + ranked["distance_km"].max()) / 2
    for _, row in ranked.head(NAMED).iterrows():
        to_left = row["distance_km"] > half_way
        _note(figure, x=row["distance_km"], y=row["points_per_100_km"], text=_short(row),
              xanchor="right" if to_left else "left", xshift=-9 if to_left else 9)  # fmt: skip
    figure.update_xaxes(title_text="km driven", title_standoff=8, tickformat=",.0f", nticks=6)
    return figure.update_yaxes(title_text=POINTS, title_standoff=10, rangemode="tozero")


def _add_drivers(figure: Sketch, some: pd.DataFrame, verdict: str) -> None:
    color = VERDICT_COLORS.get(verdict, look.MUTED)
    is_clear = verdict in VERDICT_COLORS
    figure.add_scatter(
        x=some["distance_km"],
        y=some["points_per_100_km"],
        mode="markers",
        name=verdict,
        error_y={
            "array": some["high"] - some["points_per_100_km"],
            "arrayminus": some["points_per_100_km"] - some["low"],
            "color": color if is_clear else look.SOFT,
            "thickness": 1.2,
            "width": 0,
        },
        marker={
            "size": 9,
            "opacity": 1,
            "color": color if is_clear else look.PAGE,
            "line": {"width": 1.5, "color": color if not is_clear else look.PAGE},
        },
        customdata=np.column_stack([some["driver_id"], *_hover(some)]) if len(some) else None,
        hovertemplate="<b>%{customdata[1]}</b>, %{customdata[4]}<br>%{y:.1f} points per 100 km"
        " (%{customdata[2]})<br>rank %{customdata[3]}, %{x:,.0f} km<extra></extra>",
    )


def _hover(some: pd.DataFrame) -> list[Any]:
    names = [words.driver(name, each) for name, each in zip(some["name"], some["driver_id"], strict=True)]
    intervals = [f"{low:.1f} to {high:.1f}" for low, high in zip(some["low"], some["high"], strict=True)]
    return [names, intervals, words.ranks(some), some["verdict"]]


def _short(row: pd.Series, longest: int = 19) -> str:
    name = words.driver(row["name"], row["driver_id"]).removeprefix("Simulated ")
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


@drawn
def who_changed(changes: pd.DataFrame) -> Sketch:
    """Points per 100 km before (hollow) and now (full), who got worse above who improved. `changes` as Changes.rows."""
    rows = changes.iloc[::-1].reset_index(drop=True)
    figure = Sketch()
    colors = [_change_color(badge) for badge in rows["badge"]]
    before, now, at = rows["points_per_100_km_before"], rows["points_per_100_km"], list(range(len(rows)))
    figure.add_bar(
        y=at, x=now - before, base=before, orientation="h", width=0.14, marker={"color": colors, "opacity": 0.45},
        hoverinfo="skip",
    )  # fmt: skip
    for values, full in ((before, False), (now, True)):
        figure.add_scatter(
            y=at, x=values, mode="markers", hoverinfo="skip" if not full else None,
            marker={"size": 9, "opacity": 1, "color": colors if full else look.PAGE,
                    "line": {"width": 1.6, "color": colors}},
            customdata=np.column_stack([rows["driver_id"], _names(rows), before, rows["chance_text"]]),
            hovertemplate="<b>%{customdata[1]}</b><br>%{customdata[2]:.1f} before, %{x:.1f} now"
            "<br>%{customdata[3]}<extra></extra>",
        )  # fmt: skip
    figure.style(44 + 27 * max(len(rows), 3))
    _note_rows(figure, list(rows["label"]))
    figure.update_layout(margin_r=112)
    figure.update_yaxes(showgrid=False, tickvals=at, ticktext=[_short(row) for _, row in rows.iterrows()],
                        tickfont_color=look.INK)  # fmt: skip
    return figure.update_xaxes(showgrid=True, gridcolor=look.HAIRLINE, rangemode="tozero", nticks=5)


def _names(rows: pd.DataFrame) -> list[str]:
    return [words.driver(name, each) for name, each in zip(rows["name"], rows["driver_id"], strict=True)]


def _change_color(badge: str) -> str:
    return {"worse": look.INK, "improved": look.GOOD}.get(badge, look.MUTED)


@drawn
def intervals(ranked: pd.DataFrame, middle: float) -> Sketch:
    """All ranked drivers, the worst on top: a dot on the bar of its 90 % interval, rank and likely ranks beside it."""
    rows = ranked.iloc[::-1].reset_index(drop=True)
    colors = [VERDICT_COLORS.get(verdict, look.MUTED) for verdict in rows["verdict"]]
    at = list(range(len(rows)))
    figure = Sketch()
    figure.add_bar(
        y=at, x=rows["high"] - rows["low"], base=rows["low"], orientation="h", width=0.3,
        marker={"color": colors, "opacity": 0.4, "cornerradius": 3}, hoverinfo="skip",
    )  # fmt: skip
    figure.add_scatter(
        y=at, x=rows["points_per_100_km"], mode="markers", marker={"size": 9, "opacity": 1, "color": colors},
        customdata=np.column_stack([rows["driver_id"], *_hover(rows), rows["distance_km"].map(words.kilometres)]),
        hovertemplate="<b>%{customdata[1]}</b>, %{customdata[4]}<br>%{x:.1f} points per 100 km (%{customdata[2]})"
        "<br>rank %{customdata[3]}, %{customdata[5]}<extra></extra>",
    )  # fmt: skip
    figure.style(60 + 26 * max(len(rows), 2))
    figure.update_layout(margin_r=70, margin_t=22)
    figure.add_vline(middle, line={"color": look.MUTED, "width": 1, "dash": "3px,3px"})
    _note(figure, x=middle, y=1, yref="paper", yanchor="bottom", text=f"middle {middle:.1f}")
    labels = [
        f"{_short(row)}  <b>{rank}</b>" for (_, row), rank in zip(rows.iterrows(), words.ranks(rows), strict=True)
    ]
    _note_rows(figure, words.likely_ranks(rows))
    figure.update_yaxes(showgrid=False, tickvals=at, ticktext=labels, tickfont_color=look.INK, nticks=None)
    return figure.update_xaxes(
        showgrid=True, gridcolor=look.HAIRLINE, rangemode="tozero", nticks=8, title_text=POINTS, title_standoff=8
    )


@drawn
def two_densities(pair: Pair, names: Sequence[str]) -> Sketch:
    """Where the rates of two drivers may lie, the first in the accent, the second in ink."""
    figure = Sketch()
    peaks = pair.densities.argmax(axis=1)
    for number, (name, values, color) in enumerate(zip(names, pair.densities, (look.ACCENT, look.INK), strict=True)):
        figure.add_scatter(
            x=pair.rate, y=values, mode="lines", line={"color": color, "width": 1.8}, hoverinfo="skip", name=name,
            fill="tozeroy", fillcolor="rgba(127,136,150,0.14)",
        )  # fmt: skip
        peak, to_left = peaks[number], number == int(np.argmin(peaks))
        text = f'<span style="color:{color}">{name}</span>'
        _note(figure, x=pair.rate[peak], y=values[peak], text=text, yanchor="bottom",
              xanchor="right" if to_left else "left")  # fmt: skip
    figure.style(150)
    figure.update_layout(margin_t=24)
    figure.update_yaxes(visible=False, rangemode="tozero")
    return figure.update_xaxes(nticks=7, ticksuffix="")
