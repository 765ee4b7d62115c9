"""Bodies to post, made beforehand: plausible numbers, all trips different, cheap to make in thousands."""

from __future__ import annotations

import random
import uuid

import orjson

VARIANTS = 16
RATE_HZ = 10


def bodies(count: int, points: int, seed: int = 1) -> list[bytes]:
    """So many trips of so many points."""
    random_ = random.Random(seed * 1_000_003 + points)
    tails = [orjson.dumps(_points(points, random_)) for _ in range(VARIANTS)]
    return [_body(tails[number % VARIANTS]) for number in range(count)]


def _body(data: bytes) -> bytes:
    head = {"vehicle_id": str(uuid.uuid4()), "driver_id": str(uuid.uuid4()), "sample_hz": RATE_HZ}
    return orjson.dumps({**head, "timestamp": "2026-01-01T12:00:00Z"})[:-1] + b',"data":' + data + b"}"


def _points(count: int, random_: random.Random) -> list[dict[str, float]]:
    speed, made = 50.0, []
    for _ in range(count):
        speed = min(max(speed + random_.gauss(0, 0.5), 0.0), 130.0)
        g_long, g_lat = random_.gauss(0, 0.08), random_.gauss(0, 0.08)
        made.append({"speed_kmh": round(speed, 1), "g_force_long": round(g_long, 3), "g_force_lat": round(g_lat, 3)})
    return made
