"""Pieces of the trip page that explain it: score, g-g diagram, route, other profiles, signal quality."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from dashboard import components, data, downloads, event_charts, explain, look, plane_chart, route_chart, states, words
from dashboard.trip_subject import choose_profile
from dashboard.trip_view import QUALITY_COLORS, QUALITY_WORDS, rate
from fleetflow.safety.events import EventKind
from fleetflow.safety.scores import score_trip

if TYPE_CHECKING:
    from dashboard.explain import Judged, Step
    from dashboard.trip_subject import Subject
    from fleetflow.storage.profiles import StoredProfile

WATERFALL_HELP = (
    "A trip starts at 100. Each event whose peak exceeds its threshold takes points off; doubtful events take none."
)
PLANE_HELP = "Where the trip was between braking, accelerating, left and right: darker where it was more often."
ROUTE_HELP = "Drawn from the trip's coordinates, north up; darker where it was faster."
PROFILES_HELP = "The same events judged by other thresholds. Nothing is stored; a name shows the whole page under it."
MOST_STEPS, MOST_PROFILES = 24, 8
COMPRESSED_FROM_POINTS = 5_000
VERDICT_ICONS = {"good": "info", "doubtful": "help", "unusable": "block"}


def show_waterfall(subject: Subject) -> None:
    """The way from 100 to the score; only the first events when there are very many."""
    score = explain.final_score(subject.judged)
    components.card_head(f"From 100 to {score}", help=WATERFALL_HELP)
    way = explain.steps(subject.judged)
    if not way:
        states.card("check_circle", "Nothing was lost", "No event exceeds a threshold of the profile.")
        return
    if len(way) > MOST_STEPS:
        st.caption(f"The first {MOST_STEPS} of {len(way)} events.")
    components.chart(event_charts.waterfall(way[:MOST_STEPS]), key="waterfall", alt=_waterfall_alt(way, score))


def _waterfall_alt(way: list[Step], score: int) -> str:
    return f"From 100 to {score}: {words.plural(sum(1 for step in way if step.lost), 'event')} cost points"


def show_plane(subject: Subject) -> None:
    """How hard the trip was driven in every direction."""
    components.card_head("g-g diagram", help=PLANE_HELP)
    if "g_force_lat" not in subject.samples:
        states.card("explore_off", "No lateral signal", "This trip's points have no g_force_lat.")
        return
    figure = plane_chart.plane(subject.samples, subject.judged, subject.profile, _number(subject.chosen))
    components.chart(figure, key="plane", alt="Lateral against longitudinal g, with the thresholds and the events")


def show_route(subject: Subject) -> None:
    """Where the trip went, as far as its points say."""
    components.card_head("Route", help=ROUTE_HELP)
    if not route_chart.has_route(subject.samples):
        states.card("location_off", "No route", "This trip's points have no coordinates.")
        return
    figure = route_chart.route(subject.samples, subject.judged, _number(subject.chosen))
    components.chart(figure, key="route", alt="The way of the trip with its events, north up")


def _number(judged: Judged | None) -> int | None:
    return judged.number if judged else None


def show_profiles(subject: Subject) -> None:
    """The trip under the newest profiles: their thresholds, its harsh events and its score."""
    components.card_head("This trip under other profiles", help=PROFILES_HELP)
    database = components.database()
    stored, _ = data.profile_history(database)
    active = data.active_profile(database).version
    shown = _newest(stored, {active, subject.stored.version})
    key = "judge_by"
    frame = profiles_frame(subject, shown, active)
    st.dataframe(
        frame.drop(columns="version"), key="profiles", placeholder=words.NOTHING, hide_index=True, row_height=36,
        height="content", alt="The trip's harsh events and score under each profile",
        column_config={
            "profile": st.column_config.ButtonColumn(
                "Profile", key=key, type="tertiary", alignment="left", width=188,
                on_click=components.on_row(
                    key, [str(each.version) for each in shown], lambda version: choose_profile(int(version), active)
                ),
            ),
            "thresholds": st.column_config.TextColumn("▼ · ▲ · ◆", width=134),
            "harsh": st.column_config.NumberColumn("Harsh", width=52),
            "score": st.column_config.NumberColumn("Score", format="%d", width=54),
            "origin": st.column_config.TextColumn("Origin", width=76),
        },
    )  # fmt: skip


def _newest(stored: list[StoredProfile], always: set[int]) -> list[StoredProfile]:
    newest = {each.version for each in stored[:MOST_PROFILES]} | always
    return [each for each in stored if each.version in newest]


def profiles_frame(subject: Subject, profiles: list[StoredProfile], active: int) -> pd.DataFrame:
    """One row per profile; a score that was never stored is judged now from the same peaks."""
    database = components.database()
    events = data.events(database, subject.trip.trip_id)
    known = data.trip_scores(database, subject.trip.trip_id)
    rows = []
    for each in profiles:
        score = score_trip(events, each.profile, subject.trip.vehicle_class)
        rules = each.profile.rules_for(subject.trip.vehicle_class)
        g_kinds = [kind for kind in look.KINDS if kind is not EventKind.SPEEDING]
        name = f"{each.profile.name} v{each.version}"
        rows.append(
            {
                "version": each.version,
                "profile": f"{name}, active" if each.version == active else name,
                "thresholds": " · ".join(f"{rules[kind].threshold:.2f}" for kind in g_kinds) + " g",
                "harsh": sum(score.counts.values()),
                "score": known.get(each.version, score.safety_score),
                "origin": "stored" if each.version in known else "judged now",
            }
        )
    return pd.DataFrame(rows)


def show_quality(subject: Subject) -> None:
    """The verdict on the signals with its reasons, and what else is known of the trip."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header("Signal quality", anchor=False, width="content")
        st.space("stretch")
        quality = subject.trip.quality
        if quality:
            st.markdown(f":{QUALITY_COLORS[quality]}-badge[{QUALITY_WORDS[quality]}]", width="content")
    for reason in subject.trip.quality_reasons or []:
        icon = VERDICT_ICONS.get(reason["verdict"], "info")
        color = QUALITY_COLORS.get(reason["verdict"], "gray") if reason["verdict"] != "good" else "gray"
        st.markdown(f":{color}[:material/{icon}:] {reason['text']}")
    if quality == "good" and not subject.trip.quality_reasons:
        st.markdown(":green[:material/check:] Nothing speaks against these signals.")
    st.table(facts(subject), border="horizontal", hide_header=True)


