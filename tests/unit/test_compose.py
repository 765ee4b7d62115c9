"""The container set-up, as far as it can be judged without an engine to run it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from fleetflow.__main__ import COMMANDS
from fleetflow.settings import Settings
from worker.loop import SHUTDOWN_GRACE_S
from worker.watchdog import LAST_ACT_S

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "Dockerfile"
TOOLS = Path(sys.executable).parent

PROGRAMS = ("migrate", "api", "worker", "dashboard")
SERVERS = ("postgres", "rabbitmq")
PROXY = "proxy"
LONG_RUNNING = ("postgres", "rabbitmq", "api", "worker", "dashboard", "proxy")
PUBLISHED = {"api": ("FLEETFLOW_API", "8000"), "dashboard": ("FLEETFLOW_DASHBOARD", "8501")}
OWN_DATABASE = {
    "api": "FLEETFLOW_INGEST_DATABASE_URL",
    "worker": "FLEETFLOW_WORKER_DATABASE_URL",
    "dashboard": "FLEETFLOW_DASHBOARD_DATABASE_URL",
}
# What has no meaning in a container: there is no embedded Postgres and no supervisor; replicas are the workers.
NOT_IN_CONTAINERS = {"FLEETFLOW_DATA_DIR", "FLEETFLOW_DEMO", "FLEETFLOW_WORKERS"}


@cache
def compose() -> dict[str, Any]:
    content: dict[str, Any] = YAML(typ="safe").load(COMPOSE)
    return content


def service(name: str) -> dict[str, Any]:
    found: dict[str, Any] = compose()["services"][name]
    return found


def settings_names() -> set[str]:
    return {f"FLEETFLOW_{name.upper()}" for name in Settings.model_fields}


def is_runnable(module: str) -> bool:
    """Whether `python -m module` finds something to run."""
    spec = find_spec(module)
    return spec is not None and (not spec.submodule_search_locations or find_spec(f"{module}.__main__") is not None)


def seconds(duration: str) -> float:
    return float(duration.removesuffix("s"))


def judged(*command: str | Path) -> None:
    """Run a checker of the environment; what it says is the failure."""
    tool = shutil.which(command[0], path=TOOLS)
    assert tool, f"{command[0]} is not in {TOOLS}; run scripts/setup dev"
    answer = subprocess.run([tool, *command[1:]], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_the_compose_file_follows_the_specification():
    judged("check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE)


def test_the_dockerfile_follows_the_rules_of_its_linter():
    judged("hadolint", "--failure-threshold", "info", DOCKERFILE)


def test_the_services_are_the_ones_that_make_up_fleetflow():
    assert set(compose()["services"]) == {*PROGRAMS, *SERVERS, PROXY}


def test_every_variable_is_explained_in_the_example():
    used = set(re.findall(r"\$\{?(\w+)", COMPOSE.read_text()))
    explained = set(re.findall(r"^#?(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert used
    assert used <= explained


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_setting_reaches_every_program(program: str):
    others = set() if program == "migrate" else set(OWN_DATABASE.values())
    assert set(service(program)["environment"]) == settings_names() - NOT_IN_CONTAINERS - others


@pytest.mark.parametrize("program", OWN_DATABASE)
def test_a_program_knows_its_own_user_of_the_database_whom_migrate_makes(program: str):
    url = service(program)["environment"]["FLEETFLOW_DATABASE_URL"]
    assert url == service("migrate")["environment"][OWN_DATABASE[program]]
    known = re.findall(r"\$\{(\w+_PASSWORD)", str(service(program)["environment"]))
    assert known == [f"{OWN_DATABASE[program].split('_')[1]}_PASSWORD", "RABBITMQ_PASSWORD"][::-1]


def test_settings_that_the_file_does_not_decide_are_passed_on():
    decided = {name for name, value in service("api")["environment"].items() if value is not None}
    hosts_and_ports = {f"{prefix}_{end}" for prefix, _ in PUBLISHED.values() for end in ("HOST", "PORT")}
    inside = {"FLEETFLOW_WORKER_METRICS_HOST", "FLEETFLOW_WORKER_METRICS_PORT"}  # reached on the inner network only
    addresses = {
        "FLEETFLOW_DATABASE_URL", "FLEETFLOW_RABBITMQ_URL", "FLEETFLOW_API_ADDRESS", "FLEETFLOW_TRUSTED_PROXIES",
    }  # fmt: skip
    assert decided == addresses | hosts_and_ports | inside | {"FLEETFLOW_QUARANTINE_DAYS"}


def test_only_the_proxy_is_published():
    assert {name for name, each in compose()["services"].items() if "ports" in each} == {PROXY}
    assert len(service(PROXY)["ports"]) == len(PUBLISHED)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_port_is_on_loopback_unless_a_setting_says_otherwise(name: str):
    prefix, inside = PUBLISHED[name]
    assert f"${{{prefix}_HOST:-127.0.0.1}}:${{{prefix}_PORT:-{inside}}}:{inside}" in service(PROXY)["ports"]
    assert service(name)["environment"][f"{prefix}_PORT"] == inside
    assert service(name)["environment"][f"{prefix}_HOST"] == "0.0.0.0"  # noqa: S104  # inside its container


def test_no_password_has_a_default():
    for line in COMPOSE.read_text().splitlines():
        for secret in re.findall(r"\$\{(\w*(?:PASSWORD|SECRET|KEY|TOKEN)\w*)", line):
            assert f"${{{secret}:?" in line, line
    fixed = {
        f"{name}: {variable}"
        for name, each in compose()["services"].items()
        for variable, value in each.get("environment", {}).items()
        if re.search(r"PASS|SECRET|KEY|TOKEN|_URL$", variable) and value and "${" not in value
    }
    assert not fixed


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_every_service_that_stays_has_a_health_check_that_can_end(name: str):
    check = service(name)["healthcheck"]
    assert check["test"][0] == "CMD"
    assert len(check["test"]) > 1
    assert seconds(check["timeout"]) < seconds(check["interval"])
    assert check["retries"] >= 2


def test_the_health_checks_ask_addresses_that_the_programs_serve():
    assert "http://127.0.0.1:8000/healthz" in service("api")["healthcheck"]["test"][-1]
    assert "http://127.0.0.1:8501/_stcore/health" in service("dashboard")["healthcheck"]["test"][-1]
    for name in ("api", "dashboard"):
        compile(service(name)["healthcheck"]["test"][-1], "healthcheck", "exec")


def test_what_a_service_runs_exists():
    for name in PROGRAMS:
        commands = [service(name)["command"]]
        if "healthcheck" in service(name):
            commands.append(service(name)["healthcheck"]["test"][1:])
        for python, flag, module, *arguments in commands:
            assert python == "python"
            assert flag != "-m" or is_runnable(module), module
            if module == "fleetflow":
                assert arguments[0] in COMMANDS


def test_all_programs_wait_for_the_migration_and_the_migration_for_postgres():
    assert service("migrate")["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert service("migrate")["restart"] == "no"
    for name in set(PROGRAMS) - {"migrate"}:
        assert service(name)["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_a_sick_broker_keeps_no_program_from_starting():
    for name in PROGRAMS:
        assert service(name)["depends_on"].get("rabbitmq", {}).get("condition") != "service_healthy"


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_what_stays_comes_back_by_itself_and_bounds_its_logs(name: str):
    assert service(name)["restart"] == "unless-stopped"
    assert {"max-size", "max-file"} <= set(service(name)["logging"]["options"])


@pytest.mark.parametrize("name", [*PROGRAMS, PROXY])
def test_programs_of_ours_have_no_rights_and_cannot_write(name: str):
    each = service(name)
    assert each["read_only"] is True
    assert each["cap_drop"] == ["ALL"]
    assert "cap_add" not in each
    assert each["security_opt"] == ["no-new-privileges:true"]
    if name != PROXY:
        assert "user" not in each, "the image's user is not root; nothing here may change that"


@pytest.mark.parametrize("name", SERVERS)
def test_servers_keep_their_data_in_a_named_volume_on_an_inner_network(name: str):
    (mount,) = service(name)["volumes"]
    assert mount.split(":")[0] in compose()["volumes"]
    assert service(name)["networks"] == ["inside"]
    assert compose()["networks"]["inside"] == {"internal": True}
    assert re.fullmatch(r"\w+:\d+(\.\d+)*", service(name)["image"]), "a version of the image is named"


def test_a_worker_is_given_the_time_it_takes_to_stop():
    assert seconds(service("worker")["stop_grace_period"]) > SHUTDOWN_GRACE_S + LAST_ACT_S + 1


def test_the_proxy_is_not_root_and_stands_in_front_of_what_the_programs_serve():
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service(PROXY)["user"])
    assert compose()["configs"]["nginx"]["file"] == "./deploy/nginx.conf"
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    for name, (_, port) in PUBLISHED.items():
        assert f"listen {port};" in text
        assert f"http://{name}:{port};" in text


@pytest.mark.parametrize(
    "limit",
    [
        "client_header_timeout 10s", "client_body_timeout 10s", "send_timeout 10s", "client_max_body_size 10m",
        "limit_conn connections 50", "large_client_header_buffers 4 8k", "server_tokens off",
        "proxy_connect_timeout 3s",
    ],
)  # fmt: skip
def test_the_proxy_limits_what_a_client_may_take(limit: str):
    assert f"{limit};" in (ROOT / "deploy" / "nginx.conf").read_text()


CLUSTER = ROOT / "deploy" / "rabbitmq-cluster.yml"


def test_the_cluster_is_an_addition_that_follows_the_specification():
    judged("check-jsonschema", "--builtin-schema", "vendor.compose-spec", CLUSTER)
    content: dict[str, Any] = YAML(typ="safe").load(CLUSTER)
    nodes = {"rabbitmq", "rabbitmq-2", "rabbitmq-3"}
    assert set(content["services"]) == nodes | set(PROGRAMS)
    for name in nodes:
        assert content["services"][name]["hostname"] == name
        for node in nodes:
            assert f"rabbit@{node}" in content["configs"]["cluster"]["content"]
    for name in PROGRAMS:
        assert {each.split("@")[1].split(":")[0] for each in
                content["services"][name]["environment"]["FLEETFLOW_RABBITMQ_URL"].split(",")} == nodes  # fmt: skip
    used = set(re.findall(r"\$\{?(\w+)", CLUSTER.read_text()))
    assert used <= set(re.findall(r"^#?(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


def test_the_image_is_built_in_stages_from_pinned_requirements_and_runs_as_nobody():
    text = DOCKERFILE.read_text()
    stages = re.findall(r"^FROM (\S+)(?: AS (\w+))?$", text, re.MULTILINE)
    assert [base for base, _ in stages] == ["${BASE}"] * 2
    assert {name for _, name in stages if name} >= set(re.findall(r"--from=(\w+)", text))
    assert re.search(r"^ARG BASE=python:3\.\d+-slim-bookworm$", text, re.MULTILINE)
    assert "--require-hashes" in text
    final = text.rpartition("\nFROM ")[2]
    assert re.search(r"^USER (?!0\b)\d+:\d+$", final, re.MULTILINE)
    assert "pip" not in final


def test_the_build_target_of_every_program_exists():
    stages = set(re.findall(r"^FROM \S+ AS (\w+)$", DOCKERFILE.read_text(), re.MULTILINE))
    for name in PROGRAMS:
        build = service(name)["build"]
        assert (ROOT / build["context"] / build.get("dockerfile", "Dockerfile")).is_file()
        assert build.get("target") in {None, *stages}


def test_what_the_image_copies_exists_and_is_let_through_by_dockerignore():
    copied = re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE.read_text(), re.MULTILINE)
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    for path in copied:
        assert (ROOT / path).exists(), path
        assert f"!{path}" in ignored, path
    assert {f"!{path}" for path in copied} == {line for line in ignored if line.startswith("!")}


def test_every_package_of_a_program_is_in_the_image():
    copied = set(re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE.read_text(), re.MULTILINE))
    packages = {path.parent.name for path in ROOT.glob("*/__main__.py")} - {"benchmarks"}
    assert packages <= copied
