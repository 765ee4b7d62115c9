"""Every page without data, with the database gone, and with one of another version."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from dashboard import data
from fleetflow.storage.database import connection, create_engine
from tests.support.pages import PAGES, drive, store, text
from tests.support.ports import free_port

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize("page", ["", "driver", "trip", "tuning"])
def test_an_empty_database_says_how_to_send_a_first_trip(opened, page):
    app = opened(page)
    assert not app.exception
    assert "No trips yet" in text(app)
    assert "python -m fleetflow send FILE" in text(app)
    assert "curl -X POST http://127.0.0.1:8123/api/v1/telemetry" in text(app)


@pytest.mark.parametrize("page", ["", "driver", "trip", "tuning", "operations"])
def test_a_database_that_is_down_is_one_sentence_and_no_traceback(opened, page):
    app = opened(page, url=f"postgresql://nobody:none@127.0.0.1:{free_port()}/none")
    assert not app.exception
    assert len(app.error) == 1
    assert "The database does not answer." in app.error[0].value


@pytest.mark.parametrize("page", PAGES)
def test_a_page_that_was_drawn_says_when_the_database_last_answered_and_heals_by_itself(
    engine, opened, database_url, page
):
    store(engine, drive())
    app = opened(page)
    whole = text(app)
    name = sa.engine.make_url(database_url).database
    admin = create_engine(database_url.rsplit("/", 1)[0] + "/postgres", application_name="test")
    try:
        with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.execute(sa.text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'))
            conn.execute(
                sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"), {"name": name}
            )
            data.forget()
            app.run()
            assert not app.exception
            assert "It last answered at" in app.error[0].value
            conn.execute(sa.text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'))
        app.run()
        assert not app.exception
        assert text(app) == whole
    finally:
        admin.dispose()


@pytest.mark.parametrize(("revision", "words"), [("0000", "too old"), ("9999", "too new")])
def test_a_schema_of_another_version_is_one_line(engine, opened, revision, words):
    with connection(engine) as conn:
        conn.execute(sa.text("UPDATE telemetry.alembic_version SET version_num = :to"), {"to": revision})
    app = opened()
    assert not app.exception
    assert words in app.error[0].value
    assert "\n" not in app.error[0].value
