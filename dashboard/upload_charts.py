"""Figures of the upload page: a trip as it would be stored, and a file's silhouette. Pure, like the other charts."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dashboard import look
from dashboard.sketch import Sketch, drawn

if TYPE_CHECKING:
    from fleetflow.importers.preview import Drawing, TripPreview
    from fleetflow.safety.profiles import ScoringProfile

HEIGHT = 210
PANELS = (("speed_kmh", "Speed, km/h", "y", (0.58, 1.0)), ("long_g", "Longitudinal, g", "y2", (0.0, 0.42)))
WIDTH, TALL = 64, 32
GREY = "#7F8896"  # an SVG in an <img> cannot see the theme


@drawn
def trip_figure(trip: TripPreview, profile: ScoringProfile, zone: str) -> Sketch:
    """Speed and longitudinal g over the time of a zone, a sign at each event that would be harsh."""
    figure, drawing = Sketch(), trip.drawing
    assert drawing is not None  # noqa: S101  # trips without one are not asked for
    for channel, name, axis, _ in PANELS:
        line = {"color": look.INK, "width": 1.15}
        figure.add_scatter(x=_times(trip, drawing.t_s, zone), y=getattr(drawing, channel), yaxis=axis, name=name,
            line=line, mode="lines", hovertemplate="%{y}<extra></extra>")  # fmt: skip
    for event in trip.events:
        if event.peak_g is not None and profile.is_harsh(event):
            kind, sign = look.KINDS[event.kind], 1 if event.kind.value == "acceleration" else -1
            at = _times(trip, [event.peak_s], zone)
            figure.add_scatter(x=at, y=[sign * event.peak_g], yaxis="y2", mode="markers",
                marker={"color": kind.color, "symbol": kind.symbol, "size": 9},
                hovertemplate=f"{kind.label} {event.peak_g:.2f} g<extra></extra>")  # fmt: skip
    return _framed(figure)


def _framed(figure: Sketch) -> Sketch:
    figure.style(HEIGHT)
    for _, name, axis, domain in PANELS:
        frame = {"domain": list(domain), "gridcolor": look.HAIRLINE, "zeroline": False, "nticks": 4, "visible": True}
        figure.update_layout(**{axis.replace("y", "yaxis"): frame})
        figure.add_annotation(text=name, xref="paper", yref="paper", x=0, y=domain[1], xanchor="left",
            yanchor="bottom", showarrow=False, font={"size": 11, "color": look.MUTED})  # fmt: skip
    figure.update_layout(margin={"l": 40, "r": 8, "t": 18, "b": 22}, hovermode="x", showlegend=False)
    return figure.update_xaxes(visible=True, showgrid=True, gridcolor=look.HAIRLINE, anchor="y2")


def _times(trip: TripPreview, seconds: list[float], zone: str) -> list[object]:
    """Moments of the zone, or seconds where no date is known."""
    if trip.started_at is None:
        return list(seconds)
    began = trip.started_at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)  # a figure shows times as they are
    return [began + timedelta(seconds=second) for second in seconds]


def silhouette(drawing: Drawing | None) -> str:
    """A picture of the speed for beside a file's name, as markdown."""
    if drawing is None or not drawing.t_s:
        return ":material/draft:"
    span, top = max(drawing.t_s[-1] - drawing.t_s[0], 1e-9), max(*drawing.speed_kmh, 1.0)
    points = [
        f"{WIDTH * (t_s - drawing.t_s[0]) / span:.1f},{TALL - 2 - (TALL - 4) * speed / top:.1f}"
        for t_s, speed in zip(drawing.t_s, drawing.speed_kmh, strict=True)
    ]
    outline = f"0,{TALL} {' '.join(points)} {WIDTH},{TALL}"
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {TALL}" width="{WIDTH}" height="{TALL}">'
        f'<polygon points="{outline}" fill="{GREY}" fill-opacity="0.35" stroke="{GREY}" stroke-width="1"/></svg>'
    )
    return f"![Speed of the first trip](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"
