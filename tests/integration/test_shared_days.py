"""One reading of what was driven serves many periods, each as if it had been read by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
import streamlit as st

from dashboard import words
from dashboard.data import of_days
from dashboard.movements import Window, window_before
from fleetflow.storage import driving
from fleetflow.storage.database import connection
from tests.support.pages import BRAKE, drive, insert

pytestmark = pytest.mark.postgres
ZONE = "America/St_Johns"


def periods(now: datetime) -> list[Window]:
    since = words.period_start(28, ZONE, now)
    assert since
    return [
        Window(since),
        window_before(since, 28, ZONE),
        Window(since + timedelta(hours=5)),
        Window(now - timedelta(days=400), since),
        Window(None),
    ]


def test_every_period_is_as_if_read_alone(engine, database_url):
    now, drivers = datetime.now(UTC), [uuid4(), uuid4()]
    with connection(engine) as conn:
        for hours in range(1, 24 * 160, 41):
            began_at = now - timedelta(hours=hours)
            insert(conn, drive(BRAKE), drivers[hours % 2], started_at=began_at)
    st.cache_resource.clear()
    for window in periods(now):
        with connection(engine) as conn:
            alone = driving.read_driver_days(conn, 1, since=window.since, until=window.until, zone=ZONE)
        pd.testing.assert_frame_equal(of_days.days(database_url, 1, window, ZONE), alone)
        assert len(alone)
    assert ZoneInfo(ZONE).utcoffset(now) != timedelta(0)
