"""`python -m tests.fuzz decoder|importers [FOLDER] [-max_total_time=60 ...]`: libFuzzer's options, by way of atheris.

atheris is not among the requirements, since it is built for few platforms: `pip install atheris`. A find is written
to a file `crash-...`; `python -m tests.fuzz decoder crash-...` tries it again.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from rich.console import Console

NAMES = "decoder", "importers"


def main(name: str, arguments: list[str]) -> int:
    """Fuzz one target until somebody stops it or it finds something."""
    try:
        import atheris  # noqa: PLC0415 - it is optional
    except ImportError:
        Console(stderr=True).print("This needs atheris: pip install atheris")
        return 1
    # Only what is ours is watched on its ways: to watch all libraries takes minutes before the first input.
    with atheris.instrument_imports(include=["fleetflow"]):
        from tests.fuzz.targets import SEEDS, TARGETS  # noqa: PLC0415
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(SEEDS[name]):
            (Path(folder) / f"seed-{number}").write_bytes(seed)
        given = [each for each in arguments if not each.startswith("-")]
        atheris.Setup([name, *arguments, *([] if given else [folder])], TARGETS[name])
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] not in [[each] for each in NAMES]:
        sys.exit(f"Which one? python -m tests.fuzz {'|'.join(NAMES)}")
    sys.exit(main(sys.argv[1], sys.argv[2:]))
