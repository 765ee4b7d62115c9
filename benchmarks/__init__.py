"""`make bench`: how fast FleetFlow is, as ratios to floors of the same run, since machines differ and are noisy."""
