"""Signing in with a real Chromium: the way in, roles, another's tab, and the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fleetflow.access import Role
from fleetflow.storage.database import connection, create_engine
from tests.support import people
from tests.support.browser import viewer
from tests.support.people import PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.browser.conftest import Fleet

pytestmark = [pytest.mark.browser, pytest.mark.postgres, pytest.mark.timeout(240)]
END = """\
DELETE FROM telemetry.sessions WHERE account_id = (SELECT id FROM telemetry.accounts WHERE name = :name)"""


def end_sessions(url: str, account: str) -> None:
    engine = create_engine(url, application_name="test", pool_size=1)
    with connection(engine) as conn:
        conn.execute(sa.text(END), {"name": account})
    engine.dispose()


def test_from_a_shared_address_through_the_login_to_the_page_and_out_again(chromium: Browser, fleet: Fleet):
    account = people.add_account(fleet.url, Role.FLEET_MANAGER)
    with viewer(chromium, fleet.base) as person:
        page = person.page
        page.goto(f"{fleet.base}/?period=7")
        page.get_by_label("Name or e-mail").fill(account.name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name="Fleet overview").wait_for()
        assert page.url == f"{fleet.base}/?period=7"
        page.get_by_text(f"Signed in as {account.name}, fleet manager").wait_for()
        page.get_by_role("link", name="Account and sign-out").click()
        page.get_by_role("heading", name="Your account").wait_for()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("heading", name="Sign in").wait_for()
        page.goto(f"{fleet.base}/?period=7")
        page.get_by_role("heading", name="Sign in").wait_for()


def test_a_tab_whose_session_ended_is_locked_at_the_next_click(chromium: Browser, fleet: Fleet):
    token = people.start_session(fleet.url, name="simulated leaver")
    with viewer(chromium, fleet.base, token=token) as person:
        page = person.open()
        end_sessions(fleet.url, "simulated leaver")
        page.get_by_text("7 days", exact=True).click()
        page.get_by_text("You are signed out").wait_for()
        person.settle()
        assert page.get_by_role("heading", name="Fleet overview").count() == 0
        page.get_by_role("link", name="Sign in").click()
        page.get_by_role("heading", name="Sign in").wait_for()


def test_a_page_that_the_role_does_not_allow_is_neither_offered_nor_shown(chromium: Browser, fleet: Fleet):
    token = people.start_session(fleet.url, Role.SAFETY_OFFICER)
    with viewer(chromium, fleet.base, token=token) as person:
        page = person.open("tuning")
        page.get_by_text("Not for your role").wait_for()
        assert page.get_by_role("link", name="Tuning").count() == 0
        assert page.get_by_role("link", name="Drivers").count() == 1
        assert page.get_by_role("slider").count() == 0
