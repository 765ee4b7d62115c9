"""Uploaded files are kept as they came for as long as it is set, and nobody else can read them."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from fleetflow.quarantine import DAY_S, Quarantine

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = b"../../etc/passwd,=1+1\n"


def kept(quarantine: Quarantine) -> list[str]:
    return sorted(path.name for path in quarantine.folder.iterdir()) if quarantine.folder.exists() else []


def aged(path: Path, days: float) -> None:
    at = path.stat().st_mtime - days * DAY_S
    os.utime(path, (at, at))


def test_a_file_is_kept_once_under_its_hash_for_its_owner_alone(tmp_path: Path):
    quarantine = Quarantine(tmp_path / "quarantine", 30)
    quarantine.keep(CONTENT)
    path = quarantine.keep(CONTENT)
    assert path is not None
    assert path.read_bytes() == CONTENT
    assert kept(quarantine) == [hashlib.sha256(CONTENT).hexdigest()]
    assert [each.stat().st_mode & 0o777 for each in (path, quarantine.folder)] == [0o600, 0o700]


def test_what_is_too_old_goes_and_a_file_that_comes_again_is_new(tmp_path: Path):
    quarantine = Quarantine(tmp_path, 30)
    for content, days in ((b"old", 31), (b"again", 31), (b"young", 29)):
        path = quarantine.keep(content)
        assert path is not None
        aged(path, days)
    quarantine.keep(b"again")
    assert kept(quarantine) == sorted(hashlib.sha256(each).hexdigest() for each in (b"again", b"young"))


def test_nothing_is_kept_where_nothing_is_to_be_kept_and_what_is_not_its_own_stays(tmp_path: Path):
    Quarantine(tmp_path, 1).keep(CONTENT)
    (tmp_path / "notes.txt").write_text("mine")
    nowhere = Quarantine(tmp_path, 0)
    assert nowhere.keep(CONTENT) is None
    assert kept(nowhere) == ["notes.txt"]
    assert Quarantine(tmp_path / "gone", 0).tidy() == 0


def test_a_file_is_forgotten_by_its_hash_and_no_other(tmp_path: Path):
    quarantine = Quarantine(tmp_path, 30)
    quarantine.keep(CONTENT)
    quarantine.keep(b"another")
    gone = hashlib.sha256(CONTENT).hexdigest()
    assert quarantine.forget([gone, "0" * 64]) == []
    assert kept(quarantine) == [hashlib.sha256(b"another").hexdigest()]


def test_what_cannot_be_deleted_is_told_and_the_others_go(tmp_path: Path):
    quarantine = Quarantine(tmp_path, 30)
    mine = quarantine.keep(CONTENT)
    assert mine is not None
    stuck = tmp_path / ("f" * 64)
    stuck.mkdir()
    assert quarantine.forget([stuck.name, mine.name]) == [stuck]
    assert not mine.exists()
