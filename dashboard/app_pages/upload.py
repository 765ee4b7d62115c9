"""Upload: trip files from any logger; what they would become, corrected, loaded, followed to their scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import (
    components,
    data,
    states,
    upload_card,
    upload_earlier,
    upload_files,
    upload_list,
    upload_sending,
    upload_ways,
    words,
)

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from dashboard.upload_files import TripFile
    from dashboard.upload_sending import Sent

CHOSEN = "upload_chosen"
FOLLOW_S = 1.5


def main() -> None:
    """Files, what they would become, and loading them; or how far what was loaded has come."""
    if sent := upload_sending.remembered():
        follow(sent)
        return
    database = components.database()
    place = components.head("Upload", "Trip files from any logger. Nothing is stored until you load it.")
    news, uploader = st.container(), st.empty()
    uploaded = uploader.container(border=True).file_uploader("Trip files", type=upload_list.TYPES,
        accept_multiple_files=True, key="upload_files", label_visibility="collapsed")  # fmt: skip
    if not uploaded:
        st.caption(upload_list.FORMATS)
        upload_list.show_promises()
        with news:
            upload_earlier.show_interrupted(database)
        upload_earlier.show_earlier(database)
        return
    if len(uploaded) > upload_files.MAX_FILES:
        st.error(f"{len(uploaded)} files at once; the limit is {upload_files.MAX_FILES}. The first ones are shown.")
    with st.spinner("Reading the files", show_time=True):
        files = upload_files.read(database, uploaded, components.zone())
    with place:
        offer_loading(files, database, news)
    show_files(files, database)


def offer_loading(files: list[TripFile], database: str, news: DeltaGenerator) -> None:
    """What is ready, and the button that loads it; how far that has come shows in `news`."""
    ready = [file for file in files if file.loads]
    count, known = sum(len(file.new_trips) for file in ready), sum(len(file.known) for file in files)
    refused = sum(file.preview.refused_count for file in files if file.preview)
    st.caption(f"{words.plural(count, 'trip')} ready · {known} known · {words.plural(refused, 'row')} refused")
    label = f"Load {words.plural(count, 'trip')}"
    # The key keeps a click from being lost where the number changes at that moment, as trips of a cut-off try come in.
    if st.button(label, key="load", type="primary", icon=":material/upload:", disabled=not count):
        with news:
            load(ready, database)


def load(files: list[TripFile], database: str) -> None:
    """Send the trips, with a bar for each file; then follow them."""
    bars = {file.key: st.progress(0.0, sent_words(file, 0)) for file in files}

    def on_trip(file: TripFile, done: int) -> None:
        bars[file.key].progress(min(done / file.trip_count, 1.0), sent_words(file, done))

    api = upload_sending.Api.of(st.secrets["fleetflow"])
    st.session_state[upload_sending.SENT] = upload_sending.send(database, api, files, on_trip)
    st.rerun()


def sent_words(file: TripFile, done: int) -> str:
    """How far a file has come."""
    return words.literal(f"{file.name}: {done:,} of {words.plural(file.trip_count, 'trip')} sent")


def show_files(files: list[TripFile], database: str) -> None:
    """The list, and the card of the file that is looked at."""
    chosen = next((file for file in files if file.key == st.session_state.get(CHOSEN)), files[0])
    with st.grid(5, min_column_width=200) as grid:
        with grid.cell(column_span=2), st.container(border=True):
            upload_list.show_list(files, chosen, lambda key: st.session_state.update({CHOSEN: key}))
        with grid.cell(column_span=3), st.container(border=True):
            upload_card.show_card(chosen, database)


def follow(sent: list[Sent]) -> None:
    """How far the trips that were loaded have come; the page follows by itself."""
    database = components.database()
    stored = any(each.trip_ids for each in sent)
    said = (
        "Loaded. You may leave this page; the trips are scored in the background." if stored else "Nothing was loaded."
    )
    place = components.head("Upload", said)
    with place:
        st.button("Upload more", icon=":material/add:", on_click=forget)
    trip_ids = list(dict.fromkeys(trip_id for each in sent for trip_id in each.trip_ids))
    ways = data.ways(database, data.active_profile(database).version, trip_ids)
    done = sum(way.status in {"COMPLETED", "FAILED"} for way in ways)
    with st.container(border=True):
        st.header(f"{done} of {words.plural(len(ways), 'trip')} scored" if ways else "No trip was stored", anchor=False)
        st.progress(done / len(ways) if ways else 0.0)
        for each in sent:
            upload_ways.show_result(each)
        if ways:
            upload_ways.show_ways(sent, ways)
    if done < len(ways):
        states.rerun_every(FOLLOW_S)


def forget() -> None:
    """Begin anew."""
    for name in (upload_sending.SENT, CHOSEN, *upload_files.KEPT_STATE):
        st.session_state.pop(name, None)
    st.session_state.pop("upload_files", None)


main()
