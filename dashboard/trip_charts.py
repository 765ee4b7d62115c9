"""The signals of one trip over time. Pure: samples and judged events in, figure out, no Streamlit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dashboard import lanes, look, sampling, words
from dashboard.sketch import Sketch, drawn
from fleetflow.safety.events import EventKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from dashboard.explain import Judged
    from fleetflow.safety.profiles import ScoringProfile
    from fleetflow.trips.samples import FloatArray

HEAD_PX, PANEL_PX, GAP_PX, FOOT_PX = 10, 138, 30, 24
ABOVE_NUMBERS_PX = 18
"""The first panel's title stands higher than the events' numbers, which begin where its plot does."""
LEFT_PX, RIGHT_PX = 44, 78
"""The margins of the strip and the panels, so that one moment has one place."""
LEAST_BAND = 0.005
"""A band is at least this part of the span, or a short event in a long trip could not be seen."""
LEAST_REACH_G, LEAST_REACH_KMH = 0.6, 20.0
"""The least that a panel's axis spans: a calm trip should look calm, not magnified."""
LIMIT_IN_SIGHT = 0.8
"""A speed limit is drawn once a trip came so near to it; above that it would only flatten the line."""
CLOCK_WITH_SECONDS_S = 600
TICKS = 7
NUMBER_SHARE = 26 / lanes.PLOT_PX
"""Of the width, that a number with its sign takes where the plot is narrow."""
DASH = "3px,3px"


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Where a trip's seconds stand on the x axis: as dates in milliseconds, or as sample numbers.

    Plotly shows a number on a date axis in the browser's own zone, hence as `base_ms` the real moment of the start.
    `shift_ms` is what that zone is behind UTC (negative in the east): the browser's selections come as local time.
    """

    base_ms: float
    is_date: bool
    shift_ms: float = 0.0

    def place(self, t_s: FloatArray | float) -> Any:
        """The x of a moment of the trip."""
        return self.base_ms + np.asarray(t_s, dtype=float) * self._scale

    def seconds(self, shown: float) -> float:
        """The moment of the trip at an x as the browser shows it (local milliseconds on a date axis)."""
        return (shown + self.shift_ms - self.base_ms) / self._scale

    @property
    def _scale(self) -> float:
        return 1000.0 if self.is_date else 1.0


@dataclass(frozen=True, slots=True)
class Panel:
    """One signal over time: its column and name, and the kinds (with the sign they have) whose thresholds it shows."""

    column: str
    title: str
    kinds: tuple[tuple[EventKind, float], ...]
    digits: int
    unit: str


PANELS = (
    Panel("speed_kmh", "Speed, km/h", ((EventKind.SPEEDING, 1.0),), 0, "km/h"),
    Panel(
        "g_force_long",
        f"Longitudinal, g    + accelerating   {words.MINUS} braking",
        ((EventKind.ACCELERATION, 1.0), (EventKind.BRAKING, -1.0)),
        2,
        "g",
    ),
    Panel(
        "g_force_lat",
        f"Lateral, g    + left   {words.MINUS} right",
        ((EventKind.CORNERING, 1.0), (EventKind.CORNERING, -1.0)),
        2,
        "g",
    ),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """What is drawn. `window`: from and to, in seconds, with every sample; None: the whole trip, thinned out."""

    samples: pd.DataFrame
    judged: Sequence[Judged]
    profile: ScoringProfile
    axis: TimeAxis
    window: tuple[float, float] | None = None
    chosen: int | None = None
    figure: Sketch = field(default_factory=Sketch)

    @property
    def span(self) -> tuple[float, float]:
        """From when to when, in seconds from the start."""
        t_s = self.samples["t_s"]
        return self.window or (float(t_s.iloc[0]), float(t_s.iloc[-1]))

    @property
    def panels(self) -> list[Panel]:
        """The panels for which the trip has a signal."""
        return [panel for panel in PANELS if panel.column in self.samples]

    @property
    def visible(self) -> list[Judged]:
        """The events of which a part is in the span."""
        first, last = self.span
        return [each for each in self.judged if each.event.end_s >= first and each.event.start_s <= last]


@drawn
def signals(scene: Scene) -> Sketch:
    """Speed and accelerations on one time axis, thresholds as lines, events shaded; drag to select a part."""
    height = HEAD_PX + len(scene.panels) * (PANEL_PX + GAP_PX) + FOOT_PX + 8
    plot_px = height - FOOT_PX - 8
    for row, panel in enumerate(scene.panels):
        top = HEAD_PX + row * (PANEL_PX + GAP_PX) + GAP_PX
        _add_panel(scene, panel, row, (max(1 - (top + PANEL_PX) / plot_px, 0.0), 1 - top / plot_px))
    scene.figure.add_all(
        shapes=[_band(scene, each) for each in scene.visible],
        annotations=[_number(scene, each) for each in readable(scene.visible, scene.span, scene.chosen)],
    )
    scene.figure.style(height, hovermode="x", hoversubplots="axis", dragmode="select", selectdirection="h")
    scene.figure.update_layout(margin={"l": LEFT_PX, "r": RIGHT_PX, "t": 8, "b": FOOT_PX, "pad": 0})
    scene.figure.update_yaxes(automargin=False, ticklabelstandoff=4)
    return _set_time_axis(scene)


def _set_time_axis(scene: Scene) -> Sketch:
    first, last = scene.span
    clock = "%H:%M:%S" if last - first < CLOCK_WITH_SECONDS_S else "%H:%M"
    if not scene.axis.is_date and last - first < TICKS:
        scene.figure.update_xaxes(dtick=1)  # there is no half sample
    return scene.figure.update_xaxes(
        range=[scene.axis.place(first), scene.axis.place(last)],
        type="date" if scene.axis.is_date else "linear",
        showgrid=True,
        gridcolor=look.HAIRLINE,
        anchor=_axis_id(len(scene.panels) - 1),
        nticks=TICKS,
        hoverformat="%H:%M:%S" if scene.axis.is_date else ",.0f",
        tickformat=clock if scene.axis.is_date else ",.0f",
        automargin=False,
    )


def _axis_id(row: int) -> str:
    return f"y{row + 1 if row else ''}"


def _add_panel(scene: Scene, panel: Panel, row: int, domain: tuple[float, float]) -> None:
    t_s, values = _signal(scene, panel)
    kept = sampling.keep(values) if scene.window is None else np.arange(len(values))
    scene.figure.add_scatter(
        x=scene.axis.place(t_s[kept]),
        y=values[kept].astype(np.float32),
        yaxis=_axis_id(row),
        mode="lines",
        line={"width": 1.15 if scene.window is None else 1.6, "color": look.INK},
        hovertemplate=f"%{{y:.{panel.digits}f}} {panel.unit}<extra></extra>",
    )
    levels = _levels(panel, values, scene.profile)
    for kind, level in levels:
        _add_threshold(scene.figure, kind, level, _axis_id(row), panel)
        _add_excess(scene, panel, kind, _axis_id(row))
    axis = f"yaxis{row + 1 if row else ''}"
    limits = _limits(panel, values, [level for _, level in levels])
    scene.figure.update_layout(**{axis: {"domain": domain, "range": limits}})
    scene.figure.add_annotation(
        x=0, y=domain[1], xref="paper", yref="paper", xanchor="left", yanchor="bottom", xshift=-38, text=panel.title,
        yshift=3 if row else ABOVE_NUMBERS_PX, showarrow=False, font={"size": 11, "color": look.MUTED},
    )  # fmt: skip


def _signal(scene: Scene, panel: Panel) -> tuple[FloatArray, FloatArray]:
    shown = scene.samples if scene.window is None else scene.samples[scene.samples["t_s"].between(*scene.window)]
    return shown["t_s"].to_numpy(), shown[panel.column].to_numpy()


def _levels(panel: Panel, values: FloatArray, profile: ScoringProfile) -> list[tuple[EventKind, float]]:
    levels = [(kind, side * profile.rules[kind].threshold) for kind, side in panel.kinds]
    highest = float(np.nanmax(values, initial=0.0))
    return [each for each in levels if panel.unit == "g" or highest > LIMIT_IN_SIGHT * each[1]]


def _limits(panel: Panel, values: FloatArray, levels: list[float]) -> tuple[float, float]:
    highest = float(np.nanmax(np.abs(values), initial=0.0))
    if panel.unit == "g":
        reach = 1.08 * max(LEAST_REACH_G, highest, *map(abs, levels))
        return -reach, reach
    return 0.0, 1.08 * max([LEAST_REACH_KMH, highest, *levels])


def _add_threshold(figure: Sketch, kind: EventKind, level: float, axis_id: str, panel: Panel) -> None:
    kind_look = look.KINDS[kind]
    figure.add_shape(
        type="line", x0=0, x1=1, xref="paper", y0=level, y1=level, yref=axis_id,
        line={"width": 1, "dash": DASH, "color": kind_look.color},
    )  # fmt: skip
    text = words.signed(level, 2) if panel.unit == "g" else words.decimal(level, 0)
    figure.add_annotation(
        x=1, xref="paper", y=level, yref=axis_id, xanchor="left", xshift=6, showarrow=False,
        text=f"{sign(kind)} {text} {panel.unit}", font={"size": 11, "color": look.MUTED},
    )  # fmt: skip


def sign(kind: EventKind) -> str:
    """The kind's sign in its colour, for text in figures."""
    return f'<span style="color:{look.KINDS[kind].color}">{look.KINDS[kind].sign}</span>'


