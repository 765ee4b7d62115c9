"""The documentation against what it documents: settings, links, commands; and what no file may name."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fleetflow.__main__ import COMMANDS
from fleetflow.safety import smoothing, tuning
from fleetflow.safety.events import EventKind
from fleetflow.safety.profiles import DEFAULT_PROFILE, Rule
from fleetflow.settings import Settings
from fleetflow.trips import clock, tracks
from ingest_api.app import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DECISIONS = ROOT / "docs" / "decisions"
DOCUMENTS = [README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
TABLE_HEAD = "| setting | default | what it is |\n| --- | --- | --- |\n"


def shown(value: Any) -> str:
    """A default as it would be written into .env."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) and value < 1e6 else str(value)


def settings() -> Iterator[tuple[str, str, str]]:
    """Name, default and description of every setting, in their order."""
    for name, field in Settings.model_fields.items():
        yield f"FLEETFLOW_{name.upper()}", shown(field.default), field.description or ""


def ids(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


@cache
def anchors(document: Path) -> set[str]:
    """The names under which a document's headings can be linked."""
    headings = re.findall(r"^#+ +(.+)$", without_code(document.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def code(text: str) -> str:
    """Everything in a document that is set as code, blocks and words."""
    return "\n".join(re.findall(r"^```.*?^```|`[^`\n]+`", text, re.MULTILINE | re.DOTALL))


def tracked_texts() -> Iterator[tuple[str, str]]:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        content = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b""
        if b"\0" not in content:
            yield name, content.decode()


def test_every_setting_is_described():
    assert all(description.endswith(".") for _, _, description in settings())


def test_the_readme_lists_exactly_the_settings_with_their_defaults():
    rows = [f"| `{name}` | {f'`{default}`' if default else ''} | {text} |" for name, default, text in settings()]
    expected = TABLE_HEAD + "\n".join(rows) + "\n"
    start = README.read_text().find(TABLE_HEAD)
    assert start > 0
    assert README.read_text()[start : start + len(expected)] == expected
    assert not README.read_text()[start + len(expected) :].startswith("|")


def test_the_example_of_an_environment_lists_exactly_the_settings_with_their_defaults():
    blocks = (ROOT / ".env.example").read_text().split("\n\n")
    given = [block.strip() for block in blocks if "FLEETFLOW_" in block and not block.startswith("##")]
    assert given == [f"# {text}\n#{name}={default}" for name, default, text in settings()]


def test_the_example_decides_nothing_but_the_passwords_that_must_be_chosen():
    lines = (ROOT / ".env.example").read_text().splitlines()
    decided = [line for line in lines if line and not line.startswith("#")]
    assert decided == [f"{each}_PASSWORD=" for each in ("POSTGRES", "INGEST", "WORKER", "DASHBOARD", "RABBITMQ")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=ids(DOCUMENTS))
def test_documents_name_only_settings_that_exist(document: Path):
    named = set(re.findall(r"\bFLEETFLOW_[A-Z_]*[A-Z]\b", document.read_text()))
    assert named <= {name for name, _, _ in settings()} | {"FLEETFLOW_TEST_DATABASE_URL"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=ids(DOCUMENTS))
def test_every_link_leads_somewhere(document: Path):
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(document.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (document.parent / path).resolve() if path else document
        assert found.exists(), f"{document.name} links to {target}"
        assert not anchor or anchor in anchors(found), f"{document.name} links to {target}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=ids(DOCUMENTS))
def test_every_command_that_is_named_exists(document: Path):
    text = code(document.read_text())
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|[`&;] ?)make ([a-z-]+)", text, re.MULTILINE)) <= targets
    for module, argument in re.findall(r"python -m ([\w.]+)(?: ([a-z]+))?", text):
        assert find_spec(module), f"{document.name} names python -m {module}"
        assert module != "fleetflow" or argument in {"", *COMMANDS}, f"{document.name}: python -m fleetflow {argument}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=ids(DOCUMENTS))
def test_every_file_that_is_named_exists(document: Path):
    folders = "fleetflow|ingest_api|worker|dashboard|tests|benchmarks|docs|scripts"
    for name in re.findall(rf"`((?:{folders})/[\w./-]*)`", document.read_text()):
        assert (ROOT / name).exists() or name.startswith("benchmarks/results"), f"{document.name} names {name}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=ids(DOCUMENTS))
def test_every_test_that_is_named_exists(document: Path):
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    for name in re.findall(r"`(test_\w+)`", document.read_text()):
        assert re.search(rf"^(?:async )?def {name}\(", tests, re.MULTILINE), f"{document.name} names {name}"


@pytest.mark.parametrize("record", sorted(DECISIONS.glob("*.md")), ids=ids(sorted(DECISIONS.glob("*.md"))))
def test_a_decision_names_what_was_weighed_and_the_test_that_enforces_it(record: Path):
    text = record.read_text()
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == ["Context", "Decision", "Alternatives", "Consequences", "Enforced by"]
    assert re.search(r"`test_\w+`", text.rpartition("## Enforced by")[2])


def test_decisions_are_numbered_without_a_gap():
    numbers = [int(path.name[:4]) for path in sorted(DECISIONS.glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_constants_of_detection_are_documented_as_they_are():
    rows = re.findall(r"^\| `([A-Z_]+)` \| ([\d.]+) \|", (ROOT / "docs" / "scoring.md").read_text(), re.MULTILINE)
    known = {**vars(clock), **vars(smoothing), **vars(tracks), **vars(tuning)}
    assert len(rows) > 10
    assert {name: float(value) for name, value in rows} == {name: known[name] for name, _ in rows}


def test_the_default_profile_is_documented_as_it_is():
    rows = re.findall(
        r"^\| (\w+) \| ([\d.]+) (?:g|km/h) \| (\d+) \|", (ROOT / "docs" / "scoring.md").read_text(), re.MULTILINE
    )
    documented = {EventKind(kind): Rule(float(threshold), int(points)) for kind, threshold, points in rows}
    assert documented == DEFAULT_PROFILE.rules


def test_pictures_are_light_enough_to_load_with_a_page():
    pictures = sorted((ROOT / "docs" / "pictures").glob("*.png"))
    assert pictures
    assert [each.name for each in pictures if each.stat().st_size > 150_000] == []


def test_the_documents_are_plain():
    for document in DOCUMENTS:
        assert not re.search("[\u2190-\u21ff\u2600-\u27bf\U0001f000-\U0001faff]", document.read_text()), document.name


def test_the_changelog_tells_of_this_version_or_what_is_to_come():
    assert re.search(rf"^## \[(?:Unreleased|{re.escape(VERSION)})\]", DOCUMENTS[1].read_text(), re.MULTILINE)


# Written so that this file does not match itself.
NEVER_NAMED = {
    "a package registry": r"(?:pypi|npmjs|pythonhosted|rubygems|crates)\.(?:org|com|io)\b",
    "an image registry": r"\b(?:docker|ghcr|quay|gcr)\.io/",
    "a folder of one machine": r"(?<![\w.])/(?:work|home|root|Users)/[a-z]",
}


@pytest.mark.parametrize("what", NEVER_NAMED)
def test_no_file_names(what: str):
    found = {name for name, text in tracked_texts() if re.search(NEVER_NAMED[what], text)}
    assert not found
