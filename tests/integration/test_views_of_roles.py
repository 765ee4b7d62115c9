"""Answers are shared by all viewers of one dashboard; what their roles let them see is not."""

from __future__ import annotations

import pytest

from fleetflow.access import Role
from tests.support import people
from tests.support.pages import drive, store, text

pytestmark = pytest.mark.postgres


def links(app) -> set[str]:
    return {each.proto.label for each in app.get("page_link")}


def test_a_page_that_an_admin_had_cached_offers_a_manager_only_what_is_his(engine, opened, database_url):
    store(engine, drive())
    store(engine, drive(), status="PENDING")
    assert "Operations" in links(opened())
    with people.signed_in(database_url, Role.FLEET_MANAGER):
        app = opened()
        assert "1 trip waits for a score" in text(app)
        assert not links(app)
        assert "Not for your role" in text(opened("operations"))
    assert "Operations" in links(opened())


def test_a_draft_stays_with_who_moved_the_slider(engine, opened, database_url):
    store(engine, drive())
    opened("tuning").slider[0].set_value(0.60).run()
    with people.signed_in(database_url, Role.FLEET_MANAGER):
        assert opened("tuning").slider[0].value == 0.40
