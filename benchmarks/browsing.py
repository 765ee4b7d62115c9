"""A person at a dashboard without a browser: Streamlit's WebSocket, spoken as its page does."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import DoubleArray
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.NumberInput_pb2 import NumberInput
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from dashboard.signin.gate import COOKIE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streamlit.proto.Delta_pb2 import Delta
    from streamlit.proto.Slider_pb2 import Slider
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
    _states: dict[str, WidgetState] = field(default_factory=dict)

    def open(self, page: str, query: str = "") -> Run:
        """Go to a page."""
        self._page, self._query = page, query
        self._states.clear()
        return self._ask(BackMsg())

    def move(self, label: str, value: float) -> Run:
        """Drag the slider whose label begins so, and let go."""
        message = BackMsg()
        name = next(each for each in self._sliders if each.startswith(label))
        widget, fragment = self._sliders[name]
        self._states[widget] = WidgetState(id=widget, double_array_value=DoubleArray(data=[value]))
        message.rerun_script.widget_states.widgets.extend(self._states.values())
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
            self._keep_slider(element.slider, delta.fragment_id)
        if element.WhichOneof("type") == "number_input":
            number = element.number_input
            value = number.value if number.set_value else number.default
            kept = {"int_value": int(value)} if number.data_type == NumberInput.INT else {"double_value": value}
            self._states[number.id] = WidgetState(id=number.id, **kept)
        return element.heading.body if element.WhichOneof("type") == "heading" else ""

    def _keep_slider(self, slider: Slider, fragment: str) -> None:
        self._sliders[slider.label] = slider.id, fragment
        if slider.set_value or slider.id not in self._states:
            shown = slider.value if slider.set_value else slider.default
            self._states[slider.id] = WidgetState(id=slider.id, double_array_value=DoubleArray(data=shown))


@contextmanager
def person(base: str, token: str) -> Iterator[Person]:
    """Somebody with that session's token at the dashboard at `base`."""
    address = f"{base.replace('http', 'ws', 1)}/_stcore/stream"
    headers = {"Cookie": f"{COOKIE}={token}"}
    protocols = [Subprotocol("streamlit")]
    with connect(
        address, additional_headers=headers, origin=Origin(base), subprotocols=protocols, max_size=None
    ) as socket:
        yield Person(socket)
