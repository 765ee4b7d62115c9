"""A browser's tab without the browser: Streamlit's own messages over a real WebSocket."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from google.protobuf.message import Message
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from dashboard.signin.gate import COOKIE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from websockets.sync.client import ClientConnection

TIMEOUT_S = 60


class Tab:
    """An open socket; what the last run drew is in `messages`."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.messages: list[ForwardMsg] = []
        self._session_id = ""

    def open(self, page: str = "", query: str = "") -> str:
        """Go to a page; all texts that it drew."""
        message = BackMsg()
        message.rerun_script.page_name = page
        message.rerun_script.query_string = query
        return self._run(message)

    def click(self, widget_id: str, page: str = "") -> str:
        """Press a button by its id, on the page or as if one were there."""
        message = BackMsg()
        message.rerun_script.page_name = page
        message.rerun_script.widget_states.widgets.add(id=widget_id, trigger_value=True)
        return self._run(message)

    def fetch(self, file_id: str) -> str:
        """Ask for a file that is made on demand; its address, empty when it was refused."""
        message = BackMsg()
        message.backend_operation_request.request_id = "1"
        message.backend_operation_request.session_id = self._session_id
        message.backend_operation_request.deferred_file.file_id = file_id
        self._socket.send(message.SerializeToString())
        while True:
            answer = self._receive()
            if answer.WhichOneof("type") == "backend_operation_response":
                return str(answer.backend_operation_response.deferred_file.url)

    def buttons(self) -> dict[str, str]:
        """The ids of the buttons of the last run, by their labels."""
        return {each.button.label: each.button.id for each in self._elements() if each.HasField("button")}

    def files(self) -> dict[str, str]:
        """The ids of the files that the last run offered, by the labels of their buttons."""
        offered = [each.download_button for each in self._elements() if each.HasField("download_button")]
        return {each.label: each.deferred_file_id for each in offered}

    def _run(self, message: BackMsg) -> str:
        self._socket.send(message.SerializeToString())
        self.messages = []
        while True:
            answer = self._receive()
            self.messages.append(answer)
            self._session_id = answer.new_session.initialize.session_id or self._session_id
            if answer.WhichOneof("type") == "script_finished":
                return "\n".join(text for each in self.messages for text in texts(each))

    def _receive(self) -> ForwardMsg:
        data = self._socket.recv(timeout=TIMEOUT_S)
        assert isinstance(data, bytes)
        message: ForwardMsg = ForwardMsg.FromString(data)
        return message

    def _elements(self) -> list[Message]:
        return [each.delta.new_element for each in self.messages if each.delta.HasField("new_element")]


def texts(message: Message) -> Iterator[str]:
    """All texts in a message and what is inside of it."""
    for field, value in message.ListFields():
        values = value if field.is_repeated else [value]
        for each in values:
            if isinstance(each, str):
                yield each
            elif isinstance(each, Message):
                yield from texts(each)


@contextmanager
def tab(base: str, token: str | None, **more_headers: str) -> Iterator[Tab]:
    """A tab of somebody with a session's token. Raises InvalidStatus when the gate refuses."""
    headers = {**more_headers, **({"Cookie": f"{COOKIE}={token}"} if token else {})}
    address = f"{base.replace('http', 'ws', 1)}/_stcore/stream"
    with connect(address, additional_headers=headers, origin=base, max_size=None) as socket:
        yield Tab(socket)
