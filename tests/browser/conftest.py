"""Fixtures of the browser tests."""

from tests.support.browser import chromium

__all__ = ["chromium"]
