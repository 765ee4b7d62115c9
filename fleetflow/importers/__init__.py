"""Trip files of any logger -> trips: read by content, mapped with reasons, every refused row with its line."""

from fleetflow.importers.importing import Import, import_file
from fleetflow.importers.mapping import Mapping, Use, read_mapping
from fleetflow.importers.table import FileLimits, FileRefusedError

__all__ = ["FileLimits", "FileRefusedError", "Import", "Mapping", "Use", "import_file", "read_mapping"]