def _add_excess(scene: Scene, panel: Panel, kind: EventKind, axis_id: str) -> None:
    """What lies beyond a threshold inside an event, drawn over the ink in the event's colour."""
    t_s, values = _signal(scene, panel)
    threshold = scene.profile.rules[kind].threshold
    gap = np.array([np.nan])
    xs, ys = [], []
    for each in scene.visible:
        if each.event.kind is kind:
            first, last = np.searchsorted(t_s, [each.event.start_s, each.event.end_s + 1e-9])
            beyond = np.where(np.abs(values[first:last]) >= threshold, values[first:last], np.nan)
            kept = sampling.keep(beyond)
            xs += [scene.axis.place(t_s[first:last][kept]), gap]
            ys += [beyond[kept], gap]
    if xs:
        scene.figure.add_scatter(
            x=np.concatenate(xs), y=np.concatenate(ys).astype(np.float32), yaxis=axis_id, mode="lines",
            hoverinfo="skip", line={"width": 2.6, "color": look.KINDS[kind].color},
        )  # fmt: skip


def _band(scene: Scene, judged: Judged) -> dict[str, Any]:
    first, last = scene.span
    pad = max(LEAST_BAND * (last - first) - (judged.event.end_s - judged.event.start_s), 0) / 2
    return {
        "type": "rect", "layer": "below", "xref": "x", "yref": "paper", "line": {"width": 0},
        "x0": scene.axis.place(max(judged.event.start_s - pad, first)),
        "x1": scene.axis.place(min(judged.event.end_s + pad, last)),
        "y0": 0, "y1": scene.figure.layout["yaxis"]["domain"][1], "fillcolor": look.KINDS[judged.event.kind].color,
        "opacity": 0.3 if judged.number == scene.chosen else 0.18,
    }  # fmt: skip


