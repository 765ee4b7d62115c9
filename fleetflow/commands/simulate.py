"""`python -m fleetflow simulate`: write simulated trips as the contract's NDJSON, with their events as truth."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING
from uuid import UUID, uuid5

import numpy as np
import orjson

from fleetflow.commands.numbers import between
from fleetflow.errors import ConfigurationError
from fleetflow.simulator import Sensors, SimulatedTrip, Temper, simulate_trip
from fleetflow.trips.encode import encode_trip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleetflow.settings import Settings

HELP = "Write simulated trips, ready for `send`, and the harsh events that were put into them."
NAMESPACE = UUID("0f5a6f0e-2a0b-4d6b-9a3c-6f2f4b1d7c55")
FIRST_START = datetime(2026, 1, 5, 8, tzinfo=UTC)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many trips of what kind."""
    parser.add_argument("--trips", type=_whole, default=10, help="how many (default: 10)")
    parser.add_argument(
        "--drivers", type=_whole, default=5, help="by how many drivers, from calm to rough (default: 5)"
    )
    parser.add_argument("--minutes", type=_minutes, default=20.0, help="how long each is (default: 20)")
    parser.add_argument("--hz", type=_rate, default=10.0, help="samples per second, 1 to 50 (default: 10)")
    parser.add_argument("--seed", type=_seed, default=1, help="the same seed gives the same trips (default: 1)")
    parser.add_argument("--noise-g", type=_amount, default=0.0, help="white noise of the accelerometer, in g")
    parser.add_argument("--bias-g", type=_bias, default=0.0, help="bias of both accelerations, in g")
    parser.add_argument(
        "--steepest-grade", type=_share, default=0.0, help="of a hilly road; 0.06 is 6 %% (default: flat)"
    )
    parser.add_argument("--bumps-per-minute", type=_amount, default=0.0, help="short knocks of 1 g")
    parser.add_argument("--gaps-per-hour", type=_amount, default=0.0, help="silences of 3 to 20 s")
    parser.add_argument("--frozen-speeds-per-hour", type=_amount, default=0.0, help="speeds that stand still a while")
    parser.add_argument("--lost-position-share", type=_share, default=0.0, help="share of points without GPS, 0 to 1")
    parser.add_argument("--no-position", action="store_true", help="a device without GPS")
    parser.add_argument("--output", type=Path, help="file for the trips (default: standard output)")
    parser.add_argument("--truth", type=Path, help="file for the true events, one JSON object a line")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Write them one by one, so that any number fits. Raises ConfigurationError for a file that cannot be written."""
    del settings
    try:
        with ExitStack() as stack:
            output: IO[bytes] = stack.enter_context(args.output.open("wb")) if args.output else sys.stdout.buffer
            truth: IO[bytes] | None = stack.enter_context(args.truth.open("wb")) if args.truth else None
            for number, simulated in enumerate(_trips(args), 1):
                output.write(encode_trip(simulated.trip) + b"\n")
                if truth:
                    truth.writelines(_truth_lines(number, simulated))
            output.flush()
    except BrokenPipeError:
        _forget_stdout()
    except OSError as error:
        raise ConfigurationError(f"{error.filename or 'The trips'} cannot be written: {error.strerror}") from None
    return 0


def _forget_stdout() -> None:
    """Whoever read it, such as `head`, has enough: the interpreter must not flush into it at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _trips(args: argparse.Namespace) -> Iterator[SimulatedTrip]:
    sensors = Sensors(
        noise_g=args.noise_g,
        bias_long_g=args.bias_g,
        bias_lat_g=args.bias_g,
        steepest_grade=args.steepest_grade,
        bumps_per_minute=args.bumps_per_minute,
        gaps_per_hour=args.gaps_per_hour,
        frozen_speeds_per_hour=args.frozen_speeds_per_hour,
        lost_position_share=args.lost_position_share,
        has_position=not args.no_position,
    )
    for number in range(args.trips):
        driver = number % args.drivers
        yield simulate_trip(
            np.random.default_rng([args.seed, number]),
            vehicle_id=uuid5(NAMESPACE, f"vehicle {driver}"),
            driver_id=uuid5(NAMESPACE, f"driver {driver}"),
            temper=Temper.of_roughness(driver / max(args.drivers - 1, 1)),
            duration_s=args.minutes * 60,
            hz=args.hz,
            sensors=sensors,
            started_at=FIRST_START + timedelta(hours=number // args.drivers),
        )


def _truth_lines(number: int, simulated: SimulatedTrip) -> Iterator[bytes]:
    """One line an event; `line` is the line of its trip in the output."""
    trip = simulated.trip
    head = {"line": number, "driver_id": str(trip.driver_id), "timestamp": trip.started_at}
    for event in simulated.truth:
        yield orjson.dumps({**head, **asdict(event)}, option=orjson.OPT_APPEND_NEWLINE)


def _whole(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _seed(text: str) -> int:
    seed = int(text)
    if seed < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return seed


_minutes = between(float, 0.1, 24 * 60.0)
_rate = between(float, 1.0, 50.0)
_amount = between(float, 0.0, 1000.0)
_share = between(float, 0.0, 1.0)
_bias = between(float, -5.0, 5.0)
