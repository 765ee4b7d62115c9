"""The supervisor with real processes: restarts, orderly ends, nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fleetflow.supervisor import Program, Supervisor
from tests.support.children import children_of, has_ended
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
STUBBORN = "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"
PATIENT = "import signal; print('up', flush=True); signal.pause()"
OWNER = """
import os, sys
from fleetflow.supervisor import Program, Supervisor
drain_s, *sources = sys.argv[1:]
with Supervisor(lambda name, line: print(f"{name}: {line}", flush=True), drain_s=float(drain_s)) as children:
    for number, source in enumerate(sources):
        children.add(Program(f"child {number}", (sys.executable, "-c", source), os.environ))
    children.run()
print("all ended", flush=True)
"""


@contextmanager
def supervisor(*sources: str, drain_s: float = 10) -> Iterator[subprocess.Popen[str]]:
    """A supervisor in a process of its own, with a child per source that has said "up"."""
    command = [sys.executable, "-c", OWNER, str(drain_s), *sources]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            for _ in sources:
                assert process.stdout.readline().endswith(": up\n")
            yield process
        finally:
            process.kill()


@contextmanager
def collecting() -> Iterator[tuple[Supervisor, list[tuple[str, str]]]]:
    lines: list[tuple[str, str]] = []
    with Supervisor(lambda name, line: lines.append((name, line)), drain_s=5) as children:
        yield children, lines


def python(source: str, name: str = "child", *, runs_forever: bool = True) -> Program:
    return Program(name, (sys.executable, "-c", source), os.environ, runs_forever)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_supervisor_and_every_child(signum):
    with supervisor(PATIENT, PATIENT) as process:
        pids = children_of(process.pid)
        assert len(pids) == 2
        process.send_signal(signum)
        assert process.wait(5) == 0
        assert all(map(has_ended, pids))


def test_a_child_may_finish_its_work_before_it_ends():
    source = """
import signal, sys
def finish(*_):
    print("work finished", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, finish)
print("up", flush=True)
while True:
    signal.pause()
"""
    with supervisor(source) as process:
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=5)[0] == "child 0: work finished\nall ended\n"


def test_a_child_that_does_not_end_is_killed_after_the_patience():
    with supervisor(STUBBORN, drain_s=0.5) as process:
        (pid,) = children_of(process.pid)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=5)
        assert 0.5 < time.monotonic() - started < 3
        assert output == "child 0: did not end in time and is killed\nall ended\n"
        assert has_ended(pid)


def test_a_second_ctrl_c_kills_at_once():
    with supervisor(STUBBORN, drain_s=60) as process:
        (pid,) = children_of(process.pid)
        started = time.monotonic()

        def insist() -> bool:
            process.send_signal(signal.SIGINT)
            return process.poll() is not None

        wait_until(insist, 5)
        assert time.monotonic() - started > 0.5, "one Ctrl-C that is delivered twice is not two"
        assert has_ended(pid)


def test_children_die_with_a_supervisor_that_is_killed():
    with supervisor(STUBBORN, PATIENT) as process:
        pids = children_of(process.pid)
        process.kill()
        wait_until(lambda: all(map(has_ended, pids)), 5)


def test_closing_the_terminal_ends_everything_in_order():
    keyboard, terminal = os.openpty()
    command = ["setsid", "--ctty", sys.executable, "-c", OWNER, "10", PATIENT, PATIENT]
    with subprocess.Popen(command, cwd=ROOT, stdin=terminal, stdout=terminal, stderr=terminal) as process:
        os.close(terminal)
        seen = b""
        while seen.count(b"up") < 2:
            seen += os.read(keyboard, 1000)
        pids = children_of(process.pid)
        assert len(pids) == 2
        os.close(keyboard)
        process.wait(5)
        assert all(map(has_ended, pids))


def test_what_a_killed_child_started_is_killed_with_it():
    source = f"""
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
{STUBBORN}
"""
    with supervisor(source, drain_s=0.2) as process:
        pids = children_of(process.pid)
        assert len(pids) == 2
        process.send_signal(signal.SIGINT)
        process.wait(5)
        wait_until(lambda: all(map(has_ended, pids)))


def test_a_child_that_dies_is_started_again_each_time_later():
    with collecting() as (children, lines):
        children.add(python("import sys; print('up'); sys.exit(3)"))
        started = time.monotonic()
        assert children.run(until=lambda: [line for _, line in lines].count("up") == 3, timeout_s=10)
        assert time.monotonic() - started > 0.5 + 1.0
    assert lines[:4] == [
        ("child", "up"),
        ("child", "ended with exit code 3; starts again in 0.5 s"),
        ("child", "up"),
        ("child", "ended with exit code 3; starts again in 1 s"),
    ]


def test_a_killed_child_is_started_again_while_its_siblings_run_on():
    with collecting() as (children, lines):
        children.add(python(PATIENT, "first"))
        children.add(python(f"import os; print(os.getpid(), flush=True); {PATIENT}", "second"))
        assert children.run(until=lambda: [line for _, line in lines].count("up") == 2, timeout_s=10)
        (pid,) = (int(line) for _, line in lines if line.isdigit())
        os.kill(pid, signal.SIGKILL)
        assert children.run(until=lambda: lines.count(("second", "up")) == 2, timeout_s=10)
        assert lines.count(("first", "up")) == 1
        assert ("second", "ended with SIGKILL; starts again in 0.5 s") in lines


@pytest.mark.parametrize(("code", "said"), [(0, []), (7, [("child", "ended with exit code 7")])])
def test_a_program_with_an_end_is_not_started_again(code, said):
    with collecting() as (children, lines):
        children.add(python(f"import sys; sys.exit({code})", runs_forever=False))
        children.add(python("import time; time.sleep(1.2); print('later')", "other", runs_forever=False))
        assert children.run(until=lambda: ("other", "later") in lines, timeout_s=10)
    assert [line for line in lines if line[0] == "child"] == said


def test_output_comes_line_by_line_also_without_a_last_line_end_and_with_bytes_that_are_no_text():
    first, second = r"b'one\ntw'", r"b'o\n\nb\xe4d\nend'"
    source = f"import sys; out = sys.stdout.buffer; out.write({first}); out.flush(); out.write({second})"
    with collecting() as (children, lines):
        children.add(python(source, runs_forever=False))
        assert children.run(until=lambda: ("child", "end") in lines, timeout_s=10)
    assert [line for _, line in lines] == ["one", "two", "b\N{REPLACEMENT CHARACTER}d", "end"]


def test_the_former_signal_handlers_are_back_afterwards():
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    with collecting():
        assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] != before
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before
