"""Names, groups and classes as CSV files: by page with a preview, by command, out and in again."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from dashboard import roster_import
from fleetflow.commands import roster as roster_command
from fleetflow.errors import ConfigurationError
from fleetflow.settings import Settings
from fleetflow.storage import erasures, registers, roster
from fleetflow.storage.database import connection

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.postgres
ANN, BOB, GONE = (UUID(int=number) for number in (1, 2, 3))


@pytest.fixture
def people(engine) -> None:
    with connection(engine) as conn:
        roster.upsert_driver(conn, ANN, name="Ann", group_name="North")
        roster.upsert_driver(conn, BOB, name="=HYPERLINK(1)", group_name=None)
        erasures.insert_tombstone(conn, GONE)
        roster.upsert_vehicle(conn, uuid4(), name="Van", group_name="North", vehicle_class="passenger")


def names(engine) -> dict[str, str | None]:
    with connection(engine) as conn:
        return {str(row["id"]): row["name"] for row in roster.list_roster(conn, "drivers")}


def run(url: str, verb: str, kind: str, file: Path, **more) -> int:
    asked = argparse.Namespace(verb=verb, kind=kind, file=file, **more)
    return roster_command.run(asked, Settings(_env_file=None, database_url=SecretStr(url)))


@pytest.mark.usefixtures("people")
def test_what_a_command_wrote_it_reads_without_a_change(engine, database_url: str, tmp_path: Path, capsys):
    for kind in ("drivers", "vehicles"):
        file = tmp_path / f"{kind}.csv"
        assert run(database_url, "export", kind, file) == 0
        assert run(database_url, "import", kind, file, dry_run=False) == 0
        assert "0 rows changed, 0 refused." in capsys.readouterr().out
    assert "'=HYPERLINK" in (tmp_path / "drivers.csv").read_text()
    assert names(engine)[str(BOB)] == "=HYPERLINK(1)"


@pytest.mark.usefixtures("people")
def test_a_command_takes_over_good_rows_and_names_the_others(engine, database_url: str, tmp_path: Path, capsys):
    file = tmp_path / "new.csv"
    new = uuid4()
    file.write_text(f"id,name\n{ANN},Anna\nnobody,x\n{GONE},Zoltan\n{new},Cleo\n")
    assert run(database_url, "import", "drivers", file, dry_run=True) == 1
    said = capsys.readouterr().out
    assert f"{ANN}: name Ann -> Anna" in said
    assert "line 3 refused: id is not a UUID" in said
    assert "line 4 refused: this driver was erased" in said
    assert "2 rows would change, 2 refused." in said
    assert names(engine)[str(ANN)] == "Ann"
    assert run(database_url, "import", "drivers", file, dry_run=False) == 1
    assert names(engine) == {str(ANN): "Anna", str(BOB): "=HYPERLINK(1)", str(new): "Cleo"}
    with connection(engine) as conn:
        entry = registers.list_audit_entries(conn).iloc[0]
    assert (entry["action"], entry["subject"]) == ("edit_drivers", "2 drivers")


def test_a_file_that_is_not_there_is_named(database_url: str, tmp_path: Path):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        run(database_url, "import", "drivers", tmp_path / "none.csv", dry_run=False)
    with pytest.raises(ConfigurationError, match="cannot be written"):
        run(database_url, "export", "drivers", tmp_path / "no" / "folder.csv")


@pytest.mark.usefixtures("people")
def test_the_page_shows_what_would_change_before_it_is_taken_over(engine, opened):
    app = opened("administration", part="drivers")
    content = f"id,name\n{ANN},Anna\nnobody,x\n{GONE},Zoltan\n".encode()
    (uploader,) = app.file_uploader
    uploader.set_value(("drivers.csv", content, "text/csv")).run()
    assert not app.exception
    assert "Line 4: this driver was erased" in app.warning[0].value
    preview = next(frame.value for frame in app.dataframe if "After" in frame.value.columns)
    assert preview.to_numpy().tolist() == [[str(ANN), "Name", "Ann", "Anna"]]
    assert names(engine)[str(ANN)] == "Ann"
    next(each for each in app.button if each.label == "Take over").click().run()
    assert not app.exception
    assert names(engine)[str(ANN)] == "Anna"
    assert not app.warning, "the next file begins with an empty page"


@pytest.mark.usefixtures("people", "opened")
def test_a_preview_reads_the_roster_as_it_is_now(engine, database_url: str):
    content = f"id,name\n{ANN},Anna\n".encode()
    assert len(roster_import.changes_frame(roster_import.read(database_url, "drivers", content))) == 1
    with connection(engine) as conn:
        roster.upsert_driver(conn, ANN, name="Anna", group_name="North")
    assert roster_import.changes_frame(roster_import.read(database_url, "drivers", content)).empty
