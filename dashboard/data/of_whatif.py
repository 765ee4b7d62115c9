"""What another profile would say of the fleet: worked out from its events, which are laid out once and kept.

Profiles are parts of the keys as JSON, since they hold mappings.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from dashboard.data.connecting import FRESH_S, forgettable, reading
from dashboard.data.of_fleet import Fleet
from dashboard.data.of_size import LONGEST_S
from fleetflow.safety.profiles import ScoringProfile
from fleetflow.safety.whatif.compare import contrast
from fleetflow.safety.whatif.judged import judge
from fleetflow.safety.whatif.peaks import distribution
from fleetflow.safety.whatif.sweep import sweep
from fleetflow.storage import backlog

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleetflow.safety.events import EventKind
    from fleetflow.safety.whatif.compare import Comparison
    from fleetflow.safety.whatif.judged import Judged
    from fleetflow.safety.whatif.peaks import Distribution
    from fleetflow.safety.whatif.sweep import Sweep
    from fleetflow.trips.samples import FloatArray


OF_FLEETS: dict[str | type, Callable[[Any], Any]] = {Fleet: lambda each: each.number}
"""What is kept belongs to one reading of the fleet, whatever has come in since."""


def key_of(profile: ScoringProfile) -> str:
    """A profile as a part of a key."""
    return json.dumps(profile.content(), sort_keys=True)


def _profile(key: str) -> ScoringProfile:
    return ScoringProfile.from_content("draft", json.loads(key))


@forgettable
@st.cache_resource(ttl=LONGEST_S, max_entries=16, show_spinner=False, hash_funcs=OF_FLEETS)
def peaks(fleet: Fleet, kind: EventKind) -> Distribution:
    """How many of the fleet's events of a kind have which peak, those without doubts (shared)."""
    return distribution(kind, fleet.prepared.peaks_of(kind, doubtful=False))


@forgettable
@st.cache_resource(ttl=LONGEST_S, max_entries=4, show_spinner=False, hash_funcs=OF_FLEETS)
def judged(fleet: Fleet, profile: str) -> Judged:
    """The fleet under one profile (shared)."""
    return judge(fleet.prepared, _profile(profile))


@forgettable
@st.cache_resource(ttl=LONGEST_S, max_entries=8, show_spinner=False, hash_funcs=OF_FLEETS)
def whatif(fleet: Fleet, before: str, after: str) -> Comparison:
    """The fleet under two profiles, side by side (shared)."""
    return contrast(fleet.prepared, judged(fleet, before), judge(fleet.prepared, _profile(after)))


@forgettable
@st.cache_resource(ttl=LONGEST_S, max_entries=32, show_spinner="Trying every threshold", hash_funcs=OF_FLEETS)
def threshold_sweep(fleet: Fleet, profile: str, kind: EventKind, thresholds: tuple[float, ...]) -> Sweep:
    """The drivers' order at every threshold of a kind against that under a profile (shared)."""
    tried: FloatArray = np.array(thresholds, dtype=np.float64)
    return sweep(fleet.prepared, _profile(profile), kind, tried)


@st.cache_data(ttl=FRESH_S, max_entries=4, show_spinner=False)
def analysed_trips(database: str) -> int:
    """How many trips a run over all would score."""
    with reading(database) as conn:
        return backlog.count_analysed(conn)
