"""The least peaks that detection stores; no profile's threshold may lie below them."""

from __future__ import annotations

FLOOR_G = 0.15  # plateau 0.05-0.25: the lowest threshold in use is 0.18 g, below it is road noise
FLOOR_KMH = 80.0  # the lowest general limit at which a vehicle type is governed (lorries outside towns)
