"""Kill, freeze and restart at random, under load: `python -m tests.faults.chaos [--seconds N] [--seed N]`.

What runs is what `make run` starts, with two workers and a RabbitMQ of its own; the supervisor heals it, nobody else
but the broker's owner. Every trip that was answered 202 is written down and looked up at the end.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from fleetflow.embedded import find_running
from tests.faults.figures import say
from tests.faults.five import violations
from tests.faults.programs import ROOT, environment
from tests.faults.senders import Ledger, sending
from tests.support.children import children_of
from tests.support.ports import free_port
from tests.support.proxy import FaultyProxy
from tests.support.queues import through
from tests.support.rabbitmq import PrivateBroker
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SENDERS = 4
FREEZE_S = 3.0
"""Longer than the lease, so that a frozen worker comes back to a claim that is not its own any more."""
PAUSE_S = 0.3, 1.5
WEIGHTS = {"worker killed": 8, "worker frozen": 2, "api killed": 6}
"""What is not named here has 1. Killing is quick, so that a minute has room for some fifteen deaths."""
HEAL_S = 60.0
SETTINGS = {"WORKERS": 2, "DEMO": "false", "LEASE_S": 2, "SWEEP_S": 1, "STORAGE_TIMEOUT_S": 2, "LOG_LEVEL": "warning"}
PROGRAMS = {"api": "ingest_api", "worker": "worker", "postgres": "postgres"}


def main(argv: list[str] | None = None) -> int:
    """Run, check, say what was seen; 0 when nothing was lost, doubled or wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to do harm")
    parser.add_argument("--seed", type=int, default=None, help="the same harm in the same order")
    args = parser.parse_args(argv)
    seed = args.seed if args.seed is not None else random.SystemRandom().randrange(10**6)
    say(f"Chaos for {args.seconds:g} s, seed {seed}")
    faults = run(args.seconds, seed)
    say("Nothing lost, doubled or wrong." if not faults else "\n".join(faults))
    return bool(faults)


def run(seconds: float, seed: int) -> list[str]:
    """Do harm for so long, let it heal, and return what is wrong, in sentences."""
    ledger, harm = Ledger(), Counter[str]()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = stack.enter_context(PrivateBroker(folder / "rabbitmq"))
        network = stack.enter_context(FaultyProxy(broker.port))
        port, supervisor = stack.enter_context(_fleetflow(folder, through(network, broker.url())))
        with sending(port, ledger, senders=SENDERS):
            chance = random.Random(seed)  # noqa: S311 - dice, no secret
            _do_harm(_deeds(supervisor.pid, broker, network, chance), seconds, chance, harm)
        say(f"{sum(harm.values())} faults: {dict(harm)}")
        say(f"answers: {dict(ledger.said())}, 99 of 100 within {ledger.p99_s():.1f} s")
        assert supervisor.poll() is None, "the supervisor itself ended"
        found = list(violations(_database(folder), ledger.accepted, within_s=HEAL_S))
        say(f"{len(ledger.accepted)} trips accepted")
        return found


@contextmanager
def _fleetflow(folder: Path, rabbitmq_url: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    port = free_port()
    own = {
        **SETTINGS,
        "RABBITMQ_URL": rabbitmq_url,
        "DATA_DIR": folder / "data",
        "API_PORT": port,
        "DASHBOARD_PORT": free_port(),
    }
    command = [sys.executable, "-m", "fleetflow", "up"]
    with (folder / "fleetflow.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment(own), stdout=log, stderr=log)
    try:
        wait_until(lambda: process.poll() is not None or _ready(port), HEAL_S, what="FleetFlow")
        yield port, process
    finally:
        process.terminate()
        process.wait(30)


def _ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=1).is_success
    except httpx.HTTPError:
        return False


def _deeds(
    supervisor: int, broker: PrivateBroker, network: FaultyProxy, chance: random.Random
) -> dict[str, Callable[[], bool]]:
    """Kinds of harm; each does it once and says whether there was somebody to harm."""
    return {
        "worker killed": lambda: _kill(supervisor, "worker", chance),
        "worker frozen": lambda: _freeze(supervisor, "worker", chance),
        "api killed": lambda: _kill(supervisor, "api", chance),
        "api frozen": lambda: _freeze(supervisor, "api", chance),
        "postgres killed": lambda: _kill(supervisor, "postgres", chance),
        "broker restarted": lambda: _restart(broker),
        "broker frozen": lambda: _freeze_broker(broker),
        "broker cut": lambda: _cut(network),
        "broker silent": lambda: _silence(network),
    }


def _do_harm(deeds: dict[str, Callable[[], bool]], seconds: float, chance: random.Random, harm: Counter[str]) -> None:
    """Each kind once, in any order, then whatever comes."""
    names = list(deeds)
    weights = [WEIGHTS.get(each, 1) for each in names]
    deck = chance.sample(names, len(names))
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        name = deck.pop() if deck else chance.choices(names, weights)[0]
        harm[name] += deeds[name]()
        time.sleep(chance.uniform(*PAUSE_S))


def _kill(supervisor: int, program: str, chance: random.Random) -> bool:
    return _signal(supervisor, program, chance, signal.SIGKILL) is not None


def _signal(supervisor: int, program: str, chance: random.Random, number: signal.Signals) -> int | None:
    """Send a signal to one process of the program; None while there is none (it is being started again)."""
    pids = sorted(pid for pid in children_of(supervisor) if _is(pid, program))
    if not pids:
        return None
    pid = chance.choice(pids)
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return None
    return pid


def _is(pid: int, program: str) -> bool:
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    if program == "postgres":
        return arguments[0].endswith(b"/postgres") and b"-D" in arguments
    return arguments[1:3] == [b"-m", PROGRAMS[program].encode()]


def _freeze(supervisor: int, program: str, chance: random.Random) -> bool:
    pid = _signal(supervisor, program, chance, signal.SIGSTOP)
    if pid is None:
        return False
    time.sleep(FREEZE_S)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)
    return True


def _restart(broker: PrivateBroker) -> bool:
    broker.kill()
    broker.start()
    return True


def _freeze_broker(broker: PrivateBroker) -> bool:
    broker.freeze()
    time.sleep(FREEZE_S)
    broker.thaw()
    return True


def _cut(network: FaultyProxy) -> bool:
    network.cut()
    return True


def _silence(network: FaultyProxy) -> bool:
    network.blackhole()
    time.sleep(FREEZE_S)
    network.heal()
    return True


def _database(folder: Path) -> str:
    url = wait_until(lambda: find_running(folder / "data"), HEAL_S, what="Postgres")
    assert url
    return url


if __name__ == "__main__":
    sys.exit(main())
