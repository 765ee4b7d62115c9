"""Text in files that people open in a spreadsheet: what would run as a formula is quoted, and read back as it was."""

from __future__ import annotations

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
QUOTE = "'"


def defuse(text: str) -> str:
    """The text so that no spreadsheet runs it."""
    return f"{QUOTE}{text}" if text.startswith((*FORMULA_STARTS, QUOTE)) else text


def restore(text: str) -> str:
    """What `defuse` was given."""
    quoted = text.startswith(QUOTE) and text[1:].startswith((*FORMULA_STARTS, QUOTE))
    return text[1:] if quoted else text
