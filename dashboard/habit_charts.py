"""Figures of a driver's habits: which events, how hard and how often, and at which hours. Pure, without Streamlit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dashboard import look, words
from dashboard.sketch import Sketch, drawn

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from fleetflow.safety.events import EventKind
    from fleetflow.trips.samples import FloatArray

LEAST_KM = 10.0
"""In an hour of the week with less driving than this one event would look like a habit."""
MOST_MARKS = 250
TIMES = "\N{MULTIPLICATION SIGN}"
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@drawn
def severity(
    events: pd.DataFrame, rates: Mapping[EventKind, tuple[float, float]], fleet_median: Mapping[EventKind, float]
) -> Sketch:
    """One mark per event at its peak as a multiple of the threshold; beside each kind its rate and the fleet's.

    `events` has kind, multiple, harsh and said (what the hover says), those of `hardest`; `rates` are harsh events per
    100 km of the driver and of the fleet; `fleet_median` is the middle of the fleet's harsh events, drawn as a tick.
    """
    marks = _spread_out(events)
    figure = Sketch()
    _add_marks(figure, marks[~marks["harsh"]], symbol="circle", size=4, color=look.MUTED, opacity=0.4)
    harsh = marks[marks["harsh"]]
    looks = [look.KINDS[list(look.KINDS)[row]] for row in harsh["row"]]
    symbols, colors = [each.symbol for each in looks], [each.color for each in looks]
    _add_marks(figure, harsh, symbol=symbols, size=8, color=colors, opacity=0.9)
    _add_medians(figure, fleet_median)
    figure.style(290, hovermode="closest")
    figure.add_all(
        shapes=[_threshold()], annotations=[_rate_words(row, kind, *rates[kind]) for row, kind in enumerate(look.KINDS)]
    )
    figure.update_layout(margin_r=118)
    names = [f'<span style="color:{each.color}">{each.sign}</span> {each.noun}' for each in look.KINDS.values()]
    figure.update_yaxes(
        range=[len(names) - 0.5, -0.5], showgrid=False, tickvals=list(range(len(names))), ticktext=names,
        tickfont_color=look.INK,
    )  # fmt: skip
    reach = max(1.6, float(marks["multiple"].max()) if len(marks) else 0.0, *fleet_median.values())
    return figure.update_xaxes(
        showgrid=True, gridcolor=look.HAIRLINE, range=[0.55, reach * 1.04], autorange=False, ticksuffix=TIMES, nticks=6,
        title_text="peak as a multiple of the threshold", title_standoff=8,
    )  # fmt: skip


def hardest(events: pd.DataFrame) -> pd.DataFrame:
    """As many as are drawn of each kind, harsh ones and near misses apart, the hardest first."""
    by_peak = events.sort_values("multiple", ascending=False, kind="stable")
    return by_peak[by_peak.groupby(["kind", "harsh"]).cumcount() < MOST_MARKS]


def _spread_out(events: pd.DataFrame) -> pd.DataFrame:
    """The events with row and y, spread by a sequence that never repeats and never jitters."""
    rows = {kind.value: row for row, kind in enumerate(look.KINDS)}
    place = events.groupby(["kind", "harsh"]).cumcount()
    row = events["kind"].map(rows).astype("int64")
    return events.assign(row=row, y=row + 0.62 * ((place * 0.618034) % 1.0 - 0.5))


def _add_marks(figure: Sketch, marks: pd.DataFrame, **marker: object) -> None:
    figure.add_scatter(
        x=marks["multiple"], y=marks["y"], mode="markers", marker=marker, customdata=marks["said"],
        hovertemplate="%{customdata}<extra></extra>",
    )  # fmt: skip


def _add_medians(figure: Sketch, fleet_median: Mapping[EventKind, float]) -> None:
    kinds = [kind for kind in look.KINDS if kind in fleet_median]
    figure.add_scatter(
        x=[fleet_median[kind] for kind in kinds],
        y=[list(look.KINDS).index(kind) for kind in kinds],
        mode="markers",
        marker={"symbol": "line-ns", "size": 30, "line": {"width": 2, "color": look.INK}},
        hovertemplate=f"fleet's median %{{x:.2f}}{TIMES}<extra></extra>",
    )


def _threshold() -> dict[str, object]:
    line = {"color": look.MUTED, "width": 1, "dash": "3px,3px"}
    return {"type": "line", "x0": 1, "x1": 1, "y0": 0, "y1": 1, "yref": "paper", "line": line, "layer": "below"}


def _rate_words(row: int, kind: EventKind, mine: float, fleet: float) -> dict[str, object]:
    times = f" · {words.decimal(mine / fleet)}{TIMES}" if fleet > 0 and mine > 0 else ""
    value = f'<b><span style="color:{look.KINDS[kind].color}">{words.decimal(mine, 2)}</span></b>'
    return {
        "x": 1, "xref": "paper", "y": row, "xanchor": "left", "xshift": 10, "showarrow": False, "align": "left",
        "text": f"{value}<br>fleet {words.decimal(fleet, 2)}{times}", "font": {"size": 11, "color": look.MUTED},
    }  # fmt: skip


@drawn
def hours(distance_km: FloatArray, events: FloatArray) -> Sketch:
    """Harsh events per 100 km by weekday and hour, both (7, 24); where little was driven a dot says nothing more."""
    enough = distance_km >= LEAST_KM
    rate = np.where(enough, 100 * events / np.where(enough, distance_km, 1.0), np.nan)
    days, at = np.nonzero(~enough)
    figure = Sketch()
    figure.add_heatmap(
        z=rate,
        x=list(range(24)),
        y=list(range(7)),
        zmin=0,
        zmax=max(float(np.nanmax(rate)) if enough.any() else 0.0, 1.0),
        colorscale=[[0, look.HAIRLINE], [1, look.ACCENT]],
        xgap=2,
        ygap=2,
        customdata=np.dstack([events, distance_km]),
        text=[[f"{day} {hour}:00" for hour in range(24)] for day in WEEKDAYS],
        hovertemplate="<b>%{text}</b><br>%{z:.1f} per 100 km<br>%{customdata[0]:.0f} in %{customdata[1]:.0f} km"
        "<extra></extra>",
        colorbar={
            "orientation": "h", "x": 1, "xanchor": "right", "y": -0.16, "yanchor": "top", "len": 0.34, "thickness": 8,
            "nticks": 4, "tickfont": {"size": 11, "color": look.MUTED}, "outlinewidth": 0,
        },
    )  # fmt: skip
    figure.add_scatter(
        x=at, y=days, mode="markers", marker={"size": 3, "color": look.SOFT, "opacity": 1}, hoverinfo="skip"
    )
    figure.style(290, hovermode="closest")
    driven = np.flatnonzero(distance_km.sum(axis=0) > 0)
    first, last = (int(driven[0]), int(driven[-1])) if len(driven) else (0, 23)
    figure.update_yaxes(
        range=[6.6, -0.6], showgrid=False, tickvals=list(range(7)), ticktext=WEEKDAYS, tickfont_color=look.INK
    )
    marks = [hour for hour in range(24) if hour % 3 == 0]
    return figure.update_xaxes(
        range=[first - 0.6, last + 0.6], autorange=False, tickvals=marks, ticktext=[f"{hour}:00" for hour in marks],
        showline=False,
    )  # fmt: skip
