"""In which order the tests run, and how pytest-xdist spreads them over processes."""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

TOGETHER = {
    "faults": ("tests/faults/",),
    "rabbitmq": (
        "tests/integration/test_queue_rabbitmq.py",
        "tests/integration/test_queue_contract.py",
        "tests/integration/test_way_of_a_trip.py",
        "tests/integration/test_watching_a_worker.py",
    ),
}
"""One process runs these, one after the other: fault tests measure how long things take while programs die, and a
RabbitMQ of its own costs every process ten seconds."""
LONGEST_FIRST = (
    "tests/faults/",
    "tests/browser/test_dashboard_journeys.py",
    "tests/browser/test_accessibility.py",
    "tests/browser/",
    *TOGETHER["rabbitmq"],
    "tests/integration/test_up.py",
    "tests/integration/test_upload_page.py",
    "tests/integration/",
    "tests/",
)
"""What takes long must not be what everyone waits for in the end."""


class ByFile(LoadScopeScheduling):
    """Gives out whole files, since the tests of a file share servers, in the order of the tests."""

    def _split_scope(self, nodeid: str) -> str:
        return next((name for name, starts in TOGETHER.items() if nodeid.startswith(starts)), nodeid.partition("::")[0])


def place(item: pytest.Item) -> int:
    """The longer a file takes, the lower."""
    return next(place for place, start in enumerate(LONGEST_FIRST) if item.nodeid.startswith(start))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    config.option.loadscopereorder = False  # it would put the files with the most tests first, which are the quick ones
    return ByFile(config, log)
