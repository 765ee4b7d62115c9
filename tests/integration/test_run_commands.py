"""`rescore` and `reanalyse` as somebody types them: what they start, say and refuse."""

from __future__ import annotations

import pytest

from fleetflow.__main__ import main
from fleetflow.safety.events import DETECTION_VERSION
from fleetflow.storage import profiles, runs
from fleetflow.storage.database import connection
from tests.integration.test_rescoring import HARD, SOFT, insert_trip, score_under, store
from tests.support.programs import make_settings, running_worker

pytestmark = pytest.mark.postgres


@pytest.fixture
def command(database_url, monkeypatch, capsys):
    """Runs one; its exit code and what it said, on either stream."""
    monkeypatch.setenv("FLEETFLOW_DATABASE_URL", database_url)

    def run(*words: str) -> tuple[int, str]:
        code = main(list(words))
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def test_a_run_is_asked_for_watched_and_makes_its_profile_active(engine, command, database_url):
    trips = [insert_trip(engine, HARD, SOFT, hour=hour) for hour in range(3)]
    version = store(engine)
    with running_worker(make_settings(), database_url):
        code, said = command("rescore", "--profile", str(version), "--activate", "--watch", "--by", "Simulated Kim")
    assert code == 0
    assert f"scores 3 trips under profile {version}, Stricter," in said
    assert "completed, 3 trips done" in said
    assert [score_under(engine, trip, version) for trip in trips] == [80] * 3
    with connection(engine) as conn:
        assert profiles.list_activations(conn)[0].activated_by == "Simulated Kim"
    assert command("rescore", "--profile", "1", "--activate") == (
        0, "Every trip has its score under profile 1, Default, already; it is active now.\n",
    )  # fmt: skip


def test_a_period_is_scored_alone_and_a_second_run_is_told_of_the_first_until_it_is_cancelled(engine, command):
    inside, _ = (insert_trip(engine, SOFT, hour=hour) for hour in (6, 20))
    version = store(engine)
    asked = ("rescore", "--profile", str(version), "--since", "2026-11-20", "--until", "2026-11-20T12:00+00:00")
    code, said = command(*asked, "--by", "Simulated Kim")
    assert (code, "scores 1 trip under" in said, "leaves the active profile as it is" in said) == (0, True, True)
    code, said = command(*asked)
    assert (code, said.startswith("Simulated Kim is applying profile 2 already: 0 of 1 trips")) == (1, True)
    assert command("rescore", "--cancel")[1].startswith("Run 1 is cancelled")
    assert command("rescore", "--cancel") == (0, "No run is going on.\n")
    with connection(engine) as conn:
        run = runs.insert_run(conn, version, asked_by="Test")
        while runs.advance_run(conn):
            pass
    assert run.total_trips == 2
    assert score_under(engine, inside, version) == 90


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Name the profile's version with --profile."),
        (("--profile", "99"), "There is no scoring profile 99."),
        (("--profile", "1", "--since", "2030-01-01"), "There is no analysed trip in this period."),
        (("--profile", "1", "--since", "2026-02-01", "--until", "2026-01-01"), "The period is empty"),
        (("--profile", "1", "--since", "2026-02-01", "--activate"), "A profile becomes active for all trips"),
    ],
)
def test_what_cannot_be_run_is_one_line(engine, command, words: tuple[str, ...], said: str):
    insert_trip(engine, HARD)
    code, answer = command("rescore", *words)
    assert (code, answer.count("\n")) == (1, 1)
    assert answer.startswith(said)


def test_old_trips_are_analysed_again_when_asked(engine, command, database_url):
    insert_trip(engine, HARD)
    with running_worker(make_settings(), database_url):
        code, said = command("reanalyse", "--watch")
    assert code == 0
    assert "workers analyse 1 trip again" in said
    assert "Re-analysis 1: completed, 1 trip done." in said
    code, said = command("reanalyse")
    assert (code, said) == (1, f"No trip was analysed by a detection older than version {DETECTION_VERSION}.\n")
    assert command("reanalyse", "--cancel") == (0, "No re-analysis is going on.\n")
    code, said = command("reanalyse", "--older-than-version", "99")
    assert (code, said.startswith("Versions of the detection go from 1 to")) == (1, True)


def test_a_reanalysis_can_be_cancelled(engine, command):
    insert_trip(engine, HARD)
    assert command("reanalyse")[0] == 0
    assert command("reanalyse", "--cancel")[1].startswith("Re-analysis 1 is cancelled")


def test_their_help_says_what_they_do(capsys):
    for name in ("rescore", "reanalyse"):
        with pytest.raises(SystemExit, match="0"):
            main([name, "--help"])
        assert "--watch" in capsys.readouterr().out
