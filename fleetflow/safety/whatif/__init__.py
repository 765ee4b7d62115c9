"""What would another profile say? Computed from peaks that are already found; nothing is written."""
