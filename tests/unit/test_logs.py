"""What a failure leaves in the log: where it happened, and nothing of what was in hand there."""

from __future__ import annotations

import json
import subprocess
import sys

SECRET = "gate7-open"
"""Stands in the text that the program reads, never in its code, which a traceback may quote."""
FAILS = """
import logging, sys
import structlog
from fleetflow import logs

def sign_in(password):
    cause = [password]
    try:
        raise RuntimeError("no such row\\nDETAIL:  Failing row contains (" + password + ").")
    except RuntimeError as error:
        raise ValueError("no good") from error

logs.configure("test", "info")
secret = sys.stdin.read()
try:
    sign_in(secret)
except ValueError as error:
    structlog.get_logger().error("failed", exc_info=error)
    logging.getLogger("library").error("failed too", exc_info=True)
"""


def test_a_failure_says_where_and_never_what_was_in_hand():
    done = subprocess.run(
        [sys.executable, "-c", FAILS], input=SECRET, capture_output=True, text=True, timeout=30, check=True
    )
    ours, library = map(json.loads, done.stderr.splitlines())
    for line in (ours, library):
        assert [each["exc_value"] for each in line["exception"]] == ["no good", "no such row"]
        assert [frame["name"] for frame in line["exception"][0]["frames"]] == ["<module>", "sign_in"]
    assert SECRET not in done.stderr
