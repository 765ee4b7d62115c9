"""Figures of the fleet and of one driver. Pure: frames in, figure out, no Streamlit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from dashboard import figures, look, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from fleetflow.safety.events import EventKind

RATE = "harsh events per 100 km"


def style(figure: go.Figure, height: int, **layout: Any) -> go.Figure:
    """FleetFlow's figure: transparent, no legend, quiet axes, nothing to drag."""
    figure.update_layout(height=height, **figures.LAYOUT)
    figure.update_xaxes(**figures.X_AXIS)
    figure.update_yaxes(**figures.Y_AXIS)
    return figure.update_layout(**layout)


def highest_rates(drivers: pd.DataFrame, *, least_km: float, count: int = 8) -> go.Figure:
    """The drivers with the most harsh events per 100 km, stacked by kind; who drove too little is left out."""
    enough = drivers[drivers["distance_km"] >= least_km]
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
        showgrid=False, tickvals=rows, ticktext=[short(name) for name in names], tickfont_color=look.INK
    )
    return figure.update_xaxes(showgrid=True, gridcolor=look.HAIRLINE, nticks=5, rangemode="tozero")


def short(name: str, longest: int = 19) -> str:
    """A name that fits beside a row."""
    bare = name.removeprefix("Simulated ")
    return bare if len(bare) <= longest else f"{bare[: longest - 1]}…"


def score_by_trip(trips: pd.DataFrame, zone: str, fleet_mean: float) -> go.Figure:
    """One dot per scored trip, and the fleet's mean as a dashed line. `trips` as data.trips gives it."""
    scored = trips.dropna(subset=["safety_score"])
    when = scored["began_at"].dt.tz_convert(zone).dt.tz_localize(None)
    figure = go.Figure()
    figure.add_scatter(
        x=when,
        y=scored["safety_score"],
        mode="markers",
        marker={"size": 8, "color": look.ACCENT, "opacity": 0.75, "line": {"width": 1, "color": look.PAGE}},
        customdata=np.column_stack(
            [
                scored["distance_km"].map(words.kilometres),
                scored["duration_s"].map(words.duration),
                _event_words(scored),
            ]
        ),
        hovertemplate="<b>Score %{y:.0f}</b><br>%{x|%a %-d %b, %H:%M}<br>%{customdata[0]} in %{customdata[1]}"
        "<br>%{customdata[2]}<extra></extra>",
    )
    figure.add_hline(y=fleet_mean, line={"color": look.MUTED, "width": 1, "dash": "3px,3px"})
    figure.add_annotation(
        x=1,
        xref="paper",
        y=fleet_mean,
        text=f"fleet {words.decimal(fleet_mean)}",
        showarrow=False,
        xanchor="left",
        xshift=6,
        font={"size": 11, "color": look.MUTED},
    )
    style(figure, 250, hovermode="closest")
    figure.update_layout(margin_r=70)
    lowest = min(scored["safety_score"].min() if len(scored) else 80, fleet_mean, 80)
    figure.update_yaxes(range=[lowest - 6, 104], title_text="score", title_standoff=10)
    return figure.update_xaxes(type="date", tickformat="%-d %b", nticks=7)


def _event_words(trips: pd.DataFrame) -> list[str]:
    def say(row: Mapping[Any, Any]) -> str:
        found = [f"{kind_look.sign} {row[kind.value]:.0f}" for kind, kind_look in look.KINDS.items() if row[kind.value]]
        return "  ".join(found) or "no harsh event"

    return [say(row) for row in trips[list(look.KIND_COLUMNS)].to_dict("records")]


def rates_against_fleet(driver: Mapping[EventKind, float], fleet: Mapping[EventKind, float]) -> go.Figure:
    """One bar per kind, harsh events per 100 km, with the fleet's rate as a tick across it."""
    kinds = list(look.KINDS)[::-1]
    rows = list(range(len(kinds)))
    figure = go.Figure()
    figure.add_bar(
        y=rows,
        x=[driver[kind] for kind in kinds],
        orientation="h",
        marker={"color": [look.KINDS[kind].color for kind in kinds], "cornerradius": 2},
        customdata=[[look.KINDS[kind].label, fleet[kind]] for kind in kinds],
        hovertemplate="<b>%{customdata[0]}</b><br>%{x:.2f} per 100 km<br>fleet %{customdata[1]:.2f}<extra></extra>",
    )
    figure.add_scatter(
        y=rows,
        x=[fleet[kind] for kind in kinds],
        mode="markers",
        marker={"symbol": "line-ns", "size": 22, "line": {"width": 2, "color": look.INK}},
        hoverinfo="skip",
    )
    style(figure, 250, bargap=0.5)
    figure.update_yaxes(
        showgrid=False,
        tickvals=rows,
        ticktext=[
            f'<span style="color:{look.KINDS[kind].color}">{look.KINDS[kind].sign}</span> {look.KINDS[kind].noun}'
            for kind in kinds
        ],
        tickfont_color=look.INK,
    )
    return figure.update_xaxes(
        showgrid=True, gridcolor=look.HAIRLINE, nticks=5, rangemode="tozero", title_text=RATE, title_standoff=8
    )
