"""What could keep the API from answering while nothing is wrong."""

from __future__ import annotations

import gc
from unittest.mock import patch

import uvicorn

from ingest_api.__main__ import serve
from tests.support.programs import make_settings


def test_the_api_serves_with_its_modules_out_of_garbage_collection():
    """A full collection over them would keep everybody waiting for 70 ms."""
    left: list[int] = []
    with patch.object(uvicorn.Server, "run", lambda _: left.append(len(gc.get_objects()))):
        assert serve(make_settings(), "postgresql://nobody@127.0.0.1:1/none") == 0
    gc.unfreeze()
    assert left[0] < 5_000
