"""What the pictures of a trip hold, by their data: strip, signals, g-g diagram, route, traces; and their weight."""

from __future__ import annotations

import gzip
import re
from base64 import b64decode
from datetime import datetime
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import (
    event_charts,
    explain,
    plane_chart,
    route_chart,
    strip_chart,
    traces,
    trip_charts,
    trip_explained,
    words,
)
from fleetflow.safety.events import EventKind, HarshEvent, Review
from fleetflow.safety.profiles import DEFAULT_PROFILE

MOST_BYTES = 400_000
"""What a trip of an hour at 10 Hz may send to the browser."""


def event(kind: EventKind, at: float, peak: float, **more) -> HarshEvent:
    if kind is EventKind.SPEEDING:
        return HarshEvent(kind, at - 20, at, at + 20, None, peak, **more)
    return HarshEvent(kind, at - 1, at, at + 1, peak, 50.0, **more)


def long_trip(count: int = 36_000, hz: float = 10.0) -> tuple[pd.DataFrame, list[HarshEvent]]:
    """An hour with coordinates and forty events, each a single sample wide: the hardest for whoever thins out."""
    rng = np.random.default_rng(3)
    t_s = np.arange(count) / hz
    speed = 60 + 40 * np.sin(t_s / 90)
    along, across = rng.normal(0, 0.03, (2, count))
    kinds = (EventKind.BRAKING, EventKind.ACCELERATION, EventKind.CORNERING)
    events = []
    for number in range(40):
        kind, at, peak = kinds[number % 3], 40 + 85.0 * number, 0.5 + number / 100
        signal = across if kind is EventKind.CORNERING else along
        signal[round(at * hz)] = -peak if kind is EventKind.BRAKING else peak
        events.append(event(kind, at, peak))
    heading = np.cumsum(rng.normal(0, 0.01, count))
    east, north = (np.cumsum(part(heading) * speed / 3.6 / hz) for part in (np.sin, np.cos))
    frame = pd.DataFrame(
        {
            "t_s": t_s,
            "speed_kmh": speed,
            "g_force_long": along,
            "g_force_lat": across,
            "latitude": 52 + north / 111_000,
            "longitude": 9 + east / 68_000,
        }
    )
    return frame, events


def scene(samples: pd.DataFrame, events: list[HarshEvent], **more) -> trip_charts.Scene:
    judged = explain.judge(events, DEFAULT_PROFILE)
    return trip_charts.Scene(samples, judged, DEFAULT_PROFILE, trip_charts.TimeAxis(1.8e12, is_date=True), **more)


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=40), st.data())
def test_numbers_never_cover_each_other_and_the_chosen_one_is_always_there(peaks: list[float], data: st.DataObject):
    judged = explain.judge([event(EventKind.BRAKING, at, 0.6) for at in sorted(peaks)], DEFAULT_PROFILE)
    chosen = data.draw(st.sampled_from([each.number for each in judged]))
    shown = trip_charts.readable(judged, (0.0, 1000.0), chosen)
    at = np.array([each.event.peak_s for each in shown])
    assert (np.diff(at) >= 1000 * trip_charts.NUMBER_SHARE).all()
    assert chosen in [each.number for each in shown]


@pytest.mark.parametrize("count", [1, 5, 12])
def test_the_way_to_a_score_says_once_what_each_event_costs(count: int):
    way = explain.steps(explain.judge([event(EventKind.BRAKING, at, 0.6) for at in range(count)], DEFAULT_PROFILE))
    figure = event_charts.waterfall(way)
    notes = [note.text for note in figure.layout.annotations]
    for row in range(count):
        assert [words.MINUS + "5" in figure.data[0].text[row], words.MINUS + "5" in notes[row]].count(True) == 1


def test_an_hour_at_10_hz_weighs_less_than_400_kb_with_all_its_pictures():
    samples, events = long_trip()
    shown = scene(samples, events, chosen=2)
    pictures = [
        strip_chart.strip(shown),
        trip_charts.signals(scene(samples, events, chosen=2)),
        plane_chart.plane(samples, shown.judged, DEFAULT_PROFILE, 2),
        route_chart.route(samples, shown.judged, 2),
        event_charts.waterfall(explain.steps(shown.judged)[:24]),
        event_charts.event_detail(samples, shown.judged[1], DEFAULT_PROFILE),
    ]
    assert sum(len(figure.to_json()) for figure in pictures) < MOST_BYTES


