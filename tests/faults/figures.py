"""What was promised and what was found, a line each."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console

say = Console(highlight=False, markup=False, soft_wrap=True).print


@dataclass(frozen=True, slots=True)
class Figure:
    """What was promised, what was found, and whether that is within it."""

    name: str
    found: str
    kept: bool

    def tell(self) -> None:
        """Print it."""
        say(f"{'kept' if self.kept else 'BROKEN':<7} {self.name}: {self.found}")
