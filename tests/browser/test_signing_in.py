"""Signing in with a real Chromium: the way in, roles, another's tab, and the way out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fleetflow.access import Role
from fleetflow.storage.database import connection, create_engine
from tests.support import dashboard, people
from tests.support.browser import running_dashboard, viewer
from tests.support.people import PASSWORD
from tests.support.postgres import temporary_database, url_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.postgres]


@dataclass(frozen=True)
class Site:
    """A running dashboard over a small fleet."""

    base: str
    url: str
    engine: sa.Engine


@pytest.fixture(scope="module")
def site(postgres_url, postgres_admin, migrated_template, tmp_path_factory) -> Iterator[Site]:
    with temporary_database(postgres_admin, template=migrated_template) as name:
        url = url_of(postgres_url, name)
        engine = create_engine(url, application_name="test")
        with connection(engine) as conn:
            dashboard.seed_fleet(conn, now=dashboard.today(), drivers=("Owen Clarke",), days=3)
        with running_dashboard(url, tmp_path_factory.mktemp("dashboard")) as base:
            yield Site(base, url, engine)
        engine.dispose()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_from_a_shared_address_through_the_login_to_the_page_and_out_again(chromium: Browser, site: Site, scheme: str):
    account = people.add_account(site.url, Role.FLEET_MANAGER)
    with viewer(chromium, site.base, scheme=scheme) as person:
        page = person.page
        page.goto(f"{site.base}/?period=7")
        page.get_by_label("Name or e-mail").fill(account.name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name="Fleet overview").wait_for()
        assert page.url == f"{site.base}/?period=7"
        page.get_by_text(f"Signed in as {account.name}, fleet manager").wait_for()
        page.get_by_role("link", name="Account and sign-out").click()
        page.get_by_role("heading", name="Your account").wait_for()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("heading", name="Sign in").wait_for()
        page.goto(f"{site.base}/?period=7")
        page.get_by_role("heading", name="Sign in").wait_for()


def test_a_tab_whose_session_ended_is_locked_at_the_next_click(chromium: Browser, site: Site):
    token = people.start_session(site.url)
    with viewer(chromium, site.base, token=token) as person:
        page = person.open()
        with connection(site.engine) as conn:
            conn.execute(sa.text("DELETE FROM telemetry.sessions"))
        page.get_by_text("7 days", exact=True).click()
        page.get_by_text("You are signed out").wait_for()
        person.settle()
        assert page.get_by_role("heading", name="Fleet overview").count() == 0
        page.get_by_role("link", name="Sign in").click()
        page.get_by_role("heading", name="Sign in").wait_for()


def test_a_page_that_the_role_does_not_allow_is_neither_offered_nor_shown(chromium: Browser, site: Site):
    token = people.start_session(site.url, Role.SAFETY_OFFICER)
    with viewer(chromium, site.base, token=token) as person:
        page = person.open("tuning")
        page.get_by_text("Not for your role").wait_for()
        assert page.get_by_role("link", name="Tuning").count() == 0
        assert page.get_by_role("link", name="Drivers").count() == 1
        assert page.get_by_role("slider").count() == 0
