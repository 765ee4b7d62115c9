"""Figures of the fleet and of one driver. Pure: frames in, figure out, no Streamlit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard import look, words

if TYPE_CHECKING:
    from fleetflow.safety.events import EventKind
    from fleetflow.safety.whatif.peaks import Distribution

CLEAR = "rgba(0,0,0,0)"
WEEKLY_FROM_DAYS = 100
"""Above so many days a bar is a week: narrower bars than that cannot be told apart."""
RATE = "harsh events per 100 km"


def style(figure: go.Figure, height: int, **layout: Any) -> go.Figure:
    """FleetFlow's figure: transparent, no legend, quiet axes, nothing to drag."""
    figure.update_layout(
        height=height,
        margin={"l": 4, "r": 12, "t": 8, "b": 4, "pad": 4},
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        font={"family": look.FONT, "size": 12},
        showlegend=False,
        dragmode=False,
        bargap=0.35,
        hoverlabel={
            "bgcolor": look.PAGE,
            "bordercolor": look.HAIRLINE,
            "align": "left",
            "font": {"size": 12, "family": look.FONT},
        },
    )
    axis = {
        "tickfont": {"size": 11, "color": look.MUTED},
        "title": {"font": {"size": 11, "color": look.MUTED}},
        "zeroline": False,
        "fixedrange": True,
        "automargin": True,
    }
    figure.update_xaxes(showgrid=False, linecolor=look.HAIRLINE, ticks="", **axis)
    figure.update_yaxes(gridcolor=look.HAIRLINE, gridwidth=1, nticks=5, ticks="", **axis)
    return figure.update_layout(**layout)


def rates_over_time(days: pd.DataFrame) -> go.Figure:
    """Harsh events per 100 km, stacked by kind, per day (per week over a long period). `days` as data.days gives it."""
    bars = _by_week(days) if _span_days(days) > WEEKLY_FROM_DAYS else days
    weekly = bars is not days
    figure = go.Figure()
    distance = bars["distance_km"].replace(0.0, np.nan)
    for kind, kind_look in look.KINDS.items():
        count = bars[kind.value]
        figure.add_bar(
            x=bars["day"],
            y=100 * count / distance,
            marker={"color": kind_look.color, "cornerradius": 2},
            customdata=np.column_stack([count, bars["distance_km"], bars["trips"]]),
            hovertemplate=f"{kind_look.sign} {kind_look.noun} %{{y:.1f}} (%{{customdata[0]:.0f}})<extra></extra>",
        )
    _day_total(figure, bars, weekly=weekly)
    style(figure, 268, barmode="stack", hovermode="x unified")
    figure.update_xaxes(
        showspikes=False, type="date", tickformat="%-d %b", hoverformat="Week of %-d %b" if weekly else "%a %-d %b"
    )
    return figure.update_yaxes(rangemode="tozero", title_text=RATE, title_standoff=10)


def _day_total(figure: go.Figure, bars: pd.DataFrame, *, weekly: bool) -> None:
    """An invisible line that gives the hover its last row; it stands at 0 on days without any event."""
    figure.add_scatter(
        x=bars["day"],
        y=bars["per_100_km"],
        mode="markers",
        marker={"size": 1, "color": CLEAR},
        customdata=np.column_stack([bars["distance_km"], bars["trips"]]),
        hovertemplate="%{customdata[1]:,.0f} trips, %{customdata[0]:,.0f} km<extra></extra>",
        name="week" if weekly else "day",
    )


def _span_days(days: pd.DataFrame) -> int:
    return int((days["day"].max() - days["day"].min()).days) if len(days) else 0


def _by_week(days: pd.DataFrame) -> pd.DataFrame:
    monday = days["day"] - pd.to_timedelta(days["day"].dt.dayofweek, unit="D")
    columns = [*look.KIND_COLUMNS, "events", "distance_km", "trips"]
    weeks = days.groupby(monday)[columns].sum().reset_index()
    return weeks.assign(per_100_km=100 * weeks["events"] / weeks["distance_km"].replace(0.0, np.nan))


