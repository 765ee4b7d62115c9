"""A sketch is the figure that plotly would have made step by step, with FleetFlow's look under it."""

from __future__ import annotations

import gc

import plotly.graph_objects as go
import pytest

from dashboard import figures, look
from dashboard.sketch import Sketch
from fleetflow.bootstrap import spare_lasting_objects


def test_what_is_said_last_counts_and_the_rest_of_the_look_stays():
    sketch = Sketch()
    sketch.update_xaxes(showgrid=True, title_text="km")
    sketch.style(120, hovermode="closest").update_layout(margin_r=50, margin={"t": 1})
    sketch.update_xaxes(title_standoff=9, tickfont_color=look.INK)
    layout = sketch.drawn().layout
    assert (layout.height, layout.hovermode, layout.showlegend) == (120, "closest", False)
    assert layout.margin.to_plotly_json() == {**figures.LAYOUT["margin"], "r": 50, "t": 1}
    assert layout.xaxis.showgrid
    assert (layout.xaxis.title.text, layout.xaxis.title.standoff, layout.xaxis.title.font.size) == ("km", 9, 11)
    assert (layout.xaxis.tickfont.color, layout.xaxis.tickfont.size) == (look.INK, 11)


def test_a_second_axis_has_the_look_of_the_first_and_follows_changes_to_all():
    sketch = Sketch().update_layout(yaxis2={"domain": [0.0, 0.3]}).update_yaxes(automargin=False)
    layout = sketch.drawn().layout
    assert layout.yaxis2.domain == (0.0, 0.3)
    assert {layout.yaxis.gridcolor, layout.yaxis2.gridcolor} == {look.HAIRLINE}
    assert not layout.yaxis.automargin
    assert not layout.yaxis2.automargin


def test_lines_across_are_those_of_plotly():
    sketch, figure = Sketch(), go.Figure()
    for each in (sketch, figure):
        each.add_hline(3, line={"width": 1})
        each.add_vline(4, line={"width": 1}, layer="below")
    assert [shape.to_plotly_json() for shape in sketch.drawn().layout.shapes] == [
        shape.to_plotly_json() for shape in figure.layout.shapes
    ]


def test_one_sketch_leaves_no_trace_in_the_next():
    Sketch().update_layout(margin_r=99).update_xaxes(title_text="km").drawn()
    layout = Sketch().drawn().layout
    assert layout.margin.r == figures.LAYOUT["margin"]["r"]
    assert layout.xaxis.title.text is None


def test_what_plotly_does_not_know_is_refused():
    with pytest.raises(ValueError, match="colour"):
        Sketch().update_layout(colour="red").drawn()


def test_what_lasts_is_out_of_garbage_collection():
    """Streamlit collects after each run of a page; over all modules that took longer than the page."""
    try:
        spare_lasting_objects()
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()
