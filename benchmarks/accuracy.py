"""`python -m benchmarks.accuracy`: how many harsh events are found and how many are false, where the truth is known.

It prints docs/detection-accuracy.md; seeds are fixed, so that two runs print the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from fleetflow.safety.events import EventKind
from fleetflow.simulator import Sensors
from tests.support.truth import THRESHOLD_G, accuracy, drives, harsh_events, harsh_runs, harsh_samples, swung_back

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleetflow.simulator import SimulatedTrip
    from tests.support.truth import Accuracy

RATES_HZ = (1, 2, 5, 10, 50)
HOURS = 4
REBOUND_G = 0.2
"""No sensor of these swings back by more than half a brake, so that only gentle accelerations are at risk."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device with its faults, and the kind of event that they make."""

    name: str
    sensors: Sensors
    kind: EventKind = EventKind.BRAKING
    high_pass_s: float | None = None
    above_g: float = THRESHOLD_G


DEVICES = (
    Device("noise 0.05 g", Sensors(noise_g=0.05)),
    Device("noise 0.10 g", Sensors(noise_g=0.10)),
    Device(
        "off by 0.08 g, slopes of 6 %", Sensors(noise_g=0.03, bias_long_g=0.08, bias_lat_g=0.05, steepest_grade=0.06)
    ),
    Device("6 bumps a minute", Sensors(noise_g=0.03, bumps_per_minute=6)),
    Device("20 gaps an hour", Sensors(noise_g=0.03, gaps_per_hour=20)),
    Device("a high-pass of 1 s", Sensors(noise_g=0.03), EventKind.ACCELERATION, 1.0, REBOUND_G),
)
HEAD = """# How well events are found

Simulated drives of {hours} hours in all, rough ones: a dozen harsh events of a kind an hour at {threshold:g} g. Their
truth is known; what devices do to it is put on top. The speed comes a second late in whole km/h. An event is found when
one that counts has its peak within 1.5 s of the true one, and each true event may be found once; what is found besides
is false. Beside FleetFlow's events stand two plainer counts of the same samples at the same threshold: every **sample**
beyond it, and every **run** of neighbouring samples. Braking is counted, and in the last device acceleration above
{rebound:g} g: a sensor with a high-pass swings to the other side after a brake.

| device | samples a second | true | found, % | false an hour | samples: found | false | runs: found | false |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"""
FOOT = """
A brake that lies in a gap cannot be found. At one and two samples a second a sample is all there is of a brake's peak:
nothing can be smoothed, so that noise is taken for events sooner and a brake between two samples looks smaller. At five
a bump of a tenth of a second is one sample of full height, and the median that takes it out from eight samples a second
on would take out brakes too: on bad roads send ten samples a second or more, or let the device average. A sensor whose
high-pass takes off what lasts longer than a second shows less of an acceleration too: at one sample a second, half.
Counting samples finds what there is, and then counts it again for as long as it lasts.

`python -m benchmarks.accuracy` prints this page; the seeds are fixed."""


def measure(device: Device, hz: float, hours: int = HOURS) -> tuple[Accuracy, Accuracy, Accuracy]:
    """FleetFlow's events, samples and runs, of the same drives."""
    trips = _trips(device, hz, hours)
    ours, *plain = (partial(each, above_g=device.above_g) for each in (harsh_events, harsh_samples, harsh_runs))
    found, samples, runs = (accuracy(device.kind, trips, each) for each in (ours, *plain))
    return found, samples, runs


def _trips(device: Device, hz: float, hours: int) -> list[SimulatedTrip]:
    trips = drives(hz, device.sensors, hours=hours)
    return trips if device.high_pass_s is None else [swung_back(each, device.high_pass_s) for each in trips]


def _report() -> Iterator[str]:
    yield HEAD.format(hours=HOURS, threshold=THRESHOLD_G, rebound=REBOUND_G)
    for device in DEVICES:
        for hz in RATES_HZ:
            found = measure(device, hz)
            cells = " | ".join(f"{100 * each.recall:.0f} | {_round(each.false_per_hour)}" for each in found)
            yield f"| {device.name} | {hz} | {found[0].true} | {cells} |"
    yield FOOT


def _round(per_hour: float) -> str:
    return f"{per_hour:,.0f}" if per_hour >= 10 else f"{per_hour:.1f}"


if __name__ == "__main__":
    for line in _report():
        print(line)