def test_the_whole_trip_shows_the_peak_of_every_event_to_the_last_digit():
    samples, events = long_trip()
    figure = trip_charts.signals(scene(samples, events))
    drawn = {axis: np.concatenate([line.y for line in figure.data if line.yaxis == axis]) for axis in ("y2", "y3")}
    for each in events:
        values = drawn["y3" if each.kind is EventKind.CORNERING else "y2"]
        peak = -each.peak if each.kind is EventKind.BRAKING else each.peak
        assert np.nanmin(np.abs(values - peak)) < 1e-6


def test_two_minutes_of_it_show_every_sample():
    samples, events = long_trip()
    figure = trip_charts.signals(scene(samples, events, window=(600.0, 720.0)))
    assert len(figure.data[0].x) == 1201
    assert len(figure.to_json()) < MOST_BYTES / 3


def test_each_event_can_be_clicked_in_the_strip_and_carries_its_number():
    samples, events = long_trip()
    figure = strip_chart.strip(scene(samples, events, window=(600.0, 720.0), chosen=3))
    marks = figure.data[-1]
    assert list(marks.customdata) == list(range(1, 41))
    assert marks.marker.size[2] == max(marks.marker.size)
    window = next(shape for shape in figure.layout.shapes if shape.type == "rect")
    assert (window.x1 - window.x0) / 1000 == pytest.approx(120)
    assert figure.data[0].y.max() == pytest.approx(samples["speed_kmh"].max(), abs=0.1)


def test_an_event_that_was_reviewed_is_no_longer_marked_as_doubtful():
    doubtful = event(EventKind.BRAKING, 50.0, 0.5, doubts=("turn",))
    confirmed = event(EventKind.BRAKING, 60.0, 0.5, doubts=("turn",), review=Review.CONFIRMED)
    names = [trip_charts.event_name(each) for each in explain.judge([doubtful, confirmed], DEFAULT_PROFILE)]
    assert names == ["1 Braking 0.50 g?", "2 Braking 0.50 g"]


def test_the_plane_shows_right_on_the_right_and_braking_below():
    samples = pd.DataFrame({"t_s": np.arange(3.0), "g_force_long": [0, -0.6, 0], "g_force_lat": [0, 0.3, 0]})
    judged = explain.judge([event(EventKind.BRAKING, 1.0, 0.6)], DEFAULT_PROFILE)
    figure = plane_chart.plane(samples, judged, DEFAULT_PROFILE)
    mark = figure.data[-1]
    assert (mark.x[0], mark.y[0]) == (-0.3, -0.6)  # a pull to the left is drawn on the left
    assert figure.layout.yaxis.scaleanchor == "x"
    assert figure.layout.xaxis.range == figure.layout.yaxis.range


def test_the_plane_has_a_dot_for_every_cell_the_trip_was_in():
    samples, events = long_trip()
    figure = plane_chart.plane(samples, explain.judge(events, DEFAULT_PROFILE), DEFAULT_PROFILE)
    dots = sum(len(cells.x) for cells in figure.data[:3])
    cells = np.round(samples[["g_force_lat", "g_force_long"]].to_numpy() / plane_chart.CELL_G)
    assert dots == len(np.unique(cells, axis=0))


def test_a_route_has_equal_axes_metres_and_its_events_where_they_were():
    samples, events = long_trip()
    judged = explain.judge(events, DEFAULT_PROFILE)
    figure = route_chart.route(samples, judged)
    assert figure.layout.yaxis.scaleanchor == "x"
    way = figure.data[:4]
    assert sum(np.isfinite(part.x).sum() for part in way) >= 1_500
    first = figure.data[5]
    at = samples.iloc[round(judged[0].event.peak_s * 10)]
    assert first.y[0] == pytest.approx((at["latitude"] - samples["latitude"].iloc[0]) * 111_195, rel=1e-3)
    said = [note.text for note in figure.layout.annotations]
    assert any(re.fullmatch(r"\d+ k?m  N↑", text) for text in said)


