"""Each guard switched off in a copy of the source, where the test that watches it must turn red: `make mutants`.

`python -m tests.faults.mutants [WORD ...]` takes only guards whose name holds a word. The product has no switch for any
of them: a mutant replaces a piece of text that occurs exactly once.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults.figures import say
from tests.faults.programs import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COPIED = ("fleetflow", "ingest_api", "worker", "dashboard", "tests", "pyproject.toml")
LIMIT_S = 180.0
SHOWN = 3_000
"""Characters of what pytest says, where that matters."""
RED = 1
"""pytest's exit code for tests that failed; any other than 0 and this means that they could not run."""
FAULTS, INTEGRATION, UNIT = "tests/faults", "tests/integration", "tests/unit"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A guard, the text that makes it, what stands in its place, and the test that must notice."""

    guard: str
    file: str
    text: str
    instead: str
    test: str


MUTANTS = (
    Mutant(
        "the sweep finds trips that nobody announced",
        "worker/loop.py",
        "trips = self._process(alone=False)\n",
        "trips = self._process(alone=False) if self._held else []\n",
        f"{FAULTS}/test_dying_api_and_queue.py::test_trips_that_nobody_announced_are_found_by_the_sweep",
    ),
    Mutant(
        "trips of a dead worker are taken up again",
        "worker/loop.py",
        "while not self._stopping.is_set() and self._process(alone=True):",
        "while False:",
        f"{FAULTS}/test_dying_workers.py::test_a_worker_killed_anywhere_leaves_every_trip_scored_once",
    ),
    Mutant(
        "score and state are one transaction",
        "worker/loop.py",
        "            insert_results(conn, [analysed",
        "        with connection(self._engine) as conn:\n            insert_results(conn, [analysed",
        f"{FAULTS}/test_dying_workers.py::test_a_worker_killed_anywhere_leaves_every_trip_scored_once",
    ),
    Mutant(
        "a token fences off a worker that lost its lease",
        "fleetflow/storage/claims.py",
        "WHERE trip.id = done.id AND trip.lease_token = %(token)s",
        "WHERE trip.id = done.id AND %(token)s::uuid IS NOT NULL",
        f"{FAULTS}/test_dying_workers.py::test_a_worker_that_was_frozen_past_its_lease_writes_nothing_when_it_thaws",
    ),
    Mutant(
        "workers pass over rows that another one claims",
        "fleetflow/storage/claims.py",
        "ORDER BY id LIMIT %(max_trips)s FOR UPDATE SKIP LOCKED",
        "ORDER BY id LIMIT %(max_trips)s FOR UPDATE",
        f"{INTEGRATION}/test_claims.py::test_rows_that_another_worker_is_claiming_are_passed_over",
    ),
    Mutant(
        "a trip that kills workers is given up",
        "fleetflow/storage/claims.py",
        "AND attempts >= %(max_attempts)s\n",
        "AND attempts >= %(max_attempts)s + 99\n",
        f"{INTEGRATION}/test_claims.py::test_a_trip_whose_workers_die_is_failed_after_exactly_the_allowed_attempts",
    ),
    Mutant(
        "a trip that has seen a death is tried alone",
        "fleetflow/storage/claims.py",
        "ORDER BY attempts, id LIMIT 1 FOR UPDATE SKIP LOCKED",
        "ORDER BY attempts, id FOR UPDATE SKIP LOCKED",
        f"{INTEGRATION}/test_claims.py::test_a_live_lease_is_not_taken_and_an_expired_one_is_taken_alone",
    ),
    Mutant(
        "a trip that raises harms no neighbour",
        "worker/analysis.py",
        "        if len(trips) > 1:\n",
        "        if len(trips) > 1:\n            return [Failure(trip, 'x') for trip in trips]\n        if False:\n",
        f"{FAULTS}/test_dying_workers.py::test_a_trip_that_raises_is_failed_at_once_with_a_reason",
    ),
    Mutant(
        "a batch that never ends ends its worker",
        "worker/watchdog.py",
        "                os._exit(EXIT_STUCK)\n",
        "",
        f"{FAULTS}/test_dying_workers.py::test_a_trip_that_never_ends_costs_its_worker_and_nobody_else",
    ),
    Mutant(
        "a stopped worker hands back what it cannot finish",
        "worker/watchdog.py",
        "                last_act.start()\n                last_act.join(LAST_ACT_S)\n",
        "",
        f"{FAULTS}/test_dying_workers.py::test_a_stopped_worker_that_cannot_finish_hands_back_within_ten_seconds",
    ),
    Mutant(
        "the same content is the same trip",
        "ingest_api/telemetry.py",
        "content_hash=fingerprint(trip),",
        "content_hash=uuid7().bytes,",
        f"{FAULTS}/test_dying_api_and_queue.py::test_an_api_killed_between_commit_and_publish_loses_nothing",
    ),
    Mutant(
        "202 is said after the commit",
        "ingest_api/intake.py",
        "            stored = self._store([waiting.trip for waiting in batch])\n",
        "            from fleetflow.storage.trips import Outcome, Stored\n\n"
        "            _answer(batch, [Stored(waiting.trip.id, Outcome.STORED) for waiting in batch])\n"
        "            stored = self._store([waiting.trip for waiting in batch])\n",
        f"{FAULTS}/test_sick_dependencies.py::test_a_sick_database_is_answered_in_time_and_heals_by_itself"
        "[Postgres without disk space]",
    ),
    Mutant(
        "a request does not wait for a silent database",
        "ingest_api/intake.py",
        "loop.call_later(self._timeout_s, self._time_out, waiting)",
        "loop.call_later(60.0, self._time_out, waiting)",
        f"{FAULTS}/test_sick_dependencies.py::test_a_sick_database_is_answered_in_time_and_heals_by_itself"
        "[Postgres silent]",
    ),
    Mutant(
        "a commit survives the end of Postgres",
        "fleetflow/embedded/server.py",
        "({} if self._durable else NOT_DURABLE)",
        "NOT_DURABLE",
        f"{FAULTS}/test_sick_dependencies.py::test_a_sick_database_is_answered_in_time_and_heals_by_itself"
        "[Postgres killed]",
    ),
    Mutant(
        "a connection that died while idle costs no request",
        "ingest_api/intake.py",
        "            return self._transaction(trips)\n\n",
        "            raise\n\n",
        f"{FAULTS}/test_dying_api_and_queue.py::test_sessions_cut_by_the_database_cost_no_request",
    ),
    Mutant(
        "new trips are refused while too many wait",
        "ingest_api/telemetry.py",
        '        if backlog != "ok":\n',
        "        if False:\n",
        f"{INTEGRATION}/test_backlog.py::test_trips_are_refused_while_too_many_wait_and_taken_when_some_are_done",
    ),
    Mutant(
        "posts beyond those in hand are refused",
        "ingest_api/telemetry.py",
        "if self._in_hand >= self._most_in_hand:",
        "if False:",
        f"{INTEGRATION}/test_backlog.py::test_posts_beyond_those_in_hand_are_refused_and_taken_when_there_is_room",
    ),
    Mutant(
        "a key that calls too often waits",
        "ingest_api/keys.py",
        "        if wait_s > 0:\n",
        "        if False:\n",
        f"{INTEGRATION}/test_api_key_terms.py::test_a_key_that_calls_too_often_waits_and_others_do_not",
    ),
    Mutant(
        "the future begins by the database's clock",
        "ingest_api/pulse.py",
        "return datetime.now(UTC) + self._newest.clock_offset",
        "return datetime.now(UTC)",
        f"{FAULTS}/test_faults_of_the_machine.py"
        "::test_clocks_that_are_wrong_by_an_hour_change_neither_leases_nor_the_future[+1h]",
    ),
    Mutant(
        "a trip that is tried again waits since then",
        "fleetflow/storage/backlog.py",
        ", retried_at = clock_timestamp()",
        "",
        f"{INTEGRATION}/test_backlog.py::test_an_old_trip_that_is_tried_again_does_not_close_the_api",
    ),
    Mutant(
        "a message without a queue comes back",
        "fleetflow/queue/rabbitmq.py",
        "properties, mandatory=True)",
        "properties, mandatory=False)",
        f"{INTEGRATION}/test_queue_rabbitmq.py::test_publishing_into_a_deleted_queue_counts_what_was_taken_in_the_end",
    ),
    Mutant(
        "messages outlive their broker",
        "fleetflow/queue/rabbitmq.py",
        "delivery_mode=PERSISTENT_DELIVERY_MODE",
        "delivery_mode=1",
        f"{INTEGRATION}/test_queue_rabbitmq.py::test_messages_are_persistent_text",
    ),
    Mutant(
        "the queue has a bound",
        "fleetflow/queue/topology.py",
        '        "x-max-length": queue_length,\n',
        "",
        f"{INTEGRATION}/test_queue_contract.py::test_a_full_queue_refuses_without_an_error",
    ),
    Mutant(
        "a stalled body is ended",
        "ingest_api/body.py",
        "async with asyncio.timeout(self._timeout_s):\n                body",
        "async with asyncio.timeout(None):\n                body",
        f"{INTEGRATION}/test_ingest_api.py::test_a_stalled_body_is_ended",
    ),
    Mutant(
        "a body has a bound while it is read",
        "ingest_api/body.py",
        "            if len(received) > self._max_body:\n",
        "            if False:\n",
        f"{INTEGRATION}/test_ingest_api.py::test_a_body_at_the_limit_passes_and_one_byte_more_does_not",
    ),
    Mutant(
        "a compressed body has a bound",
        "ingest_api/body.py",
        "unpacker.decompress(body, self._max_unpacked)",
        "unpacker.decompress(body)",
        f"{INTEGRATION}/test_ingest_api.py::test_a_compression_bomb_is_refused",
    ),
    Mutant(
        "a refusal names twenty faults at most",
        "fleetflow/trips/wire.py",
        "MAX_FAULTS = 20\n",
        "MAX_FAULTS = 2_000\n",
        f"{UNIT}/test_wire.py::test_all_faults_are_named_up_to_twenty",
    ),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Try each mutant and print the table; 0 when every one of them was noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.mutants", description=__doc__)
    parser.add_argument("words", nargs="*", help="only guards whose name holds one of these")
    words = parser.parse_args(argv).words
    chosen = [each for each in MUTANTS if not words or any(word in each.guard for word in words)]
    with tempfile.TemporaryDirectory() as folder:
        copy = _work_copy(Path(folder) / "copy")
        code, output = _run(copy, sorted({each.test for each in chosen}))
        if code:
            say(f"{output[-SHOWN:]}\nThe tests do not pass as they are; nothing can be said of the mutants.")
            return 1
        survivors = [line for line in _tried(copy, chosen) if line]
    say(f"{len(chosen) - len(survivors)} of {len(chosen)} mutants were noticed.")
    return bool(survivors)


def _tried(copy: Path, mutants: Sequence[Mutant]) -> Iterator[str]:
    for mutant in mutants:
        path = copy / mutant.file
        source = path.read_text()
        began = time.monotonic()
        path.write_text(mutated(source, mutant))
        code, _ = _run(copy, [mutant.test])
        path.write_text(source)
        verdict = "noticed" if code == RED else f"NOT NOTICED (exit code {code})"
        say(f"{verdict:<10} {time.monotonic() - began:6.1f} s  {mutant.guard}  <- {mutant.test.rpartition('::')[2]}")
        yield "" if code == RED else mutant.guard


def mutated(source: str, mutant: Mutant) -> str:
    """The file's text with the guard off; ValueError unless the guard's text occurs exactly once."""
    if source.count(mutant.text) != 1:
        raise ValueError(f"{mutant.file} holds the text of '{mutant.guard}' {source.count(mutant.text)} times")
    return source.replace(mutant.text, mutant.instead)


def _work_copy(folder: Path) -> Path:
    folder.mkdir()
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


def _run(copy: Path, tests: Sequence[str]) -> tuple[int, str]:
    """pytest's exit code in the copy and what it said; a run that does not end is as good as red."""
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", *tests]
    try:
        done = subprocess.run(
            command, cwd=copy, capture_output=True, text=True, timeout=LIMIT_S * len(tests), check=False
        )
    except subprocess.TimeoutExpired:
        return RED, "They did not come to an end."
    return done.returncode, done.stdout


if __name__ == "__main__":
    sys.exit(main())
