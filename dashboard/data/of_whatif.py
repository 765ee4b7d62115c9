"""What another profile would say of the fleet: worked out from its events, which are laid out once and kept.

Profiles are parts of the keys as JSON, since they hold mappings.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from dashboard.data.connecting import FLEET_S, FRESH_S, forgettable, reading
from dashboard.data.of_fleet import fleet
from fleetflow.safety.profiles import ScoringProfile
from fleetflow.safety.whatif.compare import contrast
from fleetflow.safety.whatif.judged import judge
from fleetflow.safety.whatif.sweep import sweep
from fleetflow.storage import backlog

if TYPE_CHECKING:
    from datetime import datetime

    from fleetflow.safety.events import EventKind
    from fleetflow.safety.whatif.compare import Comparison
    from fleetflow.safety.whatif.judged import Judged
    from fleetflow.safety.whatif.prepared import Prepared
    from fleetflow.safety.whatif.sweep import Sweep
    from fleetflow.trips.samples import FloatArray


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose driving, and when: `since` None is ever, `group` None all drivers; days are those of the IANA zone."""

    database: str
    since: datetime | None
    zone: str
    group: str | None = None


def prepared(scope: Scope) -> Prepared:
    """The scope's events laid out for what-if."""
    return fleet(scope.database, scope.since, scope.zone, scope.group)[1]


def key_of(profile: ScoringProfile) -> str:
    """A profile as a part of a key."""
    return json.dumps(profile.content(), sort_keys=True)


def _profile(key: str) -> ScoringProfile:
    return ScoringProfile.from_content("draft", json.loads(key))


@forgettable
@st.cache_resource(ttl=FLEET_S, max_entries=4, show_spinner=False)
def judged(scope: Scope, profile: str) -> Judged:
    """The fleet under one profile (shared)."""
    return judge(prepared(scope), _profile(profile))


@forgettable
@st.cache_resource(ttl=FLEET_S, max_entries=8, show_spinner=False)
def whatif(scope: Scope, before: str, after: str) -> Comparison:
    """The fleet under two profiles, side by side (shared)."""
    return contrast(prepared(scope), judged(scope, before), judge(prepared(scope), _profile(after)))


@forgettable
@st.cache_resource(ttl=FLEET_S, max_entries=32, show_spinner="Trying every threshold")
def threshold_sweep(scope: Scope, profile: str, kind: EventKind, thresholds: tuple[float, ...]) -> Sweep:
    """The drivers' order at every threshold of a kind against that under a profile (shared)."""
    tried: FloatArray = np.array(thresholds, dtype=np.float64)
    return sweep(prepared(scope), _profile(profile), kind, tried)


@st.cache_data(ttl=FRESH_S, max_entries=4, show_spinner=False)
def analysed_trips(database: str) -> int:
    """How many trips a run over all would score."""
    with reading(database) as conn:
        return backlog.count_analysed(conn)
