"""The API against its own OpenAPI document: whatever the document allows or forbids, the answer is one it names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import httpx

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(600)]
CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "response_headers_conformance", "unsupported_method",
)  # fmt: skip
PROGRAM = Path(sys.executable).parent / "schemathesis"


NOT_UNDERSTOOD = "/api/v1/telemetry/batch"
"""Schemathesis cannot write NDJSON; the corpus of bad input holds batches."""


@pytest.mark.parametrize(
    ("phases", "examples"),
    [
        ("fuzzing", 10),
        pytest.param("examples,coverage", 400, marks=pytest.mark.long),
        pytest.param("fuzzing", 400, marks=pytest.mark.long),
        pytest.param("stateful", 40, marks=pytest.mark.long),  # each is a walk of several requests
    ],
)
def test_no_request_that_the_document_leads_to_is_answered_against_it(
    phases: str, examples: int, api: httpx.Client, tmp_path: Path
):
    command = [
        PROGRAM, "run", f"{api.base_url}/openapi.json", f"--exclude-path={NOT_UNDERSTOOD}", f"--phases={phases}",
        f"--checks={','.join(CHECKS)}", f"--max-examples={examples}", "--continue-on-failure", "--no-shrink",
        "--no-color", "--warnings=off", "--generation-database=none",
    ]  # fmt: skip
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=560, check=False)
    assert answer.returncode == 0, answer.stdout[-6000:] + answer.stderr[-2000:]
