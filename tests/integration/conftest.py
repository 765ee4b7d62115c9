"""What integration tests share: an engine, and the API on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import streamlit as st

from fleetflow.storage.database import create_engine
from tests.support import pages, people
from tests.support.programs import make_settings, running_api

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx
    import sqlalchemy as sa
    from streamlit.testing.v1 import AppTest


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    engine = create_engine(database_url, application_name="tests")
    yield engine
    engine.dispose()


@pytest.fixture
def api(database_url: str) -> Iterator[httpx.Client]:
    with running_api(make_settings(), database_url) as client:
        yield client


@pytest.fixture
def opened(database_url) -> Iterator[Callable[..., AppTest]]:
    """Opens a page by its file and address, as the browser of an admin in Berlin would."""

    def open_page(page: str = "", url: str = database_url, **address: str) -> AppTest:
        return pages.open_page(url, page, **address)

    with people.signed_in(database_url):
        yield open_page
    st.cache_data.clear()
    st.cache_resource.clear()
