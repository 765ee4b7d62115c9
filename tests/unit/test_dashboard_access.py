"""The tables of pages and actions against what there is."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from dashboard import access, actions
from fleetflow.access import Role

ROOT = Path(__file__).parents[2] / "dashboard"
PAGES = sorted(path.stem for path in (ROOT / "app_pages").glob("*.py"))
WRITES = sorted(
    name
    for name, each in vars(actions).items()
    if inspect.isfunction(each) and not name.startswith("_") and each.__module__ == actions.__name__
)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_in_the_table(page: str):
    assert page in access.PAGES, f"add {page!r} to PAGES in dashboard/access.py; until then nobody can open it"


@pytest.mark.parametrize("write", WRITES)
def test_every_action_is_in_the_table_and_checked(write: str):
    assert write in access.ACTIONS, f"add {write!r} to ACTIONS in dashboard/access.py; until then nobody can do it"
    assert hasattr(getattr(actions, write), "__wrapped__"), f"put @action before {write} in dashboard/actions.py"


def test_the_tables_name_nothing_that_is_gone():
    assert set(access.PAGES) <= set(PAGES)
    assert set(access.ACTIONS) <= set(WRITES)


def test_what_is_in_no_table_is_refused_even_to_an_admin():
    assert not access.may_open([Role.ADMIN], "app_pages/secret.py")
    assert not access.may_do([Role.ADMIN], "erase_everything")


def test_pages_are_registered_only_through_the_check():
    text = (ROOT / "app.py").read_text()
    assert text.count("st.Page(") == 1
    assert len(re.findall(r"\.run\(\)", text)) == 1


def test_files_leave_by_one_way_which_notes_them():
    """A button of a page's own would leave no trace in the audit log."""
    offering = {path.name for path in ROOT.rglob("*.py") if "download_button(" in path.read_text()}
    assert offering == {"downloads.py"}


def test_only_the_actions_write():
    """A page that wrote past the actions would ask nobody and leave no trace."""
    writers = {path.name for path in ROOT.rglob("*.py") if re.search(r"\bwriting\(", path.read_text())}
    assert writers == {"connecting.py", "acting.py"}
