"""Fixtures of the browser tests: Chromium, and a dashboard over a small fleet that they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fleetflow.storage.database import connection, create_engine
from tests.support import dashboard, people
from tests.support.browser import chromium, running_dashboard
from tests.support.postgres import temporary_database, url_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["chromium"]
NAMES = ("Owen Clarke", "Marta Kovač", "Leila Haddad")
WORST_TRIP = """\
SELECT id::text, duration_s, trip_logs.driver_id::text
FROM telemetry.trip_logs JOIN telemetry.driver_scores ON trip_id = id
ORDER BY safety_score, id LIMIT 1"""


@dataclass(frozen=True)
class Fleet:
    """A running dashboard over a seeded fleet."""

    base: str
    admin: sa.Engine
    database: str
    url: str
    worst_trip: str
    worst_s: float
    driver: str
    token: str


@pytest.fixture(scope="package")
def fleet(postgres_url, postgres_admin, migrated_template, tmp_path_factory) -> Iterator[Fleet]:
    with temporary_database(postgres_admin, template=migrated_template) as name:
        url = url_of(postgres_url, name)
        engine, admin = (
            create_engine(url, application_name="test"),
            create_engine(postgres_url, application_name="test"),
        )
        with connection(engine) as conn:
            dashboard.seed_fleet(conn, now=dashboard.today(), drivers=NAMES, days=14)
            worst = conn.execute(sa.text(WORST_TRIP)).one()
        with running_dashboard(url, tmp_path_factory.mktemp("dashboard")) as base:
            yield Fleet(base, admin, name, url, worst.id, worst.duration_s, worst.driver_id, people.start_session(url))
        engine.dispose()
        admin.dispose()