def event_name(judged: Judged) -> str:
    """3 Braking 0.46 g; a question mark says doubtful."""
    doubt = "?" if judged.event.doubts and judged.event.review is None else ""
    return f"{judged.number} {look.KINDS[judged.event.kind].noun} {words.peak(judged.event)}{doubt}"


def inside(value: float, span: tuple[float, float]) -> float:
    """The value, or the end of the span that is nearest to it."""
    return min(max(value, span[0]), span[1])


def readable(events: Sequence[Judged], span: tuple[float, float], chosen: int | None) -> list[Judged]:
    """The events, in order of time, whose numbers fit side by side over a span; the chosen one always does."""
    kept: list[Judged] = []
    for each in events:
        if kept and each.event.peak_s - kept[-1].event.peak_s < NUMBER_SHARE * (span[1] - span[0]):
            if each.number != chosen:
                continue
            kept.pop()
        kept.append(each)
    return kept


def _number(scene: Scene, judged: Judged) -> dict[str, Any]:
    """The event's sign and number over its band; the strip has its name."""
    text = f"{sign(judged.event.kind)}{judged.number}"
    return {
        "x": scene.axis.place(inside(judged.event.peak_s, scene.span)), "xref": "x", "yref": "paper",
        "y": scene.figure.layout["yaxis"]["domain"][1], "yanchor": "bottom", "showarrow": False,
        "text": f"<b>{text}</b>" if judged.number == scene.chosen else text, "hovertext": event_name(judged),
        "font": {"size": 11, "color": look.INK},
    }  # fmt: skip
