"""A real, private RabbitMQ for the tests: one broker per session, a fresh virtual host for each test.

It needs `rabbitmq-server` on this machine and touches no other broker: own ports, node name, cookie and folders.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

from fleetflow import processes
from tests.support.ports import HOST, free_port
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

START_TIMEOUT_S = 90.0
CONTROL_TIMEOUT_S = 30.0
HOW_TO_INSTALL = "These tests need RabbitMQ: apt-get install -y --no-install-recommends rabbitmq-server"
# Not the wrapper in /usr/sbin, which becomes the user rabbitmq and serves the machine's own broker.
SERVER_FOLDERS = ("/usr/lib/rabbitmq/bin", "/opt/homebrew/opt/rabbitmq/sbin", "/usr/local/opt/rabbitmq/sbin")

CONFIGURATION = """
listeners.tcp.1 = {host}:{port}
log.file.level = error
log.console = false
raft.wal_max_size_bytes = 16000000
"""
AMQP_HEADER = b"AMQP\x00\x00\x09\x01"


CLUSTER_CONFIGURATION = """
cluster_formation.peer_discovery_backend = classic_config
cluster_formation.discovery_retry_interval = 500
cluster_partition_handling = pause_minority
net_ticktime = 10
"""


@dataclass(frozen=True)
class Family:
    """What the nodes of one cluster have in common; the first of them keeps the name server that all use."""

    nodes: tuple[str, ...]
    cookie: str = field(default_factory=lambda: uuid.uuid4().hex)
    epmd_port: int = field(default_factory=free_port)

    @classmethod
    def of(cls, size: int) -> Self:
        """A family of so many nodes with names of their own."""
        return cls(tuple(f"fleetflow-{uuid.uuid4().hex[:8]}@localhost" for _ in range(size)))

    def configuration(self) -> str:
        """Nothing for a node that is alone."""
        if len(self.nodes) == 1:
            return ""
        named = [f"cluster_formation.classic_config.nodes.{at} = {name}" for at, name in enumerate(self.nodes, 1)]
        return CLUSTER_CONFIGURATION + "\n".join(named) + "\n"


def find_programs() -> Path:
    """The folder of RabbitMQ's own programs; a test failure that says what to install when there is none."""
    for folder in map(Path, SERVER_FOLDERS):
        if (folder / "rabbitmq-server").exists() and shutil.which("epmd"):
            return folder
    pytest.fail(HOW_TO_INSTALL, pytrace=False)


