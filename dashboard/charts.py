"""Figures of the fleet and of one driver. Pure: frames in, figure out, no Streamlit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dashboard import look, words
from dashboard.sketch import Sketch, drawn

if TYPE_CHECKING:
    import pandas as pd


RATE = "harsh events per 100 km"


@drawn
def highest_rates(drivers: pd.DataFrame, *, least_km: float, count: int = 8) -> Sketch:
    """The drivers with the most harsh events per 100 km, stacked by kind; who drove too little is left out."""
    enough = drivers[drivers["distance_km"] >= least_km]
    top = enough.nlargest(count, "per_100_km").iloc[::-1]
    figure = Sketch()
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
    figure.style(268, barmode="stack", bargap=0.42)
    figure.update_layout(margin_r=34)
    figure.update_yaxes(
        showgrid=False, tickvals=rows, ticktext=[short(name) for name in names], tickfont_color=look.INK
    )
    return figure.update_xaxes(showgrid=True, gridcolor=look.HAIRLINE, nticks=5, rangemode="tozero")


def short(name: str, longest: int = 19) -> str:
    """A name that fits beside a row."""
    bare = name.removeprefix("Simulated ")
    return bare if len(bare) <= longest else f"{bare[: longest - 1]}…"
