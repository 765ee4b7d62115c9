"""The dashboard's pure parts: thinning, labels, explanations, figures, words, downloads. No database is needed."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dashboard import downloads, explain, lanes, sampling, trip_charts, words
from fleetflow.safety.events import EventKind, HarshEvent
from fleetflow.safety.profiles import DEFAULT_PROFILE
from fleetflow.safety.scores import gone_at, score_trip

SIGNALS = hnp.arrays(
    np.float64, st.integers(1, 3000), elements=st.floats(-5, 5) | st.just(float("nan")), fill=st.just(0.0)
)


@given(SIGNALS, st.integers(1, 40))
def test_thinning_keeps_every_buckets_extremes_and_both_ends(values, buckets):
    kept = sampling.keep(values, buckets)
    assert len(kept) <= 4 * buckets
    assert (np.diff(kept) > 0).all()
    assert (kept[0], kept[-1]) == (0, len(values) - 1)
    width = -(-len(values) // buckets)
    for start in range(0, len(values), width):
        part = values[start : start + width]
        chosen = values[kept[(kept >= start) & (kept < start + width)]]
        if np.isfinite(part).any():
            assert np.nanmin(chosen) == np.nanmin(part)
            assert np.nanmax(chosen) == np.nanmax(part)


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(8, 30)), max_size=40).map(sorted))
def test_no_two_event_names_overlap(spots):
    taken: list[tuple[int, tuple[float, float]]] = []
    for (at, letters), place in zip(spots, lanes.places(spots), strict=True):
        if place.named:
            x, width = at * lanes.PLOT_PX, lanes.SIGN_PX + lanes.LETTER_PX * letters
            extent = (x - width, x) if place.to_left else (x, x + width)
            assert all(lane != place.lane or extent[1] < a or extent[0] > b for lane, (a, b) in taken)
            taken.append((place.lane, extent))
        else:
            assert place.lane == lanes.LANES


def event(peak: float, kind: EventKind = EventKind.BRAKING, at: float = 1.0, **more) -> HarshEvent:
    return HarshEvent(kind, at - 0.5, at, at + 0.5, peak, 50.0, **more)


EVENTS = st.lists(
    st.builds(
        event,
        st.floats(0, 3),
        st.sampled_from([EventKind.BRAKING, EventKind.ACCELERATION, EventKind.CORNERING]),
        doubts=st.sampled_from([(), ("spike",)]),
    ),
    max_size=40,
)


@given(EVENTS)
def test_the_explanation_ends_at_the_score_that_the_trip_has(events):
    judged = explain.judge(events, DEFAULT_PROFILE)
    way = explain.steps(judged)
    score = score_trip(events, DEFAULT_PROFILE).safety_score
    assert explain.final_score(judged) == score
    assert 100 - sum(step.lost for step in way) == score
    assert [step.before for step in way[1:]] == [step.before - step.lost for step in way[:-1]]


@given(st.floats(0.401, 3))
def test_an_event_is_gone_at_the_threshold_that_is_named_and_not_a_step_before(peak):
    gone = gone_at(event(peak))
    assert peak <= gone + 1e-6
    assert peak > gone - 0.01 - 1e-6


def scene(samples: pd.DataFrame, events: list[HarshEvent], **more) -> trip_charts.Scene:
    judged = explain.judge(events, DEFAULT_PROFILE)
    return trip_charts.Scene(samples, judged, DEFAULT_PROFILE, trip_charts.TimeAxis(0.0, is_date=True), **more)


def long_trip(count: int = 100_000) -> pd.DataFrame:
    t_s = np.arange(count) / 50
    g = np.random.default_rng(1).normal(0, 0.02, count)
    g[77_777] = -0.613
    return pd.DataFrame({"t_s": t_s, "speed_kmh": np.full(count, 60.0), "g_force_long": g, "g_force_lat": g})


def test_a_long_trip_is_thinned_out_and_its_peak_stays():
    figure = trip_charts.signals(scene(long_trip(), [event(0.613, at=77_777 / 50)]))
    drawn = figure.data[1]
    assert len(drawn.y) <= 4 * sampling.BUCKETS
    assert min(drawn.y) == pytest.approx(-0.613)
    assert len(figure.to_json()) < 400_000


def test_a_window_shows_all_of_its_samples():
    figure = trip_charts.signals(scene(long_trip(), [], window=(10.0, 30.0)))
    assert len(figure.data[0].x) == 20 * 50 + 1
    assert figure.layout.xaxis.range == (10_000, 30_000)


def test_every_event_is_shaded_and_named_with_its_peak():
    events = [event(0.55, at=200.0), event(0.46, EventKind.CORNERING, at=900.0), event(0.2, at=1200.0)]
    figure = trip_charts.signals(scene(long_trip(), events))
    bands = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert (bands[0].x0, bands[0].x1) == pytest.approx((195_000, 205_000), abs=10)
    names = [note.hovertext for note in figure.layout.annotations if note.hovertext]
    assert names == ["1 Braking 0.55 g", "2 Cornering 0.46 g"]


def test_thresholds_of_the_profile_stand_in_their_panels():
    figure = trip_charts.signals(scene(long_trip(), []))
    lines = {(shape.yref, shape.y0) for shape in figure.layout.shapes if shape.type == "line"}
    assert lines == {("y2", 0.4), ("y2", -0.4), ("y3", 0.45), ("y3", -0.45)}


def test_a_selection_in_local_time_is_turned_into_seconds_of_the_trip():
    start = datetime(2026, 11, 17, 7, 42, tzinfo=ZoneInfo("Europe/Berlin"))
    axis = trip_charts.TimeAxis(start.timestamp() * 1000, is_date=True, shift_ms=-3_600_000)
    shown = datetime(2026, 11, 17, 7, 43, tzinfo=UTC).timestamp() * 1000  # local time, read as if it were UTC
    assert axis.seconds(shown) == pytest.approx(60.0)


def test_text_that_a_spreadsheet_would_run_is_defused_in_downloads():
    frame = pd.DataFrame({"name": ["=cmd()", "+1", "-1", "@x", "Ann", None], "score": [-1.5, 2, 3, 4, 5, 6]})
    lines = downloads.to_csv(frame).decode("utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["'=cmd()", "'+1", "'-1", "'@x", "Ann", ""]
    assert lines[1].endswith(",-1.5")


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        (0.0, "0 s"),
        (45.0, "45 s"),
        (59.7, "1 min"),
        (720.0, "12 min"),
        (11_100.0, "3 h 05 min"),
        (None, words.DASH),
        (np.nan, words.DASH),
    ],
)
def test_durations_read_well(given_, said):
    assert words.duration(given_) == said


def test_a_period_begins_at_midnight_of_the_viewers_zone_also_across_a_clock_change():
    now = datetime(2026, 10, 26, 12, tzinfo=UTC)  # the day after clocks went back in Berlin
    assert words.period_start(7, "Europe/Berlin", now) == datetime(2026, 10, 19, 22, tzinfo=UTC)
    assert words.period_start(None, "Europe/Berlin", now) is None


def test_a_name_means_nothing_but_itself_inside_markdown():
    assert words.literal("![x](http://a.b)") == r"\!\[x\]\(http\://a.b\)"
    assert words.literal("Marta Kovač, Van 07") == "Marta Kovač, Van 07"


@pytest.mark.parametrize("name", [None, "", "Not/AZone", "../../etc/passwd", "\x00"])
def test_an_unknown_zone_is_utc(name):
    assert words.known_zone(name) == "UTC"