def facts(subject: Subject) -> dict[str, str]:
    """What is known of the trip and its device."""
    trip, zone = subject.trip, components.zone()
    doubtful = [each for each in subject.judged if each.event.doubts]
    found: dict[str, Any] = {
        "Clock": rate(subject) if subject.has_clock else "none: one sample is the unit of time",
        "Samples": words.integer(trip.point_count),
        "Events found": f"{len(subject.judged) + subject.below}, {len(subject.judged)} above a threshold,"
        f" {len(doubtful)} of them doubtful",
        "Received": f"{words.day_and_time(trip.received_at, zone)}, by {trip.source}",
        "Trip id": trip.trip_id,
    }
    return found


def download_samples(subject: Subject) -> None:
    """All samples as CSV, compressed where there are many."""
    large = len(subject.samples) > COMPRESSED_FROM_POINTS
    downloads.button(
        "Samples",
        lambda: samples_file(subject, compressed=large),
        f"fleetflow-samples-{subject.trip.trip_id}.csv{'.gz' if large else ''}",
        "application/gzip" if large else "text/csv",
        help=f"All {words.integer(len(subject.samples))} samples as CSV{', compressed (gzip)' if large else ''}.",
    )


def samples_file(subject: Subject, *, compressed: bool) -> bytes:
    """The samples with the time of each in UTC, where the trip has a date."""
    frame = subject.samples
    if subject.trip.started_at is not None and subject.has_clock:
        moments = pd.Timestamp(subject.trip.started_at).tz_convert("UTC") + pd.to_timedelta(frame["t_s"], unit="s")
        frame = frame.assign(timestamp=moments.dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    content = frame.to_csv(index=False, float_format="%.10g").encode("utf-8-sig")  # positions to a centimetre
    return gzip.compress(content, compresslevel=5, mtime=0) if compressed else content