class PrivateBroker:
    """A RabbitMQ of the test's own: start, stop, kill, freeze and thaw it as you like. It dies with the tests."""

    def __init__(self, folder: Path, *, family: Family | None = None, place: int = 0) -> None:
        self.port = free_port()
        self._programs = find_programs()
        self._folder = folder
        self._family = family or Family.of(1)
        self._place = place
        self.node = self._family.nodes[place]
        self._cookie = self._family.cookie
        self._epmd_port = self._family.epmd_port
        self._epmd: subprocess.Popen[bytes] | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._prepare_folder()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def url(self, vhost: str = "%2F") -> str:
        """How to reach a virtual host; `%2F` is the default one."""
        return f"amqp://guest:guest@{HOST}:{self.port}/{vhost}"

    def start(self) -> None:
        """Run the broker on its port, with what it kept, until it answers."""
        self.launch()
        self.await_start()

    def launch(self) -> None:
        """Begin to start. Not in a thread of its own: the broker would die with that thread."""
        self.start_name_server()
        # With this variable the script becomes the server instead of waiting for it, so its process id is ours.
        environment = self._environment() | {"NOTIFY_SOCKET": str(self._folder / "nobody-listens")}
        self._server = self._spawn([str(self._programs / "rabbitmq-server")], environment)

    def await_start(self) -> None:
        """Wait until it answers."""
        assert self._server is not None
        wait_until(self._is_settled, START_TIMEOUT_S, what="RabbitMQ's start")
        if self._server.poll() is not None:
            log = (self._folder / "output").read_text(errors="replace")
            pytest.fail(f"RabbitMQ did not start:\n{log[-3000:]}", pytrace=False)

    def stop(self) -> None:
        """Shut the broker down in order; connections are told."""
        if self._server is not None:
            processes.stop(self._server, [(signal.SIGCONT, 0.0), (signal.SIGTERM, 20.0)])
            self._server = None

    def kill(self) -> None:
        """End the broker as a power cut would."""
        assert self._server is not None
        self._server.kill()
        self._server.wait()
        self._server = None

    def freeze(self) -> None:
        """Make the broker stop answering without closing anything."""
        assert self._server is not None
        self._server.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Undo `freeze`."""
        assert self._server is not None
        self._server.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """Shut everything down, epmd too."""
        self.stop()
        if self._epmd is not None:
            processes.stop(self._epmd, [])
            self._epmd = None

    def evaluate(self, erlang: str) -> str:
        """The value of Erlang expressions inside the broker: every switch it has, in milliseconds."""
        erl_call = shutil.which("erl_call")
        if erl_call:
            command, text = [erl_call, "-sname", self.node, "-c", self._cookie, "-e"], f"{erlang}.\n"
        else:
            command, text = [str(self._programs / "rabbitmqctl"), "-n", self.node, "eval", f"{erlang}."], ""
        done = subprocess.run(
            command,
            input=text,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=CONTROL_TIMEOUT_S,
            check=False,
        )
        failed = done.returncode != 0 or done.stdout.startswith("{error")
        assert not failed, f"{erlang}: {done.stdout}{done.stderr}"
        return done.stdout

    def add_vhost(self) -> str:
        """Make a virtual host with a name of its own."""
        name = f"test-{uuid.uuid4().hex}"
        self.evaluate(
            f'ok = rabbit_vhost:add(<<"{name}">>, <<"tests">>),'
            f'ok = rabbit_auth_backend_internal:set_permissions(<<"guest">>, <<"{name}">>,'
            '<<".*">>, <<".*">>, <<".*">>, <<"tests">>)'
        )
        return name

    def delete_vhost(self, name: str) -> None:
        """Remove a virtual host with all its queues and connections."""
        self.evaluate(f'rabbit_vhost:delete(<<"{name}">>, <<"tests">>)')

    def _prepare_folder(self) -> None:
        for name in ("home", "data", "log"):
            (self._folder / name).mkdir(parents=True)
        cookie = self._folder / "home" / ".erlang.cookie"
        cookie.write_text(self._cookie)
        cookie.chmod(0o400)
        configuration = CONFIGURATION.format(host=HOST, port=self.port) + self._family.configuration()
        (self._folder / "rabbitmq.conf").write_text(configuration)
        (self._folder / "plugins").write_text("[].\n")

    def _environment(self) -> dict[str, str]:
        folder = self._folder
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(folder / "home"),
            "ERL_EPMD_ADDRESS": HOST,
            "ERL_EPMD_PORT": str(self._epmd_port),
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "none.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_CTL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            # Schedulers that spin while they wait would take the tests' own processor.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none -kernel inet_dist_use_interface {127,0,0,1}",
        }

    def start_name_server(self) -> None:
        """Erlang's epmd, as a child: one that the broker starts by itself would outlive the tests."""
        if self._epmd is not None or self._place:
            return
        epmd = shutil.which("epmd")
        assert epmd
        self._epmd = self._spawn([epmd], self._environment())
        wait_until(lambda: _accepts(self._epmd_port), what="epmd")

    def _spawn(self, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        with (self._folder / "output").open("ab") as output:
            return subprocess.Popen(
                processes.die_with_parent(command, "KILL"),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                cwd=self._folder,
                env=environment,
            )

    def _is_settled(self) -> bool:
        assert self._server is not None
        return self._server.poll() is not None or _speaks_amqp(self.port)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateBroker]:
    """The session's broker. Leave it as you found it; to kill or freeze one, take `own_broker`."""
    with PrivateBroker(tmp_path_factory.mktemp("rabbitmq")) as broker:
        yield broker


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateBroker]:
    """A second broker, for a module whose tests kill or freeze it; each test leaves it running."""
    with PrivateBroker(tmp_path_factory.mktemp("own-rabbitmq")) as broker:
        yield broker


@pytest.fixture
def rabbitmq_url(broker: PrivateBroker) -> Iterator[str]:
    """The URL of an empty virtual host of the test's own."""
    vhost = broker.add_vhost()
    yield broker.url(vhost)
    broker.delete_vhost(vhost)


def _accepts(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def _speaks_amqp(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1) as probe:
            probe.sendall(AMQP_HEADER)
            return bool(probe.recv(1))
    except OSError:
        return False
