"""FleetFlow's core: what trips are, what they are worth, where they are kept and how work is handed on."""
