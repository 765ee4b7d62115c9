"""What integration tests share: an engine, and the API on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fleetflow.storage.database import create_engine
from tests.support.programs import make_settings, running_api

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx
    import sqlalchemy as sa


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    engine = create_engine(database_url, application_name="tests")
    yield engine
    engine.dispose()


@pytest.fixture
def api(database_url: str) -> Iterator[httpx.Client]:
    with running_api(make_settings(), database_url) as client:
        yield client