def highest_rates(leaderboard: pd.DataFrame, *, least_km: float, count: int = 8) -> go.Figure:
    """The drivers with the most harsh events per 100 km, stacked by kind; who drove too little is left out."""
    enough = leaderboard[leaderboard["distance_km"] >= least_km]
    top = enough.nlargest(count, "per_100_km").iloc[::-1]
    figure = go.Figure()
    names = [words.driver(name, each) for name, each in zip(top["name"], top["driver_id"], strict=True)]
    rows = list(range(len(top)))
    for kind, kind_look in look.KINDS.items():
        figure.add_bar(
            y=rows,
            x=100 * top[kind.value] / top["distance_km"],
            orientation="h",
            marker={"color": kind_look.color, "cornerradius": 2},
            customdata=np.column_stack(
                [names, top[kind.value].map(words.integer), top["distance_km"].map(words.kilometres)]
            ),
            hovertemplate=f"<b>%{{customdata[0]}}</b><br>{kind_look.sign} {kind_look.noun} %{{x:.1f}} per 100 km"
            "<br>%{customdata[1]} in %{customdata[2]}<extra></extra>",
        )
    figure.add_scatter(
        y=rows,
        x=top["per_100_km"],
        mode="text",
        text=[f" {words.decimal(rate)}" for rate in top["per_100_km"]],
        textposition="middle right",
        textfont={"size": 11.5, "color": look.INK},
        cliponaxis=False,
        hoverinfo="skip",
    )
    style(figure, 268, barmode="stack", bargap=0.42)
    figure.update_layout(margin_r=34)
    figure.update_yaxes(
        showgrid=False, tickvals=rows, ticktext=[_short(name) for name in names], tickfont_color=look.INK
    )
    return figure.update_xaxes(showgrid=True, gridcolor=look.HAIRLINE, nticks=5, rangemode="tozero")


def peaks(kind: EventKind, found: Distribution, reach: tuple[float, float], active: float, draft: float) -> go.Figure:
    """How many events have which peak, over the reach of the slider below; heights by root, so that few show as well.

    The active threshold is dashed, the draft's is solid; what the draft counts has the colour of its kind.
    """
    kind_look, edges = look.KINDS[kind], found.edges
    width = float(edges[1] - edges[0])
    figure = go.Figure()
    figure.add_bar(
        x=edges + width / 2,
        y=np.sqrt(found.counts),
        marker={"color": [kind_look.color if edge >= draft - width / 2 else look.SOFT for edge in edges]},
        customdata=np.column_stack([edges, edges + width, found.counts]),
        hovertemplate=f"%{{customdata[0]:.2f}} to %{{customdata[1]:.2f}} {kind_look.unit}:"
        " %{customdata[2]:,} events<extra></extra>",
    )
    style(figure, 150, bargap=0.12)
    for value, dash in ((active, "3px,3px"), (draft, "solid")):
        figure.add_vline(value, line={"color": look.INK, "width": 1.2, "dash": dash})
    figure.update_layout(margin_l=5, margin_r=5, margin_pad=0)
    figure.update_yaxes(visible=False)
    return figure.update_xaxes(showgrid=False, nticks=6, range=list(reach), autorange=False)


def riskiest(ranked: pd.DataFrame, *, count: int = 8) -> go.Figure:
    """The ranked drivers with the most points per 100 km, the worst on top: a dot on the bar of its 90 % interval."""
    top = ranked.nsmallest(count, "rank").iloc[::-1]
    rows = list(range(len(top)))
    names = [words.driver(name, each) for name, each in zip(top["name"], top["driver_id"], strict=True)]
    figure = go.Figure()
    figure.add_bar(
        y=rows,
        x=top["high"] - top["low"],
        base=top["low"],
        orientation="h",
        width=0.34,
        marker={"color": look.SOFT, "cornerradius": 3},
        hoverinfo="skip",
    )
    figure.add_scatter(
        y=rows,
        x=top["points_per_100_km"],
        mode="markers",
        marker={"size": 9, "color": look.INK, "opacity": 1},
        customdata=np.column_stack(
            [names, [_interval(*pair) for pair in zip(top["low"], top["high"], strict=True)], top["rank"]]
        ),
        hovertemplate="<b>%{customdata[0]}</b><br>%{x:.1f} points per 100 km, rank %{customdata[2]}"
        "<br>90 %% interval %{customdata[1]}<extra></extra>".replace("%%", "%"),
    )
    style(figure, 268)
    figure.update_yaxes(
        showgrid=False, tickvals=rows, ticktext=[_short(name) for name in names], tickfont_color=look.INK
    )
    return figure.update_xaxes(showgrid=True, gridcolor=look.HAIRLINE, nticks=5, rangemode="tozero")


def _interval(low: float, high: float) -> str:
    return f"{words.decimal(low)} to {words.decimal(high)}"


def _short(name: str, longest: int = 19) -> str:
    bare = name.removeprefix("Simulated ")
    return bare if len(bare) <= longest else f"{bare[: longest - 1]}…"