def test_a_route_over_the_date_line_stays_in_one_piece():
    t_s = np.arange(0, 100.0)
    longitude = (179.995 + t_s * 1e-4 + 180) % 360 - 180
    samples = pd.DataFrame({"t_s": t_s, "speed_kmh": 50.0, "latitude": -17.0, "longitude": longitude})
    figure = route_chart.route(samples, [])
    assert np.nanmax(np.concatenate([part.x for part in figure.data[:4]])) < 1_200


@pytest.mark.parametrize(
    "samples",
    [
        pd.DataFrame({"t_s": [0.0]}),
        pd.DataFrame({"t_s": [0.0, 1.0], "latitude": [np.nan, 52.0], "longitude": [9.0, 9.0]}),
    ],
)
def test_without_two_positions_there_is_no_route(samples):
    assert not route_chart.has_route(samples)


@given(st.floats(60, 3_000_000))
def test_the_scale_bar_is_a_round_length_that_fits(span_m):
    length = route_chart.bar_metres(span_m)
    assert span_m / 10 < length <= span_m / 4
    assert f"{length:e}"[0] in "125"


@given(
    st.lists(st.floats(-3, 3), min_size=2, max_size=400),
    st.sampled_from([EventKind.BRAKING, EventKind.ACCELERATION, EventKind.CORNERING]),
)
def test_a_trace_stays_inside_its_picture(values, kind):
    moment = pd.DataFrame({"t_s": np.arange(len(values)) / 10, "g_force_long": values, "g_force_lat": values})
    picture = traces.svg(event(kind, 1.0, 0.5), moment, 0.4)
    for pair in re.findall(r"(-?[\d.]+),(-?[\d.]+)", picture):
        assert 0 <= float(pair[0]) <= traces.WIDTH_PX
        assert 0 <= float(pair[1]) <= traces.HEIGHT_PX


def test_a_trace_dashes_the_threshold_on_the_side_of_the_peak_and_says_what_it_shows():
    t_s = np.arange(-6, 6.1, 0.1)
    moment = pd.DataFrame({"t_s": t_s + 50, "g_force_long": -0.6 * np.exp(-(t_s**2))})
    brake = event(EventKind.BRAKING, 50.0, 0.6)
    text = traces.markdown(brake, moment, 0.4)
    assert text.startswith("![Braking, peak 0.60 g](data:image/svg+xml;base64,")
    picture = b64decode(text.split("base64,")[1][:-1]).decode()
    dashed = float(re.findall(r'y1="([\d.]+)"', picture)[0])
    assert dashed == pytest.approx(traces.HEIGHT_PX - 3 - 34 / 3, abs=0.5)  # two thirds of the way down


@pytest.mark.parametrize("compressed", [True, False])
def test_the_samples_can_be_taken_away_with_the_moment_of_each(compressed):
    frame = pd.DataFrame({"t_s": [0.0, 0.1], "speed_kmh": [50.0, 51.0], "g_force_long": [0.1, float("nan")]})
    frame["latitude"] = [52.1234567, 52.0]
    trip = SimpleNamespace(started_at=datetime(2026, 11, 17, 7, 42, tzinfo=ZoneInfo("Europe/Berlin")))
    content = trip_explained.samples_file(
        SimpleNamespace(samples=frame, trip=trip, has_clock=True), compressed=compressed
    )
    lines = (gzip.decompress(content) if compressed else content).decode("utf-8-sig").splitlines()
    assert lines == [
        "t_s,speed_kmh,g_force_long,latitude,timestamp",
        "0,50,0.1,52.1234567,2026-11-17T06:42:00.000000Z",
        "0.1,51,,52,2026-11-17T06:42:00.100000Z",
    ]


def test_an_event_whose_samples_are_gone_still_has_a_picture():
    assert traces.svg(event(EventKind.BRAKING, 1.0, 0.5), None, 0.4).endswith("</svg>")
