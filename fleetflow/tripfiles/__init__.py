"""Reading trips from files for sending: the contract's JSON and NDJSON as they are, CSV with the contract's names."""

from fleetflow.tripfiles.csv_trips import Missing
from fleetflow.tripfiles.reading import STDIN, read_parcels

__all__ = ["STDIN", "Missing", "read_parcels"]
