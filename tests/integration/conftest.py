"""What integration tests share: an engine, and the API on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fleetflow.storage.database import create_engine
from tests.support import people
from tests.support.pages import APP
from tests.support.programs import make_settings, running_api

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


@pytest.fixture
def opened(database_url) -> Iterator[Callable[..., AppTest]]:
    """Opens a page by its file and address, as the browser of an admin in Berlin would."""

    def open_page(page: str = "", url: str = database_url, **address: str) -> AppTest:
        app = AppTest.from_file(str(APP), default_timeout=60)
        app.secrets["fleetflow"] = {"database_url": url, "api_url": "http://127.0.0.1:8123"}
        app.context = {"timezone": "Europe/Berlin"}
        for name, value in address.items():
            app.query_params[name] = value
        app.run()
        if page:
            app.switch_page(f"app_pages/{page}.py")
            for name, value in address.items():
                app.query_params[name] = value
            app.run()
        return app

    with people.signed_in(database_url):
        yield open_page
    st.cache_data.clear()
    st.cache_resource.clear()
