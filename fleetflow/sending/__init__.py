"""Handing trips to an API over a bad line: retries that never double a trip, because a trip's key is its content."""

from fleetflow.sending.client import Line
from fleetflow.sending.outcomes import Fate, Outcome, Parcel, SendReport
from fleetflow.sending.run import send_trips
from fleetflow.sending.waiting import wait_until_scored

__all__ = ["Fate", "Line", "Outcome", "Parcel", "SendReport", "send_trips", "wait_until_scored"]
