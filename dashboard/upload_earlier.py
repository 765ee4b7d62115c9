"""What was uploaded before, and what was cut off on its way and waits to be sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from dashboard import components, data, tables, words
from fleetflow.storage.uploads import UploadState

if TYPE_CHECKING:
    from fleetflow.storage.uploads import EarlierUpload

SHOWN, MOST_ROWS, MOST_WARNINGS = 50, 8, 3
STATES = {
    UploadState.STORED: "Stored",
    UploadState.SENDING: "Being sent",
    UploadState.INTERRUPTED: "Interrupted; send again",
}


def show_interrupted(database: str) -> None:
    """A warning for each file of which a part is missing, until it is sent again."""
    cut = [each for each in data.earlier_uploads(database, SHOWN) if each.state is UploadState.INTERRUPTED]
    for each in cut[:MOST_WARNINGS]:
        began = words.day_and_time(each.uploaded_at, components.zone())
        text = f"was interrupted ({began}): {_stored(each)} stored. Choose the file again: the rest is sent, once."
        st.warning(f"**{words.literal(each.file_name)}** {words.literal(text)}", icon=":material/sync_problem:")


def show_earlier(database: str) -> None:
    """The files of the last uploads, whoever sent them."""
    earlier = data.earlier_uploads(database, SHOWN)
    if not earlier:
        return
    frame = pd.DataFrame(
        {
            "file": [each.file_name for each in earlier],
            "state": [STATES[each.state] for each in earlier],
            "stored": [_stored(each) for each in earlier],
            "at": [words.day_and_time(each.uploaded_at, components.zone()) for each in earlier],
            "by": [each.uploaded_by for each in earlier],
        }
    )
    with st.container(border=True):
        st.header("Earlier uploads", anchor=False)
        height = tables.height(len(frame), MOST_ROWS)
        st.dataframe(frame, placeholder=words.NOTHING, hide_index=True, height=height, column_config={
            "file": "File", "state": "State", "stored": "Trips stored", "at": "Uploaded", "by": "By",
        })  # fmt: skip


def _stored(upload: EarlierUpload) -> str:
    if upload.trip_count is None:
        return words.integer(upload.stored_count)
    refused = f", {words.integer(upload.refused_count)} refused" if upload.refused_count else ""
    return f"{words.integer(upload.stored_count)} of {words.plural(upload.trip_count, 'trip')}{refused}"
