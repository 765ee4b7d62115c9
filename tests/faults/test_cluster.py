"""Three RabbitMQ nodes on one machine: the leader of the queue is killed under load, and nothing is lost or late."""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import TYPE_CHECKING

import httpx
import pytest

from fleetflow.queue.interface import QUEUE_NAME
from tests.faults.five import assert_the_five
from tests.faults.programs import Programs
from tests.faults.senders import Ledger, sending
from tests.support.rabbitmq import Family, PrivateBroker
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.faults, pytest.mark.postgres, pytest.mark.rabbitmq, pytest.mark.long, pytest.mark.timeout(280),
]  # fmt: skip
NODES = 3
LEADER = (
    "[case amqqueue:get_pid(Q) of {_, Node} -> Node; Pid -> node(Pid) end || Q <- rabbit_amqqueue:list(),"
    f' element(4, amqqueue:get_name(Q)) =:= <<"{QUEUE_NAME}">>]'
)
"""An Erlang expression: on which node the queue has its leader."""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[list[PrivateBroker]]:
    family = Family.of(NODES)
    with ExitStack() as stack:
        nodes = [PrivateBroker(tmp_path / f"node-{at}", family=family, place=at) for at in range(NODES)]
        stack.callback(nodes[0].close)  # last, for it has the name server
        nodes[0].start_name_server()
        for node in nodes:
            stack.callback(node.stop)
        for node in nodes:
            node.launch()
        for node in nodes:
            node.await_start()
        wait_until(lambda: all(map(_sees_the_others, nodes)), 60, what="a cluster")
        yield nodes


def _sees_the_others(node: PrivateBroker) -> bool:
    try:
        return str(NODES - 1) in node.evaluate("length(nodes())")
    except AssertionError:  # it joins, and starts anew for that
        return False


def leader_of(cluster: list[PrivateBroker], asked: PrivateBroker) -> PrivateBroker | None:
    """The node that leads the queue, as another one sees it."""
    named = re.search(r"fleetflow-\w+@localhost", asked.evaluate(LEADER))
    return next((node for node in cluster if named and node.node == named[0]), None)


def test_the_leader_of_the_queue_is_killed_under_load_and_nothing_is_lost(
    cluster: list[PrivateBroker], database_url: str, tmp_path: Path
):
    urls = ",".join(node.url() for node in cluster)
    ledger = Ledger()
    with Programs(database_url, tmp_path, RABBITMQ_URL=urls, QUEUE_TIMEOUT_S=3) as programs:
        programs.start_api()
        for _ in range(2):
            programs.start_worker()

        def sent(count: int) -> None:
            goal = len(ledger.accepted) + count
            wait_until(lambda: len(ledger.accepted) >= goal, 30, what=f"{count} more trips")

        def reachable() -> bool:
            ready: dict[str, str] = httpx.get(f"http://127.0.0.1:{programs.port}/readyz", timeout=5).json()
            return ready.get("queue") == "ok"

        with sending(programs.port, ledger, pause_s=0.01):
            sent(50)
            leader = wait_until(lambda: leader_of(cluster, cluster[0]), what="a leader")
            assert leader
            leader.kill()
            sent(100)
            survivor = next(node for node in cluster if node is not leader)
            wait_until(lambda: leader_of(cluster, survivor) not in {None, leader}, 30, what="another leader")
            wait_until(reachable, 30, what="the queue by way of another node")
            sent(50)
            leader.start()
            sent(50)
        assert set(ledger.said()) == {"202"}
        assert ledger.p99_s() < 1
        assert_the_five(programs, ledger.accepted)
