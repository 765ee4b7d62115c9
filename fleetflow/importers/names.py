"""What a column's name says of its role and its unit; a score tells how plainly."""

from __future__ import annotations

import re
import unicodedata
from types import MappingProxyType
from typing import TYPE_CHECKING

from fleetflow.importers.roles import UNITS, Role

if TYPE_CHECKING:
    from collections.abc import Mapping

CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
BRACKETS = re.compile(r"[(\[]([^)\]]*)[)\]]")
ACCEL = frozenset(
    [
        "acc",
        "accel",
        "acel",
        "acceleration",
        "aceleracao",
        "aceleracion",
        "beschleunigung",
        "accelset",
        "gforce",
        "force",
        "linear",
        "imu",
        "ax",
        "ay",
        "az",
    ]
)
AXES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "long": frozenset(["long", "longitudinal", "lon", "fwd", "forward", "surge", "laengs"]),
        "lat": frozenset(["lat", "lateral", "side", "sway", "quer", "transversal"]),
        "other": frozenset(
            ["vert", "vertical", "up", "yaw", "roll", "pitch", "gyro", "pedal", "accuracy", "position", "mag"]
        ),
    }
)
WORDS: tuple[tuple[Role, frozenset[str], frozenset[str]], ...] = (
    (
        Role.SPEED,
        frozenset(
            [
                "speed",
                "spd",
                "velocity",
                "velocidade",
                "velocidad",
                "geschwindigkeit",
                "vitesse",
                "kmh",
                "kph",
                "mph",
                "010d",
                "vel",
                "sog",
            ]
        ),
        frozenset(
            [
                "engine",
                "limit",
                "lim",
                "limite",
                "wind",
                "fan",
                "wheel",
                "avg",
                "average",
                "mean",
                "max",
                "angular",
                "rpm",
                "motor",
                "cycle",
                "accuracy",
            ]
        ),
    ),
    (
        Role.HEADING,
        frozenset(["heading", "course", "bearing", "cog", "azimuth", "trueheading", "kurs"]),
        frozenset({"accuracy"}),
    ),
    (Role.ODOMETER, frozenset(["odometer", "odo", "mileage", "kilometerstand", "odometro"]), frozenset({"fine"})),
    (
        Role.DRIVER,
        frozenset(["driver", "driverid", "fahrer", "conductor", "motorista", "conducteur", "operator"]),
        frozenset(),
    ),
    (
        Role.VEHICLE,
        frozenset(
            [
                "vehicle",
                "vehicleid",
                "veh",
                "car",
                "truck",
                "vin",
                "plate",
                "device",
                "deviceid",
                "asset",
                "fahrzeug",
                "veiculo",
                "vehno",
            ]
        ),
        frozenset(["speed", "class", "type"]),
    ),
    (
        Role.TRIP,
        frozenset(["trip", "tripid", "journey", "ride", "drive", "fahrt", "viagem", "track", "segment", "id"]),
        frozenset(),
    ),
    (Role.VALID, frozenset(["valid", "validity", "gueltig", "fix"]), frozenset()),
    (Role.LATITUDE, frozenset(["lat", "latitude", "latitud", "breite", "breitengrad"]), frozenset({"accuracy"})),
    (
        Role.LONGITUDE,
        frozenset(["lon", "long", "lng", "longitude", "longitud", "laenge", "laengengrad"]),
        frozenset({"accuracy"}),
    ),
    (
        Role.TIME,
        frozenset(
            [
                "time",
                "timestamp",
                "ts",
                "datetime",
                "utc",
                "zeit",
                "zeitstempel",
                "hora",
                "date",
                "tempo",
                "when",
                "at",
                "elapsed",
                "sec",
                "seconds",
                "t",
            ]
        ),
        frozenset(["valid", "acum", "limit", "zone", "step", "cycle"]),
    ),
)
PREFERRED = frozenset(["generated", "recorded", "gps", "corrigido", "corrected", "vehicle", "core", "position"])
AVOIDED = frozenset(["received", "ode", "created", "upload", "uploaded", "raw", "sent", "server", "details"])
UNIT_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "km_h": "km/h", "kmh": "km/h", "kph": "km/h", "kmph": "km/h",
        "mph": "mph", "mi_h": "mph", "miles_h": "mph",
        "m_s": "m/s", "mps": "m/s", "ms": "m/s", "meters_ps": "m/s",
        "knots": "knots", "kn": "knots", "kt": "knots", "kts": "knots",
        "g": "g", "mg": "milli-g", "milli_g": "milli-g",
        "m_s2": "m/s2", "ms2": "m/s2", "mps2": "m/s2", "m_s_2": "m/s2", "m_s_s": "m/s2",
        "mph_s": "mph/s", "km_h_s": "km/h/s",
        "deg": "degrees", "degrees": "degrees", "rad": "radians", "rads": "radians",
        "km": "km", "m": "m", "mi": "miles", "miles": "miles",
    }
)  # fmt: skip


def words(name: str) -> str:
    """The name in lower case, without accents, its words joined by _."""
    plain = unicodedata.normalize("NFKD", CAMEL.sub("_", name)).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


def unit_of(name: str, role: Role) -> str:
    """The unit that a name says, in brackets or at its end; empty where it says none."""
    brackets = BRACKETS.search(name)
    said = words(brackets[1]) if brackets else words(name)
    pieces = [said] if brackets else ["_".join(said.split("_")[-count:]) for count in (3, 2, 1)]
    found = next((UNIT_WORDS[piece] for piece in pieces if piece in UNIT_WORDS), "")
    if role in {Role.LONG_G, Role.LAT_G}:
        found = "m/s2" if found == "m/s" else found or ("g" if {"g", "gforce"} & set(words(name).split("_")) else "")
    return found if found in UNITS.get(role, ()) else ""


def axis_of(name: str) -> str | None:
    """Of an acceleration: `long`, `lat`, `other` (neither), `any` where its name does not tell; of all else None."""
    tokens = set(words(BRACKETS.sub(" ", name)).split("_"))
    if not tokens & ACCEL and not ("g" in tokens and tokens & (AXES["long"] | AXES["lat"])):
        return None
    if tokens & AXES["other"]:
        return "other"
    return next((axis for axis in ("long", "lat") if tokens & AXES[axis]), "any")


def score(name: str, role: Role) -> float:
    """How plainly the name says the role; 0 for not at all."""
    if axis_of(name) is not None:
        return 0.0
    tokens = set(words(BRACKETS.sub(" ", name)).split("_"))
    said, against = next((yes, no) for each, yes, no in WORDS if each is role)
    measured = role is Role.SPEED and BRACKETS.search(name) is not None and unit_of(name, role) != ""
    if not (tokens & said or measured) or tokens & against:
        return 0.0
    plain = 1.0 / len(tokens)
    return 1.0 + plain + 0.5 * bool(tokens & PREFERRED) - bool(tokens & AVOIDED)
