"""The worker: wakes up, claims trips, finds their events, scores them and writes it all in one transaction."""
