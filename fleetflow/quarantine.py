"""Uploaded files as they came, kept for a while under the hash of their content: never served, run or named."""

from __future__ import annotations

import hashlib
import os
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from fleetflow.settings import Settings

DAY_S = 86_400.0
NAME = re.compile(r"[0-9a-f]{64}(\.part)?")


@dataclass(frozen=True, slots=True)
class Quarantine:
    """A folder that only this user can open; what is older than `days` goes."""

    folder: Path
    days: float

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The one in the data folder."""
        return cls(settings.data_dir.absolute() / "quarantine", settings.quarantine_days)

    def keep(self, content: bytes) -> Path | None:
        """Keep a file, counted from now, and let go of old ones; None where none are kept. Raises OSError."""
        self.tidy()
        if not self.days:
            return None
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / hashlib.sha256(content).hexdigest()
        part = path.with_name(f"{path.name}.part")
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        return part.replace(path)

    def tidy(self) -> int:
        """Let go of what is too old; how many files that were."""
        oldest = time.time() - self.days * DAY_S
        old = [path for path in self._files() if not self.days or path.stat().st_mtime < oldest]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def forget(self, hashes: Iterable[str]) -> list[Path]:
        """Let go of the files with these SHA-256, in hexadecimal; those that this user cannot delete."""
        return [path for path in (self.folder / each for each in hashes) if not _is_gone(path)]

    def _files(self) -> Iterator[Path]:
        """Its own files; whatever else somebody put there is not touched."""
        if self.folder.is_dir():
            yield from (path for path in self.folder.iterdir() if NAME.fullmatch(path.name) and path.is_file())


def _is_gone(path: Path) -> bool:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True
