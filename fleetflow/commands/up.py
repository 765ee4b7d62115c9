"""`python -m fleetflow up`: all of FleetFlow on this machine, from an empty folder to a dashboard with scores."""

from __future__ import annotations

import errno
import os
import socket
import sys
import time
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING

import httpx
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from fleetflow.commands.database import operator, transaction
from fleetflow.commands.migrate import describe
from fleetflow.commands.own_key import own_key
from fleetflow.doors import check_door
from fleetflow.embedded import EmbeddedPostgres
from fleetflow.errors import ConfigurationError
from fleetflow.logins import prepare_users, with_random_users
from fleetflow.people import add_first_accounts
from fleetflow.settings import local_url
from fleetflow.storage.migrate import upgrade
from fleetflow.supervisor import Program, Supervisor, stops_raise

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from fleetflow.people import Login
    from fleetflow.settings import Settings

HELP = "Run everything on this machine: Postgres, API, workers and dashboard."

HEALTHY_TIMEOUT_S = 60.0
PROBE_TIMEOUT_S = 1.0
PROBE_INTERVAL_S = 0.2
NAME_WIDTH = 9
COLOURS = {"api": "cyan", "worker": "green", "dashboard": "magenta", "demo": "yellow"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has none: everything is a setting."""
    del parser


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Start everything, say where it is, and keep it running until a signal."""
    del args
    console = Console(highlight=False, soft_wrap=True)
    with ExitStack() as stack:
        stack.enter_context(stops_raise())
        server = stack.enter_context(embedded_server(settings))
        if server:
            settings = settings.with_database(server.url)
        check_ports(settings)
        console.print(describe(upgrade(database_url(settings))))
        if server:
            settings = with_random_users(server.url, settings)
        notice = prepare_users(database_url(settings), settings)
        if notice:
            console.print(notice)
        with transaction(database_url(settings)) as conn:
            logins = add_first_accounts(conn, operator(), demo=settings.demo)
        watch = server.restart_if_ended if server else lambda: False
        check_door(settings, database_url(settings))
        calling = stack.enter_context(own_key(settings, database_url(settings)))
        write = partial(write_prefixed, console)
        supervise(stack.enter_context(Supervisor(write, also_watch=watch)), calling, console, logins)
    return 0


def supervise(children: Supervisor, settings: Settings, console: Console, logins: list[Login]) -> None:
    """Run the programs until a signal; ConfigurationError when they never became healthy."""
    for each in programs(settings):
        children.add(each)
    probes = Probes(settings)
    healthy = children.run(until=probes.all_answer, timeout_s=HEALTHY_TIMEOUT_S)
    if not healthy and not children.is_asked_to_stop:
        silent = " and ".join(probes.silent)
        raise ConfigurationError(f"{silent} did not answer within {HEALTHY_TIMEOUT_S:.0f} s; see the output above.")
    if healthy:
        console.print(greeting(settings, logins))
        if settings.demo:
            own = settings.for_program("dashboard")
            children.add(program("demo", "fleetflow.demo", own, runs_forever=False))
        children.run()
    console.print("Stopping; a second Ctrl-C stops at once.")


@contextmanager
def embedded_server(settings: Settings) -> Iterator[EmbeddedPostgres | None]:
    """The embedded Postgres when no database is configured, else None."""
    if settings.database_url:
        yield None
        return
    with EmbeddedPostgres(settings.data_dir) as server:
        yield server


def programs(settings: Settings) -> list[Program]:
    """The programs that make up FleetFlow, in the order they start; only the dashboard calls the API."""
    called = settings.model_copy(update={"api_key": None})
    own = called.for_program("worker")
    workers = [
        program(f"worker {number + 1}", "worker", _with_metrics_port(own, number)) for number in range(settings.workers)
    ]
    if settings.workers == 1:
        workers = [program("worker", "worker", own)]
    api = program("api", "ingest_api", called.for_program("ingest"))
    return [api, *workers, program("dashboard", "dashboard", settings.for_program("dashboard"))]


def _with_metrics_port(settings: Settings, number: int) -> Settings:
    """Workers of one machine tell their figures on ports side by side."""
    port = settings.worker_metrics_port
    return settings.model_copy(update={"worker_metrics_port": port + number}) if port else settings


def program(name: str, module: str, settings: Settings, *, runs_forever: bool = True) -> Program:
    """A module of ours as a child, with exactly these settings."""
    foreign = {name for name in os.environ if name.startswith("FLEETFLOW_") and name.endswith("_DATABASE_URL")}
    inherited = {name: value for name, value in os.environ.items() if name not in foreign}
    environment = inherited | settings.as_environment() | {"PYTHONUNBUFFERED": "1"}
    return Program(name, (sys.executable, "-m", module), environment, runs_forever)


def database_url(settings: Settings) -> str:
    """The database's URL, which is known by now."""
    assert settings.database_url is not None  # noqa: S101 - run has put the embedded one in
    return settings.database_url.get_secret_value()


def check_ports(settings: Settings) -> None:
    """ConfigurationError that names the port and its setting unless both can be listened on."""
    check_port(settings.api_host, settings.api_port, "FLEETFLOW_API")
    check_port(settings.dashboard_host, settings.dashboard_port, "FLEETFLOW_DASHBOARD")
    if settings.api_port == settings.dashboard_port and settings.api_host == settings.dashboard_host:
        raise ConfigurationError("FLEETFLOW_API_PORT and FLEETFLOW_DASHBOARD_PORT are the same port.")


def check_port(host: str, port: int, setting: str) -> None:
    """ConfigurationError when a server cannot listen there; the setting's name comes without _HOST and _PORT."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise ConfigurationError(describe_port(error, host, port, setting)) from error


def describe_port(error: OSError, host: str, port: int, setting: str) -> str:
    """What is wrong with an address, and which setting changes it."""
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken by another program: end that, or set {setting}_PORT to a free one."
    if error.errno == errno.EACCES:
        return f"Port {port} needs more rights than this user has: set {setting}_PORT to one above 1023."
    return f"{host} is no address of this machine: set {setting}_HOST to one."


class Probes:
    """Asks the programs whether they are healthy, not more often than makes sense."""

    def __init__(self, settings: Settings) -> None:
        self._waiting = {
            "The API": f"{local_url(settings.api_host, settings.api_port)}/healthz",
            "The dashboard": f"{local_url(settings.dashboard_host, settings.dashboard_port)}/_stcore/health",
        }
        self._next_at = 0.0

    @property
    def silent(self) -> list[str]:
        """The programs that have not answered yet."""
        return list(self._waiting)

    def all_answer(self) -> bool:
        """Whether each has answered once."""
        if time.monotonic() >= self._next_at:
            self._waiting = {name: url for name, url in self._waiting.items() if not answers(url)}
            self._next_at = time.monotonic() + PROBE_INTERVAL_S
        return not self._waiting


def answers(url: str) -> bool:
    """Whether a GET is answered with success."""
    try:
        return httpx.get(url, timeout=PROBE_TIMEOUT_S, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def greeting(settings: Settings, logins: list[Login]) -> Panel:
    """Where everything is, and the passwords that were made just now."""
    api = local_url(settings.api_host, settings.api_port)
    table = Table.grid(padding=(0, 2))
    table.add_row("Dashboard", f"[bold]{local_url(settings.dashboard_host, settings.dashboard_port)}[/bold]")
    for login in logins:
        table.add_row("Sign in as", f"[bold]{login.name}[/bold], password [bold]{login.password}[/bold]")
    lost = "python -m fleetflow account reset admin"
    if logins:
        table.add_row("", f"shown this once; a lost password is replaced by: {lost}")
    else:
        table.add_row("Sign in", f"with the passwords of the first start; a lost one is replaced by: {lost}")
    table.add_row("API", f"{api}/api/v1/telemetry")
    table.add_row("API reference", f"{api}/docs")
    if settings.demo:
        table.add_row("Demo", "an empty database is given a simulated fleet; FLEETFLOW_DEMO=false turns it off")
    table.add_row("Stop", "Ctrl-C")
    return Panel(table, title="FleetFlow is running", expand=False)


def write_prefixed(console: Console, name: str, line: str) -> None:
    """Print a program's line behind its name; what befalls each trip in order is for logs, not for a terminal."""
    if '"event": "trips_' in line:
        return
    colour = COLOURS.get(name.split(maxsplit=1)[0], "")
    console.print(Text.assemble((f"{name:<{NAME_WIDTH}} | ", colour), line))
