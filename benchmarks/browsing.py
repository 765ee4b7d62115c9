"""A person at a dashboard without a browser: Streamlit's WebSocket, spoken as its page does."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from dashboard.signin.gate import COOKIE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streamlit.proto.Delta_pb2 import Delta
    from websockets.sync.client import ClientConnection

ZONE = "Europe/Berlin"
TIMEOUT_S = 60.0
ENDED = {ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY}


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a page, from the message that asked for it to the last part of the answer.

    `words` are its titles and notes: they say whether it is the page that was meant.
    """

    ms: float
    sent_kb: float
    elements: int
    words: str


@dataclass(slots=True)
class Person:
    """Somebody who is signed in and has the dashboard open."""

    socket: ClientConnection
    _page: str = ""
    _query: str = ""
    _sliders: dict[str, tuple[str, str]] = field(default_factory=dict)

    def open(self, page: str, query: str = "") -> Run:
        """Go to a page."""
        self._page, self._query = page, query
        return self._ask(BackMsg())

    def move(self, label: str, value: float) -> Run:
        """Drag the slider whose label begins so, and let go."""
        message = BackMsg()
        name = next(each for each in self._sliders if each.startswith(label))
        widget, fragment = self._sliders[name]
        state = message.rerun_script.widget_states.widgets.add()
        state.id = widget
        state.double_array_value.data.append(value)
        message.rerun_script.fragment_id = fragment
        return self._ask(message)

    def _ask(self, message: BackMsg) -> Run:
        message.rerun_script.page_name = self._page
        message.rerun_script.query_string = self._query
        message.rerun_script.context_info.timezone = ZONE
        began = time.perf_counter()
        self.socket.send(message.SerializeToString())
        sent, elements, said = 0, 0, []
        while True:
            content = self.socket.recv(TIMEOUT_S, decode=False)
            sent += len(content)
            answer = ForwardMsg.FromString(content)
            elements += answer.HasField("delta")
            said.append(self._heard(answer))
            if answer.HasField("script_finished") and answer.script_finished in ENDED:
                return Run(1000 * (time.perf_counter() - began), sent / 1000, elements, " ".join(filter(None, said)))

    def _heard(self, answer: ForwardMsg) -> str:
        """Keep what is needed to go on: where the address led, and the sliders; returns the words of titles."""
        if answer.HasField("page_info_changed"):
            self._query = answer.page_info_changed.query_string
        return self._drawn(answer.delta) if answer.HasField("delta") else ""

    def _drawn(self, delta: Delta) -> str:
        element = delta.new_element
        if element.WhichOneof("type") == "slider":
            self._sliders[element.slider.label] = element.slider.id, delta.fragment_id
        return element.heading.body if element.WhichOneof("type") == "heading" else ""


@contextmanager
def person(base: str, token: str) -> Iterator[Person]:
    """Somebody with that session's token at the dashboard at `base`."""
    address = f"{base.replace('http', 'ws', 1)}/_stcore/stream"
    headers = {"Cookie": f"{COOKIE}={token}"}
    with connect(address, additional_headers=headers, origin=base, subprotocols=["streamlit"], max_size=None) as socket:  # type: ignore[list-item, arg-type]
        yield Person(socket)
