"""Simulated drives that obey physics, with the harsh events that were put in returned as truth."""

from fleetflow.simulator.sensors import Sensors
from fleetflow.simulator.temper import Temper
from fleetflow.simulator.trips import SimulatedTrip, TrueEvent, simulate_trip

__all__ = ["Sensors", "SimulatedTrip", "Temper", "TrueEvent", "simulate_trip"]
